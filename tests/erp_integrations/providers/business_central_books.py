"""Somebody who keeps books in the stand-in for Business Central, and providers that read them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from erp_integrations.providers.business_central.provider import BusinessCentralProvider
from erp_integrations.providers.contract import Page
from tests.erp_integrations.providers.contract_suite import Bill
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.fakes.authorization import signed_in
from tests.fakes.business_central import FakeBusinessCentral, connection
from tests.fakes.business_central_ledger import Entry


def connect(fake: FakeBusinessCentral, **options: Any) -> BusinessCentralProvider:
    settings, credentials = connection(fake)
    settings |= options.pop("settings", {})
    # Nobody is asked when it runs out, so there is nothing to refresh it with.
    token = replace(fake.authorization.first(), refresh="")
    tokens = signed_in(BusinessCentralProvider, settings, token)
    given: dict[str, Any] = {"limits": LIMITS, "retries": ONCE, "tokens": tokens}
    return BusinessCentralProvider(
        settings, credentials, allow_private_addresses=True, **(given | options)
    )


def pages(fake: FakeBusinessCentral, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class BusinessCentralBooks:
    """The acts of the contract, in the stand-in."""

    lacks: ClassVar[Mapping[str, str]] = {
        "pending": "the vendor ledger holds only what is posted",
        "delete": "entries of the vendor ledger are never deleted, only reversed",
    }

    def __init__(self, fake: FakeBusinessCentral) -> None:
        self.server = self.fake = fake
        self.ledger = fake.ledger
        self.bills: dict[str, Entry] = {}
        self.checks: dict[str, Entry] = {}
        # Books without a single entry look like those of an app that sees nothing.
        self.bill("1")

    def bill(self, total: str) -> Bill:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Bill:
        made = self.ledger.invoice(f"ACME-{len(self.bills) + 1}", total, currency=currency)
        self.bills[str(made.number)] = made
        return Bill(str(made.number), made.external)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        assert not pending
        return self._pay(*((self.bills[bill.remote_id], amount) for bill, amount in pays))

    def pay_directly(self, bill: Bill, amount: str) -> str:
        """Posted without a bill, and applied later, by the invoice."""
        invoice = self.bills[bill.remote_id]
        check = self._pay(total=amount)
        self.ledger.apply(invoice, self.checks[check], f"-{amount}", own=f"-{amount}")
        return check

    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str:
        return self._pay((self.bills[bill.remote_id], amount), discount=discount)

    def _pay(self, *pays: tuple[Entry, str], **options: Any) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        self.checks[check] = self.ledger.pay(check, *pays, **options)
        return check

    def draft(self, bill: Bill, amount: str) -> str:
        raise NotImplementedError

    issue = delete = draft

    def credit(self, bill: Bill, amount: str) -> None:
        self.ledger.credit(self.bills[bill.remote_id], amount)

    def void(self, check: str) -> None:
        self.ledger.void_check(self.checks[check])

    def unapply(self, check: str) -> None:
        self.ledger.unapply(self.checks[check])

    def expire(self) -> None:
        self.fake.authorization.expire()

    def revoke(self) -> None:
        self.fake.authorization.is_revoked = True
        self.fake.authorization.revoke()

    def settle(self) -> None:
        self.ledger.pass_time(2)

    def now(self) -> dt.datetime:
        return self.ledger.now

    def provider(self, **options: Any) -> BusinessCentralProvider:
        return connect(self.fake, **options)
