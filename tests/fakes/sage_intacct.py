"""A Sage Intacct with books in memory that answers the query service of its REST API.

It shows a ``Ledger`` as Intacct does: allocations apart from their payments and
one for each line of a bill, amounts as strings, moments in whole seconds of UTC,
flat rows whose members are named as the fields were asked for, and its envelope.
The form is that of the vendor's specification; no recording of a live company
was at hand.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp_integrations.providers.sage_intacct.auth import API
from tests.fakes.authorization import CLIENT, SECRET, AuthorizationServer
from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Application, Bill, BillLine, Ledger, Payment, State, Vendor
from tests.fakes.sage_intacct_query import Refused, Row, answer
from tests.fakes.sage_intacct_writes import deleted_bill, made_bill, refusal
from tests.fakes.sage_intacct_xml import GATEWAY, xml_answer

STATES = {
    State.DRAFT: "draft",
    State.PENDING: "delivered",
    State.ISSUED: "confirmed",
    State.VOIDED: "reversed",
}
METHODS = {"check": "printedCheck", "credit_card": "creditCard", "electronic": "ach"}
ENTITY = "X-IA-API-Param-Entity"
ZERO = Decimal(0)


class FakeSageIntacct(HttpServer):
    """One company. ``states`` overrides a payment's state by its number."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        super().__init__(self.respond)
        self.ledger = ledger or Ledger()
        self.tokens = AuthorizationServer(lifetime=43200)
        self.states: dict[int, str] = {}
        self.joint_payees: dict[int, str] = {}
        #: entity by the number of a payment or bill; the others belong to no entity
        self.entities: dict[int, str] = {}
        #: what the user may not read
        self.withheld: set[str] = set()
        #: bills in another currency than the company's have its amounts too, at this rate
        self.rate = Decimal("1.10")

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    def respond(self, request: Request) -> Reply:
        if request.path == GATEWAY:
            return xml_answer(request, self.ledger, self.url)
        path = request.path.removeprefix(API)
        if path == "/oauth2/authorize":
            return self.tokens.authorize(request)
        if path == "/oauth2/token":
            return self.tokens.token(request)
        if not self.tokens.is_good(request):
            return refusal(401, "unauthorized", "The access token is invalid or has expired.")
        match request.method, path:
            case "POST", "/services/core/query":
                return self._queried(request)
            case "POST", "/objects/accounts-payable/bill":
                return made_bill(self.ledger, json.loads(request.body))
            case "DELETE", gone if gone.startswith("/objects/accounts-payable/bill/"):
                return deleted_bill(self.ledger, gone.rpartition("/")[2])
        return refusal(404, "invalidRequest", f"Path {path} does not exist.")

    def _queried(self, request: Request) -> Reply:
        question = json.loads(request.body)
        if question.get("object") in self.withheld:
            return refusal(403, "operationNotAllowed", "The user has no permission to list it.")
        entity = request.headers.get(ENTITY, "")
        if entity and entity not in self.entities.values():
            return refusal(400, "invalidRequest", f"Entity {entity} does not exist.")
        try:
            found = answer(question, lambda kind: self.rows(kind, entity))
            return Reply(200, json.dumps(found).encode())
        except Refused as error:
            return refusal(400, "invalidRequest", str(error))

    # ------------------------------------------------------------------ tables
    def rows(self, kind: str, entity: str = "") -> Sequence[Row]:
        """The objects of a kind that one entity shows. Raises ``Refused``."""
        payments = [p for p in self.ledger.payments.values() if self._is_in(p.number, entity)]
        bills = [b for b in self.ledger.bills.values() if self._is_in(b.number, entity)]
        match kind:
            case "accounts-payable/payment":
                return [self._payment(each) for each in payments]
            case "accounts-payable/payment-detail":
                return [row for each in payments for row in self._details(each)]
            case "accounts-payable/bill":
                settled = self._settled()
                return [self._bill(each, settled[each.number]) for each in bills]
            case "accounts-payable/vendor":
                return [
                    {**_named(each.number, each.code, each.name), "term.id": "Net 30"}
                    for each in self.ledger.vendors
                ]
            case "projects/project":
                codes = sorted({each.order for each in bills if each.order})
                return [_named(place, code, f"Job {code}") for place, code in enumerate(codes, 1)]
        raise Refused(f"Object {kind} does not exist.")

    def _is_in(self, number: int, entity: str) -> bool:
        return not entity or self.entities.get(number) == entity

    def _payment(self, payment: Payment) -> Row:
        return {
            **_identity(payment.number, payment.created, payment.modified),
            "state": self._state(payment),
            "paymentMethod": METHODS[payment.method],
            "documentNumber": payment.check or None,
            "description": payment.memo or None,
            "txnDate": payment.date.isoformat(),
            "txnCurrency.currency": payment.currency,
            "txnCurrency.totalAmount": _text(ZERO if payment.is_credit else payment.total),
            "baseCurrency.currency": "USD",
            "baseCurrency.totalAmount": _text(self._base(payment.currency, payment.total)),
            "vendor.key": str(payment.vendor.number),
            "vendor.id": payment.vendor.code,
            "vendor.name": payment.vendor.name,
            "entity.id": self.entities.get(payment.number),
        }

    def _state(self, payment: Payment) -> str:
        return self.states.get(payment.number, STATES[payment.state])

    def _details(self, payment: Payment) -> Iterator[Row]:
        place = 0
        for each in payment.applications:
            for line, amount, discount in _by_line(each):
                place += 1
                money, credit = (None, amount) if payment.is_credit else (amount, None)
                yield {
                    **_identity(payment.number * 1000 + place, payment.created, payment.modified),
                    "apPayment.key": str(payment.number),
                    "apPayment.state": self._state(payment),
                    "bill.key": str(each.bill.number),
                    "bill.billNumber": each.bill.reference,
                    "billLine.key": str(line.number),
                    "paymentDate": payment.date.isoformat(),
                    "state": self._state(payment),
                    "txnCurrency.currency": payment.currency,
                    "txnCurrency.paymentAmount": money and _text(money),
                    "txnCurrency.discountAmount": _text(discount) if discount else None,
                    "txnCurrency.adjustmentAmount": credit and _text(credit),
                    "txnCurrency.postedAdvanceAmount": None,
                    "txnCurrency.inlineAmount": None,
                    "apDebitAdjustment.key": "77" if payment.is_credit else None,
                    "jointPayee.printAs": self.joint_payees.get(payment.number),
                }

    def _settled(self) -> dict[int, Decimal]:
        """What was paid on each bill in any way, credits and discounts too."""
        sums: dict[int, Decimal] = defaultdict(Decimal)
        for payment in self.ledger.payments.values():
            if payment.state is State.ISSUED:
                for each in payment.applications:
                    sums[each.bill.number] += each.amount + each.discount
        return sums

    def _bill(self, bill: Bill, settled: Decimal) -> Row:
        return {
            **_identity(bill.number, bill.created, bill.modified),
            "billNumber": bill.reference,
            "description": bill.memo or None,
            "state": _bill_state(bill, settled),
            "vendor.key": str(bill.vendor.number),
            "vendor.id": bill.vendor.code,
            "vendor.name": bill.vendor.name,
            "currency.txnCurrency": bill.currency,
            "currency.baseCurrency": "USD",
            "totalTxnAmount": _text(bill.total),
            "totalTxnAmountDue": _text(bill.total - settled),
            "totalBaseAmount": _text(self._base(bill.currency, bill.total)),
            "paymentInformation.totalTxnAmountPaid": _text(settled),
            "entity.id": self.entities.get(bill.number),
        }

    def _base(self, currency: str, amount: Decimal) -> Decimal:
        return amount if currency == "USD" else round(amount * self.rate, 2)

    # ------------------------------------------------------------ for the demo
    def remote_id_of(self, bill: Bill) -> str:
        return str(bill.number)

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return str(vendor.number)


