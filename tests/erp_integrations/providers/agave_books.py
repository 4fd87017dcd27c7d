"""Somebody who keeps books behind the stand-in for the unified API."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from erp_integrations.providers.agave.provider import AgaveProvider
from erp_integrations.providers.contract import Page
from tests.erp_integrations.providers.contract_suite import Bill
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.fakes import ledger
from tests.fakes.agave import FakeAgave, connection
from tests.fakes.ledger import Application, State


def connect(fake: FakeAgave, **options: Any) -> AgaveProvider:
    settings, credentials = connection(fake)
    settings |= options.pop("settings", {})
    credentials |= options.pop("credentials", {})
    given: dict[str, Any] = {"limits": LIMITS, "retries": ONCE, **options}
    return AgaveProvider(settings, credentials, allow_private_addresses=True, **given)


def pages(fake: FakeAgave, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class AgaveBooks:
    lacks: ClassVar[Mapping[str, str]] = {
        "bill_in": "a unified payment has no currency",
        "payments_on": "payments cannot be asked for by the invoices on their lines",
        "find_payments": "what can be searched depends on the system behind",
        "expire": "an account token does not run out",
    }

    def __init__(self, fake: FakeAgave) -> None:
        self.server = self.fake = fake
        self.ledger = fake.ledger
        self.made = 0

    def bill(self, total: str) -> Bill:
        reference = f"ACME-{len(self.ledger.bills) + 1}"
        return Bill(self.fake.remote_id_of(self.ledger.bill(reference, total)), reference)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        check = self._check()
        applied = [(self._bill(bill), amount) for bill, amount in pays]
        self.ledger.pay(check, *applied, state=State.PENDING if pending else State.ISSUED)
        return check

    def pay_directly(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount))

    def draft(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount))

    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str:
        check = self._check()
        part = Application(self._bill(bill), Decimal(amount), Decimal(discount))
        self.ledger.pay(check, part)
        return check

    def credit(self, bill: Bill, amount: str) -> None:
        self.ledger.pay("", (self._bill(bill), amount), is_credit=True)

    def void(self, check: str) -> None:
        self.ledger.void(self._payment(check))

    def unapply(self, check: str) -> None:
        self.ledger.unapply(self._payment(check))

    def delete(self, check: str) -> None:
        self.ledger.delete(self._payment(check))

    def settle(self) -> None:
        self.ledger.pass_time(2)

    def revoke(self) -> None:
        self.fake.is_revoked = True

    def now(self) -> dt.datetime:
        return self.ledger.now

    def provider(self, **options: Any) -> AgaveProvider:
        return connect(self.fake, **options)

    def issue(self, check: str) -> None:
        self.ledger.issue(self._payment(check))

    def bill_in(self, currency: str, total: str) -> Bill:
        raise NotImplementedError

    def expire(self) -> None:
        raise NotImplementedError

    def _check(self) -> str:
        self.made += 1
        return f"CHK-{self.made}"

    def _bill(self, bill: Bill) -> ledger.Bill:
        bills = self.ledger.bills.values()
        return next(each for each in bills if self.fake.remote_id_of(each) == bill.remote_id)

    def _payment(self, check: str) -> ledger.Payment:
        (found,) = [each for each in self.ledger.payments.values() if each.check == check]
        return found
