"""QuickBooks Online's records → the types of the contract. Pure: no network, no clock.

A ``BillPayment`` has a line for each document that it settles. Lines of bills
and of credits are both positive, and ``TotalAmt`` is what is left to pay: the
money. QuickBooks does not say which credit paid which bill, so credits are
taken off the bills in the order of the lines; what remains of a bill is what
money paid of it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeVar

import msgspec

from erp_integrations.providers.contract import (
    RejectedRecord,
    RemoteAllocation,
    RemoteBill,
    RemoteCommitment,
    RemoteJob,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
    RemoteVendor,
)

#: what is kept of a record that cannot be used
RAW_SIZE = 4000
ZERO = Decimal(0)
BILL, JOURNAL_ENTRY = "Bill", "JournalEntry"
#: other documents in accounts payable that are paid like bills
OWED = {BILL, "Deposit"}
#: how the payments of a bill are called in the bill's own links, with the way of paying behind it
PAYMENT_LINK = "BillPayment"
#: what people write instead of a check number when no check was written
ELECTRONIC = re.compile(
    r"(ach|eft|wire|dd|e-?pay\w*|e-?check|direct ?deposit|online|zelle)(?![a-z])", re.I
)
TO_PRINT = "to print"
VOIDED = "voided"
WAITING = {"draft", "pending", "intransit"}


# ------------------------------------------------------ what QuickBooks sends
class Ref(msgspec.Struct):
    value: str
    name: str | None = None


class Meta(msgspec.Struct, rename="pascal"):
    last_updated_time: datetime

    def moment(self) -> datetime:
        """With an offset on the wire (-07:00 in summer, -08:00 in winter), UTC here."""
        if self.last_updated_time.tzinfo is None:
            raise ValueError("LastUpdatedTime has no offset")
        return self.last_updated_time.astimezone(UTC)


class Link(msgspec.Struct, rename="pascal"):
    txn_id: str
    txn_type: str


class PaymentLine(msgspec.Struct, rename="pascal"):
    amount: Decimal = ZERO
    linked_txn: list[Link] = []


class Check(msgspec.Struct, rename="pascal"):
    print_status: str | None = None


class PaymentRow(msgspec.Struct, rename="pascal"):
    id: str
    vendor_ref: Ref
    pay_type: str
    total_amt: Decimal
    txn_date: date
    meta_data: Meta
    line: list[PaymentLine] = []
    check_payment: Check | None = None
    currency_ref: Ref | None = None
    doc_number: str | None = None
    private_note: str | None = None
    status: str | None = msgspec.field(default=None, name="status")


class BillRow(msgspec.Struct, rename="pascal"):
    id: str
    vendor_ref: Ref
    total_amt: Decimal
    balance: Decimal
    linked_txn: list[Link] = []
    currency_ref: Ref | None = None
    doc_number: str | None = None
    private_note: str | None = None

    @property
    def payments(self) -> list[str]:
        """Ids of the payments that settle it, with money or with credits."""
        return [each.txn_id for each in self.linked_txn if each.txn_type.startswith(PAYMENT_LINK)]


class VendorRow(msgspec.Struct, rename="pascal"):
    id: str
    display_name: str
    acct_num: str | None = None


class CustomerRow(msgspec.Struct, rename="pascal"):
    id: str
    fully_qualified_name: str
    job: bool | None = None
    is_project: bool | None = None


class OrderRow(msgspec.Struct, rename="pascal"):
    id: str
    vendor_ref: Ref
    total_amt: Decimal
    txn_date: date | None = None
    currency_ref: Ref | None = None
    doc_number: str | None = None
    private_note: str | None = None


class Key(msgspec.Struct, rename="pascal"):
    """What the order of reading hangs on."""

    id: str
    meta_data: Meta


class _Id(msgspec.Struct, rename="pascal"):
    id: str
    status: str | None = msgspec.field(default=None, name="status")


# ------------------------------------------------------------------ mapping
class Mapped(NamedTuple):
    payments: list[RemotePayment]
    rejected: list[RejectedRecord]


Row = TypeVar("Row")
Numbers = Callable[[Sequence[str]], Mapping[str, str]]
#: a document that a payment settles: kind, id, amount
Settled = tuple[str, str, Decimal]
#: the company's own currency, for records of companies that have only one
Home = Callable[[], str]


def payments(rows: Iterable[msgspec.Raw], numbers: Numbers, home: Home) -> Mapped:
    """Records of ``BillPayment``; ``numbers`` gives the vendors' numbers of bills, by id."""
    mapped = Mapped([], [])
    decoder = msgspec.json.Decoder(PaymentRow)
    readable: list[tuple[msgspec.Raw, PaymentRow, dict[str, Decimal]]] = []
    for raw in rows:
        try:
            row = decoder.decode(raw)
            readable.append((raw, row, paid_with_money(row)))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected(raw, error))
    known = numbers(sorted({bill_id for *_, paid in readable for bill_id in paid}))
    for raw, row, paid in readable:
        try:
            mapped.payments.append(_payment(row, paid, known, home))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected(raw, error))
    return mapped


def paid_with_money(row: PaymentRow) -> dict[str, Decimal]:
    """What the payment's own money paid of each bill. Raises ``ValueError``."""
    owed, credited = _split(row)
    paid: dict[str, Decimal] = {}
    for kind, number, amount in owed:
        taken = min(credited, amount)
        credited -= taken
        if kind == BILL and amount > taken:
            paid[number] = paid.get(number, ZERO) + amount - taken
    return paid


