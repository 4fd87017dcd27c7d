"""What other programs write into the books of QuickBooks Online, and what it refuses of that."""

import json
from decimal import Decimal
from typing import Any

from tests.fakes import quickbooks_online_records as records
from tests.fakes.http_server import Request
from tests.fakes.ledger import Bill, BillLine, Vendor
from tests.fakes.quickbooks_online_query import Refusal
from tests.fakes.quickbooks_online_records import ACCOUNTS, Record

LONGEST_NUMBER = 21


def create_bill(fake: Any, request: Request) -> Record:
    """A request id that was answered before is answered the same again, and nothing is done."""
    key = request.query.get("requestid", [""])[0]
    if key not in fake.answered:
        made = _bill(fake, json.loads(request.body, parse_float=Decimal))
        answer = {"Bill": records.bill(made, [], currency=fake.tells_currency)}
        if not key:
            return answer
        fake.answered[key] = answer
    kept: Record = fake.answered[key]
    return kept


def _bill(fake: Any, sent: Record) -> Bill:
    vendor = _vendor(fake, sent)
    currency = sent.get("CurrencyRef", {}).get("value", "USD")
    if currency != "USD":
        raise Refusal(
            "6000",
            "A business validation error has occurred while processing your request",
            "Business Validation Error: The currency of the transaction is not the vendor's.",
        )
    number = sent.get("DocNumber", "")
    if len(number) > LONGEST_NUMBER:
        raise Refusal(
            "2050", "String length is either shorter or longer than supported",
            f"Maximum length of DocNumber is {LONGEST_NUMBER}.",
        )  # fmt: skip
    lines = [_line(fake, each) for each in sent.get("Line", [])]
    if not lines:
        raise Refusal("2020", "Required param missing, need to supply the required value", "Line")
    made: Bill = fake.ledger.bill(number, vendor=vendor, memo=sent.get("PrivateNote", ""))
    made.lines = lines
    made.date = made.date.fromisoformat(sent["TxnDate"])
    return made


def _vendor(fake: Any, sent: Record) -> Vendor:
    wanted = sent.get("VendorRef", {}).get("value", "")
    for vendor in fake.ledger.vendors:
        if str(vendor.number) == wanted:
            known: Vendor = vendor
            return known
    raise _no_reference(f"Vendor {wanted}")


def _line(fake: Any, sent: Record) -> BillLine:
    if sent.get("DetailType") != "AccountBasedExpenseLineDetail":
        raise Refusal("2020", "Required param missing", "Line.DetailType")
    account = sent["AccountBasedExpenseLineDetail"]["AccountRef"]["value"]
    if account not in ACCOUNTS:
        raise _no_reference(f"Account {account}")
    text, amount = sent.get("Description", ""), Decimal(sent["Amount"])
    fake.booked.append((account, text, amount))
    return BillLine(fake.ledger.next_number(), text, amount)


def _no_reference(what: str) -> Refusal:
    return Refusal("2500", "Invalid Reference Id", f"Invalid Reference Id : {what} does not exist.")


def change_payment(fake: Any, request: Request) -> Record:
    """A payment is voided or deleted by another program, as an accountant would."""
    sent = json.loads(request.body)
    payment = fake.ledger.payments.get(int(sent["Id"]))
    operation = request.query.get("operation", [""])[0]
    if payment is None:
        raise Refusal("610", "Object Not Found", "Object Not Found : it was deleted.")
    if operation == "delete":
        fake.ledger.delete(payment)
        return {"BillPayment": {"status": "Deleted", "domain": "QBO", "Id": sent["Id"]}}
    if operation == "update" and request.query.get("include") == ["void"]:
        fake.ledger.void(payment)
        return {"BillPayment": fake.payment(payment)}
    raise Refusal("500", "Unsupported Operation", f"Operation {operation} is not supported.")
