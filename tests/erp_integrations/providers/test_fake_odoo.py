"""The stand-in answers as a running Odoo 19 did when it was recorded."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fakes.http_server import Request
from tests.fakes.odoo import DATABASE, KEY, FakeOdoo

RECORDINGS = Path(__file__).parents[2] / "recordings"
RECORDED = json.loads((RECORDINGS / "odoo.json").read_text(encoding="utf-8"))
#: what the provider itself asked of a running Odoo 19
NESTED = json.loads((RECORDINGS / "odoo_nested.json").read_text(encoding="utf-8"))
#: recorded answers that hold the books
BOOKS = {
    "account.payment": "JSON-2 vendor payments",
    "account.move": "JSON-2 bills",
    "account.partial.reconcile": "JSON-2 how much",
    "account.move.line": "JSON-2 payable lines",
    "purchase.order": "JSON-2 purchase order",
    "purchase.order.line": "JSON-2 PO lines",
}
ANSWERED = [
    "version, no auth",
    *BOOKS.values(),
    "JSON-2 incremental",
    "JSON-2 count",
    "JSON-2 bill + invoice_payments_widget",
    "JSON-2 error: bad field",
    "JSON-2 error: bad method",
    "JSON-2 read of a deleted id",
    "JSON-2 error: bad key",
    "JSON-RPC version",
    "JSON-RPC login",
    "JSON-RPC /jsonrpc vendor payments",
    "JSON-RPC bad password",
    "JSON-RPC execute_kw bad password",
]


def exchange(note: str) -> Any:
    return next(each for each in RECORDED if each["note"].startswith(note))


@pytest.fixture
def fake() -> FakeOdoo:
    """A stand-in with the recorded books."""
    odoo = FakeOdoo()
    odoo.tables.rows["res.company"].clear()
    for model, note in BOOKS.items():
        for row in exchange(note)["response"]["body"]:
            keep(odoo, model, row)
    for row in exchange("JSON-2 bill + invoice_payments_widget")["response"]["body"]:
        odoo.tables.rows["account.move"][row["id"]] |= row
    for line in odoo.tables.rows["account.move.line"].values():
        # What the recorded questions ask of lines, and did not ask to be told.
        line |= {"account_type": "liability_payable", "parent_state": "posted"}
    odoo.tables.rows["purchase.order.line"][1]["order_id"] = 1
    for bill in odoo.tables.rows["account.move"].values():
        bill["move_type"] = bill["move_type"] or "entry"
    # The draft's line is not among the recorded ones: they are of posted entries only.
    draft = odoo.tables.rows["account.move.line"][30]
    draft |= {"move_id": 15, "parent_state": "draft"}
    return odoo


def keep(odoo: FakeOdoo, model: str, told: dict[str, Any]) -> None:
    """A record as it was told, with the names of what it points at."""
    values = {}
    for name, value in told.items():
        other = odoo.tables.comodel(model, name)
        back = odoo.tables.to_many[model].get(name, ("", ""))[1]
        if isinstance(value, list) and name in odoo.tables.many2one[model]:
            point_at(odoo, other, *value)
            value = value[0]
        if not back:
            values[name] = value
    known = odoo.tables.rows[model].get(told["id"])
    if known:
        known |= values
    else:
        odoo.tables.insert(model, **{"record_id": values.pop("id"), **values})


def point_at(odoo: FakeOdoo, model: str, number: int, name: str) -> None:
    if number in odoo.tables.rows[model]:
        odoo.tables.rows[model][number]["display_name"] = name
    else:
        odoo.tables.insert(model, number, display_name=name)


def ask(fake: FakeOdoo, request: dict[str, Any]) -> Any:
    """The recorded question, with the key and the password that the stand-in has."""
    text = json.dumps(request["body"] or {}).replace("<secret>", KEY)
    headers = {name: value.replace("<secret>", KEY) for name, value in request["headers"].items()}
    path = urlsplit(request["url"]).path
    return fake.reply(Request(path, {}, headers, request["method"], text.encode()))


def without_traceback(body: Any) -> Any:
    """Whose lines are of that server's own files."""
    if isinstance(body, dict):
        return {name: without_traceback(value) for name, value in body.items() if name != "debug"}
    return body


@pytest.mark.parametrize("note", ANSWERED)
def test_it_answers_a_recorded_question_field_for_field(fake: FakeOdoo, note: str) -> None:
    recorded = exchange(note)
    reply = ask(fake, recorded["request"])
    expected = recorded["response"]
    assert without_traceback(json.loads(reply.body)) == without_traceback(expected["body"])
    assert reply.status == expected["status"]
    assert reply.content_type == expected["headers"]["Content-Type"]


def test_the_recordings_are_of_the_database_that_the_stand_in_has() -> None:
    assert exchange("JSON-2 count")["request"]["headers"]["X-Odoo-Database"] == DATABASE


# ------------------------------------------------------------- records within records
def keep_nested(odoo: FakeOdoo, model: str, told: dict[str, Any], **back: int) -> None:
    """A record as ``web_read`` told it, and those that it holds."""
    values: dict[str, Any] = dict(back)
    for name, value in told.items():
        other = odoo.tables.comodel(model, name)
        pointing = odoo.tables.to_many[model].get(name, ("", ""))[1]
        if isinstance(value, dict):
            keep_nested(odoo, other, value)
            value = value["id"]
        elif isinstance(value, list):
            for each in value:
                keep_nested(odoo, other, each, **({pointing: told["id"]} if pointing else {}))
            value = [each["id"] for each in value]
        if not pointing:
            values[name] = value
    number = values.pop("id")
    known = odoo.tables.rows[model].get(number) or odoo.tables.insert(model, number)
    known |= values


def answers(path: str) -> list[Any]:
    found = [each for each in NESTED if each["request"]["url"].endswith(path)]
    return [each for each in found if each["response"]["status"] == 200]


@pytest.fixture
def nested() -> FakeOdoo:
    """A stand-in with the books that the provider was told."""
    odoo = FakeOdoo()
    for rows in odoo.tables.rows.values():
        rows.clear()
    for model in ("account.payment", "account.move", "account.journal"):
        for recorded in answers(f"/{model}/web_search_read"):
            for row in recorded["response"]["body"]["records"]:
                keep_nested(odoo, model, row)
    for bill in odoo.tables.rows["account.move"].values():
        bill["move_type"] = bill["move_type"] or "in_invoice"
    for payment in odoo.tables.rows["account.payment"].values():
        payment |= {"payment_type": "outbound", "partner_type": "supplier"}
    return odoo


def in_order(body: Any) -> Any:
    """Lists of related records by id: the stand-in has none of Odoo's orders for them."""
    if isinstance(body, dict):
        return {name: in_order(value) for name, value in body.items()}
    if isinstance(body, list) and body and isinstance(body[0], dict):
        return sorted((in_order(each) for each in body), key=lambda each: each["id"])
    return body


@pytest.mark.parametrize("place", range(len(NESTED)))
def test_it_answers_what_the_provider_asked_of_a_running_odoo(nested: FakeOdoo, place: int) -> None:
    recorded = NESTED[place]
    reply = ask(nested, recorded["request"])
    expected = recorded["response"]
    assert reply.status == expected["status"]
    assert reply.content_type == expected["headers"]["Content-Type"]
    if "json" in reply.content_type:
        told = without_traceback(json.loads(reply.body))
        assert in_order(told) == in_order(without_traceback(expected["body"]))
