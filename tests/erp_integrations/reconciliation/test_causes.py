"""Causes add up, whatever the books say, and what is known is never called unexplained."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp_integrations.reconciliation.causes import (
    BILL_CODES,
    BothBooks,
    Code,
    Entered,
    Stage,
    Stated,
    explain,
    unexplained,
)

HERE, ELSEWHERE = 7, 8
#: how fast the machine is says nothing about the books
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
amounts = st.decimals("0.01", "99999.99", places=2)
checks = st.sampled_from(["", "42", "43"])
anything = st.decimals("-99999.99", "99999.99", places=2)

stated = st.builds(
    Stated,
    allocation_id=st.integers(1, 99),
    name=st.just("CHK"),
    check=checks,
    amount=amounts,
    stage=st.sampled_from(Stage),
    waits_for=st.sampled_from(["", "tab_disabled", "bill_unknown"]),
    is_missing=st.booleans(),
    invoice_id=st.sampled_from([HERE, ELSEWHERE]),
    is_counted=st.booleans(),
)
entered = st.builds(
    Entered,
    payment_id=st.integers(1, 99),
    name=st.just("CHK"),
    check=checks,
    amount=amounts,
    is_synced=st.booleans(),
    is_of_other_bill=st.booleans(),
    is_duplicate=st.booleans(),
)
any_books = st.builds(
    BothBooks,
    invoice_id=st.just(HERE),
    erp_paid=anything,
    paid_here=anything,
    stated=st.lists(stated, max_size=6),
    entered=st.lists(entered, max_size=6),
    trouble=st.sampled_from([None, *BILL_CODES]),
    was_read_since=st.booleans(),
)


@patient
@given(any_books)
def test_causes_add_up_to_the_difference(books: BothBooks) -> None:
    causes = explain(books)
    assert sum(each.amount for each in causes) == books.difference
    assert sum(each.code is Code.UNEXPLAINED for each in causes) <= 1


shown = st.builds(
    Stated,
    allocation_id=st.integers(1, 99),
    name=st.just("CHK"),
    check=checks,
    amount=amounts,
    stage=st.sampled_from(Stage),
    invoice_id=st.just(HERE),
)
waiting = st.builds(
    Stated,
    allocation_id=st.integers(1, 99),
    name=st.just("CHK"),
    check=checks,
    amount=amounts,
    waits_for=st.just("tab_disabled"),
)
by_hand = st.builds(
    Entered,
    payment_id=st.integers(1, 99),
    name=st.just("CHK"),
    check=checks,
    amount=amounts,
    is_duplicate=st.booleans(),
)


@patient
@given(
    st.lists(shown, max_size=5),
    st.lists(waiting, max_size=5),
    st.lists(by_hand, max_size=5),
    st.booleans(),
)
def test_books_whose_every_payment_was_read_are_explained_whole(
    here: list[Stated], waits: list[Stated], manual: list[Entered], was_read: bool
) -> None:
    """Issued ones stand here or wait, others are worth nothing, the rest is entered by hand."""
    issued = [each for each in here if each.stage is Stage.ISSUED]
    there = sum((each.amount for each in [*issued, *waits]), Decimal(0))
    ours = sum((each.amount for each in [*issued, *manual]), Decimal(0))
    books = BothBooks(
        invoice_id=HERE,
        erp_paid=there,
        paid_here=ours,
        stated=[*here, *waits],
        entered=manual,
        was_read_since=was_read,
    )
    causes = explain(books)
    assert unexplained(causes) == 0
    assert books.unread == 0
    assert len(causes) == len(waits) + len(manual)


@patient
@given(amounts, st.booleans())
def test_what_was_never_read_is_unexplained_only_after_a_sync(
    amount: Decimal, was_read: bool
) -> None:
    books = BothBooks(
        invoice_id=HERE, erp_paid=amount, paid_here=Decimal(0), was_read_since=was_read
    )
    (cause,) = explain(books)
    assert cause.code is (Code.UNEXPLAINED if was_read else Code.NOT_READ)
    assert unexplained([cause]) == (amount if was_read else 0)
