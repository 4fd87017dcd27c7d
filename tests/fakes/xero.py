"""Xero over HTTP: its lists with filters, orders, pages, limits and refusals, over a ledger.

What it answers follows Xero's published API description and its documentation
of limits; the vendor's own client reads it in ``test_xero_sdk.py``.
"""

import datetime as dt
import json
import uuid
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from tests.fakes import xero_filters
from tests.fakes.authorization import CLIENT, SECRET, AuthorizationServer
from tests.fakes.desk import LedgerDesk, Pays
from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Bill, Ledger, Vendor
from tests.fakes.xero_records import SPACE, TENANT, Records, Row, guid, on_the_wire
from tests.fakes.xero_writes import Writes, refused

ROOT = "/api.xro/2.0/"
#: broad scopes that apps of today are not given
BROAD = {"accounting.transactions", "accounting.transactions.read", "accounting.reports.read"}
NO_PAGES = {"BatchPayments", "Organisation"}
LISTS = {
    "Payments",
    "BatchPayments",
    "Prepayments",
    "Overpayments",
    "CreditNotes",
    "Invoices",
    "Contacts",
    "PurchaseOrders",
    "Organisation",
}


class FakeXero(HttpServer):
    """One company's books, and the sign-in to them."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        super().__init__(self.respond)
        self.ledger = ledger or Ledger()
        self.records = Records(self.ledger)
        self.writes = Writes(self.ledger, self.records)
        self.authorization = AuthorizationServer()
        self.tenants = [
            {
                "id": str(guid("connection", 1)),
                "tenantId": TENANT,
                "tenantType": "ORGANISATION",
                "tenantName": "Northstar General Contractors",
            }
        ]
        #: lists that the sign-in has no scope for
        self.withheld: set[str] = set()
        self.day_left, self.minute_left = 5_000, 60
        #: what a larger page is cut to
        self.largest_page = 1_000
        #: whether the moment of If-Modified-Since itself counts; nobody says so
        self.counts_the_second = False

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    def desk(self) -> "XeroDesk":
        return XeroDesk(self)

    def remote_id_of(self, bill: Bill) -> str:
        return str(guid("bill", bill.number))

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return str(guid("contact", vendor.number))

    # ------------------------------------------------------------------ answers
    def respond(self, request: Request) -> Reply:
        match request.path:
            case "/identity/connect/authorize":
                if BROAD & set(request.query.get("scope", [""])[0].split()):
                    return Reply(400, b"<h1>Error: invalid_scope</h1>", "text/html")
                return self.authorization.authorize(request)
            case "/connect/token":
                return self.authorization.token(request)
        if not self.authorization.is_good(request):
            return _problem(401, "Unauthorized", "TokenExpired: token expired")
        if request.path.lower() == "/connections":
            return Reply(200, json.dumps(self.tenants).encode())
        return self._of_company(request)

    def _of_company(self, request: Request) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("xero-tenant-id") not in {each["tenantId"] for each in self.tenants}:
            return _problem(403, "Forbidden", "AuthenticationUnsuccessful")
        name, _, wanted = request.path.removeprefix(ROOT).partition("/")
        if not request.path.startswith(ROOT) or name not in LISTS:
            return Reply(404, b"The resource you're looking for cannot be found", "text/html")
        if name in self.withheld:
            return _problem(401, "Unauthorized", "AuthorizationUnsuccessful")
        if self.day_left <= 0 or self.minute_left <= 0:
            return self._too_often()
        self.day_left -= 1
        answer = self._answer(request, headers, name, wanted)
        return Reply(
            answer.status,
            answer.body,
            answer.content_type,
            answer.headers | self._limits(),
            promise=answer.promise,
        )

    def _answer(self, request: Request, headers: dict[str, str], name: str, wanted: str) -> Reply:
        if request.method == "PUT" and name == "Invoices":
            return self.writes.put(request.body, headers.get("idempotency-key", ""))
        if request.method != "GET":
            return Reply(405, b"", "text/html")
        query = {key: values[0] for key, values in request.query.items()}
        try:
            if wanted:
                return self._single(name, wanted)
            return self._list(name, query, headers.get("if-modified-since", ""))
        except xero_filters.CannotParse as error:
            return refused("QueryParseException", str(error), 16)

    def _single(self, name: str, wanted: str) -> Reply:
        rows = [row for row in self.records.of(name) if wanted == str(_id(row, name))]
        if not rows:
            return Reply(404, b"The resource you're looking for cannot be found", "text/html")
        return self._envelope(name, rows)

    def _list(self, name: str, query: dict[str, str], since: str) -> Reply:
        rows: list[Any] = self.records.of(name)
        if since:
            moment = _moment(since)
            rows = [row for row in rows if self._changed(row["UpdatedDateUTC"], moment)]
        rows = [row for row in rows if _asked_for(row, name, query)]
        test = xero_filters.parsed(query.get("where", ""))
        rows = list(
            xero_filters.in_order([row for row in rows if test(row)], query.get("order", ""))
        )
        if "page" not in query or name in NO_PAGES:
            return self._envelope(name, rows)
        page, size = int(query["page"]), int(query.get("pageSize", "100"))
        if page < 1 or not 1 <= size <= 1_000:
            return refused("ValidationException", "pageSize must be between 1 and 1000", 10)
        size = min(size, self.largest_page)
        pagination = {
            "page": page,
            "pageSize": size,
            "pageCount": -(-len(rows) // size),
            "itemCount": len(rows),
        }
        some: list[Any] = rows[(page - 1) * size : page * size]
        return self._envelope(name, some, pagination=pagination)

    def _changed(self, moment: dt.datetime, since: dt.datetime) -> bool:
        return moment > since or (self.counts_the_second and moment == since)

    def _envelope(self, name: str, rows: list[Row], **more: Any) -> Reply:
        now = round(self.ledger.now.timestamp() * 1000)
        answer = {
            "Id": str(uuid.uuid5(SPACE, str(len(self.requests)))),
            "Status": "OK",
            "ProviderName": "A stand-in",
            "DateTimeUTC": f"/Date({now})/",
            **more,
            ("Organisations" if name == "Organisation" else name): on_the_wire(rows),
        }
        return Reply(200, msgspec.json.encode(answer), "application/json; charset=utf-8")

    # ------------------------------------------------------------------- limits
    def _limits(self) -> dict[str, str]:
        return {
            "X-DayLimit-Remaining": str(self.day_left),
            "X-MinLimit-Remaining": str(self.minute_left),
            "X-AppMinLimit-Remaining": "9999",
        }

    def _too_often(self) -> Reply:
        day = self.day_left <= 0
        told = {
            "Retry-After": "40000" if day else "12",
            "X-Rate-Limit-Problem": "day" if day else "minute",
        }
        return Reply(429, b"", "text/html", told | self._limits())


class XeroDesk(LedgerDesk):
    """What an accountant cannot do in Xero, or does otherwise than elsewhere."""

    def pay(self, check: str, pays: Pays, on: dt.date, *, pending: bool = False) -> None:
        if pending:
            raise NotImplementedError("Nothing waits in Xero.")
        super().pay(check, pays, on)

    def delete(self, check: str) -> None:
        """The payment stays, and says that it was deleted."""
        self.void(check)


def connection(fake: FakeXero) -> tuple[dict[str, str], dict[str, str]]:
    """What a person types to connect it; the company is chosen after the sign-in."""
    return {"url": fake.url, "client_id": CLIENT}, {"client_secret": SECRET}


def _problem(status: int, title: str, detail: str) -> Reply:
    told: dict[str, Any] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": str(guid("problem", title)),
        "Extensions": {},
    }
    return Reply(status, json.dumps(told).encode(), "application/json")


def _id(row: Row, name: str) -> Any:
    return row[{"Organisation": "OrganisationID"}.get(name, f"{name.removesuffix('s')}ID")]


def _asked_for(row: Row, name: str, query: dict[str, str]) -> bool:
    """The filters that are parameters of their own."""
    ids = query.get("IDs", "")
    if ids and str(_id(row, name)) not in {str(uuid.UUID(each)) for each in ids.split(",")}:
        return False
    if (statuses := query.get("Statuses")) and row["Status"] not in statuses.split(","):
        return False
    if (contacts := query.get("ContactIDs")) and str(
        row["Contact"]["ContactID"]
    ) not in contacts.split(","):
        return False
    if (numbers := query.get("InvoiceNumbers")) and row["InvoiceNumber"] not in numbers.split(","):
        return False
    if term := query.get("searchTerm", "").lower():
        searched = ("InvoiceNumber", "Reference", "Name", "AccountNumber")
        return any(term in str(row.get(field) or "").lower() for field in searched)
    return True


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
