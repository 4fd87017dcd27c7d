"""What a stand-in for Sage Intacct does when a bill is posted or deleted, and how it refuses."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from tests.fakes.http_server import Reply
from tests.fakes.ledger import Ledger

ACCOUNTS = {"5100": "Subcontracts", "2050": "Retainage payable"}
CURRENCIES = {"USD", "EUR", "CAD"}


def made_bill(ledger: Ledger, values: dict[str, Any]) -> Reply:
    """A bill that is posted at once, with a line for each of its lines; or the reason why not."""
    vendors = [v for v in ledger.vendors if str(v.number) == values["vendor"].get("key")]
    if not vendors:
        return refusal(400, "invalidRequest", "Vendor is not valid.")
    if values["currency"]["txnCurrency"] not in CURRENCIES:
        return refusal(400, "invalidRequest", "Currency is not valid.")
    if not {"dueDate", "term"} & set(values):
        return refusal(400, "invalidRequest", "A due date or a term is required.")
    for line in values["lines"]:
        if line["glAccount"]["id"] not in ACCOUNTS:
            return refusal(400, "invalidRequest", "GL account is not valid.")
    bill = ledger.bill(
        values["billNumber"],
        *(Decimal(line["txnAmount"]) for line in values["lines"]),
        vendor=vendors[0],
        currency=values["currency"]["txnCurrency"],
        memo=values["description"],
        date=dt.date.fromisoformat(values["createdDate"]),
    )
    key = str(bill.number)
    result = {"key": key, "id": key, "href": f"/objects/accounts-payable/bill/{key}"}
    meta = {"totalCount": 1, "totalSuccess": 1, "totalError": 0}
    return Reply(201, json.dumps({"ia::result": result, "ia::meta": meta}).encode())


def deleted_bill(ledger: Ledger, key: str) -> Reply:
    bill = ledger.bills.get(int(key)) if key.isdecimal() else None
    if bill is None:
        return refusal(404, "invalidRequest", "The bill does not exist.")
    if ledger.applied_to(bill):
        return refusal(400, "invalidRequest", "The bill has payments.")
    del ledger.bills[bill.number]
    return Reply(204, b"")


def refusal(status: int, code: str, message: str) -> Reply:
    error = {"code": code, "message": message, "errorId": "REST-1064", "supportId": "Kxi78"}
    meta = {"totalCount": 1, "totalSuccess": 0, "totalError": 1}
    body = {"ia::result": {"ia::error": error}, "ia::meta": meta}
    return Reply(status, json.dumps(body).encode())
