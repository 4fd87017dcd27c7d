"""The books behind a stand-in for an ERP: bills, payments, and what accountants do to them.

What it knows is what every ERP has in one form or another. A stand-in inherits
from nobody else's wire format: it keeps a ``Ledger`` and shows it as its own
system does, with that system's ids, states, paging, limits and errors.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

START = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)


class State(StrEnum):
    DRAFT = "draft"
    PENDING = "pending"
    ISSUED = "issued"
    VOIDED = "voided"


@dataclass
class Vendor:
    number: int
    code: str
    name: str


@dataclass
class BillLine:
    number: int
    description: str
    amount: Decimal


@dataclass
class Bill:
    """``number`` is the ERP's key, ``reference`` what the vendor wrote on it."""

    number: int
    reference: str
    vendor: Vendor
    currency: str
    lines: list[BillLine]
    date: dt.date
    created: dt.datetime
    modified: dt.datetime
    is_posted: bool = True
    is_cancelled: bool = False
    #: the key of an exported invoice, wherever this ERP keeps it
    memo: str = ""
    #: order or job, by its code
    order: str = ""

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass
class Application:
    """The part of a payment (or of a credit) that pays a bill."""

    bill: Bill
    amount: Decimal
    discount: Decimal = Decimal(0)
    line: BillLine | None = None


@dataclass
class Payment:
    number: int
    check: str
    vendor: Vendor
    currency: str
    total: Decimal
    date: dt.date
    created: dt.datetime
    modified: dt.datetime
    state: State = State.ISSUED
    method: str = "check"
    memo: str = ""
    applications: list[Application] = field(default_factory=list)
    #: a vendor's credit that pays bills without any money
    is_credit: bool = False
    #: booked on the bill itself, where the ERP has such a road
    is_direct: bool = False
    voided: dt.datetime | None = None


class Ledger:
    """Every act stamps what it touches with the ledger's clock, which only ``pass_time`` moves.

    ``ticks``: each act takes a second, so that moments differ; without it rows share one.
    """

    def __init__(self, *, now: dt.datetime = START, ticks: bool = False) -> None:
        self.now, self.ticks = now, ticks
        self.vendors: list[Vendor] = []
        self.bills: dict[int, Bill] = {}
        self.payments: dict[int, Payment] = {}
        #: payments that were deleted, with the moment
        self.tombstones: list[tuple[Payment, dt.datetime]] = []
        self._last = 0
        self.vendor("V-ACME", "Acme Concrete LLC")

    # ------------------------------------------------------------------ time
    def pass_time(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def stamp(self, *records: Bill | Payment) -> None:
        if self.ticks:
            self.pass_time(1)
        for record in records:
            record.modified = self.now

    def next_number(self) -> int:
        self._last += 1
        return self._last

    # ----------------------------------------------------------------- the acts
    def vendor(self, code: str, name: str) -> Vendor:
        known = [each for each in self.vendors if each.code == code]
        if not known:
            known = [Vendor(self.next_number(), code, name)]
            self.vendors += known
        return known[0]

    def bill(
        self,
        reference: str,
        *amounts: str | Decimal,
        vendor: Vendor | None = None,
        currency: str = "USD",
        memo: str = "",
        order: str = "",
        is_posted: bool = True,
        date: dt.date | None = None,
    ) -> Bill:
        """A bill with a line for each amount."""
        number = self.next_number()
        lines = [
            BillLine(self.next_number(), f"Work {place}", Decimal(amount))
            for place, amount in enumerate(amounts, start=1)
        ]
        made = Bill(
            number=number,
            reference=reference,
            vendor=vendor or self.vendors[0],
            currency=currency,
            lines=lines,
            date=date or self.now.date(),
            created=self.now,
            modified=self.now,
            memo=memo,
            order=order,
            is_posted=is_posted,
        )
        self.bills[number] = made
        self.stamp(made)
        return made

    def pay(
        self,
        check: str,
        *pays: tuple[Bill, str | Decimal] | Application,
        state: State = State.ISSUED,
        total: str | Decimal | None = None,
        method: str = "check",
        date: dt.date | None = None,
        is_credit: bool = False,
        is_direct: bool = False,
    ) -> Payment:
        """One payment over any number of bills; more ``total`` than is applied stays open."""
        applied = [
            pay if isinstance(pay, Application) else Application(pay[0], Decimal(pay[1]))
            for pay in pays
        ]
        sums = sum((each.amount for each in applied), Decimal(0))
        first = applied[0].bill if applied else None
        made = Payment(
            number=self.next_number(),
            check=check,
            vendor=first.vendor if first else self.vendors[0],
            currency=first.currency if first else "USD",
            total=sums if total is None else Decimal(total),
            date=date or self.now.date(),
            created=self.now,
            modified=self.now,
            state=state,
            method=method,
            applications=applied,
            is_credit=is_credit,
            is_direct=is_direct,
        )
        self.payments[made.number] = made
        self.stamp(made, *(each.bill for each in applied))
        return made

    def issue(self, payment: Payment) -> None:
        payment.state = State.ISSUED
        self._touch(payment)

    def void(self, payment: Payment) -> None:
        payment.state, payment.voided = State.VOIDED, self.now
        self._touch(payment)

    def unapply(self, payment: Payment) -> None:
        """The payment stays, and pays nothing any more."""
        bills = [each.bill for each in payment.applications]
        payment.applications = []
        self.stamp(payment, *bills)

    def delete(self, payment: Payment) -> None:
        bills = [each.bill for each in payment.applications]
        del self.payments[payment.number]
        self.stamp(*bills)
        self.tombstones.append((payment, self.now))

    def cancel(self, bill: Bill) -> None:
        bill.is_cancelled = True
        self.stamp(bill)

    def _touch(self, payment: Payment) -> None:
        self.stamp(payment, *(each.bill for each in payment.applications))

    # -------------------------------------------------------------- what it says
    def applied_to(self, bill: Bill) -> list[tuple[Payment, Application]]:
        """Money and credits that have left for this bill."""
        return [
            (payment, each)
            for payment in self.payments.values()
            if payment.state is State.ISSUED
            for each in payment.applications
            if each.bill is bill
        ]

    def paid(self, bill: Bill) -> Decimal:
        return sum((each.amount for _, each in self.applied_to(bill)), Decimal(0))
