"""An accountant whose ERP's stand-in shows a ``Ledger``, and hides nothing of its acts."""

import datetime as dt
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from tests.erp_integrations.providers.contract_suite import Bill
from tests.fakes import ledger
from tests.fakes.authorization import AuthorizationServer
from tests.fakes.ledger import Application, Ledger, Payment, State


class Shown(Protocol):
    """A stand-in with a ledger and an authorization server."""

    ledger: Ledger
    tokens: AuthorizationServer

    def remote_id_of(self, bill: ledger.Bill) -> str: ...


Fake = TypeVar("Fake", bound=Shown)


class LedgerBooks(Generic[Fake]):
    """The acts of the contract. A subclass says what its ERP lacks, and makes providers."""

    def __init__(self, fake: Fake) -> None:
        self.server = fake
        self.bills: dict[str, ledger.Bill] = {}
        self.checks: dict[str, Payment] = {}

    def now(self) -> dt.datetime:
        return self.server.ledger.now

    def bill(self, total: str) -> Bill:
        return self.bill_in("USD", total)

    def bill_in(self, currency: str, total: str) -> Bill:
        made = self.server.ledger.bill(f"ACME-{len(self.bills) + 1}", total, currency=currency)
        remote_id = self.server.remote_id_of(made)
        self.bills[remote_id] = made
        return Bill(remote_id, made.reference)

    def _pay(self, *pays: tuple[Bill, str], discount: str = "0", **fields: Any) -> str:
        check = f"CHK-{len(self.checks) + 1}"
        applied = [
            Application(self.bills[bill.remote_id], Decimal(amount), discount=Decimal(discount))
            for bill, amount in pays
        ]
        self.checks[check] = self.server.ledger.pay(check, *applied, **fields)
        return check

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        return self._pay(*pays, state=State.PENDING if pending else State.ISSUED)

    def pay_directly(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount))

    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str:
        return self._pay((bill, amount), discount=discount)

    def credit(self, bill: Bill, amount: str) -> None:
        self._pay((bill, amount), is_credit=True)

    def draft(self, bill: Bill, amount: str) -> str:
        return self._pay((bill, amount), state=State.DRAFT)

    def issue(self, check: str) -> None:
        self.server.ledger.issue(self.checks[check])

    def void(self, check: str) -> None:
        self.server.ledger.void(self.checks[check])

    def unapply(self, check: str) -> None:
        self.server.ledger.unapply(self.checks[check])

    def delete(self, check: str) -> None:
        self.server.ledger.delete(self.checks[check])

    def settle(self) -> None:
        self.server.ledger.pass_time(2)

    def expire(self) -> None:
        self.server.tokens.expire()

    def revoke(self) -> None:
        self.server.tokens.revoke()
