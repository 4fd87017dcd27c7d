"""QuickBooks Online's accounting API over a ledger: its language, its list of changes, its faults.

Only what the real one takes is taken: a bearer token of its own authorization
server, one company, statements as ``application/text``, JSON for those who ask
for it, and everything else is refused in the words and forms of the service or
of the gateway before it.
"""

import datetime as dt
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import msgspec

from tests.fakes import quickbooks_online_records as records
from tests.fakes.authorization import CLIENT, SECRET, AuthorizationServer
from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Bill, Ledger, Payment, Vendor
from tests.fakes.quickbooks_online_query import MOST, QueryParserError, Refusal, parsed, selected
from tests.fakes.quickbooks_online_records import OtherLine, Record
from tests.fakes.quickbooks_online_writes import change_payment, create_bill
from tests.fakes.tryton_writes import LOST, Loss

REALM = "4620816365000000001"
REMEMBERED = dt.timedelta(days=30)
ROOT = "/v3/company/"
Wanted = Callable[[int], bool]
_encoder = msgspec.json.Encoder(decimal_format="number")
THROTTLED = Reply(
    429,
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse '
    b'xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE"><Error code="3001">'
    b"<Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message>"
    b"<Detail>The request limit was reached. Try again later</Detail></Error></Fault>"
    b"</IntuitResponse>",
    "application/xml;charset=utf-8",
)


class Lost(Exception):
    """The answer breaks off."""


