"""A stand-in for a unified construction API of Agave's shape.

After the vendor's published collection: headers, numbered pages, ``data`` and
``meta``, filters, money as strings. Records are listed by the moment of their
last change, so they move while pages are turned, which the API does not forbid.
"""

import json
import uuid
from datetime import datetime
from functools import cache
from typing import Any

from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Bill, Ledger, Payment, State, Vendor

Record = dict[str, Any]
CLIENT_ID, CLIENT_SECRET = str(uuid.uuid5(uuid.NAMESPACE_DNS, "client")), "c" * 40
ACCOUNT_TOKEN = "a" * 64
VERSION = "2021-11-21"
STATES = {
    State.DRAFT: "Draft",
    State.PENDING: "Pending",
    State.ISSUED: "Posted",
    State.VOIDED: "Voided",
}
METHODS = {"check": "Check", "electronic": "ACH", "credit_card": "Credit Card"}


class FakeAgave(HttpServer):
    def __init__(self, **options: Any) -> None:
        super().__init__(self._answer)
        self.ledger = Ledger(**options)
        #: what the system behind can do
        self.obeys_filters = True
        self.takes_filters = True
        self.says_whether_there_is_more = True
        self.is_revoked = False
        #: instead of what the ledger holds
        self.tables: dict[str, list[Record]] = {}

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    def remote_id_of(self, bill: Bill) -> str:
        return id_of("bill", bill.number)

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return id_of("vendor", vendor.number)

    def records(self, collection: str) -> list[Record] | None:
        """None for a collection that there is not."""
        if collection in self.tables:
            return self.tables[collection]
        match collection:
            case "ap-payments":
                booked = [it for it in self.ledger.payments.values() if not it.is_credit]
                booked.sort(key=lambda it: it.modified)
                return [self._payment(it) for it in booked]
            case "ap-invoices":
                return [self._invoice(it) for it in self.ledger.bills.values()]
            case "vendors":
                return [
                    {"id": self.vendor_ref_of(it), "code": it.code, "name": it.name}
                    for it in self.ledger.vendors
                ]
        return None

    def _payment(self, payment: Payment) -> Record:
        return {
            "id": id_of("payment", payment.number),
            "source_id": str(payment.number),
            "number": payment.check,
            "payment_date": payment.date.isoformat(),
            "payment_method": METHODS[payment.method],
            "total_amount": str(payment.total),
            "vendor_id": self.vendor_ref_of(payment.vendor),
            "bank_account_id": id_of("bank", 1),
            "description": payment.memo or None,
            # not every system behind the API says one
            "status": STATES[payment.state],
            "source_create_time": stamp(payment.created),
            "source_update_time": stamp(payment.modified),
            "line_items": [
                {
                    "id": id_of(f"line {payment.number}", place),
                    "ap_invoice_id": self.remote_id_of(part.bill),
                    "total_amount": str(part.amount),
                    "discount_taken_amount": str(part.discount) if part.discount else None,
                }
                for place, part in enumerate(payment.applications)
            ],
        }

    def _invoice(self, bill: Bill) -> Record:
        return {
            "id": self.remote_id_of(bill),
            "number": bill.reference,
            "issue_date": bill.date.isoformat(),
            "vendor_id": self.vendor_ref_of(bill.vendor),
            "contract": {"id": bill.order, "type": "subcontract"} if bill.order else None,
            "line_items": [
                {"id": id_of("bill line", line.number), "amount": str(line.amount)}
                for line in bill.lines
            ],
        }

    # ------------------------------------------------------------------ the protocol
    def _answer(self, request: Request) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("api-version") != VERSION:
            return answered(401, {"error": "Invalid API-Version header"})
        given = [headers.get(name) for name in ("client-id", "client-secret", "account-token")]
        if given != [CLIENT_ID, CLIENT_SECRET, ACCOUNT_TOKEN] or self.is_revoked:
            return answered(401, {"message": "No valid API key provided"})
        collection, _, record_id = request.path.removeprefix("/").partition("/")
        found = self.records(collection)
        if found is None or request.method != "GET":
            message = f"This route does not exist: '{request.method} {request.path}'"
            return answered(404, {"message": message, "debug_id": "d"})
        if record_id:
            ones = [it for it in found if it["id"] == record_id]
            unknown = {"message": "The requested resource does not exist.", "debug_id": "d"}
            return answered(200, ones[0]) if ones else answered(404, unknown)
        return self._list(found, {name: it[0] for name, it in request.query.items()})

    def _list(self, rows: list[Record], asked: dict[str, str]) -> Reply:
        filters = json.loads(asked.get("filters", "[]"))
        for each in filters:
            each["value"] = set(each["value"]) if each["operator"] == "IN" else each["value"]
        if filters and not self.takes_filters:
            return answered(400, {"message": "Filters are not supported for this endpoint."})
        if self.obeys_filters:
            rows = [row for row in rows if all(fits(row, each) for each in filters)]
        page, size = int(asked.get("page", "1")), int(asked.get("per_page", "50"))
        if not 1 <= size <= 1000:
            return answered(400, {"message": "per_page must be between 1 and 1000"})
        start = (page - 1) * size
        more = len(rows) > start + size if self.says_whether_there_is_more else None
        meta = {"current_page": page, "has_more_results": more}
        return answered(200, {"data": rows[start : start + size], "meta": meta})


def fits(row: Record, wanted: Record) -> bool:
    value, other = row.get(wanted["field"]), wanted["value"]
    match wanted["operator"]:
        case "IN":
            return value in other
        case ">=":
            return value is not None and moment(value) >= moment(other)
        case "=":
            return bool(value == other)
    raise AssertionError(f"the stand-in does not know the operator {wanted['operator']}")


def answered(status: int, body: Record) -> Reply:
    return Reply(status, json.dumps(body).encode())


@cache
def id_of(kind: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {number}"))


def stamp(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def connection(fake: FakeAgave) -> tuple[dict[str, str], dict[str, str]]:
    """What a person would type to connect."""
    secrets = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return {"url": fake.url, "currency": "USD"}, secrets | {"account_token": ACCOUNT_TOKEN}
