"""Entries of the vendor ledger → the types of the contract. Pure: no network, no clock.

The ledger is only ever added to. A payment is an entry above zero, an invoice
one below; an application is a pair of details, of which the one on the entry
that was applied names the entry that was applying. Taking it back marks both
and adds their mirrors, all of them *unapplied*.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NamedTuple

import msgspec

from erp_integrations.providers.change_order import Mapped, Place
from erp_integrations.providers.contract import (
    RejectedRecord,
    RemoteAllocation,
    RemoteBill,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
    RemoteVendor,
    Tenant,
)

#: what is kept of a record that cannot be used
RAW_SIZE = 4000
PAYMENT, INVOICE, APPLICATION = "Payment", "Invoice", "Application"
CARD_WORDS = ("card", "visa", "amex", "mastercard")
CHECK_WORDS = ("check", "cheque", "chk")


# ------------------------------------------------- what our API pages send
class DetailRow(msgspec.Struct, rename="camel"):
    """A row of *Detailed Vendor Ledg. Entry*; ``other`` is the other entry of an application."""

    entry_number: int
    entry_type: str
    vendor_ledger_entry_number: int
    applied_entry_number: int
    transaction_number: int
    amount: Decimal
    currency_code: str
    unapplied: bool
    discount: Decimal
    last_modified_date_time: datetime
    other_entry_number: int = 0
    other_document_type: str = ""
    other_document_number: str = ""
    other_external_document_number: str = ""


class EntryRow(msgspec.Struct, rename="camel"):
    """A row of *Vendor Ledger Entry* with what was booked on it, and applied by it."""

    entry_number: int
    document_type: str
    document_number: str
    external_document_number: str
    posting_date: date
    description: str
    vendor_number: str
    vendor_name: str
    currency_code: str
    original_amount: Decimal
    payment_method_code: str
    check_number: str
    check_is_voided: bool
    reversed: bool
    reversed_entry_number: int
    last_modified_date_time: datetime
    vendor_ledger_details: list[DetailRow]
    applied_vendor_entries: list[DetailRow]


class ChangeRow(msgspec.Struct, rename="camel"):
    """What a change of the ledger says: when, and of which entry."""

    entry_number: int
    vendor_ledger_entry_number: int
    last_modified_date_time: datetime


class VendorRow(msgspec.Struct, rename="camel"):
    number: str
    display_name: str


class CompanyRow(msgspec.Struct, rename="camel"):
    id: str
    name: str
    display_name: str = ""


class _Entry(msgspec.Struct, rename="camel"):
    entry_number: int


class Applied(NamedTuple):
    """A part of an entry that was applied to another one, in the first one's currency."""

    other: DetailRow
    amount: Decimal
    discount: Decimal


# ------------------------------------------------------------------ mapping
def payments(rows: Iterable[msgspec.Raw]) -> Mapped:
    """Those entries that are payments: neither money that comes back nor half of a reversal."""
    mapped = Mapped([], [])
    for raw in rows:
        try:
            row = entry(raw)
            if is_payment(row):
                mapped.payments.append(_payment(row))
        except (ValueError, ArithmeticError, RecursionError) as error:
            mapped.rejected.append(_rejected(raw, error))
    return mapped


def entry(raw: msgspec.Raw) -> EntryRow:
    """Raises ``ValueError``."""
    return msgspec.json.decode(raw, type=EntryRow)


def is_payment(row: EntryRow) -> bool:
    """A payment below zero is a refund, or what voids or reverses another entry."""
    is_money_out = row.document_type == PAYMENT and row.original_amount > 0
    return is_money_out and not row.reversed_entry_number


def bill(row: EntryRow) -> RemoteBill:
    """An invoice. Raises ``ValueError``."""
    paid = (each.amount for each in _applied(row) if each.other.other_document_type == PAYMENT)
    return RemoteBill(
        remote_id=str(row.entry_number),
        number=row.external_document_number or row.document_number,
        vendor_ref=row.vendor_number,
        vendor_name=row.vendor_name,
        currency=row.currency_code,
        total=-_finite(row.original_amount),
        paid=-sum(paid, Decimal(0)),
        is_posted=True,
        is_cancelled=row.reversed,
    )


def payers_of(row: EntryRow) -> set[int]:
    """Entries of payments that were ever applied to this one, taken back or not."""
    return {
        each.other_entry_number
        for each in (*row.vendor_ledger_details, *row.applied_vendor_entries)
        if each.other_document_type == PAYMENT and each.other_entry_number != row.entry_number
    }


def change(raw: msgspec.Raw) -> ChangeRow | None:
    try:
        return msgspec.json.decode(raw, type=ChangeRow)
    except (ValueError, RecursionError):
        return None


def place_of_change(raw: msgspec.Raw) -> Place | None:
    row = change(raw)
    return Place(row.last_modified_date_time.astimezone(UTC), row.entry_number) if row else None


def last_change(raw: msgspec.Raw) -> Place | None:
    """Where an entry stands in the order of changes: at its own latest detail."""
    try:
        details = entry(raw).vendor_ledger_details
    except (ValueError, RecursionError):
        return None
    places = (
        Place(each.last_modified_date_time.astimezone(UTC), each.entry_number) for each in details
    )
    return max(places, default=None)


