"""Records that cannot be read, and the ways in which Tryton says no."""

import datetime as dt
from typing import Any

import pytest

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
)
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.fake_books import connect, pages
from tests.fakes.tryton import FakeTryton, day, number

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
    tryton.search = spoiling(tryton.search, made[1]["id"], field)  # type: ignore[method-assign]
    (page,) = [page for page in pages(tryton) if page.payments or page.rejected]
    assert [payment.check_number for payment in page.payments] == ["CHK-0", "CHK-2"]
    (rejected,) = page.rejected
    assert rejected.remote_id == f"payment-{made[1]['id']}"
    assert "cannot be read" in rejected.reason and len(rejected.raw) > 20


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
    with pytest.raises(ConfigurationError, match="sees no books"):
        connect(tryton).payment("payment-3")
    with pytest.raises(ConfigurationError, match="sees no books"):
        pages(tryton)
    with pytest.raises(ConfigurationError, match="no company"):
        connect(tryton).check()


def test_a_company_that_pays_without_payment_journals_is_seen(tryton: FakeTryton) -> None:
    tryton.tables["account.payment.journal"].clear()
    tryton.tables["account.move"].append({"id": 1, "__name__": "account.move", "company": 1})
    tryton.pay_with_wizard(tryton.bill("ACME-1", "100"), "10", "CHK-1")
    assert len(read(pages(tryton))) == 1


@pytest.mark.parametrize("name", ["url", "database"])
def test_an_empty_setting_is_asked_for(tryton: FakeTryton, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"has no “(Address|Database)” yet"):
        connect(tryton, settings={name: " "})
