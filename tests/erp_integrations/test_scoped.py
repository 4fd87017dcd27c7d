"""A sync of one project, commitment or invoice: its payments, and nothing else moves."""

import datetime as dt
import threading
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import connection as database
from django.utils import timezone

from commitments.models import SubcontractorInvoice
from erp_integrations import engine, runs
from erp_integrations.models import (
    ErpConnection,
    ErpPayment,
    RunMode,
    RunState,
    RunTrigger,
    SyncIssue,
    SyncRun,
)
from erp_integrations.providers.contract import Capabilities
from erp_integrations.providers.errors import RecordError, TransientError
from erp_integrations.scopes import Order, Scope
from payments.models import Payment
from projects.access import Level, Tool
from projects.services import grant_level
from tests.erp_integrations.conftest import run_sync
from tests.factories import CommitmentFactory, InvoiceFactory, ProjectFactory, UserFactory
from tests.fakes.books import Books, BooksProvider, payment

pytestmark = pytest.mark.django_db


def run_scoped(connection: ErpConnection, *, worked: bool = True, **scope: Any) -> SyncRun:
    order = runs.order_for(connection, Scope(**scope))
    run = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, order=order)
    if worked:
        engine.work_on(run.pk)
        run.refresh_from_db()
        connection.refresh_from_db()
    return run


@pytest.fixture
def other(invoice: SubcontractorInvoice) -> SubcontractorInvoice:
    """An invoice of another commitment on another project."""
    project = ProjectFactory(company=invoice.company)
    return InvoiceFactory(commitment=CommitmentFactory(project=project), bill="8")


def stored() -> str:
    return repr(ErpConnection.objects.values().get())


def paid() -> dict[str, Decimal]:
    counted = Payment.objects.counted().values_list("invoice__origin_id", "amount")
    return dict(counted)


@pytest.mark.parametrize("kind", ["project", "commitment", "invoice"])
def test_it_brings_the_payments_of_its_scope_only(
    books: Books, connection: ErpConnection, other: SubcontractorInvoice, kind: str
) -> None:
    books.put(payment("p7", ("7", "100")), payment("p8", ("8", "50")))
    scope = {"project": other.project, "commitment": other.commitment, "invoice": other}[kind]
    run = run_scoped(connection, **{kind: scope})
    assert (run.mode, run.state, run.created) == ("scoped", "succeeded", 1)
    assert paid() == {"8": Decimal(50)}


def test_it_moves_neither_the_cursor_nor_the_clock_of_the_connection(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    run_sync(connection)
    before = stored()
    books.put(payment("p1", ("7", "100")))
    run_scoped(connection, invoice=invoice)
    assert stored() == before
    assert run_sync(connection).unchanged == 1


def test_it_asks_for_its_bills_page_by_page(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice, monkeypatch: Any
) -> None:
    monkeypatch.setattr("erp_integrations.scoped.BILLS_AT_ONCE", 2)
    for number in range(4):
        InvoiceFactory(commitment=invoice.commitment, bill=str(100 + number))
    run = run_scoped(connection, commitment=invoice.commitment)
    assert books.calls == ["payments on 2 bills"] * 2 + ["payments on 1 bills"]
    assert (run.calls, run.checkpoint) == (3, {"invoice": invoice.commitment.invoices.last().pk})


def test_a_payment_over_bills_in_and_out_of_the_scope_is_stored_whole(
    books: Books, connection: ErpConnection, other: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "100"), ("8", "50")))
    run_scoped(connection, invoice=other)
    assert paid() == {"7": Decimal(100), "8": Decimal(50)}


