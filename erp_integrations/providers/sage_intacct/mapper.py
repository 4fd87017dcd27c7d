"""Sage Intacct's objects → the types of the contract. Pure: no network, no clock.

The query service answers with flat objects, whose members are named as the
fields were asked for: ``"vendor.key"``. Amounts are strings.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

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
#: a payment is money once the bank (or somebody) has confirmed it; a delivered check is not yet
STATUSES = {
    "draft": RemoteStatus.PENDING,
    "submitted": RemoteStatus.PENDING,
    "partiallyApproved": RemoteStatus.PENDING,
    "approved": RemoteStatus.PENDING,
    "delivered": RemoteStatus.PENDING,
    "confirmed": RemoteStatus.ISSUED,
    "complete": RemoteStatus.ISSUED,
    "declined": RemoteStatus.VOIDED,
    "reversed": RemoteStatus.VOIDED,
    "voided": RemoteStatus.VOIDED,
}
#: the other half of a reversal; the payment itself says that it is reversed
COUNTER_ENTRY = "reversal"
MONEY = {state for state, status in STATUSES.items() if status is RemoteStatus.ISSUED}
#: states of bills on which nothing is owed yet, and not any more
NOT_POSTED = {"draft", "submitted", "partiallyApproved", "approved", "declined"}
CANCELLED = {"reversed", "reversal", "voided"}


# ------------------------------------------------------- what Intacct sends
class PaymentRow(msgspec.Struct):
    key: str
    state: str
    txn_date: date = msgspec.field(name="txnDate")
    currency: str = msgspec.field(name="txnCurrency.currency")
    total: Decimal = msgspec.field(name="txnCurrency.totalAmount")
    modified: datetime = msgspec.field(name="audit.modifiedDateTime")
    method: str | None = msgspec.field(name="paymentMethod")
    document: str | None = msgspec.field(name="documentNumber")
    description: str | None
    vendor_key: str | None = msgspec.field(name="vendor.key")
    vendor_name: str | None = msgspec.field(name="vendor.name")


class DetailRow(msgspec.Struct):
    """What one payment paid on one line of one bill, and what else paid it on the way.

    ``adjustmentAmount``, ``inlineAmount`` and ``postedAdvanceAmount`` are credits,
    negative lines and advances that were used up: no money of this payment.
    """

    payment: str = msgspec.field(name="apPayment.key")
    payment_state: str = msgspec.field(name="apPayment.state")
    bill: str | None = msgspec.field(name="bill.key")
    bill_number: str | None = msgspec.field(name="bill.billNumber")
    line: str | None = msgspec.field(name="billLine.key")
    amount: Decimal | None = msgspec.field(name="txnCurrency.paymentAmount")
    discount: Decimal | None = msgspec.field(name="txnCurrency.discountAmount")
    joint_payee: str | None = msgspec.field(name="jointPayee.printAs")


class BillRow(msgspec.Struct):
    key: str
    number: str | None = msgspec.field(name="billNumber")
    state: str
    vendor_key: str | None = msgspec.field(name="vendor.key")
    vendor_name: str | None = msgspec.field(name="vendor.name")
    currency: str = msgspec.field(name="currency.txnCurrency")
    total: Decimal = msgspec.field(name="totalTxnAmount")
    #: what was paid in any way, credits and discounts too
    settled: Decimal | None = msgspec.field(name="paymentInformation.totalTxnAmountPaid")


class NamedRow(msgspec.Struct):
    key: str
    id: str
    name: str | None


class PayeeRow(NamedRow):
    """A vendor, as far as it says how its bills fall due."""

    term: str | None = msgspec.field(name="term.id")


class _PlaceRow(msgspec.Struct):
    key: str
    modified: datetime = msgspec.field(name="audit.modifiedDateTime")


class _KeyRow(msgspec.Struct):
    key: str


class _PaymentOfDetail(msgspec.Struct):
    payment: str = msgspec.field(name="apPayment.key")


def fields_of(row: type[msgspec.Struct], *more: str) -> tuple[str, ...]:
    """What has to be asked for to fill these rows."""
    names = (field.encode_name for field in msgspec.structs.fields(row))
    return tuple(dict.fromkeys(("key", *names, *more)))


# ------------------------------------------------------------------ mapping
class Details:
    """The details of some payments, each with those of its own that cannot be read."""

    def __init__(self, rows: Iterable[msgspec.Raw]) -> None:
        self.rows: dict[str, list[DetailRow]] = defaultdict(list)
        self.unreadable: dict[str, Exception] = {}
        decode = msgspec.json.Decoder(DetailRow).decode
        for raw in rows:
            try:
                row = decode(raw)
                self.rows[row.payment].append(row)
            except ValueError as error:
                self.unreadable[_payment_of(raw)] = error


def payments(rows: Iterable[msgspec.Raw], details: Details) -> Mapped:
    """Objects ``accounts-payable/payment`` with the details that belong to them."""
    mapped = Mapped([], [])
    decode = msgspec.json.Decoder(PaymentRow).decode
    for raw in rows:
        try:
            row = decode(raw)
            if row.state == COUNTER_ENTRY:
                continue
            if error := details.unreadable.get(row.key):
                raise ValueError(f"one of its details: {error}")
            mapped.payments.append(_payment(row, details.rows.get(row.key, [])))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected(raw, error))
    return mapped


def keys(rows: Iterable[msgspec.Raw]) -> list[str]:
    """Of those that have one."""
    found = []
    for raw in rows:
        try:
            found.append(msgspec.json.decode(raw, type=_KeyRow).key)
        except ValueError:
            continue
    return found


def place(raw: msgspec.Raw) -> Place | None:
    try:
        row = msgspec.json.decode(raw, type=_PlaceRow)
        return Place(_aware(row.modified), int(row.key))
    except ValueError:
        return None


def payments_of(rows: Iterable[msgspec.Raw]) -> list[str]:
    """The payments that these details belong to, by number."""
    return sorted({_payment_of(raw) for raw in rows}, key=int)


def paid(rows: Iterable[msgspec.Raw]) -> dict[str, Decimal]:
    """Money that left for each bill, by the details of payments. Raises ``ValueError``."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    decode = msgspec.json.Decoder(DetailRow).decode
    for raw in rows:
        row = decode(raw)
        if row.bill and row.payment_state in MONEY:
            found[row.bill] += _finite(row.amount or Decimal(0))
    return found


