"""Why an invoice is paid differently in the two books: causes that add up to the difference.

Pure: what both books say goes in, amounts with a code come out. An amount above
zero is paid in the ERP and not here; below zero, here and not there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from projects.money import ZERO


class Code(StrEnum):
    WAITING = "waiting"
    NOT_READ = "not_read"
    PENDING = "pending"
    VOIDED = "voided"
    MISSING = "missing"
    VANISHED = "vanished"
    OTHER_COMMITMENT = "other_commitment"
    MANUAL_DUPLICATE = "manual_duplicate"
    HAND_ENTERED = "hand_entered"
    BILL_MISSING = "bill_missing"
    BILL_CANCELLED = "bill_cancelled"
    BILL_CURRENCY = "bill_currency"
    UNEXPLAINED = "unexplained"


#: causes that say that there is no bill to compare with
BILL_CODES = (Code.BILL_MISSING, Code.BILL_CANCELLED, Code.BILL_CURRENCY)


class Stage(StrEnum):
    """How far a payment of the ERP has got, as it was last read."""

    PENDING = "pending"
    ISSUED = "issued"
    VOIDED = "voided"
    VANISHED = "vanished"


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What the ERP said of one payment's part on this bill when it was last read."""

    allocation_id: int
    name: str
    check: str
    amount: Decimal
    stage: Stage = Stage.ISSUED
    #: why it waits; empty: it does not
    waits_for: str = ""
    #: a sweep has missed it once
    is_missing: bool = False
    #: the invoice on which it stands here, and whether it counts there
    invoice_id: int | None = None
    is_counted: bool = True


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A payment that counts on the invoice here."""

    payment_id: int
    name: str
    check: str
    amount: Decimal
    is_synced: bool = False
    #: of another bill than this invoice's
    is_of_other_bill: bool = False
    #: entered by hand beside a synced one that equals it
    is_duplicate: bool = False


@dataclass(frozen=True, kw_only=True)
class BothBooks:
    """One invoice in both books; ``erp_paid`` was asked of the ERP just now."""

    invoice_id: int
    erp_paid: Decimal
    paid_here: Decimal
    stated: list[Stated] = field(default_factory=list)
    entered: list[Entered] = field(default_factory=list)
    #: set when there is no bill to compare with
    trouble: Code | None = None
    #: payments were read since the amount in question was first seen
    was_read_since: bool = False

    @property
    def difference(self) -> Decimal:
        return self.erp_paid - self.paid_here

    @property
    def unread(self) -> Decimal:
        """What of the ERP's amount no payment that was read accounts for."""
        return self.erp_paid - sum((each.amount for each in self.issued), ZERO)

    @property
    def issued(self) -> list[Stated]:
        return [each for each in self.stated if each.stage is Stage.ISSUED]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One amount of the difference. ``names`` are the payments' numbers as people see them."""

    code: Code
    amount: Decimal
    name: str = ""
    reason: str = ""
    payment_id: int | None = None
    allocation_id: int | None = None


def explain(books: BothBooks) -> list[Cause]:
    """The causes, the unexplained rest last; their amounts add up to the difference."""
    causes = [*_read_but_not_counted(books), *_of_other_bills(books), *_by_hand(books)]
    causes += _not_read(books)
    rest = books.difference - sum((each.amount for each in causes), ZERO)
    if rest:
        causes.append(Cause(code=Code.UNEXPLAINED, amount=rest))
    return causes


def _read_but_not_counted(books: BothBooks) -> Iterator[Cause]:
    for each in books.issued:
        if each.waits_for:
            yield _of(each, Code.WAITING, each.amount)
        elif each.invoice_id != books.invoice_id:
            yield _of(each, Code.OTHER_COMMITMENT, each.amount)
        elif not each.is_counted:
            yield _of(each, Code.VOIDED, each.amount)


def _of_other_bills(books: BothBooks) -> Iterator[Cause]:
    for each in books.entered:
        if each.is_synced and each.is_of_other_bill:
            yield _entered(each, Code.OTHER_COMMITMENT)


def _by_hand(books: BothBooks) -> Iterator[Cause]:
    """Hand-entered payments, each by what the ERP knows of it."""
    elsewhere = [each for each in books.stated if each.stage is not Stage.ISSUED]
    for each in books.entered:
        if each.is_synced:
            continue
        if each.is_duplicate:
            yield _entered(each, Code.MANUAL_DUPLICATE)
            continue
        alike = next((other for other in elsewhere if _is_alike(each, other)), None)
        if alike is not None:
            elsewhere.remove(alike)
        yield _entered(each, CODES[alike.stage] if alike else Code.HAND_ENTERED)


def _is_alike(entered: Entered, stated: Stated) -> bool:
    same_check = entered.check == stated.check or not entered.check or not stated.check
    return entered.amount == stated.amount and same_check


def _not_read(books: BothBooks) -> Iterator[Cause]:
    """The ERP's amount changed, or its payments are of a kind that was never read."""
    left = books.unread
    if books.trouble:
        yield Cause(code=books.trouble, amount=left)
        return
    for each, amount in _suspects(books):
        if 0 < amount <= left or left <= amount < 0:
            left -= amount
            yield _of(each, Code.MISSING if amount < 0 else CODES[each.stage], amount)
    if left and not books.was_read_since:
        yield Cause(code=Code.NOT_READ, amount=left)


def _suspects(books: BothBooks) -> list[tuple[Stated, Decimal]]:
    """Payments that may have changed since they were read, with what that changed; large first."""
    gone = [(each, -each.amount) for each in books.issued if each.is_missing]
    came = [(each, each.amount) for each in books.stated if each.stage is not Stage.ISSUED]
    return sorted(gone + came, key=lambda suspect: -abs(suspect[1]))


CODES = {
    Stage.PENDING: Code.PENDING,
    Stage.VOIDED: Code.VOIDED,
    Stage.VANISHED: Code.VANISHED,
}


def _of(stated: Stated, code: Code, amount: Decimal) -> Cause:
    return Cause(
        code=code,
        amount=amount,
        name=stated.name,
        reason=stated.waits_for,
        allocation_id=stated.allocation_id,
    )


def _entered(entered: Entered, code: Code) -> Cause:
    return Cause(
        code=code, amount=-entered.amount, name=entered.name, payment_id=entered.payment_id
    )


def unexplained(causes: Iterable[Cause]) -> Decimal:
    return sum((each.amount for each in causes if each.code is Code.UNEXPLAINED), ZERO)
