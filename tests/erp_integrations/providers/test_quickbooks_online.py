"""The provider contract over the stand-in for QuickBooks Online, and this ERP's own traps."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from erp_integrations.providers.contract import (
    PaymentQuestion,
    Provider,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
)
from erp_integrations.providers.errors import ConfigurationError, RecordNotFound
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    ProviderContract,
    read,
)
from tests.erp_integrations.providers.quickbooks_online_books import (
    QuickBooksBooks,
    connect,
    grant,
    pages,
    quickbooks,
)
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.ledger import State
from tests.fakes.quickbooks_online import FakeQuickBooksOnline
from tests.fakes.quickbooks_online_records import OtherLine, customer

__all__ = ["quickbooks"]


@pytest.fixture
def erp(quickbooks: FakeQuickBooksOnline) -> QuickBooksBooks:
    return QuickBooksBooks(quickbooks)


class TestTheContract(ProviderContract):
    """As everywhere; ``erp`` is the one above."""


class TestTrouble(TroubleContract):
    calls_besides_a_page = 1


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, quickbooks: FakeQuickBooksOnline) -> FakeQuickBooksOnline:
        return quickbooks

    @pytest.fixture
    def reader(self, quickbooks: FakeQuickBooksOnline) -> Callable[..., Provider]:
        tokens = grant(quickbooks)
        return partial(connect, quickbooks, tokens=tokens)

    @pytest.fixture
    def payment_id(self) -> str:
        return "7"

    @pytest.fixture
    def secret(self, quickbooks: FakeQuickBooksOnline, reader: Callable[[], Provider]) -> str:
        return next(iter(quickbooks.oauth.access))


def only(fake: FakeQuickBooksOnline) -> RemotePayment:
    (payment,) = read(pages(fake))
    return payment


def applied(payment: RemotePayment) -> dict[str, Decimal]:
    return {each.bill_number: each.amount for each in payment.allocations}


# ------------------------------------------------------------- void and deletion
def test_a_void_keeps_the_id_and_names_no_amounts(quickbooks: FakeQuickBooksOnline) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "3200")
    paid = quickbooks.ledger.pay("5001", (bill, "3200"))
    before = only(quickbooks)
    quickbooks.ledger.void(paid)
    after = only(quickbooks)
    assert (after.remote_id, after.status) == (before.remote_id, RemoteStatus.VOIDED)
    assert (after.total, after.allocations, after.memo) == (0, (), "Voided")
    assert connect(quickbooks).payment(after.remote_id) == after
    (asked,) = connect(quickbooks).bills([str(bill.number)])
    assert asked.paid == 0


def test_a_void_and_a_deletion_come_in_one_answer(quickbooks: FakeQuickBooksOnline) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "900")
    voided, deleted, kept = (quickbooks.ledger.pay(str(n), (bill, "100")) for n in (1, 2, 3))
    quickbooks.ledger.pass_time(3600)
    cursor = pages(quickbooks)[-1].cursor
    quickbooks.ledger.pass_time(3600)
    quickbooks.ledger.void(voided)
    quickbooks.ledger.delete(deleted)
    provider = connect(quickbooks)
    (page,) = provider.pages(cursor)
    assert [each.remote_id for each in page.payments] == [str(voided.number)]
    assert page.deleted == [str(deleted.number)]
    assert not page.misses_deletions
    assert provider.calls == 1
    with pytest.raises(RecordNotFound):
        provider.payment(str(deleted.number))
    assert provider.payment(str(kept.number)).check_number == "3"


def test_what_was_deleted_is_told_until_a_run_came_to_its_end(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "900")
    deleted = quickbooks.ledger.pay("1", (bill, "100"))
    quickbooks.ledger.pass_time(3600)
    first = pages(quickbooks)[-1].cursor
    quickbooks.ledger.pass_time(3600)
    quickbooks.ledger.delete(deleted)
    quickbooks.ledger.pass_time(3600)
    # A run that is taken up goes on by questions, which know nothing of deletions.
    resumed = pages(quickbooks, first, resume=True)[-1].cursor
    quickbooks.ledger.pass_time(3600)
    assert [page.deleted for page in pages(quickbooks, resumed)] == [[str(deleted.number)]]


# ------------------------------------------------------------------- credits
def credit(amount: str, kind: str = "VendorCredit") -> OtherLine:
    return OtherLine(kind, "900", Decimal(amount))


def test_a_credit_inside_a_payment_is_no_money(quickbooks: FakeQuickBooksOnline) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "1000")
    quickbooks.pay_with_credit("5001", (bill, "1000"), others=[credit("300.01")])
    payment = only(quickbooks)
    assert (payment.total, applied(payment)) == (Decimal("699.99"), {"ACME-1": Decimal("699.99")})
    (asked,) = connect(quickbooks).bills([str(bill.number)])
    assert (asked.total, asked.paid) == (Decimal("1000"), Decimal("699.99"))


def test_a_bill_that_credits_paid_alone_was_paid_by_nobody(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "1000")
    quickbooks.pay_with_credit("", (bill, "1000"), others=[credit("1000")])
    payment = only(quickbooks)
    assert (payment.status, payment.total) == (RemoteStatus.ISSUED, 0)
    assert payment.allocations == ()


def test_credits_are_taken_off_the_bills_in_their_order(quickbooks: FakeQuickBooksOnline) -> None:
    bills = [quickbooks.ledger.bill(f"ACME-{n}", "100") for n in (1, 2, 3)]
    quickbooks.pay_with_credit(
        "5001", *((bill, "100") for bill in bills), others=[credit("120"), credit("5.50")]
    )
    payment = only(quickbooks)
    assert applied(payment) == {"ACME-2": Decimal("74.50"), "ACME-3": Decimal("100")}
    assert sum(applied(payment).values()) == payment.total


def test_a_journal_entry_is_a_credit_where_the_money_is_short_of_it(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "1000")
    quickbooks.pay_with_credit("5001", (bill, "1000"), others=[credit("200", "JournalEntry")])
    assert applied(only(quickbooks)) == {"ACME-1": Decimal("800")}


@pytest.mark.parametrize("kind", ["JournalEntry", "Deposit"])
def test_what_is_owed_beside_the_bill_takes_nothing_from_it(
    quickbooks: FakeQuickBooksOnline, kind: str
) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "1000")
    owed = OtherLine(kind, "900", Decimal("200"), is_owed=True)
    quickbooks.pay_with_credit("5001", (bill, "1000"), others=[owed])
    payment = only(quickbooks)
    assert (payment.total, applied(payment)) == (Decimal("1200"), {"ACME-1": Decimal("1000")})


def test_what_was_paid_too_much_is_on_no_bill(quickbooks: FakeQuickBooksOnline) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "1000")
    quickbooks.ledger.pay("5001", (bill, "1000"), total="1250")
    payment = only(quickbooks)
    assert (payment.total, applied(payment)) == (Decimal("1250"), {"ACME-1": Decimal("1000")})


def test_what_was_paid_too_much_does_not_make_up_for_a_credit(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "1000")
    paid = quickbooks.pay_with_credit("5001", (bill, "1000"), others=[credit("300")])
    paid.total += 200
    payment = only(quickbooks)
    assert (payment.total, applied(payment)) == (Decimal("900"), {"ACME-1": Decimal("700")})


# --------------------------------------------------------- states and ways of paying
def test_a_check_that_is_to_be_printed_is_no_money_yet(quickbooks: FakeQuickBooksOnline) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "500")
    waiting = quickbooks.ledger.pay("5001", (bill, "200"), state=State.PENDING)
    before = only(quickbooks)
    assert (before.status, before.check_number) == (RemoteStatus.PENDING, "")
    (asked,) = connect(quickbooks).bills([str(bill.number)])
    assert asked.paid == 0
    quickbooks.ledger.issue(waiting)
    after = only(quickbooks)
    assert (after.status, after.check_number) == (RemoteStatus.ISSUED, "5001")
    assert after.remote_id == before.remote_id


@pytest.mark.parametrize(
    ("check", "method", "expected"),
    [
        ("5001", "check", RemoteMethod.CHECK),
        ("", "check", RemoteMethod.CHECK),
        ("", "electronic", RemoteMethod.ELECTRONIC),
        ("EFT 20261122", "check", RemoteMethod.ELECTRONIC),
        ("ach00123", "check", RemoteMethod.ELECTRONIC),
        ("Achilles 7", "check", RemoteMethod.CHECK),
        ("", "credit_card", RemoteMethod.CREDIT_CARD),
    ],
)
def test_the_way_of_paying_is_told(
    quickbooks: FakeQuickBooksOnline, check: str, method: str, expected: RemoteMethod
) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "500")
    made = quickbooks.ledger.pay(check, (bill, "200"), method=method)
    payment = only(quickbooks)
    assert payment.method is expected
    assert payment.number == (payment.check_number or str(made.number))


def test_cents_are_never_floats(quickbooks: FakeQuickBooksOnline) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "9007199254740.93")
    quickbooks.ledger.pay("5001", (bill, "9007199254740.93"))
    assert only(quickbooks).total == Decimal("9007199254740.93")


def test_a_company_with_one_currency_need_not_name_it(quickbooks: FakeQuickBooksOnline) -> None:
    quickbooks.tells_currency = False
    bill = quickbooks.ledger.bill("ACME-1", "500")
    for check in ("5001", "5002"):
        quickbooks.ledger.pay(check, (bill, "200"))
    provider = connect(quickbooks)
    assert {each.currency for each in read(list(provider.pages(None)))} == {"USD"}
    # the payments, the numbers of their bills, and the company's currency, each once
    assert provider.calls == 3


@pytest.mark.parametrize("month", [1, 7])
def test_moments_are_right_in_summer_and_winter(
    quickbooks: FakeQuickBooksOnline, month: int
) -> None:
    quickbooks.ledger.now = dt.datetime(2027, month, 5, 7, 30, tzinfo=dt.UTC)
    quickbooks.ledger.pay("5001", (quickbooks.ledger.bill("ACME-1", "500"), "200"))
    assert only(quickbooks).modified_at == quickbooks.ledger.now


# --------------------------------------------------------------------- searching
def test_a_name_with_an_apostrophe_is_looked_for(quickbooks: FakeQuickBooksOnline) -> None:
    vendor = quickbooks.ledger.vendor("V-OB", "O'Brien & Sons\\Co")
    bill = quickbooks.ledger.bill("OB-1", "70", vendor=vendor)
    quickbooks.ledger.pay("5001", (bill, "70"))
    quickbooks.ledger.pay("5002", (quickbooks.ledger.bill("ACME-1", "70"), "70"))
    question = PaymentQuestion(vendor="o'brien & sons\\co")
    found = connect(quickbooks).find_payments(question, limit=9)
    assert [each.check_number for each in found] == ["5001"]


def test_vendors_are_listed_and_found_by_a_part_of_their_name(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    bolt = quickbooks.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    provider = connect(quickbooks)
    assert [each.name for each in provider.vendors()] == ["Acme Concrete LLC", "Bolt Electric Inc"]
    (found,) = provider.vendors("electric")
    assert (found.remote_id, found.code) == (str(bolt.number), "V-BOLT")


def test_projects_are_the_customers_below_a_customer(quickbooks: FakeQuickBooksOnline) -> None:
    began = quickbooks.began
    quickbooks.customers = [
        customer(7, "City of Riverside", began),
        customer(8, "Riverside Tower", began, parent="City of Riverside"),
    ]
    (job,) = connect(quickbooks).jobs("tower")
    assert (job.remote_id, job.name) == ("8", "City of Riverside:Riverside Tower")


def test_orders_are_found_by_number_and_vendor(quickbooks: FakeQuickBooksOnline) -> None:
    bolt = quickbooks.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    order = quickbooks.order(bolt, "PO-7", "84500.25")
    provider = connect(quickbooks)
    for search in ("", "po-7", "bolt"):
        (found,) = provider.commitments(search)
        assert (found.remote_id, found.code) == (order["Id"], "PO-7")
        assert (found.total, found.vendor_ref) == (Decimal("84500.25"), str(bolt.number))
    assert list(provider.commitments("acme")) == []


def test_it_says_how_many_payments_it_can_read(quickbooks: FakeQuickBooksOnline) -> None:
    quickbooks.ledger.pay("5001", (quickbooks.ledger.bill("ACME-1", "500"), "200"))
    said = connect(quickbooks).check()
    assert said == (
        "QuickBooks Online · company Northstar General Contractors · 1 payment readable"
    )


def test_a_card_payment_is_found_by_its_bill(quickbooks: FakeQuickBooksOnline) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "500")
    quickbooks.ledger.pay("", (bill, "200"), method="credit_card")
    (payment,) = read(list(connect(quickbooks).payments_on([str(bill.number)])))
    assert payment.method is RemoteMethod.CREDIT_CARD


def test_a_person_who_sees_no_books_does_not_make_payments_vanish(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    assert read(pages(quickbooks)) == []
    quickbooks.table = lambda *asked: []  # type: ignore[method-assign]
    with pytest.raises(ConfigurationError, match="shows no accounts"):
        pages(quickbooks)
