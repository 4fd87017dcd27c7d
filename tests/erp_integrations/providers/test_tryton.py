"""The Tryton provider against recorded behaviour: a fake that answers as Tryton did."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from erp_integrations.providers.contract import RemoteMethod, RemoteStatus
from erp_integrations.providers.errors import (
    ConfigurationError,
    ProtocolError,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.tryton.provider import TrytonProvider
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    ProviderContract,
    read,
)
from tests.erp_integrations.providers.fake_books import FakeBooks, connect, pages
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.tryton import KEY, FakeTryton, number


class TestTheContract(ProviderContract):
    @pytest.fixture
    def erp(self, tryton: FakeTryton) -> FakeBooks:
        return FakeBooks(tryton)


class TestTrouble(TroubleContract):
    # two roads, each asked to its end, and the numbers of the bills of a page of payments
    calls_besides_a_page = 1
    calls_of_any_reading = 2

    @pytest.fixture
    def erp(self, tryton: FakeTryton) -> FakeBooks:
        return FakeBooks(tryton)


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, tryton: FakeTryton) -> FakeTryton:
        tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")
        return tryton

    @pytest.fixture
    def reader(self, server: FakeTryton) -> Callable[..., TrytonProvider]:
        return partial(connect, server)

    @pytest.fixture
    def payment_id(self) -> str:
        return "payment-3"

    @pytest.fixture
    def secret(self) -> str:
        return KEY


# ------------------------------------------------------------------ its own rules
def test_it_counts_what_is_readable(tryton: FakeTryton) -> None:
    assert connect(tryton).check() == "Tryton 8.2 · company Northstar · 0 payments readable"
    tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")
    assert connect(tryton).check().endswith("1 payment readable")


def test_a_draft_is_not_read(tryton: FakeTryton) -> None:
    tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1", state="draft")
    assert read(pages(tryton)) == []


def test_a_payment_without_a_bill_is_applied_to_nothing(tryton: FakeTryton) -> None:
    tryton.pay(None, "10", "CHK-1")
    (payment,) = read(pages(tryton))
    assert (payment.status, payment.allocations) == (RemoteStatus.ISSUED, ())


def test_a_payment_of_another_entry_is_applied_to_nothing(tryton: FakeTryton) -> None:
    made = tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")
    made["line"]["move"]["origin"] = "account.statement,4"
    assert read(pages(tryton))[0].allocations == ()


@pytest.mark.parametrize(
    ("process", "method"),
    [("manual", RemoteMethod.CHECK), ("sepa", RemoteMethod.ELECTRONIC)],
)
def test_the_journal_says_how_it_was_paid(
    tryton: FakeTryton, process: str, method: RemoteMethod
) -> None:
    made = tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")
    made["journal"]["process_method"] = process
    assert read(pages(tryton))[0].method is method


@pytest.mark.parametrize(("text", "check"), [("CHK-9", "CHK-9"), ("for August", ""), (None, "")])
def test_the_text_of_a_pay_button_payment_may_be_a_check_number(
    tryton: FakeTryton, text: str | None, check: str
) -> None:
    tryton.pay_with_wizard(tryton.bill("ACME-1", "100"), "10", text)
    (payment,) = read(pages(tryton))
    assert (payment.number, payment.check_number, payment.memo) == ("15", check, text or "")


def test_a_line_in_another_currency_counts_in_the_currency_of_its_bill(tryton: FakeTryton) -> None:
    bill = tryton.bill("ACME-1", "100")
    line = tryton.pay_with_wizard(bill, "110", "CHK-1")
    bill["currency"]["code"] = "EUR"
    line |= {
        "amount_second_currency": number("100"),
        "second_currency": {"id": 2, "__name__": "currency.currency", "code": "EUR"},
    }
    (payment,) = read(pages(tryton))
    assert (payment.total, payment.currency) == (Decimal("100"), "EUR")
    assert next(iter(connect(tryton).bills())).paid == Decimal("100")


def test_an_id_of_another_erp_is_an_error_of_that_record(tryton: FakeTryton) -> None:
    with pytest.raises(RecordError):
        connect(tryton).payment("ACC-PAY-2026-00001")


def test_a_payment_that_cannot_be_read_is_not_a_vanished_one(tryton: FakeTryton) -> None:
    made = tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")
    made["amount"] = "ten"
    with pytest.raises(RecordError, match="cannot be read"):
        connect(tryton).payment(f"payment-{made['id']}")


def test_a_line_that_left_its_bill_is_not_found(tryton: FakeTryton) -> None:
    with pytest.raises(RecordNotFound):
        connect(tryton).payment("line-77")


def test_a_bill_that_cannot_be_read_stops_the_comparison(tryton: FakeTryton) -> None:
    tryton.bill("ACME-1", "10")["total_amount"] = "ten"
    with pytest.raises(ProtocolError, match="bill that cannot be read"):
        list(connect(tryton).bills())


# ----------------------------------------------------------------- cursor and calls
def test_the_cursor_never_passes_the_clock_of_the_erp(tryton: FakeTryton) -> None:
    bill = tryton.bill("ACME-1", "10")
    start = tryton.now
    late = tryton.pay(bill, "10", "CHK-1")
    tryton.now = start
    cursor = pages(tryton)[-1].cursor
    latest = dt.datetime.fromisoformat(cursor["payments"]["modified"])
    assert latest <= start + dt.timedelta(seconds=1)
    assert late["last_modified_at"]["second"] >= 1


def test_a_long_pause_is_not_read_again(tryton: FakeTryton) -> None:
    """After a big import the next runs would else read all of it, every hour."""
    tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")
    tryton.pass_time(3600)
    cursor = pages(tryton)[-1].cursor
    tryton.pass_time(3600)
    assert read(pages(tryton, cursor)) == []


def test_a_resumed_run_still_overlaps_the_stream_it_had_not_begun(tryton: FakeTryton) -> None:
    bill = tryton.bill("ACME-1", "100")
    tryton.pay_with_wizard(bill, "10", "CHK-1")
    end = pages(tryton)[-1].cursor
    tryton.pay(bill, "20", "CHK-2")
    first = next(connect(tryton, page_size=1).pages(end))
    rest = read(pages(tryton, first.cursor, resume=True))
    assert {payment.check_number for payment in rest} == {"CHK-1"}


def test_a_place_that_cannot_be_read_is_said_so(tryton: FakeTryton) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        pages(tryton, {"payments": "yesterday"})


def test_a_page_is_two_questions_however_many_payments(tryton: FakeTryton) -> None:
    for count in range(40):
        tryton.pay(tryton.bill(f"ACME-{count}", "10"), "10", f"CHK-{count}")
    cursor = {"payments": None, "bills": None}
    assert len(read(pages(tryton, cursor, page_size=20))) == 40
    # two full pages and an empty one, their bills' numbers, and the empty stream of bills
    assert len(tryton.requests) == 3 + 2 + 1


def test_a_run_without_changes_is_two_questions_on_one_connection(tryton: FakeTryton) -> None:
    tryton.pass_time(3600)
    cursor = pages(tryton)[-1].cursor
    tryton.requests.clear()
    before = tryton.connections
    tryton.pass_time(3600)
    pages(tryton, cursor)
    assert (len(tryton.requests), tryton.connections - before) == (2, 1)


def test_bills_are_read_in_pages(tryton: FakeTryton) -> None:
    made = [tryton.bill(f"ACME-{count}", "10")["reference"] for count in range(5)]
    assert [bill.number for bill in connect(tryton, page_size=2).bills()] == made
