"""The Tryton provider against recorded behaviour: a fake that answers as Tryton did."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from erp_integrations.providers.contract import Page, RemoteMethod, RemoteStatus
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.http import Limits, RetryPolicy
from erp_integrations.providers.tryton.provider import TrytonProvider
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    Bill,
    ProviderContract,
    read,
)
from tests.fakes.http_server import HttpServer
from tests.fakes.tryton import KEY, FakeTryton, Record, day, number

#: short, so that waiting in vain is soon over
LIMITS = Limits(connect_seconds=1, read_seconds=0.3, total_seconds=0.6, max_bytes=2_000_000)
ONCE = RetryPolicy(attempts=1)


@pytest.fixture
def tryton() -> Iterator[FakeTryton]:
    fake = FakeTryton()
    with fake.running():
        yield fake


def connect(fake: HttpServer, **options: Any) -> TrytonProvider:
    values = {"url": fake.url, "database": "lab", **options.pop("settings", {})}
    options = {"allow_private_addresses": True, "limits": LIMITS, "retries": ONCE} | options
    return TrytonProvider(values, {"key": options.pop("key", KEY)}, **options)


def pages(fake: FakeTryton, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class FakeBooks:
    """The acts of the contract, in the fake."""

    def __init__(self, fake: FakeTryton) -> None:
        self.fake = fake
        self.bills: dict[str, Record] = {}
        self.checks: dict[str, list[Record]] = {}

    def bill(self, total: str) -> Bill:
        made = self.fake.bill(f"ACME-{len(self.bills) + 1}", total)
        self.bills[str(made["id"])] = made
        return Bill(str(made["id"]), made["reference"])

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        return self._pay(pays, "processing" if pending else "succeeded")

    def draft(self, bill: Bill, amount: str) -> str:
        return self._pay([(bill, amount)], "approved")

    def _pay(self, pays: Any, state: str) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        self.checks[check] = [
            self.fake.pay(self.bills[bill.remote_id], amount, check, state) for bill, amount in pays
        ]
        return check

    def pay_directly(self, bill: Bill, amount: str) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        record = self.bills[bill.remote_id]
        self.fake.pay_with_wizard(record, amount, check)
        self.checks[check] = [record]
        return check

    def issue(self, check: str) -> None:
        for payment in self.checks[check]:
            self.fake.change(payment, state="succeeded")

    def void(self, check: str) -> None:
        for payment in self.checks[check]:
            self.fake.change(payment, state="failed")

    def unapply(self, check: str) -> None:
        (bill,) = self.checks[check]
        lines = [line for line in bill["payment_lines"] if line["move"]["description"] != check]
        self.fake.change(bill, payment_lines=lines)

    def delete(self, check: str) -> None:
        for payment in self.checks[check]:
            self.fake.delete(payment)

    def settle(self) -> None:
        self.fake.pass_time(2)

    def provider(self, **options: int) -> TrytonProvider:
        return connect(self.fake, **options)


class TestTheContract(ProviderContract):
    @pytest.fixture
    def erp(self, tryton: FakeTryton) -> FakeBooks:
        return FakeBooks(tryton)


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, tryton: FakeTryton) -> FakeTryton:
        tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")
        return tryton

    @pytest.fixture
    def reader(self, server: FakeTryton) -> Callable[[], TrytonProvider]:
        return lambda: connect(server)

    @pytest.fixture
    def payment_id(self) -> str:
        return "payment-3"

    @pytest.fixture
    def secret(self) -> str:
        return KEY


# ------------------------------------------------------------------ bad records
SPOILT: dict[str, Any] = {
    "number": 7,
    "state": "lost",
    "date": {"__class__": "date", "year": 2026, "month": 13, "day": 45},
    "amount": number("NaN"),
    "currency": None,
    "party": {"id": "seven", "name": "Acme"},
    "last_modified_at": day(dt.date(2026, 1, 1)),
}


@pytest.mark.parametrize("field", SPOILT)
def test_one_bad_record_does_not_lose_the_others(tryton: FakeTryton, field: str) -> None:
    bill = tryton.bill("ACME-1", "100")
    made = [tryton.pay(bill, "10", f"CHK-{count}") for count in range(3)]
    # It stands in the middle whatever is wrong with it, as the order is the server's.
    place = made[1]["last_modified_at"]
    tryton.search = spoiling(tryton.search, made[1]["id"], field)  # type: ignore[method-assign]
    (page,) = [page for page in pages(tryton) if page.payments or page.rejected]
    assert [payment.check_number for payment in page.payments] == ["CHK-0", "CHK-2"]
    (rejected,) = page.rejected
    assert rejected.remote_id == f"payment-{made[1]['id']}"
    assert "cannot be read" in rejected.reason and len(rejected.raw) > 20
    assert place == made[1]["last_modified_at"]


def spoiling(search: Any, record_id: int, field: str) -> Any:
    def spoilt(model: str, query: Any) -> Any:
        rows = search(model, query)
        return [
            {**row, field: SPOILT[field]} if row["id"] == record_id and field in row else row
            for row in rows
        ]

    return spoilt


def test_a_record_without_a_field_is_rejected_alone(tryton: FakeTryton) -> None:
    bill = tryton.bill("ACME-1", "100")
    made = [tryton.pay(bill, "10", f"CHK-{count}") for count in range(3)]
    search = tryton.search
    tryton.search = lambda model, query: [  # type: ignore[method-assign]
        {key: value for key, value in row.items() if row["id"] != made[1]["id"] or key != "amount"}
        for row in search(model, query)
    ]
    (page,) = [page for page in pages(tryton) if page.payments or page.rejected]
    assert len(page.payments) == 2
    assert "`amount`" in page.rejected[0].reason


def test_a_bad_line_of_a_bill_does_not_lose_the_other_lines(tryton: FakeTryton) -> None:
    bill = tryton.bill("ACME-1", "100")
    tryton.pay_with_wizard(bill, "10", "CHK-1")
    line = tryton.pay_with_wizard(bill, "20", "CHK-2")
    line["debit"] = "twenty"
    page = pages(tryton)[-1]
    assert [payment.check_number for payment in page.payments] == ["CHK-1"]
    assert page.rejected[0].remote_id == f"line-{line['id']}"


def test_bad_records_one_by_one_end_as_bad_records(tryton: FakeTryton) -> None:
    bill = tryton.bill("ACME-1", "100")
    for count in range(3):
        tryton.pay(bill, "10", f"CHK-{count}")["number"] = None
    found = pages(tryton, page_size=1)
    assert sum(len(page.rejected) for page in found) == 3


def test_a_server_that_ignores_the_order_of_changes_is_not_trusted(tryton: FakeTryton) -> None:
    bill = tryton.bill("ACME-1", "100")
    for count in range(3):
        tryton.pay(bill, "10", f"CHK-{count}")
    tryton.search = lambda model, query: tryton.tables[model][:1]  # type: ignore[method-assign]
    with pytest.raises(ProtocolError, match="order of changes"):
        pages(tryton, page_size=1)


# -------------------------------------------------------------- Tryton's own noes
def test_a_wrong_database_is_a_setting_to_mend(tryton: FakeTryton) -> None:
    provider = connect(tryton, settings={"database": "nope"})
    with pytest.raises(ConfigurationError, match="no database “nope”"):
        provider.payment("payment-1")


def test_a_wrong_key_stops_the_connection(tryton: FakeTryton) -> None:
    with pytest.raises(AuthenticationError, match="key"):
        connect(tryton, key="nope").check()


@pytest.mark.parametrize("model", ["account.payment", "account.invoice", "account.payment.journal"])
def test_a_missing_right_stops_the_connection(tryton: FakeTryton, model: str) -> None:
    tryton.withheld = {model}
    with pytest.raises(AuthenticationError, match="You are not allowed"):
        connect(tryton).check()


def test_a_field_that_is_kept_from_the_user_is_named(tryton: FakeTryton) -> None:
    tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")
    tryton.withheld = {"account.move"}
    with pytest.raises(ConfigurationError, match="line.move.origin"):
        connect(tryton).check()


def test_a_module_that_is_not_installed_is_not_retried(tryton: FakeTryton) -> None:
    del tryton.tables["account.payment"]
    with pytest.raises(ConfigurationError, match="not installed"):
        pages(tryton)


def test_a_field_of_another_version_is_not_retried(tryton: FakeTryton) -> None:
    del tryton.pay(tryton.bill("ACME-1", "10"), "10", "CHK-1")["reference"]
    with pytest.raises(ConfigurationError, match="no field “reference”"):
        pages(tryton)


def test_a_user_who_sees_no_company_does_not_make_payments_vanish(tryton: FakeTryton) -> None:
    for table in tryton.tables.values():
        table.clear()
    with pytest.raises(ConfigurationError, match="no payment journal"):
        connect(tryton).payment("payment-3")
    with pytest.raises(ConfigurationError, match="no payment journal"):
        pages(tryton)
    with pytest.raises(ConfigurationError, match="no company"):
        connect(tryton).check()


@pytest.mark.parametrize("name", ["url", "database"])
def test_an_empty_setting_is_asked_for(tryton: FakeTryton, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"has no (address|database) yet"):
        connect(tryton, settings={name: " "})


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
