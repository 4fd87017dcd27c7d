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
