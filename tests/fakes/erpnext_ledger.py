"""The books of an ERPNext site: a ledger that gives names, and gives them again."""

import datetime as dt
from decimal import Decimal
from typing import Any, ClassVar

from tests.fakes.ledger import Bill, Ledger, Payment, State, Vendor

SERIES = {"payment": "ACC-PAY", "bill": "ACC-PINV", "journal": "ACC-JV", "order": "PUR-ORD"}


class ErpNextLedger(Ledger):
    """What a Frappe site does besides: names from series, and bills cancelled under checks."""

    company: ClassVar[str] = "Northstar General Contractors"

    def __init__(self, **options: Any) -> None:
        #: by the ledger's own number
        self.names: dict[int, str] = {}
        self.counters: dict[str, int] = {}
        #: moments of entries whose lines alone were changed
        self.entry_modified: dict[int, dt.datetime] = {}
        #: what vendors wrote on bills that were entered for another day
        self.bill_dates: dict[int, dt.date] = {}
        self.jobs: list[tuple[str, str]] = []
        self.orders: list[dict[str, Any]] = []
        super().__init__(**options)

    # ----------------------------------------------------------------- the acts
    def bill(self, *args: Any, **fields: Any) -> Bill:
        made = super().bill(*args, **fields)
        self.names[made.number] = self._next("bill")
        return made

    def pay(self, *args: Any, **fields: Any) -> Payment:
        made = super().pay(*args, **fields)
        is_journal = made.is_direct or made.is_credit
        self.names[made.number] = self._next("journal" if is_journal else "payment")
        return made

    def unapply(self, payment: Payment) -> None:
        """With ERPNext's own tool: a journal entry's line loses its bill, the entry stays."""
        before = self.entry_modified.get(payment.number, payment.modified)
        super().unapply(payment)
        if payment.is_direct:
            self.entry_modified[payment.number] = before

    def cancel(self, bill: Bill) -> None:
        """The payments of it stay, and pay nothing of it any more."""
        super().cancel(bill)
        for payment in self.payments.values():
            left = [each for each in payment.applications if each.bill is not bill]
            if payment.state is not State.VOIDED and len(left) < len(payment.applications):
                before = self.entry_modified.get(payment.number, payment.modified)
                payment.applications = left
                self.stamp(payment)
                if payment.is_direct:
                    self.entry_modified[payment.number] = before

    def delete(self, payment: Payment) -> None:
        super().delete(payment)
        kind = "journal" if payment.is_direct or payment.is_credit else "payment"
        self._give_back(kind, self.names[payment.number])

    def job(self, name: str, title: str) -> None:
        self.jobs.append((name, title))

    def order(self, vendor: Vendor, code: str, total: str, **fields: Any) -> dict[str, Any]:
        made = {
            "name": self._next("order"),
            "vendor": vendor,
            "code": code,
            "total": Decimal(total),
            "created": self.now,
            "docstatus": 1,
            **fields,
        }
        self.orders.append(made)
        return made

    # -------------------------------------------------------------------- names
    def name_of(self, record: Bill | Payment) -> str:
        return self.names[record.number]

    def bill_named(self, name: str) -> Bill | None:
        return next((each for each in self.bills.values() if self.name_of(each) == name), None)

    def remove_bill(self, bill: Bill) -> None:
        del self.bills[bill.number]
        self._give_back("bill", self.name_of(bill))

    def _next(self, kind: str) -> str:
        self.counters[kind] = self.counters.get(kind, 0) + 1
        return f"{SERIES[kind]}-2026-{self.counters[kind]:05d}"

    def _give_back(self, kind: str, name: str) -> None:
        """Frappe rolls a series back when the last of its names is deleted."""
        if name == f"{SERIES[kind]}-2026-{self.counters[kind]:05d}":
            self.counters[kind] -= 1

    def settled(self) -> dict[int, Decimal]:
        """What is no longer open of each bill, by money, discount or credit."""
        found: dict[int, Decimal] = {}
        for payment in self.payments.values():
            for each in payment.applications if payment.state is State.ISSUED else ():
                number, amount = each.bill.number, each.amount + each.discount
                found[number] = found.get(number, Decimal(0)) + amount
        return found
