"""A vendor ledger as Business Central keeps it: entries, and details that are only ever added.

Each act writes what posting writes there. An application is a pair of details:
one on the entry that was applied, one on the entry that was applying, and both
name the applying one. Taking it back marks both and adds their mirrors.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from tests.fakes.ledger import START, Vendor

PAYMENT, INVOICE, CREDIT, BLANK = "Payment", "Invoice", "Credit_x0020_Memo", "_x0020_"
INITIAL, APPLICATION, DISCOUNT = "Initial_x0020_Entry", "Application", "Payment_x0020_Discount"
LOCAL = "USD"


@dataclass(eq=False)
class Entry:
    number: int
    type: str
    document: str
    external: str
    vendor: Vendor
    currency: str
    amount: Decimal
    date: dt.date
    modified: dt.datetime
    method: str = ""
    description: str = ""
    check: str = ""
    check_is_voided: bool = False
    is_reversed: bool = False
    reverses: int = 0


@dataclass(eq=False)
class Detail:
    number: int
    type: str
    entry: Entry
    #: the applying entry of an application
    applied: Entry | None
    transaction: int
    amount: Decimal
    modified: dt.datetime
    is_unapplied: bool = False
    unapplied_by: int = 0


class VendorLedger:
    """Amounts of payments are above zero, those of invoices below, as in the books."""

    def __init__(self, *, now: dt.datetime = START) -> None:
        self.now = now
        self.vendors: list[Vendor] = []
        self.entries: dict[int, Entry] = {}
        self.details: list[Detail] = []
        #: the same by entry, by applying entry, and by transaction: books may be large
        self.on_entry: dict[int, list[Detail]] = defaultdict(list)
        self.by_applying: dict[int, list[Detail]] = defaultdict(list)
        self.in_transaction: dict[int, list[Detail]] = defaultdict(list)
        #: entries by type, and by any number that is written on them
        self.called: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._transaction = 0
        self.vendor("V-ACME", "Acme Concrete LLC")

    def pass_time(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def vendor(self, code: str, name: str) -> Vendor:
        known = [each for each in self.vendors if each.code == code]
        if not known:
            known = [Vendor(len(self.vendors) + 1, code, name)]
            self.vendors += known
        return known[0]

    # ----------------------------------------------------------------- the acts
    def invoice(
        self,
        reference: str,
        total: str | Decimal,
        *,
        vendor: Vendor | None = None,
        currency: str = LOCAL,
        date: dt.date | None = None,
    ) -> Entry:
        self._transaction += 1
        number = f"PPI{len(self.entries) + 1:06d}"
        owner = vendor or self.vendors[0]
        return self._post(INVOICE, number, -Decimal(total), owner, currency, date, reference)

    def pay(
        self,
        check: str,
        *pays: tuple[Entry, str | Decimal],
        total: str | Decimal | None = None,
        discount: str | Decimal = "0",
        method: str = "CHECK",
        is_printed: bool = True,
        date: dt.date | None = None,
    ) -> Entry:
        """A payment that is applied as it is posted; ``discount`` is taken on the first invoice."""
        self._transaction += 1
        sums = sum((Decimal(amount) for _, amount in pays), Decimal(0))
        owner = pays[0][0].vendor if pays else self.vendors[0]
        currency = pays[0][0].currency if pays else LOCAL
        amount = sums if total is None else Decimal(total)
        made = self._post(PAYMENT, check, amount, owner, currency, date)
        made.method, made.check = method, check if is_printed else ""
        for place, (invoice, part) in enumerate(pays):
            self._pair(invoice, made, Decimal(part))
            if place == 0 and Decimal(discount):
                self._write(DISCOUNT, invoice, None, Decimal(discount))
        return made

    def apply(
        self, applying: Entry, other: Entry, amount: str | Decimal, own: str | Decimal = ""
    ) -> None:
        """Two entries that stand in the books already. ``own``: in the applying one's currency."""
        self._transaction += 1
        self._pair(other, applying, Decimal(amount), Decimal(own or amount))

    def unapply(self, entry: Entry) -> None:
        self._transaction += 1
        touched = {id(it): it for it in self.on_entry[entry.number]}
        touched |= {id(it): it for it in self.by_applying[entry.number]}
        for each in touched.values():
            if each.type != APPLICATION or each.is_unapplied:
                continue
            for detail in (each, *self._discounts(each)):
                mirror = self._write(detail.type, detail.entry, detail.applied, -detail.amount)
                detail.is_unapplied = mirror.is_unapplied = True
                detail.unapplied_by, detail.modified = mirror.number, self.now

    def reverse(self, payment: Entry) -> Entry:
        """A second entry takes it back; a payment has to be unapplied before."""
        self.unapply(payment)
        made = self._against(payment, PAYMENT)
        made.reverses, payment.is_reversed, payment.modified = payment.number, True, self.now
        made.is_reversed = True
        return made

    def void_check(self, payment: Entry) -> Entry:
        """*Unapply and void check*: the check ledger says so, the entry itself does not."""
        self.unapply(payment)
        payment.check_is_voided = True
        return self._against(payment, BLANK)

    def credit(self, invoice: Entry, amount: str | Decimal) -> Entry:
        self._transaction += 1
        number = f"PCM{len(self.entries) + 1:06d}"
        made = self._post(CREDIT, number, Decimal(amount), invoice.vendor, invoice.currency)
        self._pair(invoice, made, Decimal(amount))
        return made

    def paid(self, invoice: Entry) -> Decimal:
        return sum(
            (
                abs(each.amount)
                for each in (*self.on_entry[invoice.number], *self.by_applying[invoice.number])
                if each.type == APPLICATION and not each.is_unapplied and each.applied
                if (each.entry is invoice and each.applied.type == PAYMENT)
                or (each.applied is invoice and each.entry.type == PAYMENT)
            ),
            Decimal(0),
        )

    # ---------------------------------------------------------------- what is written
    def _against(self, payment: Entry, type_: str) -> Entry:
        self._transaction += 1
        made = self._post(
            type_, payment.document, -payment.amount, payment.vendor, payment.currency
        )
        self._pair(payment, made, -payment.amount)
        return made

    def _post(
        self,
        type_: str,
        document: str,
        amount: Decimal,
        vendor: Vendor,
        currency: str,
        date: dt.date | None = None,
        external: str = "",
    ) -> Entry:
        made = Entry(
            number=len(self.entries) + 101,
            type=type_,
            document=document,
            external=external,
            vendor=vendor,
            currency=currency,
            amount=amount,
            date=date or self.now.date(),
            modified=self.now,
        )
        self.entries[made.number] = made
        for name in {document, external}:
            self.called[type_, name].append(made)
        self._write(INITIAL, made, None, amount)
        return made

    def _pair(
        self, other: Entry, applying: Entry, amount: Decimal, own: Decimal | None = None
    ) -> None:
        """``amount`` is what the other one loses of what is owed on it, in its currency."""
        self._write(APPLICATION, other, applying, amount)
        self._write(APPLICATION, applying, applying, -(amount if own is None else own))

    def _write(self, type_: str, entry: Entry, applied: Entry | None, amount: Decimal) -> Detail:
        made = Detail(
            number=len(self.details) + 5001,
            type=type_,
            entry=entry,
            applied=applied,
            transaction=self._transaction,
            amount=amount,
            modified=self.now,
        )
        self.details.append(made)
        self.on_entry[entry.number].append(made)
        self.in_transaction[made.transaction].append(made)
        if applied:
            self.by_applying[applied.number].append(made)
        return made

    def _discounts(self, application: Detail) -> list[Detail]:
        return [
            each
            for each in self.in_transaction[application.transaction]
            if each.type == DISCOUNT and each.entry is application.entry and not each.is_unapplied
        ]
