"""What other programs write into the stand-in for Acumatica: bills, and the button to release them.

A refused record comes back with an ``error`` in the fields that are wrong (422).
An action that takes longer answers 202 with the place where its end is seen.
"""

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from erp_integrations.providers.acumatica.client import ENDPOINT, VERSION
from tests.fakes import acumatica_documents as documents
from tests.fakes.http_server import Reply, Request
from tests.fakes.ledger import Bill

if TYPE_CHECKING:
    from tests.fakes.acumatica import FakeAcumatica

BASE = f"/entity/{ENDPOINT}/{VERSION}/"
OPERATIONS = f"{BASE}Bill/ReleaseBill/status/"
CURRENCIES = {"USD", "EUR", "CAD"}
#: amounts as numbers, digit by digit
ENCODER = msgspec.json.Encoder(decimal_format="number")
BILL_FIELDS = {"Type", "Vendor", "VendorRef", "Date", "PostPeriod", "CurrencyID", "Description"}
LINE_FIELDS = {"TransactionDescription", "Qty", "UnitCost", "POOrderType", "POOrderNbr", "POLine"}


def sent(content: Any, status: int = 200) -> Reply:
    return Reply(status, ENCODER.encode(content))


def refused(message: str, kind: str = "PX.Data.PXException", status: int = 500) -> Reply:
    said = {"message": "An error has occurred.", "exceptionMessage": message}
    return sent({**said, "exceptionType": kind, "stackTrace": "   at PX.Api.…"}, status)


class Writes:
    def __init__(self, fake: "FakeAcumatica") -> None:
        self.fake = fake
        self.orders: list[documents.Record] = []
        self.projects: list[documents.Record] = []
        #: taxes that this tenant adds to every bill
        self.tax = Decimal(0)
        #: what the next release is refused with
        self.refuses_release = ""
        #: looks at an operation before it has ended
        self.looks = 0

    def order(self, vendor: str, number: str = "PO000001", **fields: Any) -> documents.Record:
        made = {
            "id": f"order {number}",
            "Type": "Normal",
            "OrderNbr": number,
            "Status": "Open",
            "VendorID": vendor,
            "Description": "Concrete works",
            "OrderTotal": Decimal("50000"),
            "CurrencyID": "USD",
            "Date": dt.datetime(2026, 10, 1, tzinfo=dt.UTC),
            "Project": "RIVERSIDE",
            "Details": [{"id": f"{number}-1", "LineNbr": 1}],
        }
        self.orders.append(made | fields)
        return self.orders[-1]

    def project(self, code: str, description: str) -> None:
        values = {"ProjectID": code, "Description": description, "Status": "Active"}
        self.projects.append({"id": f"project {code}", **values})

    # ------------------------------------------------------------------ routing
    def write(self, request: Request) -> Reply:
        path = [unquote(part) for part in request.path.removeprefix(BASE).split("/")]
        body = json.loads(request.body, parse_float=Decimal) if request.body else {}
        if path[0] in self.fake.withheld:
            return refused(f"You have insufficient rights to access the object ({path[0]}).")
        match request.method, path:
            case "PUT", ["Bill"]:
                return self._put(body)
            case "POST", ["Bill", "ReleaseBill"]:
                return self._release(body["entity"])
            case "DELETE", ["Bill", "Bill", number]:
                return self._delete(number)
        return refused("The request is not supported.", status=405)

    def _put(self, body: dict[str, Any]) -> Reply:
        lines = body.get("Details", [])
        values = {name: field["value"] for name, field in body.items() if name != "Details"}
        plain = [{name: field["value"] for name, field in line.items()} for line in lines]
        if errors := self._errors(values, plain):
            for name, error in errors.items():
                body.setdefault(name, {})["error"] = error
            return sent(body, 422)
        owner = next(it for it in self.fake.ledger.vendors if it.code == values["Vendor"])
        amounts = [Decimal(str(line["Qty"])) * Decimal(str(line["UnitCost"])) for line in plain]
        made = self.fake.ledger.bill(
            values["VendorRef"],
            *amounts,
            *([self.tax] if self.tax else []),
            vendor=owner,
            currency=values["CurrencyID"],
            memo=values["Description"],
            order=next((line["POOrderNbr"] for line in plain if "POOrderNbr" in line), ""),
            is_posted=False,
            date=dt.date.fromisoformat(values["Date"]),
        )
        return sent({"ReferenceNbr": {"value": documents.number(made.number)}})

    def _errors(self, values: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, str]:
        errors = {}
        if unknown := (set(values) - BILL_FIELDS - {"Hold"}) | {
            name for line in lines for name in line if name not in LINE_FIELDS
        }:
            errors["Type"] = f"Unknown fields: {sorted(unknown)}"
        if values["Vendor"] not in {each.code for each in self.fake.ledger.vendors}:
            errors["Vendor"] = f"'Vendor' '{values['Vendor']}' cannot be found in the system."
        if values["CurrencyID"] not in CURRENCIES:
            errors["CurrencyID"] = "'Currency' cannot be found in the system."
        if any(line["UnitCost"] < 0 for line in lines):
            errors["Details"] = "Unit cost must not be less than zero."
        return errors

    def _release(self, entity: dict[str, Any]) -> Reply:
        bill = self._bill(entity["ReferenceNbr"]["value"])
        if bill is None:
            return refused("No entity satisfies the condition.")
        if self.refuses_release:
            return refused(self.refuses_release, "PX.Data.PXOperationCompletedException")
        if self.looks:
            return Reply(202, b"", headers={"Location": f"{OPERATIONS}{bill.number}"})
        return self._released(bill)

    def operation(self, request: Request) -> Reply:
        self.looks -= 1
        if self.looks > 0:
            return Reply(202, b"", headers={"Location": request.path})
        bill = self._bill(request.path.removeprefix(OPERATIONS))
        return self._released(bill) if bill else refused("Operation is not found.", status=404)

    def _released(self, bill: Bill) -> Reply:
        bill.is_posted = True
        self.fake.ledger.stamp(bill)
        return Reply(204, b"")

    def _delete(self, number: str) -> Reply:
        bill = self._bill(number)
        if bill is None:
            kind = "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"
            return refused("No entity satisfies the condition.", kind)
        if bill.is_posted:
            return refused("The document is released and cannot be deleted.")
        del self.fake.ledger.bills[bill.number]
        return Reply(204, b"")

    def _bill(self, number: str) -> Bill | None:
        return self.fake.ledger.bills.get(int(number))
