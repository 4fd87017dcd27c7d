"""Somebody who keeps books in the stand-in for Odoo, and providers that read them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from erp_integrations.providers.contract import Page
from erp_integrations.providers.odoo.provider import OdooProvider
from tests.erp_integrations.providers.contract_suite import Bill
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.fakes import ledger
from tests.fakes.ledger import Application, State
from tests.fakes.odoo import FakeOdoo, connection


def connect(fake: FakeOdoo, **options: Any) -> OdooProvider:
    settings, credentials = connection(fake)
    settings |= options.pop("settings", {})
    credentials |= {"key": options.pop("key", credentials["key"])}
    limits: dict[str, Any] = {"limits": LIMITS, "retries": ONCE}
    return OdooProvider(settings, credentials, allow_private_addresses=True, **(limits | options))


def pages(fake: FakeOdoo, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class OdooBooks:
    """The acts of the contract, in the stand-in."""

    lacks: ClassVar[Mapping[str, str]] = {
        "expire": "An API key is one for all calls; nothing renews it",
    }

    def __init__(self, fake: FakeOdoo) -> None:
        self.fake = self.server = fake
        self.ledger = fake.ledger
        self.bills: dict[str, ledger.Bill] = {}
        self.checks: dict[str, ledger.Payment] = {}

    def bill(self, total: str) -> Bill:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Bill:
        made = self.ledger.bill(f"ACME-{len(self.bills) + 1}", total, currency=currency)
        self.bills[str(made.number)] = made
        return Bill(str(made.number), made.reference)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        state = State.PENDING if pending else State.ISSUED
        return self._pay(
            *((self.bills[bill.remote_id], amount) for bill, amount in pays), state=state
        )

    def _pay(self, *pays: Any, **options: Any) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        self.checks[check] = self.ledger.pay(check, *pays, **options)
        return check

    def pay_directly(self, bill: Bill, amount: str) -> str:
        """More than is applied, so that the payment itself is not stamped when it is taken off."""
        return self._pay((self.bills[bill.remote_id], amount))

    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str:
        part = Application(
            self.bills[bill.remote_id], ledger.Decimal(amount), ledger.Decimal(discount)
        )
        return self._pay(part)

    def credit(self, bill: Bill, amount: str) -> None:
        self.ledger.pay("CN-1", (self.bills[bill.remote_id], amount), is_credit=True)

    def draft(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount), pending=True)

    def issue(self, check: str) -> None:
        self.ledger.issue(self.checks[check])

    def void(self, check: str) -> None:
        self.ledger.void(self.checks[check])

    def unapply(self, check: str) -> None:
        self.ledger.unapply(self.checks[check])

    def delete(self, check: str) -> None:
        self.ledger.delete(self.checks[check])

    def revoke(self) -> None:
        self.fake.withheld = {"account.payment"}

    def settle(self) -> None:
        self.ledger.pass_time(2)

    def now(self) -> dt.datetime:
        return self.ledger.now

    def provider(self, **options: Any) -> OdooProvider:
        return connect(self.fake, **options)
