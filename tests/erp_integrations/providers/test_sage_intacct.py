"""The Sage Intacct provider against a stand-in that evaluates what it is asked."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

import pytest

from erp_integrations.providers.contract import RemoteMethod, RemoteStatus
from erp_integrations.providers.errors import RecordError
from erp_integrations.providers.sage_intacct.provider import SageIntacctProvider
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    ProviderContract,
    read,
)
from tests.erp_integrations.providers.sage_intacct_books import SageIntacctBooks, connect, pages
from tests.fakes.authorization import SECRET
from tests.fakes.ledger import Application, State
from tests.fakes.sage_intacct import FakeSageIntacct


@pytest.fixture
def intacct() -> Iterator[FakeSageIntacct]:
    fake = FakeSageIntacct()
    with fake.running():
        yield fake


class TestTheContract(ProviderContract):
    @pytest.fixture
    def erp(self, intacct: FakeSageIntacct) -> SageIntacctBooks:
        return SageIntacctBooks(intacct)


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, intacct: FakeSageIntacct) -> FakeSageIntacct:
        intacct.ledger.pay("CHK-1", (intacct.ledger.bill("ACME-1", "10"), "10"))
        return intacct

    @pytest.fixture
    def reader(self, server: FakeSageIntacct) -> Callable[..., SageIntacctProvider]:
        return partial(connect, server)

    @pytest.fixture
    def payment_id(self) -> str:
        return "4"

    @pytest.fixture
    def secret(self) -> str:
        return SECRET


# ------------------------------------------------------------------ its own rules
def test_it_says_which_entity_it_reads_and_how_much_is_there(intacct: FakeSageIntacct) -> None:
    first = intacct.ledger.pay("CHK-1", (intacct.ledger.bill("ACME-1", "10"), "10"))
    intacct.ledger.pay("CHK-2", (intacct.ledger.bill("ACME-2", "10"), "10"))
    intacct.entities[first.number] = "West-12"
    whole = "Sage Intacct · all entities that the user sees · 2 payments readable"
    assert connect(intacct).check() == whole
    west = connect(intacct, settings={"entity": "West-12"})
    assert west.check() == "Sage Intacct · entity West-12 · 1 payment readable"
    (payment,) = read(list(west.pages(None)))
    assert payment.check_number == "CHK-1"


def test_it_tells_which_line_of_a_bill_was_paid(intacct: FakeSageIntacct) -> None:
    bill = intacct.ledger.bill("ACME-1", "600", "400")
    first, second = bill.lines
    paid = Application(bill, Decimal("250.10"), line=second)
    intacct.ledger.pay("CHK-1", paid, Application(bill, Decimal("99.90"), line=first))
    (payment,) = read(pages(intacct))
    assert [(each.bill_line_id, each.amount) for each in payment.allocations] == [
        (str(second.number), Decimal("250.10")),
        (str(first.number), Decimal("99.90")),
    ]
    (asked,) = connect(intacct).bills([str(bill.number)])
    assert asked.paid == Decimal("350.00")


def test_two_details_of_one_line_are_one_allocation(intacct: FakeSageIntacct) -> None:
    bill = intacct.ledger.bill("ACME-1", "600")
    intacct.ledger.pay("CHK-1", (bill, "100.01"), (bill, "0.02"))
    (payment,) = read(pages(intacct))
    assert [each.amount for each in payment.allocations] == [Decimal("100.03")]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("draft", RemoteStatus.PENDING),
        ("submitted", RemoteStatus.PENDING),
        ("partiallyApproved", RemoteStatus.PENDING),
        ("approved", RemoteStatus.PENDING),
        ("delivered", RemoteStatus.PENDING),
        ("confirmed", RemoteStatus.ISSUED),
        ("complete", RemoteStatus.ISSUED),
        ("declined", RemoteStatus.VOIDED),
        ("reversed", RemoteStatus.VOIDED),
        ("voided", RemoteStatus.VOIDED),
    ],
)
def test_only_a_confirmed_payment_is_money(
    intacct: FakeSageIntacct, state: str, status: RemoteStatus
) -> None:
    bill = intacct.ledger.bill("ACME-1", "100")
    made = intacct.ledger.pay("CHK-1", (bill, "100"))
    intacct.states[made.number] = state
    (payment,) = read(pages(intacct))
    assert payment.status is status
    (asked,) = connect(intacct).bills([str(bill.number)])
    assert asked.paid == (100 if status is RemoteStatus.ISSUED else 0)


def test_the_other_half_of_a_reversal_is_no_payment(intacct: FakeSageIntacct) -> None:
    bill = intacct.ledger.bill("ACME-1", "100")
    for check, state in (("CHK-1", "reversed"), ("Voided - CHK-1", "reversal")):
        intacct.states[intacct.ledger.pay(check, (bill, "100")).number] = state
    assert [each.check_number for each in read(pages(intacct))] == ["CHK-1"]


def test_a_state_that_nobody_knows_is_no_money(intacct: FakeSageIntacct) -> None:
    bill = intacct.ledger.bill("ACME-1", "100")
    known, unknown = (intacct.ledger.pay(f"CHK-{n}", (bill, "10")) for n in (1, 2))
    intacct.states[unknown.number] = "escheated"
    (page,) = pages(intacct)
    assert [each.remote_id for each in page.payments] == [str(known.number)]
    assert [each.remote_id for each in page.rejected] == [str(unknown.number)]
    assert "escheated" in page.rejected[0].reason


def test_a_joint_check_names_who_signs_it_too(intacct: FakeSageIntacct) -> None:
    made = intacct.ledger.pay("CHK-1", (intacct.ledger.bill("ACME-1", "10"), "10"))
    intacct.joint_payees[made.number] = "Acme Concrete LLC & Ready Mix Inc"
    (payment,) = read(pages(intacct))
    assert payment.memo == "Joint check: Acme Concrete LLC & Ready Mix Inc"
    assert payment.vendor_name == "Acme Concrete LLC"


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("check", RemoteMethod.CHECK),
        ("credit_card", RemoteMethod.CREDIT_CARD),
        ("electronic", RemoteMethod.ELECTRONIC),
    ],
)
def test_the_payment_method_tells_how_it_was_paid(
    intacct: FakeSageIntacct, kind: str, method: RemoteMethod
) -> None:
    intacct.ledger.pay("CHK-1", (intacct.ledger.bill("ACME-1", "10"), "10"), method=kind)
    assert read(pages(intacct))[0].method is method


def test_a_payment_of_credits_alone_moves_no_money(intacct: FakeSageIntacct) -> None:
    bill = intacct.ledger.bill("ACME-1", "100")
    intacct.ledger.pay("", (bill, "40"), is_credit=True)
    (payment,) = read(pages(intacct))
    assert (payment.total, payment.allocations) == (0, ())
    (asked,) = connect(intacct).bills([str(bill.number)])
    assert asked.paid == 0


def test_an_id_of_another_erp_is_an_error_of_that_record(intacct: FakeSageIntacct) -> None:
    with pytest.raises(RecordError, match="not the key"):
        connect(intacct).payment("payment-3")


def test_a_draft_bill_is_not_posted_and_a_reversed_one_is_cancelled(
    intacct: FakeSageIntacct,
) -> None:
    draft = intacct.ledger.bill("ACME-1", "10", is_posted=False)
    reversed_bill = intacct.ledger.bill("ACME-2", "10")
    intacct.ledger.cancel(reversed_bill)
    assert [bill.number for bill in connect(intacct).bills()] == ["ACME-2"]
    found = connect(intacct).bills([str(draft.number), str(reversed_bill.number)])
    assert [(bill.is_posted, bill.is_cancelled) for bill in found] == [(False, False), (True, True)]


def test_it_lists_vendors_and_jobs_by_the_words_of_a_search(intacct: FakeSageIntacct) -> None:
    intacct.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    intacct.ledger.bill("ACME-1", "10", order="24-001")
    found = connect(intacct, page_size=1).vendors()
    assert [vendor.code for vendor in found] == ["V-ACME", "V-BOLT"]
    assert [vendor.code for vendor in connect(intacct).vendors("ELECTRIC bolt")] == ["V-BOLT"]
    assert [job.code for job in connect(intacct).jobs("24-0")] == ["24-001"]


# ----------------------------------------------------------------- cursor and calls
def test_a_page_of_payments_is_two_questions(intacct: FakeSageIntacct) -> None:
    for count in range(40):
        intacct.ledger.pay(f"CHK-{count}", (intacct.ledger.bill(f"ACME-{count}", "10"), "10"))
    provider = connect(intacct, page_size=20)
    assert len(read(list(provider.pages(None)))) == 40
    assert provider.calls == 4
    assert intacct.connections == 1


def test_a_run_without_changes_is_one_question(intacct: FakeSageIntacct) -> None:
    intacct.ledger.pay("CHK-1", (intacct.ledger.bill("ACME-1", "10"), "10"))
    intacct.ledger.pass_time(3600)
    cursor = pages(intacct)[-1].cursor
    intacct.ledger.pass_time(3600)
    provider = connect(intacct)
    assert read(list(provider.pages(cursor))) == []
    assert provider.calls == 1


def test_the_cursor_never_passes_the_clock_of_the_erp(intacct: FakeSageIntacct) -> None:
    start = intacct.ledger.now
    intacct.ledger.pass_time(30)
    intacct.ledger.pay("CHK-1", (intacct.ledger.bill("ACME-1", "10"), "10"))
    intacct.ledger.now = start
    reached = SageIntacctProvider.read_until(pages(intacct)[-1].cursor)
    assert reached and (reached - start).total_seconds() <= 1


def test_drafts_that_were_never_approved_are_pending(intacct: FakeSageIntacct) -> None:
    bill = intacct.ledger.bill("ACME-1", "10")
    intacct.ledger.pay("CHK-1", (bill, "10"), state=State.DRAFT)
    assert read(pages(intacct))[0].status is RemoteStatus.PENDING
