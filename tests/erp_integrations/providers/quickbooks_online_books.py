"""Somebody who keeps books in the stand-in for QuickBooks Online, and providers that read them."""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from erp_integrations.providers.contract import Page
from erp_integrations.providers.quickbooks_online.auth import REALM as REALM_SETTING
from erp_integrations.providers.quickbooks_online.provider import QuickBooksOnlineProvider
from tests.erp_integrations.providers.contract_suite import Bill
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.fakes import ledger
from tests.fakes.authorization import TokensInMemory, signed_in
from tests.fakes.quickbooks_online import REALM, FakeQuickBooksOnline, connection
from tests.fakes.quickbooks_online_records import OtherLine


@pytest.fixture
def quickbooks() -> Iterator[FakeQuickBooksOnline]:
    fake = FakeQuickBooksOnline()
    with fake.running():
        yield fake


def grant(fake: FakeQuickBooksOnline) -> TokensInMemory:
    """Tokens as after a sign-in that nobody has to click through."""
    settings, _ = connection(fake)
    return signed_in(QuickBooksOnlineProvider, settings, fake.oauth.first())


def connect(fake: FakeQuickBooksOnline, **options: Any) -> QuickBooksOnlineProvider:
    settings, credentials = connection(fake)
    settings |= {REALM_SETTING: REALM, **options.pop("settings", {})}
    tokens = options.pop("tokens", None) or grant(fake)
    limits: dict[str, Any] = {"limits": LIMITS, "retries": ONCE}
    return QuickBooksOnlineProvider(
        settings, credentials, allow_private_addresses=True, tokens=tokens, **(limits | options)
    )


def pages(fake: FakeQuickBooksOnline, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class QuickBooksBooks:
    """The acts of the contract."""

    lacks: ClassVar[Mapping[str, str]] = {
        "pending": "a check that waits to be printed has no number yet; see test_quickbooks_online",
        "void": "a void takes the amount out of the record; see test_quickbooks_online",
        "pay_with_discount": "a discount is a vendor credit in QuickBooks",
    }

    def __init__(self, fake: FakeQuickBooksOnline) -> None:
        self.server = self.fake = fake
        self.bills: dict[str, ledger.Bill] = {}
        self.checks: dict[str, ledger.Payment] = {}

    def bill(self, total: str) -> Bill:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Bill:
        made = self.fake.ledger.bill(f"ACME-{len(self.bills) + 1}", total, currency=currency)
        self.bills[str(made.number)] = made
        return Bill(str(made.number), made.reference)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        check = str(5001 + len(self.checks))
        state = ledger.State.PENDING if pending else ledger.State.ISSUED
        paid = [(self.bills[bill.remote_id], amount) for bill, amount in pays]
        self.checks[check] = self.fake.ledger.pay(check, *paid, state=state)
        return check

    def pay_directly(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount))

    def draft(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount))

    def credit(self, bill: Bill, amount: str) -> None:
        """A payment over nothing, with which QuickBooks books a credit against a bill."""
        used = OtherLine("VendorCredit", "900", Decimal(amount))
        self.fake.pay_with_credit("", (self.bills[bill.remote_id], amount), others=[used])

    def issue(self, check: str) -> None:
        self.fake.ledger.issue(self.checks[check])

    def void(self, check: str) -> None:
        self.fake.ledger.void(self.checks[check])

    def unapply(self, check: str) -> None:
        self.fake.ledger.unapply(self.checks[check])

    def delete(self, check: str) -> None:
        self.fake.ledger.delete(self.checks[check])

    def settle(self) -> None:
        self.fake.ledger.pass_time(2)

    def now(self) -> dt.datetime:
        return self.fake.ledger.now

    def expire(self) -> None:
        self.fake.oauth.expire()

    def revoke(self) -> None:
        self.fake.oauth.revoke()

    def provider(self, **options: Any) -> QuickBooksOnlineProvider:
        return connect(self.fake, **options)