def bill(row: BillRow, money: Mapping[str, Decimal]) -> RemoteBill:
    """Raises ``ValueError``."""
    return RemoteBill(
        remote_id=row.key,
        number=row.number or row.key,
        vendor_ref=row.vendor_key or "",
        vendor_name=row.vendor_name or "",
        currency=row.currency,
        total=_finite(row.total),
        paid=money.get(row.key, Decimal(0)),
        is_posted=row.state not in NOT_POSTED,
        is_cancelled=row.state in CANCELLED,
    )


def vendor(raw: msgspec.Raw) -> RemoteVendor:
    """Raises ``ValueError``."""
    row = msgspec.json.decode(raw, type=NamedRow)
    return RemoteVendor(row.key, row.id, row.name or row.id)


def job(raw: msgspec.Raw) -> RemoteJob:
    """Raises ``ValueError``."""
    row = msgspec.json.decode(raw, type=NamedRow)
    return RemoteJob(row.key, row.id, row.name or row.id)


def _payment(row: PaymentRow, details: Sequence[DetailRow]) -> RemotePayment:
    if row.state not in STATUSES:
        raise ValueError(f"a state “{row.state}” that is not known here")
    return RemotePayment(
        remote_id=row.key,
        number=row.key,
        status=STATUSES[row.state],
        method=_method(row.method or ""),
        date=row.txn_date,
        currency=row.currency,
        total=_finite(row.total),
        modified_at=_aware(row.modified),
        allocations=_allocations(details),
        check_number=row.document or "",
        vendor_ref=row.vendor_key or "",
        vendor_name=row.vendor_name or "",
        memo=_memo(row, details),
    )


def _allocations(details: Sequence[DetailRow]) -> tuple[RemoteAllocation, ...]:
    """One for each line of a bill. A line that only credits paid got no money."""
    amounts: dict[tuple[str, str], list[Decimal]] = {}
    numbers: dict[str, str] = {}
    for each in details:
        if not each.bill:
            continue  # it paid an adjustment, which is no bill
        numbers[each.bill] = each.bill_number or each.bill
        sums = amounts.setdefault((each.bill, each.line or ""), [Decimal(0), Decimal(0)])
        sums[0] += _finite(each.amount or Decimal(0))
        sums[1] += _finite(each.discount or Decimal(0))
    return tuple(
        RemoteAllocation(
            bill_id=bill_id,
            bill_number=numbers[bill_id],
            amount=amount,
            bill_line_id=line_id,
            discount=discount,
        )
        for (bill_id, line_id), (amount, discount) in amounts.items()
        if amount
    )


def _memo(row: PaymentRow, details: Sequence[DetailRow]) -> str:
    """With whom else a joint check is made out to: the vendor's supplier signs it too."""
    names = dict.fromkeys(each.joint_payee for each in details if each.joint_payee)
    parts = [row.description or "", f"Joint check: {', '.join(names)}" if names else ""]
    return " · ".join(part for part in parts if part)


def _method(name: str) -> RemoteMethod:
    """Intacct adds methods of payment providers, so their names are read, not listed."""
    lower = name.lower()
    if "check" in lower or lower == "cash":
        return RemoteMethod.CHECK
    return RemoteMethod.CREDIT_CARD if "card" in lower else RemoteMethod.ELECTRONIC


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount


def _payment_of(raw: msgspec.Raw) -> str:
    """Raises ``ValueError``: a detail of nobody knows what would leave a payment incomplete."""
    return msgspec.json.decode(raw, type=_PaymentOfDetail).payment


def _rejected(raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    return RejectedRecord(
        remote_id=next(iter(keys([raw])), ""),
        reason=f"Sage Intacct sent a payment that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )
