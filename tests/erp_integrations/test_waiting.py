"""Payments that wait: each with its reason, shown by themselves when it goes away."""

from decimal import Decimal
from typing import Any

import pytest

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.models import ErpAllocation, ErpConnection
from erp_integrations.providers.contract import RemoteStatus
from erp_integrations.waiting import project_waiting
from payments.models import Payment
from projects.access import Tool
from projects.models import ErpStatus, Vendor
from projects.services import set_tool
from tests.erp_integrations.conftest import run_sync
from tests.factories import InvoiceFactory
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db


def reason() -> str:
    return ErpAllocation.objects.get().reason


def test_a_payment_of_a_bill_nobody_knows_waits(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("99", "100")))
    run = run_sync(connection)
    assert (reason(), run.waiting) == ("bill_unknown", 1)
    assert connection.issues.open().get().reason == "bill_unknown"


def test_a_payment_of_an_invoice_that_is_not_synced_waits_and_names_the_invoice(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    other = InvoiceFactory(commitment=invoice.commitment, invoice_number="BILL-99")
    books.put(payment("p1", ("99", "100")))
    run_sync(connection)
    assert reason() == "invoice_not_synced"
    assert ErpAllocation.objects.get().invoice == other


def test_it_is_shown_once_the_invoice_is_synced(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    other = InvoiceFactory(commitment=invoice.commitment, invoice_number="BILL-99")
    books.put(payment("p1", ("99", "100")))
    run_sync(connection)
    SubcontractorInvoice.objects.filter(pk=other.pk).update(
        origin_id="99", erp_status=ErpStatus.SYNCED
    )
    assert project_waiting(company_id=connection.company_id) == 1
    assert Payment.objects.get().invoice == other
    assert not connection.issues.open().exists()


def test_a_payment_waits_while_the_commitments_tool_is_inactive(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    set_tool(project=invoice.project, tool=Tool.COMMITMENTS, is_active=False)
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    assert reason() == "tool_inactive"
    assert not Payment.objects.exists()


def test_switching_the_tool_on_shows_what_waited(
    books: Books,
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    django_capture_on_commit_callbacks: Any,
) -> None:
    set_tool(project=invoice.project, tool=Tool.COMMITMENTS, is_active=False)
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    with django_capture_on_commit_callbacks(execute=True):
        set_tool(project=invoice.project, tool=Tool.COMMITMENTS, is_active=True)
    assert Payment.objects.get().amount == Decimal(100)


def test_a_payment_waits_while_the_tab_is_disabled(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    Commitment.objects.update(allow_payments=False)
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    assert reason() == "tab_disabled"
    Commitment.objects.update(allow_payments=True)
    project_waiting()
    assert Payment.objects.count() == 1


def test_a_payment_that_is_shown_still_follows_the_erp_when_the_tab_is_disabled(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    Commitment.objects.update(allow_payments=False)
    books.void("p1")
    run_sync(connection)
    assert Payment.objects.get().status == "voided"


def test_a_payment_to_another_vendor_waits(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    Vendor.objects.update(origin_id="2")
    books.put(payment("p1", ("7", "100"), vendor_ref="3"))
    run_sync(connection)
    assert reason() == "vendor_mismatch"


def test_a_payment_in_another_currency_waits(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "100"), currency="EUR"))
    run_sync(connection)
    assert reason() == "currency_mismatch"


def test_a_payment_larger_than_its_bill_waits(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "5000.01")))
    run_sync(connection)
    assert reason() == "amount_exceeds_bill"


def test_the_bill_of_the_erp_may_be_larger_than_the_payment_due(
    books: Books, connection: ErpConnection
) -> None:
    SubcontractorInvoice.objects.update(erp_bill_total=Decimal(6000))
    books.put(payment("p1", ("7", "5000.01")))
    run_sync(connection)
    assert Payment.objects.exists()


def test_a_new_reason_replaces_the_old_one(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    Commitment.objects.update(allow_payments=False)
    set_tool(project=invoice.project, tool=Tool.COMMITMENTS, is_active=False)
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    set_tool(project=invoice.project, tool=Tool.COMMITMENTS, is_active=True)
    project_waiting()
    assert reason() == "tab_disabled"
    assert connection.issues.open().get().reason == "tab_disabled"


def test_only_the_waiting_share_of_a_payment_waits(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "100"), ("99", "50")))
    run_sync(connection)
    assert Payment.objects.get().amount == Decimal(100)
    assert ErpAllocation.objects.waiting().get().amount == Decimal(50)


def test_another_companys_invoice_with_the_same_bill_id_gets_nothing(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    elsewhere = InvoiceFactory(bill="7")
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    assert not Payment.objects.filter(company=elsewhere.company).exists()
    assert Payment.objects.get().invoice == invoice


def test_what_nobody_here_has_an_invoice_of_is_not_judged_every_minute(
    books: Books, connection: ErpConnection, django_assert_num_queries: Any
) -> None:
    books.put(payment("p1", ("98", "100")))
    books.put(payment("p2", ("99", "100"), status=RemoteStatus.PENDING))
    run_sync(connection)
    with django_assert_num_queries(2):  # the connections, and what is worth another look
        assert project_waiting() == 0


def test_an_unknown_bill_is_one_that_is_not_synced_once_somebody_enters_its_invoice(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("99", "100")))
    run_sync(connection)
    entered = InvoiceFactory(commitment=invoice.commitment, invoice_number="BILL-99")
    project_waiting()
    assert reason() == "invoice_not_synced"
    assert ErpAllocation.objects.get().invoice == entered


def test_an_invoice_that_is_gone_leaves_its_bill_unknown(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    other = InvoiceFactory(commitment=invoice.commitment, invoice_number="BILL-99")
    books.put(payment("p1", ("99", "100")))
    run_sync(connection)
    SubcontractorInvoice.objects.filter(pk=other.pk).update(invoice_number="DRAW-9")
    project_waiting()
    assert reason() == "bill_unknown"


def test_a_pending_payment_names_its_invoice_once_that_is_linked(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("99", "100"), status=RemoteStatus.PENDING))
    run_sync(connection)
    linked = InvoiceFactory(commitment=invoice.commitment, bill="99")
    project_waiting()
    assert (reason(), ErpAllocation.objects.get().invoice) == ("payment_pending", linked)


def test_a_pending_payment_names_an_invoice_that_is_entered_later(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("99", "100"), status=RemoteStatus.PENDING))
    run_sync(connection)
    entered = InvoiceFactory(commitment=invoice.commitment, invoice_number="BILL-99")
    project_waiting()
    assert (reason(), ErpAllocation.objects.get().invoice) == ("payment_pending", entered)
