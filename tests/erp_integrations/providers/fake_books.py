"""Somebody who keeps books in the fake Tryton, and providers that read them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from erp_integrations.providers.contract import Page
from erp_integrations.providers.http import Limits, RetryPolicy
from erp_integrations.providers.tryton.provider import TrytonProvider
from tests.erp_integrations.providers.contract_suite import Bill
from tests.fakes.http_server import HttpServer
from tests.fakes.tryton import KEY, FakeTryton, Record, named

#: any machine stands still for a moment; where a server is slow on purpose there is ``IMPATIENT``
LIMITS = Limits(connect_seconds=5, read_seconds=10, total_seconds=20, max_bytes=2_000_000)
ONCE = RetryPolicy(attempts=1)


def connect(fake: HttpServer, **options: Any) -> TrytonProvider:
    settings: dict[str, str] = {"url": fake.url, "database": "lab"} | options.pop("settings", {})
    credentials = {"key": options.pop("key", KEY)}
    limits: dict[str, Any] = {"limits": LIMITS, "retries": ONCE}
    return TrytonProvider(settings, credentials, allow_private_addresses=True, **(limits | options))


def pages(fake: FakeTryton, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class FakeBooks:
    """The acts of the contract, in the fake."""

    lacks: ClassVar[Mapping[str, str]] = {
        "pay_with_discount": "Tryton's payments know no discount",
        "credit": "a credit note is reconciled with a bill in Tryton without a payment",
        "expire": "a user application key does not run out",
        "revoke": "test_tryton_trouble has the key that was taken back",
    }

    def __init__(self, fake: FakeTryton) -> None:
        self.server = self.fake = fake
        self.bills: dict[str, Record] = {}
        self.checks: dict[str, list[Record]] = {}

    def bill(self, total: str) -> Bill:
        made = self.fake.bill(f"ACME-{len(self.bills) + 1}", total)
        self.bills[str(made["id"])] = made
        return Bill(str(made["id"]), made["reference"])

    def bill_in(self, currency: str, total: str) -> Bill:
        made = self.bill(total)
        self.bills[made.remote_id]["currency"] = named("currency.currency", 2, code=currency)
        return made

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        return self._pay(pays, "processing" if pending else "succeeded")

    def draft(self, bill: Bill, amount: str) -> str:
        return self._pay([(bill, amount)], "approved")

    def _pay(self, pays: Any, state: str) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        self.checks[check] = [
            self.fake.pay(self.bills[bill.remote_id], amount, check, state) for bill, amount in pays
        ]
        return check

    def pay_directly(self, bill: Bill, amount: str) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        record = self.bills[bill.remote_id]
        self.fake.pay_with_wizard(record, amount, check)
        self.checks[check] = [record]
        return check

    def issue(self, check: str) -> None:
        for payment in self.checks[check]:
            self.fake.change(payment, state="succeeded")

    def void(self, check: str) -> None:
        for payment in self.checks[check]:
            self.fake.change(payment, state="failed")

    def unapply(self, check: str) -> None:
        (bill,) = self.checks[check]
        lines = [line for line in bill["payment_lines"] if line["move"]["description"] != check]
        self.fake.change(bill, payment_lines=lines)

    def delete(self, check: str) -> None:
        for payment in self.checks[check]:
            self.fake.delete(payment)

    def settle(self) -> None:
        self.fake.pass_time(2)

    def now(self) -> dt.datetime:
        return self.fake.now

    def provider(self, **options: Any) -> TrytonProvider:
        return connect(self.fake, **options)
