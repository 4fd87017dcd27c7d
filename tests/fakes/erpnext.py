"""A stand-in for an ERPNext 15 site: Frappe's REST API over books in memory.

``test_fake_erpnext`` holds it to what a running site answered.
"""

import json
from collections import deque
from typing import Any
from urllib.parse import unquote

from tests.fakes.erpnext_documents import (
    BANK,
    COST,
    DISCOUNT,
    PAYABLE,
    Documents,
    known_fields,
)
from tests.fakes.erpnext_ledger import ErpNextLedger
from tests.fakes.erpnext_query import Refused, Tables
from tests.fakes.erpnext_writes import written
from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Bill, Vendor
from tests.fakes.tryton_writes import LOST, Loss

Record = dict[str, Any]
KEY, SECRET = "f00dfeed0000001", "5ec2e7feed00001"
ZONE = "America/New_York"
CHILDREN = {
    "Payment Entry Reference": ("Payment Entry", "references"),
    "Journal Entry Account": ("Journal Entry", "accounts"),
    "Purchase Invoice Item": ("Purchase Invoice", "items"),
    "Purchase Order Item": ("Purchase Order", "items"),
}


class FakeErpNext(HttpServer):
    """The site; ``ledger`` is where its accountants work."""

    def __init__(self, *, zone: str = ZONE, **options: Any) -> None:
        super().__init__(self._answer)
        self.ledger = ErpNextLedger(**options)
        self.documents = Documents(self.ledger, zone)
        self.fields = known_fields()
        #: doctypes that the user of the key may not read
        self.withheld: set[str] = set()
        #: what the user's permissions leave of the companies; None: all of them
        self.companies: list[str] = [self.ledger.company]
        self.is_revoked = False
        self.is_read_only = False
        #: a setting of *Selling*; without it lines below zero are refused
        self.allows_negative_rates = True
        self.refuses_to_submit = ""
        #: what becomes of the next writes
        self.losses: deque[Loss] = deque()
        self.late: list[Any] = []
        #: what was sent for new bills
        self.inserted: list[Record] = []
        #: instead of what the ledger holds
        self.tables: dict[str, list[Record]] = {}

    # ---------------------------------------------------------- for demo and tests
    def clock(self) -> float:
        return self.ledger.now.timestamp()

    def remote_id_of(self, bill: Bill) -> str:
        return self.ledger.name_of(bill)

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return vendor.name

    # ------------------------------------------------------------------ what it has
    def documents_of(self, doctype: str) -> list[Record] | None:
        """None for a doctype that this site does not have."""
        if doctype in self.tables:
            return self.tables[doctype]
        self.documents.look()
        show, ledger = self.documents, self.ledger
        booked = ledger.payments.values()
        match doctype:
            case "Payment Entry":
                return [show.entry(it) for it in booked if not it.is_direct and not it.is_credit]
            case "Journal Entry":
                return [show.journal(it) for it in booked if it.is_direct or it.is_credit]
            case "Purchase Invoice":
                return [show.bill(it) for it in ledger.bills.values()]
            case "Purchase Order":
                return [show.order(it) for it in ledger.orders]
            case "Deleted Document":
                tombs = enumerate(ledger.tombstones, start=1)
                return [show.tombstone(*tomb, place) for place, tomb in tombs]
        return self._masters().get(doctype)

    def _masters(self) -> dict[str, list[Record]]:
        company = self.ledger.company
        return {
            "Supplier": [
                {"name": it.name, "supplier_name": it.name, "disabled": 0}
                for it in self.ledger.vendors
            ],
            "Project": [
                {"name": name, "project_name": title, "company": company, "status": "Open"}
                for name, title in self.ledger.jobs
            ],
            "Company": [self._company(name) for name in self.companies],
            "Account": [
                {"name": BANK, "account_type": "Bank"},
                {"name": PAYABLE, "account_type": "Payable"},
                {"name": DISCOUNT, "account_type": None},
            ],
            "System Settings": [{"name": "System Settings", "time_zone": self.documents.zone.key}],
        }

    def _company(self, name: str) -> Record:
        return {
            "name": name,
            "default_currency": "USD",
            "default_expense_account": COST,
            "cost_center": "Main - NGC",
        }

    # ------------------------------------------------------------------ the protocol
    def _answer(self, request: Request) -> Reply:
        try:
            self._require_key(request.headers.get("Authorization"))
            return self._routed(request)
        except Refused as refused:
            return refusal(refused)

    def _require_key(self, given: str | None) -> None:
        if given is None:
            raise Refused(403, "PermissionError", "User <strong>Guest</strong> has no access")
        if given != f"token {KEY}:{SECRET}" or self.is_revoked:
            raise Refused(401, "AuthenticationError", "")

    def _routed(self, request: Request) -> Reply:
        area, _, rest = request.path.removeprefix("/api/").partition("/")
        asked: Record = {name: values[0] for name, values in request.query.items()}
        if area == "method":
            if request.method == "POST" and request.body:
                asked |= json.loads(request.body)
            return answered("message", self._method(rest, asked))
        if area != "resource":
            return Reply(404, b"<h1>Not Found</h1>", "text/html; charset=utf-8")
        doctype, _, name = (unquote(part) for part in rest.partition("/"))
        if request.method != "GET":
            return self._unless_lost(request, doctype, name)
        if name:
            return answered("data", self.document(doctype, name))
        return answered("data", self._list(doctype, asked))

    def _unless_lost(self, request: Request, doctype: str, name: str) -> Reply:
        loss = self.losses.popleft() if self.losses else Loss.NONE
        if loss is Loss.BEFORE:
            return LOST
        if loss is Loss.LATE:
            self.late.append((request, doctype, name))
            return LOST
        reply = written(self, request, doctype, name)
        late, self.late = self.late, []
        for each in late:
            written(self, *each)
        return LOST if loss is Loss.AFTER else reply

    def _method(self, name: str, asked: Record) -> Any:
        match name:
            case "frappe.client.get_list":
                return self._list(asked.pop("doctype"), asked)
            case "frappe.client.get_count":
                found = {**asked, "fields": ["name"], "limit_page_length": 0}
                return len(self._list(found.pop("doctype"), {**found, "order_by": "name asc"}))
            case "frappe.client.get_time_zone":
                return {"time_zone": self.documents.zone.key}
        raise Refused(417, "ValidationError", f"Failed to get method for command {name}")

    def _list(self, doctype: str, asked: Record) -> list[Record]:
        parent = CHILDREN.get(doctype, (doctype,))[0]
        found = self._readable(parent)
        if doctype in CHILDREN and asked.get("parent") != parent:
            raise Refused(403, "PermissionError", f"No permission for {doctype}")
        return Tables({parent: found}, CHILDREN, self.fields).rows(doctype, asked)

    def document(self, doctype: str, name: str) -> Record:
        documents = self.documents_of(doctype)
        if documents is None:
            raise Refused(404, "DoesNotExistError", f"DocType {doctype} not found")
        found = [each for each in documents if each["name"] == name]
        if not found:
            raise Refused(404, "DoesNotExistError", f"{doctype} {name} not found")
        self._readable(doctype)
        return {field: value for field, value in found[0].items() if value is not None}

    def _readable(self, doctype: str) -> list[Record]:
        if doctype in self.withheld:
            raise Refused(403, "PermissionError", f"No permission for {doctype}")
        found = self.documents_of(doctype)
        if found is None:
            raise Refused(404, "DoesNotExistError", f"DocType {doctype} not found")
        return found


def answered(envelope: str, found: Any) -> Reply:
    return Reply(200, json.dumps({envelope: found}).encode())


def refusal(refused: Refused) -> Reply:
    """An error as the recorded ones: the exception, its name, what people are shown."""
    body: Record = {"exc_type": refused.kind}
    if refused.status != 404:
        shown = f": {refused.message}" if refused.status == 417 else ""
        body["exception"] = f"frappe.exceptions.{refused.kind}{shown}"
        body["exc"] = json.dumps(["Traceback (most recent call last): …"])
    if refused.message:
        message = {"message": refused.message, "title": "Message", "indicator": "red"}
        body["_server_messages"] = json.dumps([json.dumps({**message, "raise_exception": 1})])
    return Reply(refused.status, json.dumps(body).encode())


def connection(fake: FakeErpNext) -> tuple[dict[str, str], dict[str, str]]:
    """What a person would type to connect."""
    return {"url": fake.url, "api_key": KEY}, {"api_secret": SECRET}
