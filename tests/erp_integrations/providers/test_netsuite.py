"""The NetSuite provider against a stand-in that runs the SuiteQL it is sent."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

import pytest

from erp_integrations.providers.contract import PaymentQuestion, RemoteMethod, RemoteStatus
from erp_integrations.providers.errors import RecordError
from erp_integrations.providers.netsuite.provider import NetSuiteProvider
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    ProviderContract,
    read,
)
from tests.erp_integrations.providers.netsuite_books import NetSuiteBooks, connect, pages
from tests.fakes.authorization import SECRET
from tests.fakes.ledger import Application
from tests.fakes.netsuite import FakeNetSuite


@pytest.fixture
def netsuite() -> Iterator[FakeNetSuite]:
    fake = FakeNetSuite()
    with fake.running():
        yield fake


class TestTheContract(ProviderContract):
    @pytest.fixture
    def erp(self, netsuite: FakeNetSuite) -> NetSuiteBooks:
        return NetSuiteBooks(netsuite)


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, netsuite: FakeNetSuite) -> FakeNetSuite:
        netsuite.ledger.pay("CHK-1", (netsuite.ledger.bill("ACME-1", "10"), "10"))
        return netsuite

    @pytest.fixture
    def reader(self, server: FakeNetSuite) -> Callable[..., NetSuiteProvider]:
        return partial(connect, server)

    @pytest.fixture
    def payment_id(self) -> str:
        return "4"

    @pytest.fixture
    def secret(self) -> str:
        return SECRET


# ------------------------------------------------------------------ its own rules
def test_it_reads_some_subsidiaries_of_an_account(netsuite: FakeNetSuite) -> None:
    bill = netsuite.ledger.bill("ACME-1", "100")
    first, second = (netsuite.ledger.pay(f"CHK-{n}", (bill, "10")) for n in (1, 2))
    netsuite.subsidiaries |= {first.number: 3, second.number: 7}
    whole = connect(netsuite)
    assert whole.check() == "NetSuite · all subsidiaries that the role sees · 2 payments readable"
    west = connect(netsuite, settings={"subsidiaries": "3, 12"})
    assert west.check() == "NetSuite · subsidiaries 3, 12 · 1 payment readable"
    assert [each.check_number for each in read(list(west.pages(None)))] == ["CHK-1"]
    with pytest.raises(RecordError, match="not in the subsidiaries"):
        west.payment(str(second.number))


@pytest.mark.parametrize(
    ("letter", "status"),
    [
        ("F", RemoteStatus.ISSUED),
        (None, RemoteStatus.ISSUED),
        ("A", RemoteStatus.PENDING),
        ("D", RemoteStatus.PENDING),
        ("Z", RemoteStatus.PENDING),
        ("E", RemoteStatus.VOIDED),
        ("V", RemoteStatus.VOIDED),
    ],
)
def test_the_letter_of_the_status_says_whether_money_left(
    netsuite: FakeNetSuite, letter: str | None, status: RemoteStatus
) -> None:
    bill = netsuite.ledger.bill("ACME-1", "100")
    made = netsuite.ledger.pay("CHK-1", (bill, "100"))
    netsuite.letters[made.number] = letter
    (payment,) = read(pages(netsuite))
    assert payment.status is status
    (asked,) = connect(netsuite).bills([str(bill.number)])
    assert asked.paid == (100 if status is RemoteStatus.ISSUED else 0)


@pytest.mark.parametrize("letter", ["B", "C"])
def test_a_letter_that_nobody_knows_is_no_money(netsuite: FakeNetSuite, letter: str) -> None:
    bill = netsuite.ledger.bill("ACME-1", "100")
    known, unknown = (netsuite.ledger.pay(f"CHK-{n}", (bill, "10")) for n in (1, 2))
    netsuite.letters[unknown.number] = letter
    (page,) = pages(netsuite)
    assert [each.remote_id for each in page.payments] == [str(known.number)]
    assert [each.remote_id for each in page.rejected] == [str(unknown.number)]
    assert f"a status {letter} “Bill Payment : {letter}”" in page.rejected[0].reason


def test_a_payment_with_a_voiding_journal_keeps_its_amounts(netsuite: FakeNetSuite) -> None:
    bill = netsuite.ledger.bill("ACME-1", "100")
    netsuite.ledger.void(netsuite.ledger.pay("CHK-1", (bill, "100")))
    (payment,) = read(pages(netsuite))
    assert (payment.status, payment.total) == (RemoteStatus.VOIDED, Decimal(100))
    assert [each.amount for each in payment.allocations] == [Decimal(100)]


def test_a_payment_that_was_voided_without_a_journal_is_empty(netsuite: FakeNetSuite) -> None:
    bill = netsuite.ledger.bill("ACME-1", "100")
    made = netsuite.ledger.pay("CHK-1", (bill, "100"))
    netsuite.ledger.void(made)
    netsuite.emptied.add(made.number)
    (payment,) = read(pages(netsuite))
    assert (payment.status, payment.total) == (RemoteStatus.VOIDED, 0)
    assert payment.allocations == ()
    assert connect(netsuite).payment(payment.remote_id) == payment


def test_a_discount_is_told_from_money_by_the_record_alone(netsuite: FakeNetSuite) -> None:
    one, two = netsuite.ledger.bill("ACME-1", "1000"), netsuite.ledger.bill("ACME-2", "500")
    paid = Application(one, Decimal("980.10"), discount=Decimal("19.90"))
    netsuite.ledger.pay("CHK-1", paid, Application(two, Decimal("500")))
    netsuite.ledger.pay("CHK-2", (two, "0.01"))
    provider = connect(netsuite)
    first, _ = read(list(provider.pages(None)))
    assert [(each.amount, each.discount) for each in first.allocations] == [
        (Decimal("980.10"), Decimal("19.90")),
        (Decimal("500"), Decimal("0")),
    ]
    assert provider.calls == 3
    bills = connect(netsuite).bills([str(one.number), str(two.number)])
    assert [bill.paid for bill in bills] == [Decimal("980.10"), Decimal("500.01")]


def test_a_vendors_credit_is_no_payment(netsuite: FakeNetSuite) -> None:
    bill = netsuite.ledger.bill("ACME-1", "100")
    netsuite.ledger.pay("VC-1", (bill, "40"), is_credit=True)
    netsuite.ledger.pay("CHK-1", (bill, "60"))
    assert [each.check_number for each in read(pages(netsuite))] == ["CHK-1"]
    (page,) = connect(netsuite).payments_on([str(bill.number)])
    assert [each.check_number for each in page.payments] == ["CHK-1"]


def test_a_journal_that_a_payment_pays_is_no_bill(netsuite: FakeNetSuite) -> None:
    bill, journal = (netsuite.ledger.bill(name, "50") for name in ("ACME-1", "JE-7"))
    netsuite.ledger.pay("CHK-1", (bill, "50"), (journal, "50"))
    tables = netsuite.tables
    netsuite.tables = lambda: {  # type: ignore[method-assign]
        **(found := tables()),
        "transaction": [
            {**row, "type": "Journal"} if row["id"] == journal.number else row
            for row in found["transaction"]
        ],
    }
    (payment,) = read(pages(netsuite))
    assert (payment.total, len(payment.allocations)) == (100, 1)
    assert payment.allocations[0].bill_number == "ACME-1"


@pytest.mark.parametrize(
    ("number", "method"),
    [
        ("10042", RemoteMethod.CHECK),
        ("", RemoteMethod.CHECK),
        ("ACH 0042", RemoteMethod.ELECTRONIC),
        ("eft-7", RemoteMethod.ELECTRONIC),
        ("Wire 3", RemoteMethod.ELECTRONIC),
    ],
)
def test_the_number_tells_a_check_from_a_transfer(
    netsuite: FakeNetSuite, number: str, method: RemoteMethod
) -> None:
    netsuite.ledger.pay(number, (netsuite.ledger.bill("ACME-1", "10"), "10"))
    assert read(pages(netsuite))[0].method is method


def test_an_id_of_another_erp_is_an_error_of_that_record(netsuite: FakeNetSuite) -> None:
    with pytest.raises(RecordError, match="not the ID"):
        connect(netsuite).payment("payment-3")


def test_bills_that_wait_or_were_cancelled_are_not_owed(netsuite: FakeNetSuite) -> None:
    waiting = netsuite.ledger.bill("ACME-1", "10", is_posted=False)
    cancelled = netsuite.ledger.bill("ACME-2", "10")
    netsuite.ledger.cancel(cancelled)
    assert [bill.number for bill in connect(netsuite).bills()] == ["ACME-2"]
    found = connect(netsuite).bills([str(waiting.number), str(cancelled.number)])
    assert [(bill.is_posted, bill.is_cancelled) for bill in found] == [(False, False), (True, True)]


def test_what_somebody_types_is_text_and_never_sql(netsuite: FakeNetSuite) -> None:
    netsuite.ledger.pay("O'HARA-1", (netsuite.ledger.bill("ACME-1", "10"), "10"))
    provider = connect(netsuite)
    found = provider.find_payments(PaymentQuestion(number="o'hara"), limit=5)
    assert [each.check_number for each in found] == ["O'HARA-1"]
    for typed in ("' OR '1'='1", "%", "') --", "_"):
        assert provider.find_payments(PaymentQuestion(number=typed), limit=5) == []
        assert list(provider.vendors(typed)) == []


def test_it_lists_vendors_and_jobs_by_the_words_of_a_search(netsuite: FakeNetSuite) -> None:
    netsuite.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    netsuite.ledger.bill("ACME-1", "10", order="24-001")
    found = connect(netsuite, page_size=1).vendors()
    assert [vendor.code for vendor in found] == ["V-ACME", "V-BOLT"]
    assert [vendor.code for vendor in connect(netsuite).vendors("ELECTRIC bolt")] == ["V-BOLT"]
    assert [job.code for job in connect(netsuite).jobs("24-0")] == ["24-001"]


# ----------------------------------------------------------------- cursor and calls
def test_a_page_of_payments_is_two_questions(netsuite: FakeNetSuite) -> None:
    for count in range(40):
        netsuite.ledger.pay(f"CHK-{count}", (netsuite.ledger.bill(f"ACME-{count}", "10"), "10"))
    provider = connect(netsuite, page_size=20)
    assert len(read(list(provider.pages(None)))) == 40
    assert (provider.calls, netsuite.connections) == (4, 1)


def test_a_run_without_changes_is_one_question(netsuite: FakeNetSuite) -> None:
    netsuite.ledger.pay("CHK-1", (netsuite.ledger.bill("ACME-1", "10"), "10"))
    netsuite.ledger.pass_time(3600)
    cursor = pages(netsuite)[-1].cursor
    netsuite.ledger.pass_time(3600)
    provider = connect(netsuite)
    assert read(list(provider.pages(cursor))) == []
    assert provider.calls == 1


def test_moments_are_asked_for_and_read_in_utc_whatever_the_zone_of_the_role(
    netsuite: FakeNetSuite,
) -> None:
    """The stand-in shows its own moments as Los Angeles does."""
    made = netsuite.ledger.pay("CHK-1", (netsuite.ledger.bill("ACME-1", "10"), "10"))
    (payment,) = read(pages(netsuite))
    assert payment.modified_at == made.modified
    assert "08:00:00" in payment.modified_at.isoformat()
    assert netsuite.tables()["transaction"][0]["lastmodifieddate"] == "2026-11-22 00:00:00"


def test_the_cursor_never_passes_the_clock_of_the_erp(netsuite: FakeNetSuite) -> None:
    start = netsuite.ledger.now
    netsuite.ledger.pass_time(30)
    netsuite.ledger.pay("CHK-1", (netsuite.ledger.bill("ACME-1", "10"), "10"))
    netsuite.ledger.now = start
    reached = NetSuiteProvider.read_until(pages(netsuite)[-1].cursor)
    assert reached and (reached - start).total_seconds() <= 1


def test_an_account_with_one_currency_has_it_from_its_settings(netsuite: FakeNetSuite) -> None:
    netsuite.ledger.pay("CHK-1", (netsuite.ledger.bill("ACME-1", "10"), "10"))
    netsuite.withheld = {"currency"}
    (payment,) = read(pages(netsuite, settings={"currency": "cad"}))
    assert payment.currency == "CAD"
