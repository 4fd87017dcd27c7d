"""Whatever happens in the books, in whatever order it is read: in the end both sides agree."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp_integrations.models import ErpAllocation, ErpConnection, ErpPayment, RunMode
from erp_integrations.providers.contract import RemoteStatus
from payments.models import Payment
from tests.erp_integrations.conftest import run_sync
from tests.factories import CommitmentFactory, ErpConnectionFactory, InvoiceFactory
from tests.fakes.books import Books, payment

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