class FakeQuickBooksOnline(HttpServer):
    """One company's books. ``tells_currency``: as in companies with several currencies."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.ledger = Ledger()
        self.began = self.ledger.now
        self.oauth = AuthorizationServer(lifetime=3600)
        self.oauth.answer_to_redirect = {"realmId": REALM}
        self.tells_currency = True
        #: whether it refuses to tell of changes that are too old, or tells what it remembers
        self.refuses_old = True
        #: changes that the list of changes names at the most
        self.most_changes = MOST
        #: lines of payments that are no bills, by the payment's number
        self.other_lines: dict[int, list[OtherLine]] = {}
        self.orders: dict[str, Record] = {}
        self.customers: list[Record] = []
        #: what was answered to a request with this id; it is answered again
        self.answered: dict[str, Record] = {}
        #: what becomes of the next bills that are written
        self.losses: deque[Loss] = deque()
        self.late: list[Request] = []
        #: lines of bills that programs wrote: account, text, amount
        self.booked: list[tuple[str, str, Decimal]] = []

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    def remote_id_of(self, bill: Bill) -> str:
        return str(bill.number)

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return str(vendor.number)

    # ------------------------------------------------------------ what people do
    def pay_with_credit(
        self, check: str, *pays: tuple[Bill, str], others: list[OtherLine]
    ) -> Payment:
        """A payment that also uses a vendor's credit, or pays other documents than bills."""
        made = self.ledger.pay(check, *pays)
        self.other_lines[made.number] = others
        return made

    def delete_bill(self, number: int) -> None:
        del self.ledger.bills[number]

    def order(self, vendor: Vendor, number: str, total: str) -> Record:
        made = self.ledger.bill(number, total, vendor=vendor)
        del self.ledger.bills[made.number]
        record = records.common(made, currency=True) | {
            "DocNumber": number, "TotalAmt": made.total, "POStatus": "Open", "Line": [],
        }  # fmt: skip
        self.orders[record["Id"]] = record
        return record

    # ------------------------------------------------------------------ the wire
    def _answer(self, request: Request) -> Reply:
        if request.path == "/connect/oauth2":
            return self.oauth.authorize(request)
        if request.path == "/oauth2/v1/tokens/bearer":
            return self.oauth.token(request)
        if refused := self._gateway(request):
            return refused
        place = request.path.removeprefix(f"{ROOT}{REALM}/")
        try:
            return self._said(self._served(place, request))
        except Refusal as refusal:
            return self._fault(refusal)
        except Lost:
            return LOST

    def _gateway(self, request: Request) -> Reply | None:
        """Who is let in; its faults are written in lower case."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.oauth.access:
            return self._gateway_fault(401, "3200", "AuthenticationFailed", "Token expired")
        if not request.path.startswith(ROOT):
            return Reply(404, b"<html>Not Found</html>", "text/html")
        if not request.path.startswith(f"{ROOT}{REALM}/"):
            refusal = Refusal(
                "3100",
                "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
                "The application is not authorized for this company",
                status=403,
            )
            return self._fault(refusal, kind="SERVICE")
        if "application/json" not in request.headers.get("Accept", ""):
            return Reply(200, b"<IntuitResponse/>", "application/xml")
        return None

    def _served(self, place: str, request: Request) -> Record:
        parts = place.split("/")
        if parts == ["query"]:
            return self._query(_statement(request))
        if parts == ["cdc"]:
            return self._changes(request.query)
        if len(parts) == 2 and request.method == "GET":
            return self._one(*parts)
        if request.method == "POST" and parts == ["bill"]:
            return self._write(request)
        if request.method == "POST" and parts == ["billpayment"]:
            return change_payment(self, request)
        raise Refusal("500", "Unsupported Operation", f"Operation {place} is not supported.")

    def _write(self, request: Request) -> Record:
        """A bill, unless it gets lost on the way."""
        loss = self.losses.popleft() if self.losses else Loss.NONE
        if loss is Loss.BEFORE:
            raise Lost
        if loss is Loss.LATE:
            self.late.append(request)
            raise Lost
        made = create_bill(self, request)
        late, self.late = self.late, []
        for each in late:
            create_bill(self, each)
        if loss is Loss.AFTER:
            raise Lost
        return made

    # ----------------------------------------------------------------- questions
    def table(self, entity: str, wanted: Wanted = lambda number: True) -> list[Record]:
        """All records of an entity; of bills and payments only those that are wanted."""
        ledger, began = self.ledger, self.began
        tables: dict[str, Callable[[], list[Record]]] = {
            "BillPayment": lambda: [
                self.payment(each) for each in ledger.payments.values() if wanted(each.number)
            ],
            "Bill": lambda: self._bills(wanted),
            "Vendor": lambda: [records.vendor(each, began) for each in ledger.vendors],
            "Account": lambda: [records.account(each, began) for each in records.ACCOUNTS],
            "PurchaseOrder": lambda: list(self.orders.values()),
            "Customer": lambda: self.customers,
            "CompanyInfo": lambda: [records.company_info(began)],
            "Preferences": lambda: [
                records.preferences(began, several_currencies=self.tells_currency)
            ],
        }
        return tables[entity]()

    def _bills(self, wanted: Wanted) -> list[Record]:
        settled = records.settled_by_bill(self.ledger)
        return [
            records.bill(each, settled.get(each.number, []), currency=self.tells_currency)
            for each in self.ledger.bills.values()
            if not each.is_cancelled and wanted(each.number)
        ]

    def payment(self, payment: Payment) -> Record:
        others = self.other_lines.get(payment.number, [])
        return records.bill_payment(payment, others, currency=self.tells_currency)

    def _query(self, statement: str) -> Record:
        query = parsed(statement)
        found = selected(query, self.table(query.entity, query.may_have))
        if query.counts:
            return {"QueryResponse": {"totalCount": len(found)}}
        rows = found[query.start - 1 :][: query.size]
        if not rows:
            return {"QueryResponse": {}}
        return {
            "QueryResponse": {
                query.entity: rows, "startPosition": query.start, "maxResults": len(rows),
            }
        }  # fmt: skip

    def _changes(self, asked: dict[str, list[str]]) -> Record:
        """Changed records whole, deleted ones as their ids; as many as it names, in no order."""
        text = asked.get("changedSince", [""])[0]
        since = dt.datetime.fromisoformat(text)
        since = since if since.tzinfo else since.replace(tzinfo=records.PACIFIC)
        if self.ledger.now - since > REMEMBERED:
            if self.refuses_old:
                text = "changedSince is more than 30 days ago."
                raise Refusal("2170", "Invalid changedSince", text)
            since = self.ledger.now - REMEMBERED
        parts = []
        for entity in asked["entities"][0].split(","):
            rows = [each for each in self.table(entity) if _changed(each) >= since]
            if entity == "BillPayment":
                gone = [records.deleted(each.number, at) for each, at in self.ledger.tombstones]
                rows = [each for each in gone if _changed(each) >= since] + rows[::-1]
            rows = rows[: self.most_changes]
            ends = {"startPosition": 1, "maxResults": len(rows), "totalCount": len(rows)}
            parts.append({entity: rows, **ends} if rows else {})
        return {"CDCResponse": [{"QueryResponse": parts}]}

    def _one(self, kind: str, number: str) -> Record:
        names = {each.lower(): each for each in ("Bill", "BillPayment", "Vendor", "CompanyInfo")}
        entity = names.get(kind, "")
        for each in self.table(entity) if entity else ():
            if each["Id"] == number:
                return {entity: each}
        raise Refusal(
            "610",
            "Object Not Found",
            "Object Not Found : Another user has deleted this transaction.",
        )

    # ------------------------------------------------------------------- answers
    def _said(self, body: Record) -> Reply:
        return _json(200, {**body, "time": records.clock(self.ledger.now)})

    def _fault(self, refusal: Refusal, kind: str = "ValidationFault") -> Reply:
        error = {"Message": refusal.message, "Detail": refusal.detail, "code": refusal.code}
        fault = {"Fault": {"Error": [{**error, "element": ""}], "type": kind}}
        return _json(refusal.status, {**fault, "time": records.clock(self.ledger.now)})

    def _gateway_fault(self, status: int, code: str, name: str, detail: str) -> Reply:
        message = f"message={name}; errorCode=00{code}; statusCode={status}"
        error = {"message": message, "detail": detail, "code": code, "element": None}
        fault = {"error": [error], "type": "AUTHENTICATION"}
        body = {"warnings": None, "intuitObject": None, "fault": fault, "report": None}
        return _json(status, {**body, "time": int(self.clock() * 1000)})


def connection(fake: FakeQuickBooksOnline) -> tuple[dict[str, str], dict[str, str]]:
    """What a person types to connect; the company comes back from the sign-in."""
    return {"client_id": CLIENT, "url": fake.url}, {"client_secret": SECRET}


def _statement(request: Request) -> str:
    if request.method == "GET":
        return request.query.get("query", [""])[0]
    kind = request.headers.get("Content-Type", "").split(";")[0]
    if kind == "application/x-www-form-urlencoded":
        return parse_qs(request.body.decode()).get("query", [""])[0]
    if kind != "application/text":
        raise QueryParserError(f"Content type {kind} is no statement.")
    return request.body.decode()


def _changed(record: Record) -> dt.datetime:
    return dt.datetime.fromisoformat(record["MetaData"]["LastUpdatedTime"])


def _json(status: int, body: Any) -> Reply:
    return Reply(status, _encoder.encode(body), "application/json;charset=UTF-8")
