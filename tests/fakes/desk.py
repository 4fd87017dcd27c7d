"""Somebody at work in the books of a stand-in, who knows bills by what the vendor wrote on them.

The demo enters its story through a desk, and ``dev.py erp`` acts through one.
"""

import datetime as dt
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from tests.fakes.ledger import Bill, Ledger, Payment, State

Pays = list[tuple[str, Decimal]]


class Booked(NamedTuple):
    """A bill as it stands in the books; ``remote_id`` is what a provider reads as its id."""

    remote_id: str
    reference: str
    vendor_code: str
    total: Decimal
    paid: Decimal
    date: dt.date


class Desk(Protocol):
    """What every stand-in lets people do. Raises ``LookupError`` with a sentence."""

    def vendor(self, code: str, name: str) -> str:
        """The vendor's id in this ERP."""

    def bill(self, reference: str, total: Decimal, vendor: str, on: dt.date, order: str) -> str:
        """A posted bill of the vendor with this code; its id in this ERP."""

    def pay(self, check: str, pays: Pays, on: dt.date, *, pending: bool = False) -> None: ...
    def void(self, check: str) -> None: ...
    def delete(self, check: str) -> None: ...
    def bills(self) -> list[Booked]: ...


class LedgerDesk:
    """A desk at a stand-in that keeps a ``Ledger``, which is ``fake.ledger``."""

    def __init__(self, fake: Any) -> None:
        self._fake = fake
        self._ledger: Ledger = fake.ledger

    def vendor(self, code: str, name: str) -> str:
        return str(self._fake.vendor_ref_of(self._ledger.vendor(code, name)))

    def bill(self, reference: str, total: Decimal, vendor: str, on: dt.date, order: str) -> str:
        owner = next(each for each in self._ledger.vendors if each.code == vendor)
        made = self._ledger.bill(reference, total, vendor=owner, date=on, order=order)
        return str(self._fake.remote_id_of(made))

    def pay(self, check: str, pays: Pays, on: dt.date, *, pending: bool = False) -> None:
        found = [(self._bill(reference), amount) for reference, amount in pays]
        state = State.PENDING if pending else State.ISSUED
        self._ledger.pay(check, *found, date=on, state=state)

    def void(self, check: str) -> None:
        for payment in self._of(check):
            self._ledger.void(payment)

    def delete(self, check: str) -> None:
        for payment in self._of(check):
            self._ledger.delete(payment)

    def bills(self) -> list[Booked]:
        return [
            Booked(
                remote_id=str(self._fake.remote_id_of(bill)),
                reference=bill.reference,
                vendor_code=bill.vendor.code,
                total=bill.total,
                paid=self._ledger.paid(bill),
                date=bill.date,
            )
            for bill in self._ledger.bills.values()
        ]

    def _bill(self, reference: str) -> Bill:
        for bill in self._ledger.bills.values():
            if bill.reference == reference:
                return bill
        raise LookupError(f"There is no bill {reference} in these books.")

    def _of(self, check: str) -> list[Payment]:
        found = [each for each in self._ledger.payments.values() if each.check == check]
        if not found:
            raise LookupError(f"There is no check {check} in these books.")
        return found
