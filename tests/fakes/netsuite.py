"""A NetSuite with books in memory: SuiteQL, the record of a bill payment, and OAuth 2.

It shows a ``Ledger`` as NetSuite does: transactions of all kinds in one table,
payments below zero, applications as links between lines, moments in the time
zone of the role, everything as text and nothing for what is empty. The form is
that of Oracle's documentation; no recording of a live account was at hand.
"""

import base64
import datetime as dt
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from erp_integrations.providers.netsuite.auth import ASSERTION_TYPE, AUTHORIZE, TOKEN
from tests.fakes.authorization import CLIENT, SECRET, AuthorizationServer
from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Bill, Ledger, Payment, State, Vendor
from tests.fakes.netsuite_sql import Refused, local, run

SUITEQL = "/services/rest/query/v1/suiteql"
RECORD = "/services/rest/record/v1/vendorPayment/"
LETTERS = {State.DRAFT: "D", State.PENDING: "A", State.ISSUED: "F", State.VOIDED: "V"}
BILL_RECORD = "/services/rest/record/v1/vendorBill"
ACCOUNTS = {"210": "5100", "211": "2050"}
AT_ONCE, MOST = 15, 1000


class FakeNetSuite(HttpServer):
    """One account. ``letters`` overrides a payment's status by its number."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        super().__init__(self.respond)
        self.ledger = ledger or Ledger()
        self.tokens = AuthorizationServer(lifetime=3600)
        self.letters: dict[int, str | None] = {}
        #: subsidiary by the number of a payment or bill
        self.subsidiaries: dict[int, int] = {}
        #: payments that were voided without a voiding journal: nothing is left of their amounts
        self.emptied: set[int] = set()
        #: tables that the role may not see
        self.withheld: set[str] = set()
        #: the other programs of this account that ask at this moment
        self.others_at_once = 0
        self.certificates: dict[str, Any] = {}
        self.currencies = ["USD"]
        #: what other programs call a bill, by its number
        self.external_ids: dict[int, str] = {}
        self._lock, self._at_once = threading.Lock(), 0

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    # --------------------------------------------------------------- requests
    def respond(self, request: Request) -> Reply:
        if request.path == AUTHORIZE:
            return self.tokens.authorize(request)
        if request.path == TOKEN:
            return self._token(request)
        if not self.tokens.is_good(request):
            return refusal(401, "INVALID_LOGIN", "Invalid login attempt.")
        with self._lock:
            self._at_once += 1
            is_too_much = self._at_once + self.others_at_once > AT_ONCE
        try:
            if is_too_much:
                return refusal(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit.")
            return self._answered(request)
        finally:
            with self._lock:
                self._at_once -= 1

    def _answered(self, request: Request) -> Reply:
        if request.path == SUITEQL and request.method == "POST":
            return self._suiteql(request)
        if request.path.startswith(RECORD) and request.method == "GET":
            return self._record(request.path.removeprefix(RECORD))
        if request.path == BILL_RECORD and request.method == "POST":
            return self._made_bill(json.loads(request.body, parse_float=Decimal))
        return refusal(404, "NOT_FOUND", "The path does not exist.")

    def _suiteql(self, request: Request) -> Reply:
        if request.headers.get("Prefer") != "transient":
            return refusal(400, "INVALID_HEADER", "The required request header 'Prefer' is missing")
        limit, offset = (int(request.query.get(k, [v])[0]) for k, v in PAGE.items())
        if not 0 < limit <= MOST or offset % limit:
            return refusal(400, "INVALID_PARAMETER", "Invalid limit or offset.")
        try:
            found = run(json.loads(request.body)["q"], self.tables(), limit=limit, offset=offset)
        except Refused as error:
            return refusal(400, "INVALID_PARAMETER", str(error))
        return Reply(200, json.dumps(found).encode())

    def _record(self, record_id: str) -> Reply:
        payment = self.ledger.payments.get(int(record_id)) if record_id.isdecimal() else None
        if payment is None or payment.is_credit:
            return refusal(404, "NONEXISTENT_ID", "The record instance does not exist.")
        lines = [
            {
                "apply": True,
                "doc": {"id": str(each.bill.number), "refName": f"Bill #{each.bill.reference}"},
                "refNum": each.bill.reference,
                "type": "Bill",
                "amount": float(each.amount),
                "disc": float(each.discount),
                "total": float(each.bill.total),
            }
            for each in payment.applications
        ]
        body = {
            "id": record_id,
            "tranId": payment.check,
            "total": float(payment.total),
            "apply": {"items": lines, "totalResults": len(lines)},
        }
        return Reply(200, json.dumps(body).encode())

    def _made_bill(self, values: dict[str, Any]) -> Reply:
        if values["externalId"] in self.external_ids.values():
            return refusal(400, "USER_ERROR", "This record already exists.")
        vendors = [v for v in self.ledger.vendors if str(v.number) == values["entity"]["id"]]
        accounts = {each["account"]["id"] for each in values["expense"]["items"]}
        if not vendors or not accounts <= set(ACCOUNTS):
            return refusal(400, "INVALID_CONTENT", "Invalid field value for the reference key.")
        made = self.ledger.bill(
            values["tranId"],
            *(Decimal(line["amount"]) for line in values["expense"]["items"]),
            vendor=vendors[0],
            currency=self.currencies[int(values["currency"]["id"]) - 1],
            memo=values["memo"],
            date=dt.date.fromisoformat(values["tranDate"]),
        )
        self.external_ids[made.number] = values["externalId"]
        return Reply(204, b"", headers={"Location": f"{self.url}{BILL_RECORD}/{made.number}"})

    # ------------------------------------------------------------------ sign-in
    def _token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if form.get("grant_type") == "client_credentials" and not self._is_proven(form):
            return Reply(401, json.dumps({"error": "invalid_client"}).encode())
        return self.tokens.token(request)

    def _is_proven(self, form: dict[str, str]) -> bool:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return False
        text, _, signature = form["client_assertion"].rpartition(".")
        header, claims = (json.loads(_part(each)) for each in text.split("."))
        if claims["aud"] != f"{self.url}{TOKEN}" or claims["iss"] != CLIENT:
            return False
        if not 0 < claims["exp"] - claims["iat"] < 3600 or claims["scope"] != "rest_webservices":
            return False
        key = self.certificates.get(header["kid"])
        return key is not None and _verified(key, header["alg"], text, _part(signature))

    # ------------------------------------------------------------------- tables
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        self.currencies = ["USD", *sorted({each.currency for each in self._bills()} - {"USD"})]
        found = {
            "transaction": [*map(self._payment, self._payments()), *map(self._bill, self._bills())],
            "transactionline": [
                {"transaction": number, "mainline": "T", "subsidiary": self._subsidiary(number)}
                for number in (*self.ledger.payments, *self.ledger.bills)
            ],
            "previoustransactionlinelink": [
                row for p in self._payments() for row in self._links(p)
            ],
            "account": [{"id": n, "acctnumber": number} for n, number in ACCOUNTS.items()],
            "currency": [{"id": n, "symbol": c} for n, c in enumerate(self.currencies, 1)],
            "vendor": [_named(each.number, each.code, each.name) for each in self.ledger.vendors],
            "job": [
                _named(place, code, f"Job {code}")
                for place, code in enumerate(self._jobs(), start=1)
            ],
        }
        return {name: rows for name, rows in found.items() if name not in self.withheld}

    def _payments(self) -> list[Payment]:
        return list(self.ledger.payments.values())

    def _bills(self) -> list[Bill]:
        return list(self.ledger.bills.values())

    def _jobs(self) -> list[str]:
        return sorted({bill.order for bill in self._bills() if bill.order})

    def _subsidiary(self, number: int) -> int:
        return self.subsidiaries.get(number, 1)

    def _letter(self, payment: Payment) -> str | None:
        return self.letters.get(payment.number, LETTERS[payment.state])

    def _payment(self, payment: Payment) -> dict[str, Any]:
        kind = "VendCred" if payment.is_credit else "VendPymt"
        total = 0 if payment.number in self.emptied else float(payment.total)
        return {
            **self._transaction(payment.number, kind, payment),
            "tranid": payment.check or None,
            "transactionnumber": f"{kind.upper()}{payment.number}",
            "trandate": payment.date.isoformat(),
            "status": self._letter(payment),
            "approvalstatus": 1 if payment.state is State.DRAFT else 2,
            "voided": "T" if payment.state is State.VOIDED else "F",
            "foreigntotal": -total,
        }

    def _bill(self, bill: Bill) -> dict[str, Any]:
        letter = "C" if bill.is_cancelled else "D" if not bill.is_posted else "A"
        return {
            **self._transaction(bill.number, "VendBill", bill),
            "tranid": bill.reference,
            "transactionnumber": f"VENDBILL{bill.number}",
            "trandate": bill.date.isoformat(),
            "status": letter,
            "approvalstatus": 2 if bill.is_posted else 1,
            "voided": "F",
            "foreigntotal": float(bill.total),
        }

    def _transaction(self, number: int, kind: str, record: Bill | Payment) -> dict[str, Any]:
        return {
            "id": number,
            "type": kind,
            "entity": record.vendor.number,
            "currency": self.currencies.index(record.currency) + 1,
            "memo": record.memo or None,
            "externalid": self.external_ids.get(number),
            "lastmodifieddate": local(record.modified),
        }

    def _links(self, payment: Payment) -> Iterator[dict[str, Any]]:
        """One for each bill line pair; a discount that was taken is part of what was applied."""
        if payment.number in self.emptied:
            return
        for each in payment.applications:
            yield {
                "linktype": "Payment",
                "nextdoc": payment.number,
                "nextline": 0,
                "nexttype": "VendCred" if payment.is_credit else "VendPymt",
                "previousdoc": each.bill.number,
                "previousline": 0,
                "foreignamount": -float(each.amount + each.discount),
            }

    # ------------------------------------------------------------ for the demo
    def remote_id_of(self, bill: Bill) -> str:
        return str(bill.number)

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return str(vendor.number)


PAGE = {"limit": "1000", "offset": "0"}


def connection(fake: FakeNetSuite) -> tuple[dict[str, str], dict[str, str]]:
    """What a person types to connect it: settings, and secrets."""
    settings = {"account": "1234567_SB1", "client_id": CLIENT, "url": fake.url}
    settings |= {"expense_account": "5100", "retainage_account": "2050"}
    return settings, {"client_secret": SECRET}


def refusal(status: int, code: str, detail: str) -> Reply:
    body = {
        "type": "https://www.rfc-editor.org/rfc/rfc9110.html",
        "title": "Refused",
        "status": status,
        "o:errorDetails": [{"detail": detail, "o:errorCode": code}],
    }
    kind = "application/vnd.oracle.resource+json; type=error; charset=UTF-8"
    return Reply(status, json.dumps(body).encode(), kind)


def _named(number: int, code: str, name: str) -> dict[str, Any]:
    return {"id": number, "entityid": code, "companyname": name, "isinactive": "F"}


def _part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _verified(public: Any, algorithm: str, text: str, signature: bytes) -> bool:
    if isinstance(public, rsa.RSAPublicKey) and algorithm == "PS256":
        salt = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        public.verify(signature, text.encode(), salt, hashes.SHA256())
        return True
    if isinstance(public, ec.EllipticCurvePublicKey) and algorithm == "ES256":
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        der = utils.encode_dss_signature(r, s)
        public.verify(der, text.encode(), ec.ECDSA(hashes.SHA256()))
        return True
    return False


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
