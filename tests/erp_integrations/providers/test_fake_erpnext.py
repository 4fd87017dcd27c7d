"""The stand-in for ERPNext against what a running ERPNext 15 answered."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.fakes.erpnext import KEY, SECRET, FakeErpNext
from tests.fakes.erpnext_documents import ORDER, RECORDINGS, recorded
from tests.fakes.ledger import Application, State

EXCHANGES = {each["note"]: each for each in json.loads(RECORDINGS.read_text(encoding="utf-8"))}
HEADERS = "payments (headers)"
LISTS = [HEADERS, "bills", "incremental: modified >= X, page of 2", "count"]


@pytest.fixture
def site() -> Iterator[FakeErpNext]:
    fake = FakeErpNext()
    with fake.running():
        yield fake


def ask(site: FakeErpNext, note: str, **headers: str) -> tuple[int, Any]:
    parts = urlsplit(EXCHANGES[note]["request"]["url"])
    given = {"Authorization": f"token {KEY}:{SECRET}", **headers}
    given = {name: value for name, value in given.items() if value}
    request = Request(f"{site.url}{parts.path}?{parts.query}", headers=given)  # noqa: S310
    try:
        with urlopen(request, timeout=5) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def with_recorded_documents(site: FakeErpNext) -> None:
    """The recorded lists as tables, and whole documents where they were recorded."""
    headers = {each["name"]: each for each in recorded(HEADERS)["data"]}
    joined = "payments joined to their references (child table in fields)"
    for row in recorded(joined)["data"]:
        headers[row["name"]].setdefault("references", []).append(row)
    fixed = {"payment_type": "Pay", "party_type": "Supplier"}
    site.tables["Payment Entry"] = [fixed | each for each in headers.values()]
    site.tables["Purchase Invoice"] = [
        {"creation": each["name"], **each} for each in recorded("bills")["data"]
    ]


@pytest.mark.parametrize("note", LISTS)
def test_lists_are_filtered_ordered_and_cut_as_recorded(site: FakeErpNext, note: str) -> None:
    with_recorded_documents(site)
    assert ask(site, note) == (200, recorded(note))


def test_joined_rows_are_those_that_were_recorded(site: FakeErpNext) -> None:
    with_recorded_documents(site)
    note = "payments joined to their references (child table in fields)"
    status, found = ask(site, note)
    assert status == 200
    assert sorted(map(str, found["data"])) == sorted(map(str, recorded(note)["data"]))


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        ("one payment, whole document", "entry"),
        ("bill with its PO link", "bill"),
        (ORDER, "order"),
    ],
)
def test_documents_have_the_recorded_fields(site: FakeErpNext, note: str, kind: str) -> None:
    ledger = site.ledger
    order = ledger.order(ledger.vendors[0], "SC-2024-001", "10000")
    bill = ledger.bill("ACME-1001", "10000", order=order["name"])
    payment = ledger.pay("CHK-5001", (bill, "10000"))
    shown = {"entry": payment, "bill": bill, "order": order}[kind]
    found, expected = getattr(site.documents, kind)(shown), recorded(note)["data"]
    assert set(found) == set(expected)
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in expected.items()
    }
    for name, lines in expected.items():
        if isinstance(lines, list) and lines and found[name]:
            assert set(found[name][0]) == set(lines[0])


def test_the_recorded_story_has_the_recorded_amounts(site: FakeErpNext) -> None:
    """Part payments, a check over two bills, a draft and a voided one: what the lists say."""
    ledger = site.ledger
    bolt = ledger.vendor("V-BOLT", "Bolt Electric Inc")
    numbers = {"ACME-1001": "10000", "ACME-1002": "5000"}
    bills = {number: ledger.bill(number, total) for number, total in numbers.items()}
    numbers = {"BOLT-77": "3200", "BOLT-78": "1100.50", "BOLT-79": "899.50", "BOLT-80": "600"}
    bills |= {number: ledger.bill(number, total, vendor=bolt) for number, total in numbers.items()}
    ledger.pay("CHK-5001", (bills["ACME-1001"], "10000"))
    ledger.pay("CHK-5002", (bills["ACME-1002"], "2000"))
    ledger.pay("CHK-5003", (bills["ACME-1002"], "1500"))
    voided = ledger.pay("CHK-5004", (bills["BOLT-77"], "3200"))
    ledger.pay("CHK-5005", (bills["BOLT-78"], "1100.50"), (bills["BOLT-79"], "899.50"))
    ledger.pay("CHK-5007", (bills["BOLT-80"], "600"), state=State.PENDING)
    ledger.void(voided)
    moments = ("creation", "modified", "posting_date", "reference_date")
    for found, expected in zip(
        ask(site, HEADERS)[1]["data"], recorded(HEADERS)["data"], strict=True
    ):
        assert _without(found, moments) == _without(expected, moments)
    named = ("bill_no", "status", "docstatus", "grand_total", "outstanding_amount")
    rows = recorded("bills")["data"][:6]
    for found, expected in zip(ask(site, "bills")[1]["data"], rows, strict=True):
        assert {name: found[name] for name in named} == {name: expected[name] for name in named}


def _without(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


@pytest.mark.parametrize(
    ("note", "authorization"),
    [
        ("error 404", f"token {KEY}:{SECRET}"),
        ("error: bad field", f"token {KEY}:{SECRET}"),
        ("error: bad token", "token x:y"),
        ("error: no auth", ""),
    ],
)
def test_errors_have_the_recorded_shape(site: FakeErpNext, note: str, authorization: str) -> None:
    status, found = ask(site, note, Authorization=authorization)
    expected = EXCHANGES[note]["response"]
    assert status == expected["status"]
    assert found["exc_type"] == expected["body"]["exc_type"]
    assert found.get("exception") == expected["body"].get("exception")
    assert ("exc" in found, "_server_messages" in found) == (
        "exc" in expected["body"],
        "_server_messages" in expected["body"],
    )


def test_names_are_given_again_and_tombstones_stay(site: FakeErpNext) -> None:
    bill = site.ledger.bill("ACME-1", "10")
    first = site.ledger.pay("CHK-1", (bill, "10"), state=State.DRAFT)
    site.ledger.delete(first)
    second = site.ledger.pay("CHK-2", (bill, "10"))
    assert site.ledger.name_of(second) == site.ledger.name_of(first) == "ACC-PAY-2026-00001"
    (tomb,) = ask(site, "tombstones")[1]["data"]
    assert set(tomb) == set(recorded("tombstones")["data"][0])
    assert tomb["deleted_name"] == "ACC-PAY-2026-00001"


def test_a_list_without_a_limit_has_twenty_rows(site: FakeErpNext) -> None:
    for number in range(25):
        site.ledger.bill(f"ACME-{number}", "1")
    assert len(site._list("Purchase Invoice", {})) == 20


def test_a_discount_is_a_deduction_of_the_payment(site: FakeErpNext) -> None:
    part = Application(site.ledger.bill("ACME-1", "100"), Decimal(98), Decimal(2))
    shown = site.documents.entry(site.ledger.pay("CHK-1", part))
    assert (shown["received_amount"], shown["total_allocated_amount"]) == (98.0, 100.0)
    assert shown["deductions"][0]["amount"] == -2.0