def number_of(raw: msgspec.Raw) -> int | None:
    try:
        return msgspec.json.decode(raw, type=_Entry).entry_number
    except (ValueError, RecursionError):
        return None


def vendor(raw: msgspec.Raw) -> RemoteVendor:
    row = msgspec.json.decode(raw, type=VendorRow)
    return RemoteVendor(row.number, row.number, row.display_name or row.number)


def company(raw: msgspec.Raw) -> Tenant:
    row = msgspec.json.decode(raw, type=CompanyRow)
    return Tenant(row.id, row.display_name or row.name)


# ------------------------------------------------------------------- one payment
def _payment(row: EntryRow) -> RemotePayment:
    is_voided = row.reversed or row.check_is_voided
    # An entry that is older than version 17 has no moment of its last change.
    changes = [datetime.combine(row.posting_date, time.min, UTC), row.last_modified_date_time]
    changes += [each.last_modified_date_time for each in row.vendor_ledger_details]
    method = _method(row)
    return RemotePayment(
        remote_id=str(row.entry_number),
        number=row.document_number,
        status=RemoteStatus.VOIDED if is_voided else RemoteStatus.ISSUED,
        method=method,
        date=row.posting_date,
        currency=row.currency_code,
        total=_finite(row.original_amount),
        modified_at=max(changes).astimezone(UTC),
        allocations=_allocations(row, is_voided=is_voided),
        check_number=_check_number(row, method),
        vendor_ref=row.vendor_number,
        vendor_name=row.vendor_name,
        memo=row.description,
    )


def _allocations(row: EntryRow, *, is_voided: bool) -> tuple[RemoteAllocation, ...]:
    """By invoice. What a voided payment had paid before it was unapplied is kept."""
    paid: dict[int, Decimal] = defaultdict(Decimal)
    discount: dict[int, Decimal] = defaultdict(Decimal)
    numbers: dict[int, str] = {}
    for each in _applied(row, with_unapplied=is_voided):
        other = each.other
        if other.other_document_type != INVOICE or (is_voided and each.amount < 0):
            continue
        paid[other.other_entry_number] += each.amount
        discount[other.other_entry_number] += each.discount
        numbers[other.other_entry_number] = (
            other.other_external_document_number or other.other_document_number
        )
    return tuple(
        RemoteAllocation(str(bill), numbers[bill], paid[bill], discount=discount[bill])
        for bill in paid
        if paid[bill] or discount[bill]
    )


def _applied(row: EntryRow, *, with_unapplied: bool = False) -> Iterator[Applied]:
    """What this entry was applied to, by pairs of details, above zero for a payment.

    A detail on this entry takes away from it. Was this the applying entry, its
    own details name itself, and the other halves are on the other entries: in
    *their* currency. Then the own halves, which were booked in the same
    transaction in the same order, say the amount.
    """
    own = [each for each in row.vendor_ledger_details if each.entry_type == APPLICATION]
    own = [each for each in own if with_unapplied or not each.unapplied]
    for each in own:
        if each.applied_entry_number != row.entry_number:
            yield Applied(each, -_finite(each.amount), _finite(each.discount))
    mine = [each for each in own if each.applied_entry_number == row.entry_number]
    theirs = [
        each
        for each in row.applied_vendor_entries
        if each.entry_type == APPLICATION
        and each.vendor_ledger_entry_number != row.entry_number
        and (with_unapplied or not each.unapplied)
    ]
    for each in theirs:
        if each.currency_code == row.currency_code:
            yield Applied(each, _finite(each.amount), _finite(each.discount))
        else:
            yield Applied(each, -_own_half(each, mine, theirs), Decimal(0))


def _own_half(half: DetailRow, mine: Sequence[DetailRow], theirs: Sequence[DetailRow]) -> Decimal:
    """Raises ``ValueError`` when the pairs of a transaction cannot be told."""

    def booked(rows: Sequence[DetailRow]) -> list[DetailRow]:
        same = (each for each in rows if each.transaction_number == half.transaction_number)
        return sorted(same, key=lambda each: each.entry_number)

    own, others = booked(mine), booked(theirs)
    if len(own) != len(others):
        raise ValueError(
            f"it was applied to a document in {half.currency_code}, and what that is in its own "
            f"currency cannot be told"
        )
    return _finite(own[others.index(half)].amount)


def _method(row: EntryRow) -> RemoteMethod:
    """A printed check is in the check ledger; else the company's own code has to say it."""
    word = row.payment_method_code.lower()
    if row.check_number or any(each in word for each in CHECK_WORDS):
        return RemoteMethod.CHECK
    if any(each in word for each in CARD_WORDS):
        return RemoteMethod.CREDIT_CARD
    return RemoteMethod.ELECTRONIC


def _check_number(row: EntryRow, method: RemoteMethod) -> str:
    if row.check_number or method is not RemoteMethod.CHECK:
        return row.check_number
    return row.external_document_number or row.document_number


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount


def rejected_change(raw: msgspec.Raw) -> RejectedRecord:
    """A change of the ledger of which not even the entry is known."""
    return RejectedRecord(
        remote_id="",
        reason="Business Central sent a change of the vendor ledger that cannot be read.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )


def _rejected(raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    number = number_of(raw)
    remote_id = "" if number is None else str(number)
    return RejectedRecord(
        remote_id=remote_id,
        reason=f"Business Central sent a payment that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )
