"""Business Central online: Entra's tokens, Microsoft's API 2.0, and our own API pages (``al``).

The pages show what their AL source shows. ``$filter``, ``$orderby``, ``$top``,
``$skip``, ``$select`` and ``$expand`` are evaluated; long answers are cut, with a link.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import msgspec

from erp_integrations.providers.business_central.auth import ROUTE, SCOPE
from tests.fakes.authorization import CLIENT, SECRET, AuthorizationServer
from tests.fakes.business_central_ledger import (
    APPLICATION,
    DISCOUNT,
    INVOICE,
    PAYMENT,
    Detail,
    Entry,
    VendorLedger,
)
from tests.fakes.desk import Booked, Pays
from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Vendor
from tests.fakes.odata import BadFilter, predicate

DIRECTORY, ENVIRONMENT = "northstar.onmicrosoft.com", "Production"
COMPANY = "2b5bb75b-b5d4-4a4c-9a2e-0d5a5f0f0001"
OTHER_COMPANY = "2b5bb75b-b5d4-4a4c-9a2e-0d5a5f0f0002"
PLACE = re.compile(
    r"/v2\.0/(?P<directory>[^/]+)/(?P<environment>[^/]+)/api/(?P<route>.+?)/"
    r"companies(?:\((?P<company>[^)]+)\)/(?P<set>\w+))?$"
)
OPTIONS = {"$filter", "$orderby", "$top", "$skip", "$select", "$expand", "$skiptoken"}
PARTS = ("vendorLedgerDetails", "appliedVendorEntries")
#: amounts as numbers, digit by digit
ENCODER = msgspec.json.Encoder(decimal_format="number")
Record = dict[str, Any]


class EntraAuthorization(AuthorizationServer):
    is_revoked = False

    def token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if self.is_revoked or form.get("scope") != SCOPE:
            return Reply(401, b'{"error": "invalid_client"}')
        return super().token(request)


class FakeBusinessCentral(HttpServer):
    def __init__(self) -> None:
        super().__init__(self.route)
        self.ledger = VendorLedger()
        self.authorization = EntraAuthorization(lifetime=3600)
        self.is_installed = True
        #: without the permission set the app may not read; with a filter it sees nothing
        self.is_permitted = True
        self.is_filtered = False
        self.page_size = 20_000
        #: where the links to next pages lead; empty: here
        self.links_to = ""

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    def desk(self) -> "BusinessCentralDesk":
        return BusinessCentralDesk(self)

    # ------------------------------------------------------------------ routing
    def route(self, request: Request) -> Reply:
        if request.path == f"/{DIRECTORY}/oauth2/v2.0/token":
            return self.authorization.token(request)
        if not self.authorization.is_good(request):
            said = "The server has rejected the client credentials."
            return _refused(401, "Authentication_InvalidCredentials", said)
        place = PLACE.match(unquote(request.path))
        if not place:
            return Reply(404, b"<h1>Not Found</h1>", "text/html")
        if (place["directory"], place["environment"]) != (DIRECTORY, ENVIRONMENT):
            return _refused(404, "NoEnvironment", "Environment does not exist.")
        if place["company"] and place["company"] not in {COMPANY, OTHER_COMPANY}:
            return _refused(404, "Internal_CompanyNotFound", "The company cannot be found.")
        return self._resource(place, request)

    def _resource(self, place: re.Match[str], request: Request) -> Reply:
        tables: dict[str | None, Callable[[], list[Record]]] = {}
        if place["route"] == "v2.0":
            tables = {None: _companies, "vendors": self._vendors, "vendorPayments": _journal_lines}
        elif place["route"] == ROUTE and self.is_installed:
            tables = {
                "vendorLedgerEntries": self._entries,
                "vendorLedgerDetails": self._details,
                "appliedVendorEntries": self._applied,
            }
        if place["set"] not in tables:
            segment = place["set"] if tables else place["route"].split("/")[0]
            said = f"Resource not found for the segment '{segment}'."
            return _refused(404, "BadRequest_ResourceNotFound", said)
        if place["set"] and not self.is_permitted:
            said = "You do not have the following permissions on TableData Vendor: Read"
            return _refused(403, "Internal_ClientError", said)
        rows = tables[place["set"]]() if place["company"] != OTHER_COMPANY else []
        try:
            return self._listing(rows, request)
        except BadFilter as error:
            return _refused(400, "BadRequest_MethodNotImplemented", str(error))

    def _listing(self, rows: list[Record], request: Request) -> Reply:
        asked = {name: values[0] for name, values in request.query.items()}
        if unknown := set(asked) - OPTIONS:
            raise BadFilter(f"The query option {sorted(unknown)[0]} is not supported.")
        rows = _asked_for(rows, asked)
        start = int(asked.get("$skiptoken", 0))
        shown = rows[start : start + self.page_size]
        expand = set(filter(None, asked.get("$expand", "").split(",")))
        if expand - set(PARTS):
            raise BadFilter(f"Could not find a property named '{sorted(expand - set(PARTS))[0]}'.")
        select = set(filter(None, asked.get("$select", "").split(",")))
        content: Record = {"value": [_shown(each, select, expand) for each in shown]}
        if start + self.page_size < len(rows):
            query = {**asked, "$skiptoken": str(start + self.page_size)}
            link = f"{self.links_to or self.url}{request.path}?{urlencode(query)}"
            content["@odata.nextLink"] = link
        return Reply(200, ENCODER.encode({"@odata.context": "…", **content}))

    # ------------------------------------------------------------------- tables
    def _vendors(self) -> list[Record]:
        return [
            {"id": _id(each.code), "number": each.code, "displayName": each.name}
            for each in self.ledger.vendors
        ]

    def _entries(self) -> list[Record]:
        if self.is_filtered:
            return []
        return [self._entry(each) for each in self.ledger.entries.values()]

    def _details(self) -> list[Record]:
        """Part *Vendor Ledger Details*: the other entry is the applying one."""
        if self.is_filtered:
            return []
        return [self._detail(each, each.applied) for each in self.ledger.details]

    def _applied(self) -> list[Record]:
        """Part *Applied Vendor Entries*: the other entry is the one that the detail is on."""
        found = (each for each in self.ledger.details if each.applied)
        return [self._detail(each, each.entry) for each in found]

    def _entry(self, entry: Entry) -> Record:
        return {
            "id": _id(f"entry {entry.number}"),
            "entryNumber": entry.number,
            "documentType": entry.type,
            "documentNumber": entry.document,
            "externalDocumentNumber": entry.external,
            "postingDate": entry.date,
            "description": entry.description,
            "vendorNumber": entry.vendor.code,
            "vendorName": entry.vendor.name,
            "currencyCode": entry.currency,
            "originalAmount": entry.amount,
            "paymentMethodCode": entry.method,
            "checkNumber": entry.check,
            "checkIsVoided": entry.check_is_voided,
            "reversed": entry.is_reversed,
            "reversedEntryNumber": entry.reverses,
            "lastModifiedDateTime": entry.modified,
            # Only worked out where somebody expands them.
            "vendorLedgerDetails": lambda: [
                self._detail(each, each.applied) for each in self.ledger.on_entry[entry.number]
            ],
            "appliedVendorEntries": lambda: [
                self._detail(each, each.entry) for each in self.ledger.by_applying[entry.number]
            ],
        }

    def _detail(self, detail: Detail, other: Entry | None) -> Record:
        names_itself = other is detail.entry and other is detail.applied
        return {
            "id": _id(f"detail {detail.number}"),
            "entryNumber": detail.number,
            "entryType": detail.type,
            "vendorLedgerEntryNumber": detail.entry.number,
            "appliedEntryNumber": detail.applied.number if detail.applied else 0,
            "initialDocumentType": detail.entry.type,
            "transactionNumber": detail.transaction,
            "amount": detail.amount,
            "amountInLocalCurrency": detail.amount,
            "currencyCode": detail.entry.currency,
            "unapplied": detail.is_unapplied,
            "unappliedByEntryNumber": detail.unapplied_by,
            "otherEntryNumber": other.number if other else 0,
            "otherDocumentType": other.type if other else "_x0020_",
            "otherDocumentNumber": other.document if other else "",
            "otherExternalDocumentNumber": other.external if other else "",
            "discount": Decimal(0) if names_itself else self._discount(detail, other),
            "lastModifiedDateTime": detail.modified,
        }

    def _discount(self, detail: Detail, other: Entry | None) -> Decimal:
        """What the codeunit *Payment Discount* finds."""
        if detail.type != APPLICATION or other is None or other.type != INVOICE:
            return Decimal(0)
        same = self.ledger.in_transaction[detail.transaction]
        later = [
            each
            for each in same
            if each.type == APPLICATION
            and each.applied is other
            and each.entry is not other
            and each.number > detail.number
            and each.is_unapplied == detail.is_unapplied
        ]
        if detail.entry is not other and later:
            return Decimal(0)
        found = (each for each in same if each.type == DISCOUNT and each.entry is other)
        return sum(
            (each.amount for each in found if each.is_unapplied == detail.is_unapplied),
            Decimal(0),
        )

    # ------------------------------------------------- what the demo asks of it
    def remote_id_of(self, bill: Entry) -> str:
        return str(bill.number)

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return vendor.code


class BusinessCentralDesk:
    """An accountant at this ledger; see ``desk.Desk``."""

    def __init__(self, fake: FakeBusinessCentral) -> None:
        self._ledger = fake.ledger

    def vendor(self, code: str, name: str) -> str:
        return self._ledger.vendor(code, name).code

    def bill(self, reference: str, total: Decimal, vendor: str, on: dt.date, order: str) -> str:
        owner = next(each for each in self._ledger.vendors if each.code == vendor)
        return str(self._ledger.invoice(reference, total, vendor=owner, date=on).number)

    def pay(self, check: str, pays: Pays, on: dt.date, *, pending: bool = False) -> None:
        if pending:
            raise NotImplementedError("the ledger holds only what is posted")
        found = [(self._one(INVOICE, reference), amount) for reference, amount in pays]
        self._ledger.pay(check, *found, date=on)

    def void(self, check: str) -> None:
        self._ledger.void_check(self._one(PAYMENT, check))

    def delete(self, check: str) -> None:
        raise LookupError("Posted payments cannot be deleted in Business Central; void it.")

    def bills(self) -> list[Booked]:
        return [
            Booked(
                remote_id=str(each.number),
                reference=each.external,
                vendor_code=each.vendor.code,
                total=-each.amount,
                paid=self._ledger.paid(each),
                date=each.date,
            )
            for each in self._ledger.entries.values()
            if each.type == INVOICE
        ]

    def _one(self, type_: str, number: str) -> Entry:
        for each in self._ledger.called[type_, number]:
            if (each.amount > 0) is (type_ == PAYMENT):
                return each
        raise LookupError(f"There is no {type_.lower()} {number} in these books.")


def connection(fake: FakeBusinessCentral) -> tuple[dict[str, str], dict[str, str]]:
    """What a person types to connect it."""
    settings = {
        "url": fake.url,
        "directory": DIRECTORY,
        "environment": ENVIRONMENT,
        "company": COMPANY,
        "client_id": CLIENT,
    }
    return settings, {"client_secret": SECRET}


def _asked_for(rows: list[Record], asked: dict[str, str]) -> list[Record]:
    fields = {name for row in rows[:1] for name in row if name not in PARTS}
    if rows:
        fits = predicate(asked.get("$filter", ""), fields, version=4)
        rows = [each for each in rows if fits(each)]
    for order in reversed(list(filter(None, asked.get("$orderby", "").split(",")))):
        name, _, direction = order.partition(" ")
        if fields and name not in fields:
            raise BadFilter(f"Could not find a property named '{name}'.")
        rows = sorted(rows, key=lambda row: row[name], reverse=direction == "desc")
    rows = rows[int(asked.get("$skip", 0)) :]
    return rows[: int(asked["$top"])] if "$top" in asked else rows


def _shown(record: Record, select: set[str], expand: set[str]) -> Record:
    shown: Record = {"@odata.etag": 'W/"…"'}
    for name, value in record.items():
        if name in PARTS:
            if name in expand:
                shown[name] = [_shown(each, set(), set()) for each in value()]
        elif not select or name in select:
            shown[name] = _value(value)
    return shown


def _value(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        stamp = value.astimezone(dt.UTC).isoformat(timespec="milliseconds")
        return stamp.replace("+00:00", "Z")
    return value


def _companies() -> list[Record]:
    return [
        {"id": COMPANY, "name": "NORTHSTAR", "displayName": "Northstar General Contractors"},
        {"id": OTHER_COMPANY, "name": "NORTHSTAR 2", "displayName": ""},
    ]


def _journal_lines() -> list[Record]:
    """The trap: unposted lines of a payment journal."""
    line = {"journalId": _id("journal"), "journalDisplayName": "PAYMENT", "lineNumber": 10000}
    return [{"id": _id("line"), **line, "amount": Decimal("100"), "entryNumber": 0}]


def _refused(status: int, code: str, message: str) -> Reply:
    said = {"code": code, "message": f"{message}  CorrelationId:  {uuid.UUID(int=7)}."}
    return Reply(status, ENCODER.encode({"error": said}))


@cache
def _id(of: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, of))
