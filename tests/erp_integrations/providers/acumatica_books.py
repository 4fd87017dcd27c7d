"""Somebody who keeps books in the stand-in for Acumatica, and providers that read them."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from erp_integrations.providers.acumatica.provider import AcumaticaProvider
from erp_integrations.providers.contract import Page
from tests.erp_integrations.providers.contract_suite import Bill
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.fakes import ledger
from tests.fakes.acumatica import FakeAcumatica, connection
from tests.fakes.authorization import signed_in


def connect(fake: FakeAcumatica, **options: Any) -> AcumaticaProvider:
    settings, credentials = connection(fake)
    settings |= options.pop("settings", {})
    tokens = signed_in(AcumaticaProvider, settings, fake.authorization.first())
    given: dict[str, Any] = {"limits": LIMITS, "retries": ONCE, "tokens": tokens}
    return AcumaticaProvider(
        settings, credentials, allow_private_addresses=True, **(given | options)
    )


def pages(fake: FakeAcumatica, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class AcumaticaBooks:
    """The acts of the contract, in the stand-in."""

    lacks: ClassVar[Mapping[str, str]] = {}

    def __init__(self, fake: FakeAcumatica) -> None:
        self.server = self.fake = fake
        self.ledger = fake.ledger
        self.bills: dict[str, ledger.Bill] = {}
        self.checks: dict[str, ledger.Payment] = {}
        # Books without a single document look like those of a user without any rights.
        self.bill("1")

    def bill(self, total: str) -> Bill:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Bill:
        made = self.ledger.bill(f"ACME-{len(self.bills) + 1}", total, currency=currency)
        remote_id = self.fake.remote_id_of(made)
        self.bills[remote_id] = made
        return Bill(remote_id, made.reference)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        state = ledger.State.PENDING if pending else ledger.State.ISSUED
        return self._pay(state, *((self.bills[bill.remote_id], amount) for bill, amount in pays))

    def pay_directly(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount))

    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str:
        of = self.bills[bill.remote_id]
        applied = ledger.Application(of, Decimal(amount), discount=Decimal(discount))
        return self._pay(ledger.State.ISSUED, applied)

    def draft(self, bill: Bill, amount: str) -> str:
        return self._pay(ledger.State.DRAFT, (self.bills[bill.remote_id], amount))

    def _pay(self, state: ledger.State, *pays: Any) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        self.checks[check] = self.ledger.pay(check, *pays, state=state)
        return check

    def credit(self, bill: Bill, amount: str) -> None:
        self.ledger.pay("CR-1", (self.bills[bill.remote_id], amount), is_credit=True)

    def issue(self, check: str) -> None:
        self.ledger.issue(self.checks[check])

    def void(self, check: str) -> None:
        self.ledger.void(self.checks[check])

    def unapply(self, check: str) -> None:
        payment = self.checks[check]
        self.fake.reversed[payment.number] = list(payment.applications)
        self.ledger.unapply(payment)

    def delete(self, check: str) -> None:
        self.ledger.delete(self.checks[check])

    def expire(self) -> None:
        self.fake.authorization.expire()

    def revoke(self) -> None:
        self.fake.authorization.revoke()

    def settle(self) -> None:
        self.ledger.pass_time(2)

    def now(self) -> dt.datetime:
        return self.ledger.now

    def provider(self, **options: Any) -> AcumaticaProvider:
        return connect(self.fake, **options)
