"""The fake answers as the real one did when it was recorded."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.http_server import Request
from tests.fakes.tryton import KEY, FakeTryton

RECORDINGS = Path(__file__).parents[2] / "recordings"
RECORDED = [
    recorded
    for name in ("tryton.json", "tryton_refusals.json")
    for recorded in json.loads((RECORDINGS / name).read_text(encoding="utf-8"))
]


def exchange(note: str) -> Any:
    return next(each for each in RECORDED if each["note"].startswith(note))


@pytest.fixture
def fake() -> FakeTryton:
    """A fake that holds the recorded books, record by record as they were sent."""
    tryton = FakeTryton()
    bills, payments = exchange("REST bills"), exchange("JSON-RPC payments")
    tryton.tables["account.invoice"] = bills["response"]["body"]
    tryton.tables["account.payment"] = [
        nested(row, "account.payment") for row in payments["response"]["body"]["result"]
    ]
    return tryton


MODELS = {
    "party": "party.party",
    "currency": "currency.currency",
    "company": "company.company",
    "journal": "account.payment.journal",
    "group": "account.payment.group",
    "line": "account.move.line",
    "move": "account.move",
}


def nested(row: dict[str, Any], model: str) -> dict[str, Any]:
    """JSON-RPC marks related records with a dot behind the field; REST nests them, with names."""
    record = {
        name.removesuffix("."): nested(value, MODELS[name[:-1]]) if name.endswith(".") else value
        for name, value in row.items()
    }
    return {**record, "__name__": model}


def ask(fake: FakeTryton, recorded: dict[str, Any], key: str = KEY) -> Any:
    parts = urlsplit(recorded["request"]["url"])
    headers = {"Authorization": f"Bearer {key}"}
    return fake.reply(Request(parts.path, parse_qs(parts.query), headers))


@pytest.mark.parametrize("note", ["REST payments, page 1", "REST incremental", "REST bills"])
def test_it_answers_a_recorded_question_field_for_field(fake: FakeTryton, note: str) -> None:
    recorded = exchange(note)
    reply = ask(fake, recorded)
    assert json.loads(reply.body) == recorded["response"]["body"]
    assert reply.content_type == recorded["response"]["headers"]["Content-Type"]


@pytest.mark.parametrize(
    "note", ["REST bad key", "wrong database", "no right to", "module not", "unknown field"]
)
def test_it_refuses_as_the_real_one_did(fake: FakeTryton, note: str) -> None:
    recorded = exchange(note)
    fake.withheld = {"account.payment"} if note == "no right to" else set()
    reply = ask(fake, recorded, key="nope" if note == "REST bad key" else KEY)
    expected = recorded["response"]
    body = json.loads(reply.body) if "json" in reply.content_type else reply.body.decode()
    assert (reply.status, body) == (expected["status"], expected["body"])
    assert reply.content_type == expected["headers"]["Content-Type"]