def connection(fake: FakeSageIntacct) -> tuple[dict[str, str], dict[str, str]]:
    """What a person types to connect it: settings, and secrets."""
    accounts = {"expense_account": "5100", "retainage_account": "2050"}
    return {"client_id": CLIENT, "url": fake.url, **accounts}, {"client_secret": SECRET}


def _identity(number: int, created: Any, modified: Any) -> Mapping[str, Any]:
    form = "%Y-%m-%dT%H:%M:%SZ"
    return {
        "key": str(number),
        "id": str(number),
        "audit.createdDateTime": created.strftime(form),
        "audit.modifiedDateTime": modified.strftime(form),
    }


def _named(number: int, code: str, name: str) -> Row:
    return {"key": str(number), "id": code, "name": name, "status": "active"}


def _bill_state(bill: Bill, settled: Decimal) -> str:
    if bill.is_cancelled:
        return "reversed"
    if not bill.is_posted:
        return "draft"
    return "posted" if not settled else "paid" if settled >= bill.total else "partiallyPaid"


def _by_line(application: Application) -> Iterator[tuple[BillLine, Decimal, Decimal]]:
    """What was applied to a whole bill fills its lines from the first on."""
    left, discount = application.amount, application.discount
    lines = [application.line] if application.line else application.bill.lines
    for line in lines:
        is_last = line is lines[-1]
        part = left if is_last else min(left, max(line.amount, ZERO))
        if part:
            yield line, part, discount
            left, discount = left - part, ZERO


def _text(amount: Decimal) -> str:
    return f"{amount:.2f}"
