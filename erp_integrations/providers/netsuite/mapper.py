"""NetSuite's rows → the types of the contract. Pure: no network, no clock.

SuiteQL answers with texts, names in lower case, and leaves out what is empty.
What a payment takes from the books is below zero there.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from erp_integrations.providers.change_order import Mapped, Place
from erp_integrations.providers.contract import (
    RejectedRecord,
    RemoteAllocation,
    RemoteBill,
    RemoteJob,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
    RemoteVendor,
)

#: what is kept of a record that cannot be used
RAW_SIZE = 4000
BILL = "VendBill"
PENDING_APPROVAL, REJECTED = "1", "3"
#: letters that mean the same in every account
LETTERS = {
    "V": RemoteStatus.VOIDED,
    "E": RemoteStatus.VOIDED,
    "D": RemoteStatus.PENDING,
    "Z": RemoteStatus.PENDING,
    "F": RemoteStatus.ISSUED,
    "": RemoteStatus.ISSUED,
}
#: the others say it in words, which are those of the features that an account uses
WORDS = (
    (RemoteStatus.VOIDED, ("void", "reject", "cancel", "declin", "fail")),
    (RemoteStatus.PENDING, ("pending", "transit", "unapproved", "submitted")),
    (RemoteStatus.ISSUED, ("undefined", "approved", "paid", "confirmed", "sent", "cleared")),
)
#: what people enter in place of a check number where there is no check
ELECTRONIC = re.compile(r"^(ach|eft|wire|bacs|sepa|card|online)", re.IGNORECASE)
#: letters of bills: cancelled or voided; waiting for approval or refused it
CANCELLED_BILLS, NOT_POSTED_BILLS = {"C", "V"}, {"D", "E"}


Row = TypeVar("Row")


# ------------------------------------------------------ what NetSuite sends
class Document(msgspec.Struct):
    """What payments and bills have in common."""

    id: str
    foreigntotal: Decimal
    currency: str
    tranid: str = ""
    transactionnumber: str = ""
    status: str = ""
    statusname: str = ""
    approvalstatus: str = ""
    voided: str = "F"
    vendor: str = ""
    vendorcode: str = ""
    vendorname: str = ""

    @property
    def words(self) -> str:
        """``Bill Payment : In-Transit`` → ``in-transit``"""
        return self.statusname.rpartition(":")[2].strip().lower()

    @property
    def letter(self) -> str:
        """``F``, in some accounts ``VendPymt:F``"""
        return self.status.rpartition(":")[2].strip().upper()


class PaymentRow(Document, kw_only=True):
    trandate: date
    modified: str
    memo: str = ""


class Application(msgspec.Struct):
    """What one payment was applied to; the amount may hold a discount that was taken."""

    payment: str
    bill: str
    billtype: str
    amount: Decimal
    billnumber: str = ""
    billname: str = ""


class NamedRow(msgspec.Struct):
    id: str
    code: str
    name: str = ""


class _Reference(msgspec.Struct):
    id: str


class ApplyLine(msgspec.Struct):
    """A line of the record's ``apply`` list, which tells money and discount apart."""

    doc: _Reference
    apply: bool = False
    amount: Decimal = Decimal(0)
    disc: Decimal = Decimal(0)


class _Lines(msgspec.Struct):
    items: list[ApplyLine]


class _Record(msgspec.Struct):
    apply: _Lines


class _PlaceRow(msgspec.Struct):
    id: str
    modified: str


class _IdRow(msgspec.Struct):
    id: str


class _PaymentOf(msgspec.Struct):
    payment: str


# ------------------------------------------------------------------ mapping
Applied = Mapping[str, Sequence[Application]]
Shares = Mapping[str, Mapping[str, ApplyLine]]


def applications(rows: Iterable[msgspec.Raw]) -> Applied:
    """By payment. Raises ``ValueError``: without one of them a payment would be incomplete."""
    found: dict[str, list[Application]] = defaultdict(list)
    for raw in rows:
        row = _decoded(raw, Application)
        found[row.payment].append(row)
    return found


def with_discounts(rows: Iterable[msgspec.Raw], applied: Applied) -> list[str]:
    """Payments that were applied to more than their money; only their records can split that."""
    found = []
    for raw in rows:
        try:
            row = _decoded(raw, PaymentRow)
            sums = sum((_finite(each.amount) for each in applied.get(row.id, ())), Decimal(0))
            if row.foreigntotal and sums > abs(_finite(row.foreigntotal)):
                found.append(row.id)
        except ValueError:
            continue  # it will be rejected
    return found


