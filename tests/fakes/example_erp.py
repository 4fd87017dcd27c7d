"""The simple REST API that the skeleton of a new provider reads, over a ledger.

It is the example of docs/writing-a-provider.md: a stand-in keeps a ``Ledger``
and shows it as its system does, and an accountant acts in it for the contract.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from erp_integrations.providers.contract import Provider
from erp_integrations.providers.http import Limits, RetryPolicy
from tests.fakes import ledger as books
from tests.fakes.http_server import HttpServer, Reply, Request

KEY = "example-key"
STATES = {"draft": "waiting", "pending": "waiting", "issued": "paid", "voided": "void"}
Json = dict[str, Any]


class FakeExampleErp(HttpServer):
    def __init__(self) -> None:
        super().__init__(self._answer)
        self.ledger = books.Ledger()

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    def remote_id_of(self, bill: books.Bill) -> str:
        return str(bill.number)

    def vendor_ref_of(self, vendor: books.Vendor) -> str:
        return str(vendor.number)

    # -------------------------------------------------------------- the answers
    def _answer(self, request: Request) -> Reply:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _json({"error": "unauthorized"}, 401)
        asked = {name: values[0] for name, values in request.query.items()}
        routes: dict[str, Callable[[Mapping[str, str]], Json]] = {
            "/api/company": lambda asked: {"name": "Northstar"},
            "/api/payments": self._payments,
            "/api/bills": self._bills,
        }
        if request.path in routes:
            return _json(routes[request.path](asked))
        number = request.path.removeprefix("/api/payments/")
        if number.isdecimal() and int(number) in self.ledger.payments:
            return _json(self._payment(self.ledger.payments[int(number)]))
        return _json({"error": "not_found"}, 404)

    def _payments(self, asked: Mapping[str, str]) -> Json:
        rows = sorted(self.ledger.payments.values(), key=lambda it: (it.modified, it.number))
        if since := asked.get("changed_from"):
            after = (dt.datetime.fromisoformat(since), int(asked.get("after_id", "0")))
            rows = [each for each in rows if (each.modified, each.number) > after]
        shown = [each for each in rows if not each.is_credit][: _limit(asked)]
        return {"payments": [self._payment(each) for each in shown]}

    def _payment(self, payment: books.Payment) -> Json:
        return {
            "id": payment.number,
            "number": f"PAY-{payment.number}",
            "state": STATES[payment.state],
            "method": payment.method,
            "date": payment.date.isoformat(),
            "currency": payment.currency,
            "amount": str(payment.total),
            "changed": payment.modified.isoformat(),
            "check": payment.check,
            "memo": payment.memo or None,
            "vendor": {"id": payment.vendor.number, "name": payment.vendor.name},
            "applied": [
                {
                    "bill_id": each.bill.number,
                    "bill_number": each.bill.reference,
                    "amount": str(each.amount),
                    "discount": str(each.discount),
                }
                for each in payment.applications
            ],
        }

    def _bills(self, asked: Mapping[str, str]) -> Json:
        rows = list(self.ledger.bills.values())
        if "ids" in asked:
            wanted = set(asked["ids"].split(","))
            rows = [each for each in rows if str(each.number) in wanted]
        rows = [each for each in rows if each.number > int(asked.get("after_id", "0"))]
        return {"bills": [self._bill(each) for each in rows[: _limit(asked)]]}

    def _bill(self, bill: books.Bill) -> Json:
        money = [each for payment, each in self.ledger.applied_to(bill) if not payment.is_credit]
        return {
            "id": bill.number,
            "number": bill.reference,
            "vendor": {"id": bill.vendor.number, "name": bill.vendor.name},
            "currency": bill.currency,
            "total": str(bill.total),
            "paid": str(sum(each.amount for each in money)),
            "posted": bill.is_posted,
        }


def connection(fake: FakeExampleErp) -> tuple[dict[str, str], dict[str, str]]:
    """What a person types to connect it: settings and credentials."""
    return {"url": fake.url}, {"key": KEY}


class ExampleAccountant:
    """The acts of the contract."""

    lacks: ClassVar[Mapping[str, str]] = {
        "payments_on": "the example cannot be asked for the payments of a bill",
        "find_payments": "the example has no search",
        "expire": "a key does not run out",
        "revoke": "a key that was taken back is an answer like any other 401",
    }

    def __init__(self, fake: FakeExampleErp, provider: type[Provider]) -> None:
        self.server, self.ledger, self._provider = fake, fake.ledger, provider
        self._bills: dict[str, books.Bill] = {}
        self._payments: dict[str, books.Payment] = {}

    def bill(self, total: str) -> Any:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Any:
        from tests.erp_integrations.providers.contract_suite import Bill

        made = self.ledger.bill(f"B-{len(self._bills) + 1}", total, currency=currency)
        self._bills[str(made.number)] = made
        return Bill(str(made.number), made.reference)

    def pay(self, *pays: Any, pending: bool = False) -> str:
        state = books.State.PENDING if pending else books.State.ISSUED
        return self._pay(
            *((self._bills[bill.remote_id], amount) for bill, amount in pays), state=state
        )

    def pay_directly(self, bill: Any, amount: str) -> str:
        return self.pay((bill, amount))

    def pay_with_discount(self, bill: Any, amount: str, discount: str) -> str:
        paid = Decimal(amount), Decimal(discount)
        return self._pay(books.Application(self._bills[bill.remote_id], *paid))

    def credit(self, bill: Any, amount: str) -> None:
        self._pay((self._bills[bill.remote_id], amount), is_credit=True)

    def draft(self, bill: Any, amount: str) -> str:
        return self.pay((bill, amount), pending=True)

    def _pay(self, *pays: Any, **options: Any) -> str:
        check = f"C-{len(self._payments) + 1}"
        self._payments[check] = self.ledger.pay(check, *pays, **options)
        return check

    def issue(self, check: str) -> None:
        self.ledger.issue(self._payments[check])

    def void(self, check: str) -> None:
        self.ledger.void(self._payments[check])

    def unapply(self, check: str) -> None:
        self.ledger.unapply(self._payments[check])

    def delete(self, check: str) -> None:
        self.ledger.delete(self._payments[check])

    def settle(self) -> None:
        self.ledger.pass_time(2)

    def now(self) -> dt.datetime:
        return self.ledger.now

    def provider(self, **options: Any) -> Any:
        settings, credentials = connection(self.server)
        limits = {
            "limits": Limits(
                connect_seconds=5, read_seconds=10, total_seconds=20, max_bytes=2_000_000
            ),
            "retries": RetryPolicy(attempts=1),
        }
        return self._provider(
            settings, credentials, allow_private_addresses=True, **(limits | options)
        )


def _limit(asked: Mapping[str, str]) -> int:
    return min(int(asked.get("limit", "50")), 200)


def _json(body: Json, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode())
