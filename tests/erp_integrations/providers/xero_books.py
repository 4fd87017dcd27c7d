"""Somebody who keeps books in the stand-in for Xero, and providers that read them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from erp_integrations.providers.contract import Page
from erp_integrations.providers.xero.provider import XeroProvider
from tests.erp_integrations.providers.contract_suite import Bill
from tests.erp_integrations.providers.fake_books import ONCE
from tests.fakes import ledger
from tests.fakes.authorization import TokensInMemory, signed_in
from tests.fakes.ledger import Ledger
from tests.fakes.xero import FakeXero, connection
from tests.fakes.xero_records import TENANT


def tokens_of(fake: FakeXero) -> TokensInMemory:
    return signed_in(XeroProvider, {"url": fake.url}, fake.authorization.first())


def connect(fake: FakeXero, **options: Any) -> XeroProvider:
    settings, credentials = connection(fake)
    settings |= {"tenant_id": TENANT} | options.pop("settings", {})
    options = {"retries": ONCE, "tokens": tokens_of(fake)} | options
    return XeroProvider(settings, credentials, allow_private_addresses=True, **options)


def pages(fake: FakeXero, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class XeroBooks:
    """The acts of the contract, in the stand-in."""

    lacks: ClassVar[Mapping[str, str]] = {
        "pending": "a payment in Xero is money from the moment on that it is entered",
        "delete": "a deleted payment stays in Xero, and is read as voided",
        "pay_with_discount": "Xero's payments know no discount",
    }

    def __init__(self, fake: FakeXero) -> None:
        self.server = self.fake = fake
        self.bills: dict[str, ledger.Bill] = {}
        self.checks: dict[str, ledger.Payment] = {}

    @property
    def ledger(self) -> Ledger:
        return self.fake.ledger

    def bill(self, total: str) -> Bill:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Bill:
        made = self.ledger.bill(f"ACME-{len(self.bills) + 1}", total, currency=currency)
        remote_id = self.fake.remote_id_of(made)
        self.bills[remote_id] = made
        return Bill(remote_id, made.reference)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        assert not pending, self.lacks["pending"]
        return self._pay(*pays)

    def pay_directly(self, bill: Bill, amount: str) -> str:
        """Out of money that the vendor got before."""
        return self._pay((bill, amount), is_direct=True)

    def _pay(self, *pays: tuple[Bill, str], **options: Any) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        applied = [(self.bills[bill.remote_id], amount) for bill, amount in pays]
        self.checks[check] = self.ledger.pay(check, *applied, **options)
        return check

    def credit(self, bill: Bill, amount: str) -> None:
        self._pay((bill, amount), is_credit=True)

    def issue(self, check: str) -> None:
        raise AssertionError(self.lacks["pending"])

    def draft(self, bill: Bill, amount: str) -> str:
        raise AssertionError(self.lacks["delete"])

    def delete(self, check: str) -> None:
        raise AssertionError(self.lacks["delete"])

    def void(self, check: str) -> None:
        self.ledger.void(self.checks[check])

    def unapply(self, check: str) -> None:
        self.ledger.unapply(self.checks[check])

    def settle(self) -> None:
        self.ledger.pass_time(3)

    def now(self) -> dt.datetime:
        return self.ledger.now

    def expire(self) -> None:
        self.fake.authorization.expire()

    def revoke(self) -> None:
        self.fake.authorization.revoke()

    def provider(self, **options: Any) -> XeroProvider:
        return connect(self.fake, **options)
