"""How the fake Tryton takes what is written: bills made, posted and deleted, answers lost."""

import json
import re
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from tests.fakes.http_server import Reply, Request

if TYPE_CHECKING:
    from tests.fakes.tryton import FakeTryton

Record = dict[str, Any]
BILL = "account.invoice"
#: an answer that breaks off before its first byte
LOST = Reply(200, b"", promise=500)
TARGET = re.compile(r"(?P<model>[a-z._]+)(/(?P<id>[0-9]+))?(/(?P<button>[a-z_]+))?")


class Loss(Enum):
    """What becomes of a write whose answer does not arrive."""

    NONE = "it is done and answered"
    BEFORE = "it never arrives"
    AFTER = "it is done, the answer is lost"
    LATE = "the answer is lost, and it is done only after the next write"


def configuration() -> dict[str, list[Record]]:
    """What a Tryton needs before bills can be entered."""
    accounts = {"default_account_payable": 67, "default_category_account_expense": 71}
    return {
        "account.configuration": [record("account.configuration", 1, **accounts)],
        "account.journal": [record("account.journal", 2, type="expense")],
        "currency.currency": [record("currency.currency", 1, code="USD")],
    }


def record(model: str, record_id: int, **values: Any) -> Record:
    return {"id": record_id, "__name__": model, **values}


def written(fake: "FakeTryton", request: Request, target: str) -> Reply:
    """Do what is asked, unless it gets lost on the way."""
    found = TARGET.fullmatch(target)
    assert found and found["model"] == BILL, target
    loss = fake.losses.popleft() if fake.losses else Loss.NONE
    if loss is Loss.BEFORE:
        return LOST
    if loss is Loss.LATE:
        fake.late.append((request, found))
        return LOST
    reply = _do(fake, request, found)
    late, fake.late = fake.late, []
    for each in late:
        _do(fake, *each)
    return LOST if loss is Loss.AFTER else reply


def _do(fake: "FakeTryton", request: Request, found: "re.Match[str]") -> Reply:
    try:
        if found["id"] is None:
            return _answer(_create(fake, json.loads(request.body)))
        bills = [each for each in fake.tables[BILL] if each["id"] == int(found["id"])]
        if not bills:
            return Reply(404, b"<h1>Not Found</h1>", "text/html; charset=utf-8")
        if found["button"] == "post":
            return _answer(_post(fake, bills[0], warns="X-Tryton-Context" not in request.headers))
        assert request.method == "DELETE"
        return _delete(fake, bills[0])
    except ValueError as error:
        body = {"status": 400, "message": str(error), "description": ""}
        return Reply(400, json.dumps(body).encode())


def _answer(bill: Record) -> Reply:
    return Reply(200, json.dumps({"id": bill["id"], "__name__": BILL, "rec_name": "…"}).encode())


def _create(fake: "FakeTryton", values: Record) -> Record:
    (lines,) = values["lines"]
    total = sum((Decimal(line["unit_price"]["decimal"]) for line in lines[1]), Decimal(0))
    if total != round(total, 2):
        raise ValueError("The number of digits in the value exceeds the limit.")
    party = next(each for each in fake.tables["party.party"] if each["id"] == values["party"])
    made = fake.bill(values["reference"], str(total), party["name"])
    given = ("comment", "invoice_date", "accounting_date", "description")
    fake.change(made, state="draft", number=None, party=party, **{n: values[n] for n in given})
    return made


def _post(fake: "FakeTryton", bill: Record, *, warns: bool) -> Record:
    name = f"[{bill['reference']}]"
    if bill["state"] != "draft":
        raise ValueError(f'You can not call "post" on "{name}" of "Account Invoice".')
    for other in fake.tables[BILL]:
        same = other["reference"] == bill["reference"] and other["party"] == bill["party"]
        if warns and same and other is not bill:
            raise ValueError(f'The invoice "{name}" is similar to invoice "{name}".')
    fake.change(bill, state="posted", number=str(bill["id"]))
    return bill


def _delete(fake: "FakeTryton", bill: Record) -> Reply:
    if bill["state"] != "draft":
        raise ValueError("You cannot modify the invoice because it is posted, paid or cancelled.")
    fake.delete(bill)
    return Reply(204, b"")
