"""How the stand-in for ERPNext takes what is written: bills made, submitted and deleted."""

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.fakes.erpnext_query import Refused
from tests.fakes.http_server import Reply, Request
from tests.fakes.ledger import Bill, BillLine

if TYPE_CHECKING:
    from tests.fakes.erpnext import FakeErpNext

BILL = "Purchase Invoice"
CURRENCIES = ("USD", "EUR", "CAD")
Record = dict[str, Any]


def written(fake: "FakeErpNext", request: Request, doctype: str, name: str) -> Reply:
    if doctype != BILL or fake.is_read_only:
        raise Refused(403, "PermissionError", f"No permission for {doctype}")
    if request.method == "POST" and not name:
        made = _insert(fake, json.loads(request.body))
        return _document(fake, made)
    bill = fake.ledger.bill_named(name)
    if bill is None:
        raise Refused(404, "DoesNotExistError", f"{doctype} {name} not found")
    if request.method == "PUT" and json.loads(request.body) == {"docstatus": 1}:
        _submit(fake, bill)
        return _document(fake, bill)
    if request.method == "DELETE":
        if bill.is_posted and not bill.is_cancelled:
            message = "Submitted Record cannot be deleted. You must Cancel it first."
            raise Refused(417, "ValidationError", message)
        fake.ledger.remove_bill(bill)
        return Reply(202, b'{"message":"ok"}')
    raise Refused(417, "ValidationError", "Not understood")


def _document(fake: "FakeErpNext", bill: Bill) -> Reply:
    fake.documents.look()
    return Reply(200, json.dumps({"data": fake.documents.bill(bill)}).encode())


def _insert(fake: "FakeErpNext", values: Record) -> Bill:
    ledger = fake.ledger
    vendor = [each for each in ledger.vendors if each.name == values.get("supplier")]
    if not vendor:
        raise Refused(417, "LinkValidationError", f"Could not find Supplier: {values['supplier']}")
    if values.get("currency") not in CURRENCIES:
        raise Refused(417, "LinkValidationError", f"Could not find Currency: {values['currency']}")
    if values["bill_date"] > values["posting_date"]:
        message = "Supplier Invoice Date cannot be greater than Posting Date"
        raise Refused(417, "ValidationError", message)
    for item in values["items"]:
        _require_item(fake, item)
    made = ledger.bill(
        values["bill_no"],
        vendor=vendor[0],
        currency=values["currency"],
        memo=values["remarks"],
        is_posted=False,
        date=dt.date.fromisoformat(values["posting_date"]),
    )
    ledger.bill_dates[made.number] = dt.date.fromisoformat(values["bill_date"])
    made.lines = [
        BillLine(ledger.next_number(), each["description"], _rate(each)) for each in values["items"]
    ]
    made.order = next(
        (each["purchase_order"] for each in values["items"] if each.get("po_detail")), ""
    )
    fake.inserted.append(values)
    return made


def _require_item(fake: "FakeErpNext", item: Record) -> None:
    for field in ("item_name", "uom", "qty", "expense_account"):
        if not item.get(field):
            raise Refused(417, "MandatoryError", f"Value missing for: {field}")
    if _rate(item) < 0 and not fake.allows_negative_rates:
        message = f"For item {item['item_name']}, rate must be a positive number."
        raise Refused(417, "ValidationError", message)
    orders = {each["name"] for each in fake.ledger.orders}
    if item.get("purchase_order") and item["purchase_order"] not in orders:
        name = item["purchase_order"]
        raise Refused(417, "LinkValidationError", f"Could not find Purchase Order: {name}")


def _rate(item: Record) -> Decimal:
    return Decimal(str(item["rate"])) * Decimal(str(item["qty"]))


def _submit(fake: "FakeErpNext", bill: Bill) -> None:
    if bill.is_posted:
        raise Refused(417, "ValidationError", "Cannot edit submitted record")
    if fake.refuses_to_submit:
        raise Refused(417, "ValidationError", fake.refuses_to_submit)
    bill.is_posted = True
    fake.ledger.stamp(bill)
