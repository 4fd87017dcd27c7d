"""An accountant in the stand-in for Sage Intacct, and providers that read it."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from erp_integrations.providers.contract import Page
from erp_integrations.providers.oauth import Signer
from erp_integrations.providers.sage_intacct.provider import SageIntacctProvider
from tests.erp_integrations.providers.contract_suite import Bill
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.fakes import ledger
from tests.fakes.authorization import CLIENT, SECRET, TokensInMemory
from tests.fakes.ledger import Application, Payment, State
from tests.fakes.sage_intacct import FakeSageIntacct, connection


def tokens_of(fake: FakeSageIntacct, settings: Mapping[str, str]) -> TokensInMemory:
    signer = Signer(
        SageIntacctProvider.authorization(settings),
        erp="Sage Intacct",
        client_id=CLIENT,
        client_secret=SECRET,
        allow_private=True,
        limits=LIMITS,
    )
    return TokensInMemory(fake.tokens.first(), signer)


def connect(fake: FakeSageIntacct, **options: Any) -> SageIntacctProvider:
    settings, credentials = connection(fake)
    settings |= options.pop("settings", {})
    given: dict[str, Any] = {"limits": LIMITS, "retries": ONCE} | options
    given.setdefault("tokens", tokens_of(fake, settings))
    return SageIntacctProvider(settings, credentials, allow_private_addresses=True, **given)


def pages(fake: FakeSageIntacct, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class SageIntacctBooks:
    """The acts of the contract, in the stand-in."""

    lacks: ClassVar[Mapping[str, str]] = {
        "unapply": "a confirmed payment is reversed as a whole, it never leaves a bill alone"
    }

    def __init__(self, fake: FakeSageIntacct) -> None:
        self.server = fake
        self.checks: dict[str, Payment] = {}

    def now(self) -> dt.datetime:
        return self.server.ledger.now

    def bill(self, total: str) -> Bill:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Bill:
        books = self.server.ledger
        made = books.bill(f"ACME-{len(books.bills) + 1}", total, currency=currency)
        return Bill(str(made.number), made.reference)

    def _bill(self, bill: Bill) -> ledger.Bill:
        return self.server.ledger.bills[int(bill.remote_id)]

    def _pay(self, *pays: Application, **fields: Any) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        self.checks[check] = self.server.ledger.pay(check, *pays, **fields)
        return check

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        applied = [Application(self._bill(bill), Decimal(amount)) for bill, amount in pays]
        return self._pay(*applied, state=State.PENDING if pending else State.ISSUED)

    def pay_directly(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount))

    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str:
        paid = Application(self._bill(bill), Decimal(amount), discount=Decimal(discount))
        return self._pay(paid)

    def credit(self, bill: Bill, amount: str) -> None:
        paid = Application(self._bill(bill), Decimal(amount))
        self.server.ledger.pay("", paid, is_credit=True)

    def draft(self, bill: Bill, amount: str) -> str:
        return self._pay(Application(self._bill(bill), Decimal(amount)), state=State.DRAFT)

    def issue(self, check: str) -> None:
        self.server.ledger.issue(self.checks[check])

    def void(self, check: str) -> None:
        self.server.ledger.void(self.checks[check])

    def unapply(self, check: str) -> None:
        raise NotImplementedError(self.lacks["unapply"])

    def delete(self, check: str) -> None:
        self.server.ledger.delete(self.checks[check])

    def settle(self) -> None:
        self.server.ledger.pass_time(2)

    def expire(self) -> None:
        self.server.tokens.expire()

    def revoke(self) -> None:
        self.server.tokens.revoke()

    def provider(self, **options: Any) -> SageIntacctProvider:
        return connect(self.server, **options)
