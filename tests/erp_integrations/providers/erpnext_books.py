"""Somebody who keeps books in the stand-in for ERPNext, and providers that read them."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from erp_integrations.providers.contract import Page
from erp_integrations.providers.erpnext.provider import ErpNextProvider
from tests.erp_integrations.providers.contract_suite import Bill
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.fakes import ledger
from tests.fakes.erpnext import FakeErpNext, connection
from tests.fakes.ledger import Application, State


def connect(fake: FakeErpNext, **options: Any) -> ErpNextProvider:
    settings, credentials = connection(fake)
    settings |= options.pop("settings", {})
    credentials |= options.pop("credentials", {})
    given: dict[str, Any] = {"limits": LIMITS, "retries": ONCE, **options}
    return ErpNextProvider(settings, credentials, allow_private_addresses=True, **given)


def pages(fake: FakeErpNext, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class ErpNextBooks:
    """The acts of the contract, in the stand-in."""

    lacks: ClassVar[Mapping[str, str]] = {"expire": "an API key does not run out"}

    def __init__(self, fake: FakeErpNext) -> None:
        self.server = self.fake = fake
        self.ledger = fake.ledger
        self.made = 0

    def bill(self, total: str) -> Bill:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Bill:
        reference = f"ACME-{len(self.ledger.bills) + 1}"
        made = self.ledger.bill(reference, total, currency=currency)
        return Bill(self.fake.remote_id_of(made), reference)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        return self._pay(*pays, state=State.PENDING if pending else State.ISSUED)

    def pay_directly(self, bill: Bill, amount: str) -> str:
        """A journal entry that credits the bank and pays the bill."""
        return self._pay((bill, amount), is_direct=True)

    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str:
        check = self._check()
        part = Application(self._bill(bill), Decimal(amount), Decimal(discount))
        self.ledger.pay(check, part)
        return check

    def credit(self, bill: Bill, amount: str) -> None:
        self.ledger.pay("", (self._bill(bill), amount), is_credit=True)

    def issue(self, check: str) -> None:
        self.ledger.issue(self._payment(check))

    def void(self, check: str) -> None:
        self.ledger.void(self._payment(check))

    def unapply(self, check: str) -> None:
        self.ledger.unapply(self._payment(check))

    def draft(self, bill: Bill, amount: str) -> str:
        return self._pay((bill, amount), state=State.DRAFT)

    def delete(self, check: str) -> None:
        self.ledger.delete(self._payment(check))

    def settle(self) -> None:
        self.ledger.pass_time(2)

    def revoke(self) -> None:
        self.fake.is_revoked = True

    def now(self) -> dt.datetime:
        return self.ledger.now

    def provider(self, **options: Any) -> ErpNextProvider:
        return connect(self.fake, **options)

    def _pay(self, *pays: tuple[Bill, str], **fields: Any) -> str:
        check = self._check()
        self.ledger.pay(check, *[(self._bill(bill), amount) for bill, amount in pays], **fields)
        return check

    def _check(self) -> str:
        self.made += 1
        return f"CHK-{self.made}"

    def _bill(self, bill: Bill) -> ledger.Bill:
        found = self.ledger.bill_named(bill.remote_id)
        assert found is not None
        return found

    def _payment(self, check: str) -> ledger.Payment:
        (found,) = [each for each in self.ledger.payments.values() if each.check == check]
        return found