def shares(body: bytes) -> dict[str, ApplyLine]:
    """Of a record ``vendorPayment``: by document, what of it was money. Raises ``ValueError``."""
    record = msgspec.json.decode(body, type=_Record, strict=False)
    return {line.doc.id: line for line in record.apply.items if line.apply}


def payments(rows: Iterable[msgspec.Raw], applied: Applied, split: Shares) -> Mapped:
    mapped = Mapped([], [])
    for raw in rows:
        try:
            row = _decoded(raw, PaymentRow)
            found = _allocations(applied.get(row.id, ()), split.get(row.id, {}))
            mapped.payments.append(_payment(row, found))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected(raw, error))
    return mapped


def ids(rows: Iterable[msgspec.Raw]) -> list[str]:
    """Of those that have one."""
    found = []
    for raw in rows:
        try:
            found.append(str(int(_decoded(raw, _IdRow).id)))
        except ValueError:
            continue
    return found


def payments_of(rows: Iterable[msgspec.Raw]) -> list[str]:
    """Raises ``ValueError``."""
    return [_decoded(raw, _PaymentOf).payment for raw in rows]


def place(raw: msgspec.Raw) -> Place | None:
    try:
        row = _decoded(raw, _PlaceRow)
        return Place(_moment(row.modified), int(row.id))
    except ValueError:
        return None


def bill(raw: msgspec.Raw, money: Mapping[str, Decimal]) -> RemoteBill:
    """Raises ``ValueError``."""
    row = _decoded(raw, Document)
    waits = row.approvalstatus in {PENDING_APPROVAL, REJECTED} or row.letter in NOT_POSTED_BILLS
    return RemoteBill(
        remote_id=row.id,
        number=row.tranid or row.transactionnumber or row.id,
        vendor_ref=row.vendor,
        vendor_name=row.vendorname or row.vendorcode,
        currency=row.currency,
        total=abs(_finite(row.foreigntotal)),
        paid=money.get(row.id, Decimal(0)),
        is_posted=not waits,
        is_cancelled=row.voided == "T" or row.letter in CANCELLED_BILLS,
    )


def vendor(raw: msgspec.Raw) -> RemoteVendor:
    """Raises ``ValueError``."""
    row = _decoded(raw, NamedRow)
    return RemoteVendor(row.id, row.code, row.name or row.code)


def job(raw: msgspec.Raw) -> RemoteJob:
    """Raises ``ValueError``."""
    row = _decoded(raw, NamedRow)
    return RemoteJob(row.id, row.code, row.name or row.code)


def _payment(row: PaymentRow, allocations: tuple[RemoteAllocation, ...]) -> RemotePayment:
    number = row.tranid.strip()
    return RemotePayment(
        remote_id=row.id,
        number=row.transactionnumber or row.id,
        status=_status(row),
        method=RemoteMethod.ELECTRONIC if ELECTRONIC.match(number) else RemoteMethod.CHECK,
        date=row.trandate,
        currency=row.currency,
        total=abs(_finite(row.foreigntotal)),
        modified_at=_moment(row.modified),
        allocations=allocations,
        check_number=number,
        vendor_ref=row.vendor,
        vendor_name=row.vendorname or row.vendorcode,
        memo=row.memo,
    )


def _status(row: PaymentRow) -> RemoteStatus:
    """Raises ``ValueError`` for what nobody here knows: it is not taken for money."""
    if row.voided == "T" or row.approvalstatus == REJECTED:
        return RemoteStatus.VOIDED
    if row.approvalstatus == PENDING_APPROVAL:
        return RemoteStatus.PENDING
    if row.letter in LETTERS:
        return LETTERS[row.letter]
    for status, words in WORDS:
        if any(word in row.words for word in words):
            return status
    raise ValueError(f"a status {row.letter} “{row.statusname}” that is not known here")


def _allocations(
    applied: Sequence[Application], split: Mapping[str, ApplyLine]
) -> tuple[RemoteAllocation, ...]:
    """Bills only: journals and expense reports that the payment pays too are no bills."""
    found = []
    for each in applied:
        line = split.get(each.bill)
        amount = _finite(line.amount if line else each.amount)
        if each.billtype != BILL or not amount:
            continue
        found.append(
            RemoteAllocation(
                bill_id=each.bill,
                bill_number=each.billnumber or each.billname or each.bill,
                amount=amount,
                discount=_finite(line.disc) if line else Decimal(0),
            )
        )
    return tuple(found)


def _decoded(raw: msgspec.Raw | bytes, form: type[Row]) -> Row:
    """Numbers may come as numbers, too: it depends on the column."""
    return msgspec.json.decode(raw, type=form, strict=False)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount


def _rejected(raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    return RejectedRecord(
        remote_id=next(iter(ids([raw])), ""),
        reason=f"NetSuite sent a payment that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )
