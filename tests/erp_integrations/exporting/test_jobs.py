"""The life of an export: made once, whatever breaks on the way."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any
from unittest import mock

import msgspec
import pytest
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from commitments.erp_links import link_invoice_to_bill, unlink_invoice
from commitments.models import Commitment, CommitmentEvent, SubcontractorInvoice
from erp_integrations.exporting import engine, jobs
from erp_integrations.exporting.requirements import requirements
from erp_integrations.models import ErpConnection, ExportState, InvoiceExport
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    ProtocolError,
    RecordError,
    TransientError,
)
from erp_integrations.providers.http import AGAIN
from erp_integrations.runs import LeaseLost
from projects.models import ErpStatus, User
from projects.services import set_accounting_approver
from tests.erp_integrations.exporting.conftest import accept, export, sent_invoice, work_on
from tests.factories import InvoiceFactory
from tests.fakes.bill_books import LOST, BillBooks, BillBooksProvider

pytestmark = pytest.mark.django_db


def as_if_later(made: InvoiceExport) -> InvoiceExport:
    """The pause before the next attempt is over."""
    InvoiceExport.objects.filter(pk=made.pk).update(try_at=timezone.now())
    return work_on(made)


def as_if_dead(made: InvoiceExport) -> None:
    past = timezone.now() - dt.timedelta(seconds=1)
    InvoiceExport.objects.filter(pk=made.pk).update(lease_expires_at=past)


def test_an_invoice_becomes_a_bill_and_is_synced(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = export(invoice, accountant, erp_number="ERP-7", accounting_date=dt.date(2026, 7, 1))
    assert (made.state, made.bill_id, made.attempts) == (ExportState.SUCCEEDED, "bill-1", 1)
    assert (made.invoice.erp_status, made.invoice.origin_id) == (ErpStatus.SYNCED, "bill-1")
    assert made.invoice.origin_code == "ERP-7"
    (bill,) = erp.exported
    assert (bill.number, bill.accounting_date) == ("ERP-7", dt.date(2026, 7, 1))
    assert (bill.vendor_ref, bill.commitment_ref, bill.project_ref) == (
        invoice.commitment.vendor.origin_id,
        invoice.commitment.origin_id,
        "11",
    )
    assert bill.total == invoice.current_payment_due


def test_the_history_says_who_exported_it_and_as_what(
    invoice: SubcontractorInvoice, accountant: User
) -> None:
    export(invoice, accountant, erp_number="ERP-7")
    told = list(CommitmentEvent.objects.order_by("pk").values_list("summary", "actor"))
    assert told == [
        ("Accepted for export", accountant.pk),
        ("Exported as ERP bill ERP-7", accountant.pk),
    ]


@pytest.mark.parametrize(("is_on", "number"), [(True, "ERP-7"), (False, "ACME-1")])
def test_the_erp_id_becomes_the_invoice_number_where_that_is_switched_on(
    connection: ErpConnection, accountant: User, is_on: bool, number: str
) -> None:
    ErpConnection.objects.update(override_invoice_number=is_on)
    SubcontractorInvoice.objects.update(invoice_number="ACME-1")
    invoice = SubcontractorInvoice.objects.get()
    made = export(invoice, accountant, erp_number="ERP-7")
    assert made.invoice.invoice_number == number
    changes = CommitmentEvent.objects.first().changes  # type: ignore[union-attr]
    assert changes.get("Invoice #") == (["ACME-1", "ERP-7"] if is_on else None)


def test_the_erp_is_asked_outside_any_transaction(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    seen: list[Any] = []
    with mock.patch.object(transaction, "atomic", side_effect=transaction.atomic) as opened:
        erp.meanwhile = lambda: seen.append(opened.call_count)
        work_on(made)
    assert seen == [0]


@pytest.mark.parametrize("losses", range(1, 5))
def test_a_bill_whose_answer_was_lost_is_found_and_not_made_again(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User, losses: int
) -> None:
    erp.after.extend([LOST] * losses)
    made = export(invoice, accountant)
    for _ in range(losses):
        assert (made.state, made.invoice.erp_status) == (ExportState.QUEUED, ErpStatus.EXPORTING)
        made = as_if_later(made)
    assert (made.state, made.attempts) == (ExportState.SUCCEEDED, losses + 1)
    assert list(erp.bills) == [str(made.key)]


def test_a_hundred_lost_answers_make_a_hundred_bills(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    for number in range(100):
        erp.after.append(LOST)
        each = sent_invoice(invoice.commitment, position=100 + number)
        made = as_if_later(export(each, accountant))
        assert made.state == ExportState.SUCCEEDED
    assert len(erp.bills) == len({bill.remote_id for bill in erp.bills.values()}) == 100
    synced = SubcontractorInvoice.objects.synced()
    assert set(synced.values_list("origin_id", flat=True)) == {
        bill.remote_id for bill in erp.bills.values()
    }


def test_before_the_pause_is_over_nobody_takes_it(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    erp.before.append(LOST)
    made = work_on(export(invoice, accountant))
    assert (made.attempts, len(erp.exported)) == (1, 1)


def test_an_erp_that_asks_for_a_longer_pause_gets_it(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    erp.before.append(TransientError("Slow down.", retry_after=500))
    made = export(invoice, accountant)
    assert made.try_at > timezone.now() + dt.timedelta(seconds=450)


def test_an_erp_that_stays_away_ends_in_failed_to_export(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    erp.before.extend([TransientError(f"Tryton is away. {AGAIN}")] * 10)
    made = export(invoice, accountant)
    while made.state == ExportState.QUEUED:
        made = as_if_later(made)
    assert (made.state, made.attempts) == (ExportState.FAILED, len(jobs.PAUSES) + 1)
    assert made.invoice.erp_status == ErpStatus.FAILED
    assert made.invoice.erp_message.startswith("Tryton is away. That happened 6 times")
    assert "it is found and not made twice" in made.invoice.erp_message


def test_exporting_again_after_a_failure_finds_the_bill_that_was_made(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    erp.after.append(ProtocolError("The answer makes no sense."))
    failed = export(invoice, accountant)
    assert failed.state == ExportState.FAILED
    again = export(failed.invoice, accountant)
    assert (again.state, again.key) == (ExportState.SUCCEEDED, failed.key)
    assert len(erp.bills) == 1


def test_after_an_unlink_the_next_export_makes_a_new_bill(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    first = export(invoice, accountant)
    erp.cancel(first.bill_id)
    unlink_invoice(invoice=first.invoice, by=accountant)
    SubcontractorInvoice.objects.update(erp_status=ErpStatus.SENT)
    second = export(SubcontractorInvoice.objects.get(), accountant)
    assert second.key != first.key
    assert second.bill_id != first.bill_id


def test_what_the_erp_refuses_is_failed_with_its_sentence(
    erp: BillBooks, connection: ErpConnection, invoice: SubcontractorInvoice, accountant: User
) -> None:
    erp.before.append(RecordError("The period is closed."))
    made = export(invoice, accountant)
    assert (made.state, made.error_code) == (ExportState.FAILED, "RecordError")
    assert made.invoice.erp_message == "The period is closed."
    connection.refresh_from_db()
    assert connection.stopped_at is None


@pytest.mark.parametrize("error", [AuthenticationError("No key."), ConfigurationError("No host.")])
def test_what_only_a_person_can_mend_stops_the_connection(
    erp: BillBooks,
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    accountant: User,
    error: ErpError,
) -> None:
    erp.before.append(error)
    made = export(invoice, accountant)
    connection.refresh_from_db()
    assert made.state == ExportState.FAILED
    assert connection.stopped_reason == made.invoice.erp_message == str(error)


def test_a_fault_of_our_own_is_failed_and_said(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    erp.before.append(ZeroDivisionError())
    made = accept(invoice, accountant)
    with pytest.raises(ZeroDivisionError):
        engine.work_on(made.pk)
    made.refresh_from_db()
    assert (made.state, made.error_code) == (ExportState.FAILED, "bug")


def test_an_approver_who_lost_the_right_meanwhile_exports_nothing(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    set_accounting_approver(user=accountant, company=invoice.company, is_approver=False)
    made = work_on(made)
    assert (made.state, erp.exported) == (ExportState.FAILED, [])
    assert f"{accountant} may not export it any more" in made.invoice.erp_message


def test_a_link_that_went_away_meanwhile_is_missed(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    type(invoice.commitment.vendor).objects.update(origin_id="")
    made = work_on(made)
    assert (made.state, erp.exported) == (ExportState.FAILED, [])
    assert "is not linked to a vendor in Tryton" in made.invoice.erp_message


def test_where_few_keep_orders_a_bill_goes_without(
    erp: BillBooks, invoice: SubcontractorInvoice, connection: ErpConnection, monkeypatch: Any
) -> None:
    Commitment.objects.update(origin_id="", origin_code="")
    invoice = SubcontractorInvoice.objects.get(pk=invoice.pk)
    assert "commitment" in {each.code for each in requirements(invoice, connection)}
    relaxed = msgspec.structs.replace(BillBooksProvider.capabilities, bills_need_links=False)
    monkeypatch.setattr(BillBooksProvider, "capabilities", relaxed)
    asked = {each.code for each in requirements(invoice, connection)}
    assert "commitment" not in asked
    assert "vendor" in asked


def test_two_workers_cannot_have_the_same_export(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    jobs.claim(made.pk)
    with pytest.raises(LeaseLost):
        jobs.claim(made.pk)


def test_a_worker_that_lost_its_lease_writes_nothing(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made, exported = accept(invoice, accountant), engine._exported

    def taken_over(export: InvoiceExport) -> Any:
        InvoiceExport.objects.update(lease=uuid.uuid4())
        return exported(export)

    with mock.patch.object(engine, "_exported", taken_over):
        made = work_on(made)
    assert (made.state, made.bill_id) == (ExportState.RUNNING, "")
    assert made.invoice.erp_status == ErpStatus.EXPORTING


def test_a_worker_that_died_is_replaced(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    erp.before.append(KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        engine.work_on(made.pk)
    as_if_dead(made)
    with mock.patch("erp_integrations.exporting.jobs.ring_for") as ring:
        assert jobs.recover_stopped() == [made.pk]
        assert jobs.recover_stopped() == []
    ring.assert_called_once_with(made.pk)
    assert work_on(made).state == ExportState.SUCCEEDED


def test_a_worker_that_dies_after_the_bill_was_made_leaves_one_bill(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    erp.after.append(KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        engine.work_on(made.pk)
    as_if_dead(made)
    jobs.recover_stopped()
    assert work_on(made).state == ExportState.SUCCEEDED
    assert len(erp.bills) == 1


def test_an_export_nobody_took_is_rung_for_again(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    InvoiceExport.objects.update(try_at=timezone.now() - dt.timedelta(minutes=5))
    with mock.patch("erp_integrations.exporting.jobs.ring_for") as ring:
        jobs.recover_stopped()
        jobs.recover_stopped()
    ring.assert_called_once_with(made.pk)


def test_a_broker_that_is_away_loses_no_export(
    erp: BillBooks,
    invoice: SubcontractorInvoice,
    accountant: User,
    django_capture_on_commit_callbacks: Any,
) -> None:
    task = "erp_integrations.tasks.export_invoice.apply_async"
    with (
        mock.patch(task, side_effect=OperationalError),
        django_capture_on_commit_callbacks(execute=True),
    ):
        made = accept(invoice, accountant)
    assert made.state == ExportState.QUEUED


def test_an_export_that_never_comes_to_its_end_is_given_up(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    jobs.claim(made.pk)
    InvoiceExport.objects.update(attempts=2 * len(jobs.PAUSES) + 1)
    as_if_dead(made)
    assert jobs.recover_stopped() == []
    made.refresh_from_db()
    invoice.refresh_from_db()
    assert (made.state, made.error_code) == (ExportState.FAILED, "gave_up")
    assert invoice.erp_status == ErpStatus.FAILED


def test_a_bill_that_another_invoice_has_already_is_not_taken(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    InvoiceFactory(commitment=invoice.commitment, bill="bill-1", invoice_number="OTHER")
    made = export(invoice, accountant)
    assert made.state == ExportState.FAILED
    assert "Invoice OTHER" in made.invoice.erp_message


def test_nobody_links_it_by_hand_while_the_erp_receives_it(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    from django.core.exceptions import ValidationError

    accept(invoice, accountant)
    with pytest.raises(ValidationError, match="receiving this invoice now"):
        link_invoice_to_bill(invoice=invoice, bill_id="99", by=accountant)


def test_a_bill_that_the_erp_made_dearer_is_remembered_with_its_total(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    """Tax that the ERP adds: payments up to the bill's total are no overpayment then."""
    take = erp.take
    with mock.patch.object(erp, "take", lambda bill: _taxed(take(bill))):
        made = export(invoice, accountant)
    assert made.invoice.erp_bill_total == invoice.current_payment_due + 1


def _taxed(bill: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(bill, total=bill.total + Decimal(1))
