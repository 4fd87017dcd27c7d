"""A preview says what a sync would do, and does nothing."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from commitments.models import SubcontractorInvoice
from erp_integrations import engine, runs
from erp_integrations.models import (
    ErpConnection,
    PreviewKind,
    PreviewRow,
    RunMode,
    RunTrigger,
    SweepSighting,
    SyncRun,
)
from erp_integrations.previews.keeping import purge_old
from erp_integrations.providers.contract import Page, RejectedRecord, RemoteStatus
from erp_integrations.providers.errors import AuthenticationError, TransientError
from erp_integrations.scopes import EVERYTHING, Order, Scope
from payments.models import Payment
from tests.erp_integrations.conftest import run_sync
from tests.factories import InvoiceFactory
from tests.fakes.books import Books, payment
from tests.test_access import snapshot

pytestmark = pytest.mark.django_db
SWEEP, CHANGES = Order(RunMode.SWEEP, is_preview=True), Order(RunMode.CHANGES, is_preview=True)


def preview(connection: ErpConnection, order: Order = SWEEP, *, worked: bool = True) -> SyncRun:
    run = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, order=order)
    if worked:
        engine.work_on(run.pk)
        run.refresh_from_db()
    return run


def rows(run: SyncRun) -> list[tuple[Any, ...]]:
    return sorted(PreviewRow.objects.filter(run=run).values_list("kind", "remote_id", "amount"))


def the_books() -> dict[str, list[Any]]:
    """Every row there is, but those of the preview itself."""
    tables = snapshot()
    return {
        name: found
        for name, found in tables.items()
        if name not in ("erp_integrations.PreviewRow", "erp_integrations.SyncRun")
    }


@pytest.fixture
def lively(books: Books, connection: ErpConnection, invoice: SubcontractorInvoice) -> Books:
    """Synced books in which since then everything happened that can."""
    InvoiceFactory(commitment=invoice.commitment, bill="8")
    books.put(*(payment(f"p{n}", ("7", f"{n}0")) for n in range(1, 6)))
    books.put(payment("back", ("7", "1"), status=RemoteStatus.VOIDED))
    books.rejected = [RejectedRecord("bad", "It made no sense.", "")]
    run_sync(connection)
    books.put(payment("new", ("7", "100"), ("8", "50")), payment("waits", ("99", "7")))
    books.change("p1", allocations=payment("p1", ("7", "11")).allocations, total=Decimal(11))
    books.void("p2")
    books.delete("p3")
    books.change("p4", allocations=())
    books.change("back", status=RemoteStatus.ISSUED)
    books.rejected = [RejectedRecord("worse", "Nor does this.", "")]
    return books


def test_it_says_everything_that_a_sweep_would_do(lively: Books, connection: ErpConnection) -> None:
    assert rows(preview(connection)) == [
        ("changed", "p1", Decimal(11)),
        ("created", "new", Decimal(50)),
        ("created", "new", Decimal(100)),
        ("restored", "back", Decimal(1)),
        ("unusable", "worse", None),
        ("vanished", "p3", Decimal(30)),
        ("voided", "p2", Decimal(20)),
        ("voided", "p4", Decimal(40)),
        ("waiting", "waits", Decimal(7)),
    ]


@pytest.mark.parametrize("order", [SWEEP, CHANGES])
def test_it_writes_nothing_but_its_own_rows(
    lively: Books, connection: ErpConnection, order: Order
) -> None:
    before = the_books()
    assert preview(connection, order).is_good
    assert the_books() == before


def test_it_says_what_the_sync_then_does(lively: Books, connection: ErpConnection) -> None:
    lively.page_size = 2
    found = preview(connection)
    lively.rejected = [RejectedRecord("worse", "Nor does this.", "")]
    again = run_sync(connection, RunMode.SWEEP)
    counts = ("payments_read", "created", "updated", "unchanged", "vanished", "waiting", "pages")
    assert [getattr(found, name) for name in counts] == [getattr(again, name) for name in counts]
    assert rows(preview(connection)) == [("waiting", "waits", Decimal(7))]


def test_it_says_what_changes_field_by_field(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "100"), check_number="1"))
    run_sync(connection)
    books.change("p1", check_number="2", date=dt.date(2026, 7, 9))
    [row] = PreviewRow.objects.filter(run=preview(connection))
    assert row.changes == {"Check #": ["1", "2"], "Date Paid": ["2026-07-01", "2026-07-09"]}


def test_it_says_where_a_payment_would_go_and_why_another_waits(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "100")), payment("p2", ("99", "5")))
    created, waiting = PreviewRow.objects.filter(run=preview(connection)).order_by("kind")
    assert (created.invoice, created.commitment) == (invoice, invoice.commitment)
    assert (waiting.invoice, waiting.explanation) == (None, "Bill unknown")


def test_a_payment_that_comes_twice_is_said_once_as_it_came_last(
    books: Books, connection: ErpConnection
) -> None:
    first, last = payment("p1", ("7", "10")), payment("p1", ("7", "12"))
    books.script = [Page([each], (), {"modified": "", "id": ""}) for each in (first, last)]
    run = preview(connection, CHANGES)
    assert rows(run) == [("created", "p1", Decimal(12))]
    assert (run.created, run.unchanged) == (1, 1)


def test_one_of_an_invoice_says_what_is_gone_from_it(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "10")), payment("p2", ("7", "20")))
    run_sync(connection)
    books.delete("p1")
    before = the_books()
    run = preview(connection, runs.order_for(connection, Scope(invoice=invoice), is_preview=True))
    assert (rows(run), run.vanished) == ([("vanished", "p1", Decimal(10))], 1)
    assert the_books() == before


def test_one_of_a_back_fill_reads_from_its_day(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "10")))
    run = preview(
        connection, Order(RunMode.BACK_FILL, EVERYTHING, books.clock.date(), is_preview=True)
    )
    assert rows(run) == [("created", "p1", Decimal(10))]


def test_a_sweep_that_misses_too_much_says_so(books: Books, connection: ErpConnection) -> None:
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(25)))
    run_sync(connection)
    books.payments.clear()
    [row] = PreviewRow.objects.filter(run=preview(connection))
    assert (row.kind, row.reason[:24]) == (PreviewKind.UNUSABLE, "25 of 25 payments were n")


def test_killed_in_the_middle_it_says_the_same_in_the_end(
    lively: Books, connection: ErpConnection
) -> None:
    lively.page_size = 2
    whole = rows(preview(connection))
    PreviewRow.objects.all().delete()
    lively.rejected = [RejectedRecord("worse", "Nor does this.", "")]

    def kill(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt("killed")

    lively.before_page = kill
    run = preview(connection, worked=False)
    with pytest.raises(KeyboardInterrupt):
        engine.work_on(run.pk)
    assert PreviewRow.objects.filter(run=run).exists()
    SyncRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    lively.before_page = lambda number: None
    engine.work_on(run.pk)
    assert rows(run) == whole
    assert not SweepSighting.objects.exists()


@pytest.mark.parametrize("error", [TransientError("No answer."), AuthenticationError("No.")])
def test_one_that_fails_leaves_the_connection_alone(
    books: Books, connection: ErpConnection, error: Exception
) -> None:
    before = the_books()

    def fail(number: int) -> None:
        raise error

    books.before_page = fail
    assert preview(connection).state == "failed"
    assert the_books() == before


def test_its_rows_go_after_a_week(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "10")))
    old, new = preview(connection), preview(connection)
    week = timezone.now() - dt.timedelta(days=7)
    SyncRun.objects.filter(pk=old.pk).update(finished_at=week)
    assert purge_old() == 1
    assert not rows(old) and rows(new)
    assert not Payment.objects.exists()