def _split(row: PaymentRow) -> tuple[list[Settled], Decimal]:
    """The documents that are owed, in their order, and what credits pay of them.

    A journal entry may be either. It is owed where the money covers it too.
    """
    lines = [_settled(line) for line in row.line if line.linked_txn]
    owed = [each for each in lines if each[0] in OWED]
    entries = [each for each in lines if each[0] == JOURNAL_ENTRY]
    credits = [each for each in lines if each[0] not in {*OWED, JOURNAL_ENTRY}]
    if any(amount < 0 for *_, amount in owed):
        raise ValueError("a bill is paid with less than nothing")
    total = _finite(row.total_amt)
    if total >= _sum(owed) + _sum(entries) - _sum(credits):
        owed = owed + entries
    else:
        credits = credits + entries
    return owed, max(_sum(credits), _sum(owed) - total, ZERO)


def _sum(settled: Iterable[Settled]) -> Decimal:
    return sum((abs(amount) for *_, amount in settled), ZERO)


def _settled(line: PaymentLine) -> Settled:
    kinds = {each.txn_type for each in line.linked_txn}
    if len(line.linked_txn) > 1 and kinds & OWED:
        raise ValueError("one line of it pays several documents")
    link = line.linked_txn[0]
    return link.txn_type, link.txn_id, _finite(line.amount)


def _payment(
    row: PaymentRow, paid: Mapping[str, Decimal], numbers: Mapping[str, str], home: Home
) -> RemotePayment:
    check_number = (row.doc_number or "").strip()
    if check_number.lower() == TO_PRINT:
        check_number = ""
    status = _status(row, check_number)
    applied = {} if status is RemoteStatus.VOIDED else paid
    return RemotePayment(
        remote_id=row.id,
        number=check_number or row.id,
        status=status,
        method=_method(row, check_number),
        date=row.txn_date,
        currency=row.currency_ref.value if row.currency_ref else home(),
        total=_finite(row.total_amt),
        modified_at=row.meta_data.moment(),
        allocations=tuple(
            RemoteAllocation(bill_id=bill_id, bill_number=numbers.get(bill_id, ""), amount=amount)
            for bill_id, amount in applied.items()
        ),
        check_number=check_number,
        vendor_ref=row.vendor_ref.value,
        vendor_name=row.vendor_ref.name or "",
        memo=row.private_note or "",
    )


def _status(row: PaymentRow, check_number: str) -> RemoteStatus:
    """A void leaves the record with nothing in it; a check that is to be printed has no number."""
    told = (row.status or "").lower()
    is_empty = not row.total_amt and not any(line.amount for line in row.line)
    if told == VOIDED or is_empty:
        return RemoteStatus.VOIDED
    to_print = row.check_payment and row.check_payment.print_status == "NeedToPrint"
    if told in WAITING or (to_print and not check_number):
        return RemoteStatus.PENDING
    return RemoteStatus.ISSUED


def _method(row: PaymentRow, check_number: str) -> RemoteMethod:
    if row.pay_type == "CreditCard":
        return RemoteMethod.CREDIT_CARD
    if row.pay_type != "Check":
        raise ValueError(f"it was paid by “{row.pay_type[:30]}”, which is not a way of paying")
    return RemoteMethod.ELECTRONIC if ELECTRONIC.match(check_number) else RemoteMethod.CHECK


def bill(row: BillRow, paid: Decimal, home: Home) -> RemoteBill:
    """``paid``: what issued payments paid of it with money; its balance counts credits too."""
    note = (row.private_note or "").lower()
    return RemoteBill(
        remote_id=row.id,
        number=row.doc_number or "",
        vendor_ref=row.vendor_ref.value,
        vendor_name=row.vendor_ref.name or "",
        currency=row.currency_ref.value if row.currency_ref else home(),
        total=_finite(row.total_amt),
        paid=paid,
        is_posted=True,
        is_cancelled=not row.total_amt and note.startswith(VOIDED),
    )


def vendor(raw: msgspec.Raw) -> RemoteVendor:
    """Raises ``ValueError``, as do the two below."""
    row = msgspec.json.decode(raw, type=VendorRow)
    return RemoteVendor(remote_id=row.id, code=row.acct_num or row.id, name=row.display_name)


def job(raw: msgspec.Raw) -> RemoteJob | None:
    """Customers that stand for themselves are no projects."""
    row = msgspec.json.decode(raw, type=CustomerRow)
    if not (row.job or row.is_project):
        return None
    return RemoteJob(remote_id=row.id, code=row.id, name=row.fully_qualified_name)


def commitment(raw: msgspec.Raw, home: Home) -> RemoteCommitment:
    row = msgspec.json.decode(raw, type=OrderRow)
    code = row.doc_number or row.id
    return RemoteCommitment(
        remote_id=row.id,
        code=code,
        title=row.private_note or f"Purchase order {code}",
        vendor_ref=row.vendor_ref.value,
        vendor_name=row.vendor_ref.name or "",
        total=_finite(row.total_amt),
        currency=row.currency_ref.value if row.currency_ref else home(),
        ordered_on=row.txn_date,
    )


def key_of(raw: msgspec.Raw) -> tuple[datetime, str] | None:
    """Where a record stands in the order of changes, if that can be read."""
    try:
        key = msgspec.json.decode(raw, type=Key)
        return key.meta_data.moment(), key.id
    except ValueError:
        return None


def deleted_id(raw: msgspec.Raw) -> str:
    """The id of what is left of a deleted record; empty for a record that exists."""
    try:
        known = msgspec.json.decode(raw, type=_Id)
    except ValueError:
        return ""
    return known.id if known.status == "Deleted" else ""


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount


def _rejected(raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    try:
        known = msgspec.json.decode(raw, type=_Id).id
    except ValueError:
        known = ""
    return RejectedRecord(
        remote_id=known,
        reason=f"QuickBooks Online sent a payment that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )
