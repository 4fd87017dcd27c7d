"""Both books, compared: what is found on each invoice, and that it adds up to the cent."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from commitments.models import SubcontractorInvoice
from commitments.payments_tab import set_payments_enabled
from erp_integrations import engine, runs
from erp_integrations.models import (
    ErpConnection,
    Reconciliation,
    ReconciliationLine,
    RunMode,
    RunState,
    RunTrigger,
    SyncRun,
)
from erp_integrations.reconciliation import nightly
from payments.models import Payment
from projects.models import ErpStatus
from tests.erp_integrations.conftest import run_sync
from tests.factories import CommitmentFactory, InvoiceFactory, PaymentFactory, UserFactory
from tests.fakes.books import Books, BooksProvider, payment

pytestmark = pytest.mark.django_db


def compare(connection: ErpConnection) -> Reconciliation:
    return Reconciliation.objects.get(run=run_sync(connection, RunMode.RECONCILE))


def the_line(connection: ErpConnection, bill: str = "7") -> ReconciliationLine:
    line = compare(connection).lines.get(invoice__origin_id=bill)
    amounts = [Decimal(each["amount"]) for each in line.explanations]
    assert sum(amounts) == line.difference
    return line


def causes(line: ReconciliationLine) -> dict[str, Decimal]:
    return {each["code"]: Decimal(each["amount"]) for each in line.explanations}


def test_books_that_agree_have_no_difference(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "1250.50")))
    run_sync(connection)
    line = the_line(connection)
    assert (line.erp_paid, line.paid_here, line.difference) == (
        Decimal("1250.50"),
        Decimal("1250.50"),
        0,
    )
    assert not line.is_different and line.explanations == []


def test_a_comparison_leaves_the_sync_where_it_was(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "10")))
    run_sync(connection)
    before = (connection.cursor, connection.last_success_at)
    compare(connection)
    connection.refresh_from_db()
    assert (connection.cursor, connection.last_success_at) == before


def test_a_payment_not_read_since_is_named(books: Books, connection: ErpConnection) -> None:
    run_sync(connection)
    books.put(payment("p1", ("7", "300")))
    assert causes(the_line(connection)) == {"not_read": Decimal(300)}
    run_sync(connection)
    assert not the_line(connection).is_different


def test_what_a_sync_cannot_read_is_unexplained(books: Books, connection: ErpConnection) -> None:
    books.bills["7"] = Decimal(5000)
    books.paid_besides["7"] = Decimal("12.34")
    assert causes(the_line(connection)) == {"not_read": Decimal("12.34")}
    assert causes(the_line(connection)) == {"not_read": Decimal("12.34")}
    run_sync(connection)
    line = the_line(connection)
    assert causes(line) == {"unexplained": Decimal("12.34")}
    assert line.unexplained == Decimal("12.34")


def test_a_payment_that_waits_is_named_with_its_reason(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    set_payments_enabled(commitment=invoice.commitment, is_enabled=False, by=UserFactory())
    books.put(payment("p1", ("7", "300")))
    run_sync(connection)
    (cause,) = the_line(connection).explanations
    assert (cause["code"], cause["reason"], cause["name"]) == ("waiting", "tab_disabled", "CHK-1")


def test_a_hand_entered_payment_is_named(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.bills["7"] = Decimal(5000)
    PaymentFactory(commitment=invoice.commitment, invoice=invoice, amount=Decimal("80.25"))
    assert causes(the_line(connection)) == {"hand_entered": Decimal("-80.25")}


def test_a_manual_duplicate_is_named(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "80.25"), check_number="CHK-0042"))
    run_sync(connection)
    PaymentFactory(
        commitment=invoice.commitment,
        invoice=invoice,
        amount=Decimal("80.25"),
        check_number="42",
        date=dt.date(2026, 7, 4),
    )
    assert causes(the_line(connection)) == {"manual_duplicate": Decimal("-80.25")}


def test_a_payment_pending_in_the_erp_and_entered_here_is_named(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    from erp_integrations.providers.contract import RemoteStatus

    books.put(payment("p1", ("7", "80"), status=RemoteStatus.PENDING, check_number="9"))
    run_sync(connection)
    PaymentFactory(
        commitment=invoice.commitment, invoice=invoice, amount=Decimal(80), check_number="9"
    )
    assert causes(the_line(connection)) == {"pending": Decimal(-80)}


def test_a_payment_voided_in_the_erp_and_entered_here_is_named(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "80"), check_number="9"))
    run_sync(connection)
    books.void("p1")
    run_sync(connection)
    PaymentFactory(commitment=invoice.commitment, invoice=invoice, amount=Decimal(80))
    assert causes(the_line(connection)) == {"voided": Decimal(-80)}


def test_a_vanished_payment_that_the_bill_still_counts_is_named(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    books.delete("p1")
    run_sync(connection, RunMode.SWEEP)
    books.bills["7"], books.paid_besides["7"] = Decimal(5000), Decimal(80)
    assert causes(the_line(connection)) == {"vanished": Decimal(80)}


def test_a_payment_on_another_invoice_is_its_share(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    other = InvoiceFactory(commitment=invoice.commitment, bill="8")
    books.bills["8"] = Decimal(5000)
    Payment.objects.update(invoice=other)
    found = compare(connection).lines.order_by("invoice")
    assert [causes(each) for each in found] == [
        {"other_commitment": Decimal(80)},
        {"other_commitment": Decimal(-80)},
    ]


def test_a_bill_that_the_erp_does_not_have_is_a_difference_even_without_money(
    books: Books, connection: ErpConnection
) -> None:
    line = the_line(connection)
    assert line.is_different and line.erp_total is None
    assert causes(line) == {"bill_missing": Decimal(0)}


def test_a_cancelled_bill_is_named(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    books.cancelled.add("7")
    assert causes(the_line(connection)) == {"bill_cancelled": Decimal(-80)}


def test_totals_are_the_sums_of_the_lines(books: Books, connection: ErpConnection) -> None:
    commitment = CommitmentFactory(project__company=connection.company)
    for number in range(20, 30):
        InvoiceFactory(commitment=commitment, bill=str(number))
        books.put(payment(f"p{number}", (str(number), f"{number}.01")))
    run_sync(connection)
    books.void("p20")
    found = compare(connection)
    total = found.totals.get(project=commitment.project)
    assert total.paid_here - total.erp_paid == Decimal("20.01")
    assert (total.invoices, total.differences) == (10, 1)
    assert found.invoices == 11


def test_it_asks_the_erp_once_a_page(
    books: Books, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    small = msgspec.structs.replace(BooksProvider.capabilities, page_size=4)
    monkeypatch.setattr(BooksProvider, "capabilities", small)
    commitment = CommitmentFactory(project__company=connection.company)
    for number in range(20, 29):
        InvoiceFactory(commitment=commitment, bill=str(number))
    found = compare(connection)
    assert found.lines.count() == 10
    assert len([call for call in books.calls if call.startswith("bills")]) == 3


def test_a_comparison_of_one_project_asks_for_that_only(
    books: Books, connection: ErpConnection
) -> None:
    other = InvoiceFactory(commitment__project__company=connection.company, bill="8")
    run = runs.request_run(
        connection=connection,
        trigger=RunTrigger.COMMAND,
        mode=RunMode.RECONCILE,
        project=other.project,
    )
    engine.work_on(run.pk)
    found = Reconciliation.objects.get(run=run)
    assert [line.invoice for line in found.lines.all()] == [other]
    assert found.project == other.project


def test_only_the_newest_lines_are_kept_and_every_total(
    books: Books, connection: ErpConnection
) -> None:
    first, second = compare(connection), compare(connection)
    assert (first.lines.count(), second.lines.count()) == (0, 1)
    assert (first.totals.count(), second.totals.count()) == (1, 1)


def test_a_comparison_whose_time_is_over_goes_on_in_the_next_task(
    books: Books, connection: ErpConnection, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    small = msgspec.structs.replace(BooksProvider.capabilities, page_size=1)
    monkeypatch.setattr(BooksProvider, "capabilities", small)
    settings.SYNC_TIME_SLICE = -1
    InvoiceFactory(commitment__project__company=connection.company, bill="8")
    run = runs.request_run(
        connection=connection, trigger=RunTrigger.COMMAND, mode=RunMode.RECONCILE
    )
    engine.work_on(run.pk)  # tasks are carried out at once here, each for its slice
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.SUCCEEDED, 3)
    assert Reconciliation.objects.get().lines.count() == 2
    assert run.unchanged + run.problems == 2


def test_an_erp_that_fails_leaves_the_last_comparison(
    books: Books, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from erp_integrations.providers.errors import TransientError

    compare(connection)

    def away(self: object, ids: object) -> object:
        raise TransientError("The ERP does not answer.")

    monkeypatch.setattr(BooksProvider, "bills", away)
    run = run_sync(connection, RunMode.RECONCILE)
    assert run.state == RunState.FAILED
    assert ReconciliationLine.objects.count() == 1


def test_the_night_comes_once_for_each_connection(books: Books, connection: ErpConnection) -> None:
    assert nightly.start_due() == []
    connection.refresh_from_db()
    assert connection.next_comparison_at > timezone.now()
    ErpConnection.objects.update(next_comparison_at=timezone.now())
    (run,) = nightly.start_due()
    assert (run.mode, run.trigger) == (RunMode.RECONCILE, RunTrigger.SCHEDULE)
    assert nightly.start_due() == []


def test_a_busy_connection_is_compared_later(books: Books, connection: ErpConnection) -> None:
    ErpConnection.objects.update(next_comparison_at=timezone.now())
    runs.request_run(connection=connection, trigger=RunTrigger.COMMAND)
    assert nightly.start_due() == []
    connection.refresh_from_db()
    assert connection.next_comparison_at - timezone.now() < dt.timedelta(hours=1)


def test_a_connection_that_stopped_is_not_compared(books: Books, connection: ErpConnection) -> None:
    ErpConnection.objects.update(next_comparison_at=timezone.now(), is_active=False)
    assert nightly.start_due() == []


def test_a_sync_that_is_due_does_not_join_a_comparison(
    books: Books, connection: ErpConnection
) -> None:
    runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, mode=RunMode.RECONCILE)
    ErpConnection.objects.update(next_sync_at=timezone.now())
    assert runs.start_due() == []
    SyncRun.objects.get().delete()
    assert len(runs.start_due()) == 1


def test_an_invoice_that_is_not_synced_is_not_compared(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    SubcontractorInvoice.objects.update(origin_id="", erp_status=ErpStatus.NOT_SENT)
    assert compare(connection).lines.count() == 0
