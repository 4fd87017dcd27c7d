"""Records of Odoo that cannot be read, and the ways in which Odoo says no."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from erp_integrations.providers.contract import PaymentQuestion
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.odoo.provider import OdooProvider
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.odoo_books import connect, pages
from tests.fakes.http_server import Reply
from tests.fakes.odoo import JSON, LOGIN, FakeOdoo


@pytest.fixture
def odoo18() -> Iterator[FakeOdoo]:
    fake = FakeOdoo(18)
    with fake.running():
        yield fake


# ------------------------------------------------------------------ bad records
SPOILT: dict[str, Any] = {
    "name": 7,
    "state": "lost",
    "date": "2026-13-45",
    "amount": "ten",
    "write_date": False,
    "memo": True,
    "currency_id": False,
    "journal_id": False,
}


@pytest.mark.parametrize("field", SPOILT)
def test_one_bad_record_does_not_lose_the_others(odoo: FakeOdoo, field: str) -> None:
    made = [odoo.ledger.pay(f"CHK-{count}", total="10") for count in range(3)]
    odoo.ledger.row("account.payment", made[1].number)[field] = SPOILT[field]
    (page,) = pages(odoo)
    if field == "memo":  # there is no text that is "true"
        assert [each.check_number for each in page.payments] == ["CHK-0", "", "CHK-2"]
        return
    assert [each.check_number for each in page.payments] == ["CHK-0", "CHK-2"]
    (rejected,) = page.rejected
    assert rejected.remote_id == str(made[1].number)
    assert "cannot be used" in rejected.reason and len(rejected.raw) > 20


def test_bad_records_one_by_one_end_as_bad_records(odoo: FakeOdoo) -> None:
    for count in range(3):
        made = odoo.ledger.pay(f"CHK-{count}", total="10")
        odoo.ledger.row("account.payment", made.number)["date"] = "never"
    assert sum(len(page.rejected) for page in pages(odoo, page_size=1)) == 3


def test_a_bill_that_cannot_be_read_stops_the_comparison(odoo: FakeOdoo) -> None:
    bill = odoo.ledger.bill("ACME-1", "10")
    odoo.ledger.row("account.move", bill.number)["amount_total"] = "ten"
    with pytest.raises(ProtocolError, match="bill that cannot be read"):
        list(connect(odoo).bills())


def test_a_server_that_ignores_the_order_is_not_trusted(odoo: FakeOdoo) -> None:
    for count in range(3):
        odoo.ledger.pay(f"CHK-{count}", total="10")
    search = odoo.tables.search
    odoo.tables.search = lambda model, *asked: search(model, [])[:1]
    with pytest.raises(ProtocolError, match="order of payments"):
        pages(odoo, page_size=1)


# ------------------------------------------------------------------ keys and rights
def test_an_expired_key_says_that_keys_expire(odoo: FakeOdoo) -> None:
    cursor = pages(odoo)[-1].cursor
    odoo.key = "b" * 40
    for asked in (None, cursor):
        with pytest.raises(AuthenticationError, match="keys of Odoo expire"):
            pages(odoo, asked, key="a" * 40)


def test_an_expired_key_says_so_over_json_rpc(odoo18: FakeOdoo) -> None:
    cursor = pages(odoo18)[-1].cursor
    odoo18.key = "b" * 40
    for asked in (None, cursor):
        with pytest.raises(AuthenticationError, match="keys of Odoo expire"):
            pages(odoo18, asked, key="a" * 40)


@pytest.mark.parametrize("model", ["account.payment", "account.move", "account.journal"])
def test_a_missing_right_stops_the_connection(odoo: FakeOdoo, model: str) -> None:
    odoo.withheld = {model}
    with pytest.raises(AuthenticationError, match="not allowed to access"):
        connect(odoo).check()


def test_a_missing_right_stops_the_connection_over_json_rpc(odoo18: FakeOdoo) -> None:
    odoo18.withheld = {"account.payment"}
    with pytest.raises(AuthenticationError, match="not allowed to access"):
        pages(odoo18)


def test_a_user_who_sees_no_journal_does_not_make_payments_vanish(odoo: FakeOdoo) -> None:
    odoo.tables.rows["account.journal"].clear()
    with pytest.raises(ConfigurationError, match="no bank journal"):
        connect(odoo).payment("3")
    with pytest.raises(ConfigurationError, match="no bank journal"):
        pages(odoo)


def test_a_payment_that_is_gone_is_not_found(odoo: FakeOdoo) -> None:
    with pytest.raises(RecordNotFound):
        connect(odoo).payment("3")


# -------------------------------------------------------------------- several companies
@pytest.fixture
def two(odoo: FakeOdoo) -> FakeOdoo:
    """A database of two companies, each with a payment."""
    odoo.ledger.pay("CHK-1", total="10")
    other = odoo.ledger.pay("CHK-2", total="20")
    name = "Southstar Builders"
    odoo.ledger.insert("res.company", 2, name=name, display_name=name)
    odoo.ledger.insert("account.journal", 7, name="Bank", type="bank", company_id=2)
    row = odoo.ledger.row("account.payment", other.number)
    row |= {"company_id": 2, "journal_id": 7}
    return odoo


def test_books_of_two_companies_are_not_mixed(two: FakeOdoo) -> None:
    with pytest.raises(ConfigurationError, match="Northstar .*, Southstar Builders"):
        connect(two).check()
    with pytest.raises(ConfigurationError, match="several companies"):
        pages(two)
    with pytest.raises(ConfigurationError, match="several companies"):
        pages(two, {"since": "2026-01-01T00:00:00+00:00"})


@pytest.mark.parametrize("company", ["Southstar Builders", "2"])
def test_one_company_is_read_by_its_name_or_number(two: FakeOdoo, company: str) -> None:
    provider = connect(two, settings={"company": company})
    assert "company Southstar Builders · 1 payment readable" in provider.check()
    assert [each.check_number for each in read(list(provider.pages(None)))] == ["CHK-2"]
    assert provider.find_payments(PaymentQuestion(number="CHK-1"), limit=5) == []


def test_a_company_that_is_not_there_is_said_so(two: FakeOdoo) -> None:
    with pytest.raises(ConfigurationError, match="no such company"):
        connect(two, settings={"company": "Weststar"}).check()


# ------------------------------------------------------------- which Odoo it is
def test_odoo_18_is_found_out(odoo18: FakeOdoo) -> None:
    odoo18.ledger.pay("CHK-1", total="10")
    provider = connect(odoo18, settings={"version": ""})
    assert "Odoo 18.0" in provider.check()
    assert [each.path for each in odoo18.requests][:2] == [
        "/json/2/account.payment/fields_get",
        "/jsonrpc",
    ]
    assert len(read(pages(odoo18, settings={"version": ""}))) == 1


def test_odoo_18_asks_for_the_login(odoo18: FakeOdoo) -> None:
    for version in ("", "18"):
        with pytest.raises(ConfigurationError, match="login of the user"):
            connect(odoo18, settings={"login": "", "version": version}).check()


def test_odoo_19_may_be_asked_over_json_rpc_too(odoo: FakeOdoo) -> None:
    provider = connect(odoo, settings={"login": LOGIN, "version": "18"})
    assert "Odoo 19.0" in provider.check()
    assert {each.path for each in odoo.requests} == {"/jsonrpc"}


@pytest.mark.parametrize("version", ["16", "new"])
def test_another_version_is_refused(odoo: FakeOdoo, version: str) -> None:
    with pytest.raises(ConfigurationError, match="17, 18 or 19"):
        connect(odoo, settings={"version": version})


@pytest.mark.parametrize("login", ["", LOGIN])
def test_a_wrong_database_is_a_setting_to_mend(odoo: FakeOdoo, login: str) -> None:
    with pytest.raises(ConfigurationError, match="no such database"):
        connect(odoo, settings={"database": "nope", "login": login}).payment("1")


@pytest.mark.parametrize("name", ["url", "database"])
def test_an_empty_setting_is_asked_for(odoo: FakeOdoo, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"has no “(Address|Database)” yet"):
        connect(odoo, settings={name: " "})


# ------------------------------------------------------- what was found out before
def test_an_update_of_odoo_is_noticed(odoo18: FakeOdoo) -> None:
    """The cursor remembers fields of Odoo 17 that Odoo 18 does not have."""
    old = FakeOdoo(17)
    with old.running():
        cursor = pages(old)[-1].cursor
    odoo18.ledger.pay("CHK-1", total="10")
    (payment,) = read(pages(odoo18, {**cursor, "since": "2026-01-01T00:00:00+00:00"}))
    assert payment.memo == "CHK-1"


def test_another_users_key_is_signed_in_with_anew(odoo18: FakeOdoo) -> None:
    cursor = pages(odoo18)[-1].cursor
    cursor["odoo"]["user"] = 77
    odoo18.ledger.pay("CHK-1", total="10")
    assert len(read(pages(odoo18, cursor))) == 1


def test_what_was_found_out_is_good_for_a_day(odoo: FakeOdoo) -> None:
    cursor = pages(odoo)[-1].cursor
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(hours=25)
    cursor["odoo"]["found"] = yesterday.isoformat()
    provider = connect(odoo)
    list(provider.pages(cursor))
    assert provider.calls == 2


@pytest.mark.parametrize("spoilt", [7, {"api": "xmlrpc"}, {"api": "json2", "found": "then"}, None])
def test_what_was_found_out_and_cannot_be_read_is_found_out_again(
    odoo: FakeOdoo, spoilt: Any
) -> None:
    cursor = pages(odoo)[-1].cursor
    assert pages(odoo, {**cursor, "odoo": spoilt})


@pytest.mark.parametrize(
    "cursor",
    [{"since": "yesterday"}, {"since": 5}, {"since": "2026-01-01T00:00:00"}, {"after": "x"}],
)
def test_a_place_that_cannot_be_read_is_said_so(odoo: FakeOdoo, cursor: Any) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        pages(odoo, cursor)


# -------------------------------------------------------------- Odoo's own exceptions
def no(name: str, message: str = "It is so.", status: int = 500) -> Reply:
    body = f'{{"name": "{name}", "message": "{message}", "debug": "Traceback {"x" * 600}"}}'
    return Reply(status, body.encode(), JSON)


EXCEPTIONS: dict[str, tuple[Reply, type[Exception]]] = {
    "another transaction": (no("psycopg2.errors.SerializationFailure"), TransientError),
    "the database is restarting": (no("psycopg2.OperationalError"), TransientError),
    "no memory": (no("builtins.MemoryError"), TransientError),
    "deleted meanwhile": (no("odoo.exceptions.MissingError", status=404), TransientError),
    "a bug": (no("builtins.TypeError"), ConfigurationError),
    "no such field": (
        no("builtins.ValueError", "Invalid field 'x' on 'account.payment'"),
        ConfigurationError,
    ),
    "no such app": (
        no("werkzeug.exceptions.NotFound", "the model 'x' does not exist", 404),
        ConfigurationError,
    ),
    "refused": (no("odoo.exceptions.UserError", status=422), ConfigurationError),
    "something new": (no("acme.Unheard"), ProtocolError),
    "signed out": (no("odoo.http.SessionExpiredException", status=403), AuthenticationError),
}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_each_exception_decides_what_happens_next(odoo: FakeOdoo, name: str) -> None:
    reply, expected = EXCEPTIONS[name]
    odoo.faults.append(reply)
    with pytest.raises(expected) as raised:
        pages(odoo)
    error: Any = raised.value
    assert "Traceback" not in f"{error} {error.detail}"


def test_a_field_of_another_version_is_not_retried(odoo: FakeOdoo) -> None:
    odoo.tables.scalars["account.payment"].discard("payment_reference")
    provider: OdooProvider = connect(odoo)
    with pytest.raises(ConfigurationError, match="lacks a field"):
        list(provider.payments_on(["1"]))
    assert provider.calls == 2


def test_an_answer_that_is_for_people_is_not_taken_for_no_payments(odoo18: FakeOdoo) -> None:
    cursor = pages(odoo18)[-1].cursor
    odoo18.faults.append(Reply(200, b"<html>", "text/html"))
    with pytest.raises(ProtocolError):
        pages(odoo18, cursor)
    odoo18.faults.append(Reply(200, b'{"jsonrpc": "2.0", "id": 1}', JSON))
    with pytest.raises(ProtocolError):
        pages(odoo18, cursor)
