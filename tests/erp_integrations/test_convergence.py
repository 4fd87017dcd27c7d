"""Whatever happens in the books, in whatever order it is read: in the end both sides agree."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import BooleanField, ExpressionWrapper, Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commitments.models import SubcontractorInvoice
from erp_integrations import engine, runs
from erp_integrations.models import (
    ErpAllocation,
    ErpConnection,
    ErpPayment,
    InboundNotification,
    RunMode,
    RunTrigger,
)
from erp_integrations.providers.contract import RemoteStatus
from erp_integrations.scopes import Order, Scope
from payments.models import Payment
from tests.erp_integrations.conftest import run_sync
from tests.factories import CommitmentFactory, ErpConnectionFactory, InvoiceFactory
from tests.fakes.books import START, Books, payment

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

BILLS = ("1", "2", "3")
UNKNOWN = "99"
cents = st.integers(1, 50_000).map(lambda number: Decimal(number) / 100)
shares = st.dictionaries(st.sampled_from([*BILLS, UNKNOWN]), cents, max_size=4)
names = st.sampled_from(["p1", "p2", "p3"])
acts = st.one_of(
    st.tuples(st.just("pay"), names, shares, st.sampled_from(RemoteStatus)),
    st.tuples(st.just("void"), names),
    st.tuples(st.just("delete"), names),
    st.tuples(st.just("sync")),
    st.tuples(st.just("sweep")),
)


def act(books: Books, connection: ErpConnection, step: tuple[Any, ...]) -> None:
    match step:
        case ("pay", name, bills, status):
            books.put(payment(name, *((bill, str(sum_)) for bill, sum_ in bills.items()),
                              status=status))  # fmt: skip
        case ("void", name) if name in books.payments:
            books.void(name)
        case ("delete", name) if name in books.payments:
            books.delete(name)
        case ("sync",):
            run_sync(connection)
        case ("sweep",):
            run_sync(connection, RunMode.SWEEP)


def issued(books: Books) -> dict[str, Decimal]:
    """What the books say was paid on each bill that is known here."""
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for each in books.payments.values():
        for share in each.allocations:
            if each.status is RemoteStatus.ISSUED and share.bill_id in BILLS:
                paid[share.bill_id] += share.amount
    return dict(paid)


def shown(connection: ErpConnection) -> dict[str, Decimal]:
    paid: dict[str, Decimal] = defaultdict(Decimal)
    rows = Payment.objects.counted().filter(company=connection.company)
    for bill, amount in rows.values_list("invoice__origin_id", "amount"):
        paid[bill] += amount
    return dict(paid)


def assert_every_cent_is_accounted_for(connection: ErpConnection) -> None:
    for each in ErpPayment.objects.filter(connection=connection, vanished_at=None):
        kept = ErpAllocation.objects.filter(erp_payment=each).exclude(outcome="removed")
        assert sum(kept.values_list("amount", flat=True), Decimal(0)) == each.total


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(acts, max_size=14), page_size=st.integers(1, 3))
def test_after_a_sweep_the_tab_says_what_the_books_say(
    books: Books, steps: list[tuple[Any, ...]], page_size: int
) -> None:
    books.payments.clear()
    books.page_size = page_size
    commitment = CommitmentFactory()
    for bill in BILLS:
        InvoiceFactory(commitment=commitment, bill=bill, due=Decimal(10_000))
    connection = ErpConnectionFactory(company=commitment.company, provider="books", settings={})
    for step in [*steps, ("sweep",)]:
        act(books, connection, step)
    assert shown(connection) == issued(books)
    assert_every_cent_is_accounted_for(connection)


narrow = st.one_of(
    st.tuples(st.just("scoped"), st.sampled_from(BILLS)),
    st.tuples(st.just("back_fill"), st.integers(0, 2)),
    st.tuples(st.just("notified"), names, st.sampled_from([*BILLS, UNKNOWN])),
    st.tuples(st.just("preview"), st.sampled_from([RunMode.CHANGES, RunMode.SWEEP])),
)


def order_of_step(connection: ErpConnection, step: tuple[Any, ...]) -> Order:
    match step:
        case ("scoped", bill):
            invoice = SubcontractorInvoice.objects.get(company=connection.company, origin_id=bill)
            return Order(RunMode.SCOPED, Scope(invoice=invoice))
        case ("back_fill", days):
            return Order(RunMode.BACK_FILL, since=START.date() - dt.timedelta(days=days))
        case ("preview", mode):
            return Order(mode, is_preview=True)
    tell(connection, step[1], step[2])
    return Order(RunMode.NOTIFIED)


def tell(connection: ErpConnection, remote_id: str, bill: str) -> None:
    InboundNotification.objects.create(
        company=connection.company,
        connection=connection,
        event_id=str(InboundNotification.objects.count()),
        payment_ids=[remote_id],
        bill_ids=[bill],
    )


def run_narrow(connection: ErpConnection, step: tuple[Any, ...]) -> None:
    order = order_of_step(connection, step)
    run = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, order=order)
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert run.is_good, run.error_message


def rows_of(connection: ErpConnection) -> list[tuple[Any, ...]]:
    """What is shown, without the ids and moments of this database."""
    columns = ("origin_data", "invoice__origin_id", "amount", "status", "date", "check_number")
    gone = ExpressionWrapper(Q(vanished_at__isnull=False), BooleanField())
    found = Payment.objects.filter(company=connection.company).annotate(gone=gone)
    return sorted(found.exclude(gone=True).exclude(status="voided").values_list(*columns))


def new_connection() -> ErpConnection:
    commitment = CommitmentFactory()
    for bill in BILLS:
        InvoiceFactory(commitment=commitment, bill=bill, due=Decimal(10_000))
    made: ErpConnection = ErpConnectionFactory(
        company=commitment.company, provider="books", settings={}
    )
    return made


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.one_of(acts, narrow), max_size=12), page_size=st.integers(1, 3))
def test_runs_of_parts_change_nothing_about_where_a_normal_sync_ends(
    books: Books, steps: list[tuple[Any, ...]], page_size: int
) -> None:
    """Two companies with the same books; only one of them runs more than normal syncs."""
    books.payments.clear()
    books.page_size = page_size
    plain, busy = new_connection(), new_connection()
    for step in [*steps, ("sweep",)]:
        if step[0] in ("scoped", "back_fill", "notified", "preview"):
            run_narrow(busy, step)
            continue
        act(books, busy, step)
        if step[0] in ("sync", "sweep"):
            act(books, plain, step)
    assert rows_of(busy) == rows_of(plain)
    assert shown(busy) == issued(books)
    assert_every_cent_is_accounted_for(busy)