def test_it_finds_out_that_a_payment_was_deleted(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")
    run = run_scoped(connection, invoice=invoice)
    assert run.vanished == 1
    assert paid() == {}
    assert "payment p1" in books.calls


def test_it_finds_out_that_a_payment_was_applied_to_another_bill(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.payments["p1"] = payment("p1", ("99", "100"), modified_at=books.clock)
    run = run_scoped(connection, invoice=invoice)
    assert (run.vanished, paid()) == (0, {})
    assert Payment.objects.get().status == "voided"
    assert ErpPayment.objects.get().vanished_at is None


def test_a_question_without_an_answer_changes_nothing(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")

    def fail(remote_id: str) -> None:
        raise TransientError("Books did not answer.")

    books.before_payment = fail
    run = run_scoped(connection, invoice=invoice)
    assert (run.state, run.error_code) == (RunState.FAILED, "TransientError")
    assert paid() == {"7": Decimal(100)}
    assert ErpPayment.objects.get().missing_since is None


def test_a_record_that_makes_no_sense_is_left_and_becomes_an_issue(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")

    def fail(remote_id: str) -> None:
        raise RecordError("It makes no sense.")

    books.before_payment = fail
    run = run_scoped(connection, invoice=invoice)
    assert (run.is_good, run.problems) == (True, 1)
    assert SyncIssue.objects.get(run=run).message == "It makes no sense."
    assert paid() == {"7": Decimal(100)}


def test_much_missing_at_once_is_doubted(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(25)))
    run_sync(connection)
    books.payments.clear()
    run = run_scoped(connection, invoice=invoice)
    assert SyncIssue.objects.filter(run=run, code="sweep_not_trusted").exists()
    assert Payment.objects.counted().count() == 25


def test_a_failed_one_does_not_count_against_the_schedule(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    run_sync(connection)
    before = stored()

    def fail(number: int) -> None:
        raise TransientError("Books did not answer.")

    books.before_page = fail
    assert run_scoped(connection, invoice=invoice).state == RunState.FAILED
    assert stored() == before


def test_killed_in_the_middle_it_goes_on_with_the_bills_that_are_left(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice, monkeypatch: Any
) -> None:
    monkeypatch.setattr("erp_integrations.scoped.BILLS_AT_ONCE", 1)
    last = InvoiceFactory(commitment=invoice.commitment, bill="8")
    books.put(payment("p7", ("7", "100")), payment("p8", ("8", "50")))
    asked = iter([None, KeyboardInterrupt("killed"), None])

    def before(number: int) -> None:
        if error := next(asked):
            raise error

    books.before_page = before
    run = run_scoped(connection, worked=False, commitment=invoice.commitment)
    with pytest.raises(KeyboardInterrupt):
        engine.work_on(run.pk)
    assert paid() == {"7": Decimal(100)}
    SyncRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.created, run.checkpoint) == ("succeeded", 2, {"invoice": last.pk})
    assert len([call for call in books.calls if call.startswith("payments on")]) == 3


def test_an_erp_that_cannot_be_asked_for_bills_is_asked_for_all_that_is_new(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice, monkeypatch: Any
) -> None:
    monkeypatch.setattr(BooksProvider, "capabilities", Capabilities(overlap_seconds=0))
    books.put(payment("p1", ("7", "100")))
    run = run_scoped(connection, invoice=invoice)
    assert run.is_whole
    assert (run.invoice, paid()) == (None, {"7": Decimal(100)})


def test_an_invoice_that_is_not_synced_has_nothing_to_ask_for(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    run = run_scoped(connection, invoice=InvoiceFactory(commitment=invoice.commitment))
    assert (run.state, books.calls) == ("succeeded", [])


def test_a_run_whose_invoice_is_gone_does_not_become_a_run_of_everything(
    books: Books, connection: ErpConnection
) -> None:
    run = runs.request_run(
        connection=connection, trigger=RunTrigger.COMMAND, order=Order(RunMode.SCOPED)
    )
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert (run.error_code, books.calls) == ("NothingToSync", [])


def test_the_right_is_checked_again_on_the_project_of_the_invoice(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice,
    other: SubcontractorInvoice,
) -> None:  # fmt: skip
    person = UserFactory()
    right = {"user": person, "tool": Tool.ERP_INTEGRATIONS}
    grant_level(**right, level=Level.ADMIN, on=invoice.project)
    grant_level(**right, level=Level.ADMIN, on=other.project)
    run = runs.request_run(
        connection=connection,
        trigger=RunTrigger.BUTTON,
        requested_by=person,
        order=runs.order_for(connection, Scope(invoice=invoice)),
    )
    grant_level(**right, level=Level.NONE, on=invoice.project)
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert (run.error_code, books.calls) == ("NotAllowedNow", [])


def test_two_of_different_scopes_do_not_pass_for_each_other(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice,
    other: SubcontractorInvoice,
) -> None:  # fmt: skip
    first = run_scoped(connection, worked=False, invoice=invoice)
    order = runs.order_for(connection, Scope(invoice=other))
    given = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, order=order)
    assert given == first
    assert not order.fits(given)
    assert runs.order_for(connection, Scope(invoice=invoice)).fits(given)


def test_a_scheduled_sync_stays_due_while_one_of_an_invoice_is_under_way(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    narrow = run_scoped(connection, worked=False, invoice=invoice)
    due = timezone.now() - dt.timedelta(minutes=1)
    ErpConnection.objects.update(next_sync_at=due)
    assert runs.start_due() == []
    assert ErpConnection.objects.get().next_sync_at == due
    engine.work_on(narrow.pk)
    assert [run.is_whole for run in runs.start_due()] == [True]


def test_waiting_and_trouble_are_those_of_the_scope(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("99", "100")), payment("p2", ("7", "10")))
    assert run_sync(connection).waiting == 1
    run = run_scoped(connection, invoice=invoice)
    assert (run.state, run.waiting) == ("succeeded", 0)


def test_a_back_fill_that_was_killed_goes_on_after_its_own_checkpoint(
    books: Books, connection: ErpConnection
) -> None:
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(4)))
    books.page_size = 2
    died = iter([None, KeyboardInterrupt("killed"), None])

    def before(number: int) -> None:
        if error := next(died, None):
            raise error

    books.before_page = before
    order = Order(RunMode.BACK_FILL, since=books.clock.date())
    run = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, order=order)
    with pytest.raises(KeyboardInterrupt):
        engine.work_on(run.pk)
    SyncRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    engine.work_on(run.pk)
    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, run.created, run.payments_read) == ("succeeded", 4, 4)
    assert (connection.cursor, connection.last_success_at) == (None, None)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_press_different_things_at_once_one_wins(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    scopes = [Scope(), Scope(project=invoice.project), Scope(invoice=invoice)]
    orders = [runs.order_for(connection, scope, is_preview=look) for scope in scopes
              for look in (False, True)]  # fmt: skip
    start = threading.Barrier(len(orders))
    given: list[tuple[Order, SyncRun]] = []

    def press(order: Order) -> None:
        start.wait()
        run = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, order=order)
        given.append((order, run))
        database.close()

    threads = [threading.Thread(target=press, args=[order]) for order in orders]
    # Around all of them: a patch of each thread's own would put back another thread's mock.
    with mock.patch("erp_integrations.runs.ring_for"):
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    winner = SyncRun.objects.select_related("project", "invoice", "commitment").get()
    assert {run.pk for _, run in given} == {winner.pk}
    assert [order.fits(winner) for order in orders].count(True) == 1
