"""The unified API's payments and invoices → the types of the contract. Pure.

Money comes as strings. A payment has no currency and no state of its own: the
currency is the connection's, and a payment that is listed is money.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from erp_integrations.providers.contract import (
    RejectedRecord,
    RemoteAllocation,
    RemoteBill,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
    RemoteVendor,
)

RAW_SIZE = 4000
ZERO = Decimal(0)
VOID_WORDS, WAITING_WORDS = ("void", "cancel", "reverse"), ("pending", "draft", "unposted", "hold")
CARD_WORDS = ("card",)
ELECTRONIC_WORDS = ("ach", "eft", "wire", "transfer", "electronic", "epay", "direct")
Row = TypeVar("Row", bound=msgspec.Struct)


class Line(msgspec.Struct):
    ap_invoice_id: str | None = None
    total_amount: Decimal | None = None
    discount_taken_amount: Decimal | None = None


class PaymentRow(msgspec.Struct):
    id: str
    payment_date: str
    total_amount: Decimal
    number: str | None = None
    payment_method: str | None = None
    vendor_id: str | None = None
    description: str | None = None
    status: str | None = None
    source_create_time: datetime | None = None
    source_update_time: datetime | None = None
    line_items: list[Line] = []


class InvoiceLine(msgspec.Struct):
    amount: Decimal | None = None


class InvoiceRow(msgspec.Struct):
    id: str
    number: str | None = None
    vendor_id: str | None = None
    status: str | None = None
    line_items: list[InvoiceLine] = []


class VendorRow(msgspec.Struct):
    id: str
    name: str | None = None
    code: str | None = None


class Known(NamedTuple):
    """What payments only name by id, and what they do not say at all."""

    numbers: Mapping[str, str]
    vendors: Mapping[str, str]
    currency: str
    now: datetime


class Mapped(NamedTuple):
    payments: list[RemotePayment]
    rejected: list[RejectedRecord]


def readable(rows: Iterable[msgspec.Raw], form: type[Row]) -> list[Row]:
    found = []
    for raw in rows:
        try:
            found.append(msgspec.json.decode(raw, type=form))
        except ValueError:
            continue
    return found


def payments(rows: Iterable[msgspec.Raw], known: Known) -> Mapped:
    mapped = Mapped([], [])
    for raw in rows:
        try:
            mapped.payments.append(payment(raw, known))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(rejected(raw, error))
    return mapped


def payment(raw: msgspec.Raw, known: Known) -> RemotePayment:
    """Raises ``ValueError``."""
    row = msgspec.json.decode(raw, type=PaymentRow)
    number = row.number or ""
    vendor = row.vendor_id or ""
    return RemotePayment(
        remote_id=row.id,
        number=number or row.id,
        status=status_of(row.status),
        method=method_of(row.payment_method),
        date=date.fromisoformat(row.payment_date[:10]),
        currency=known.currency,
        total=_finite(row.total_amount),
        modified_at=changed_at(row) or known.now,
        allocations=_allocations(row, known.numbers),
        check_number=number,
        vendor_ref=vendor,
        vendor_name=known.vendors.get(vendor, vendor),
        memo=row.description or "",
    )


def changed_at(row: PaymentRow) -> datetime | None:
    """Aware UTC; systems behind the API need not know when something changed."""
    moment = row.source_update_time or row.source_create_time
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def status_of(status: str | None) -> RemoteStatus:
    words = (status or "").lower()
    if any(word in words for word in VOID_WORDS):
        return RemoteStatus.VOIDED
    if any(word in words for word in WAITING_WORDS):
        return RemoteStatus.PENDING
    return RemoteStatus.ISSUED


def method_of(method: str | None) -> RemoteMethod:
    words = (method or "").lower()
    if any(word in words for word in CARD_WORDS):
        return RemoteMethod.CREDIT_CARD
    if any(word in words for word in ELECTRONIC_WORDS):
        return RemoteMethod.ELECTRONIC
    return RemoteMethod.CHECK


def _allocations(row: PaymentRow, numbers: Mapping[str, str]) -> tuple[RemoteAllocation, ...]:
    """Lines of one invoice are one allocation; a line without money (a credit) is none."""
    amounts: dict[str, tuple[Decimal, Decimal]] = {}
    for line in row.line_items:
        if line.ap_invoice_id:
            amount, off = amounts.get(line.ap_invoice_id, (ZERO, ZERO))
            amount += _finite(line.total_amount or ZERO)
            off += _finite(line.discount_taken_amount or ZERO)
            amounts[line.ap_invoice_id] = (amount, off)
    return tuple(
        RemoteAllocation(
            bill_id=bill, bill_number=numbers.get(bill, ""), amount=amount, discount=off
        )
        for bill, (amount, off) in amounts.items()
        if amount > 0
    )


def bill(row: InvoiceRow, paid: Decimal, known: Known) -> RemoteBill:
    total = sum((_finite(line.amount or ZERO) for line in row.line_items), ZERO)
    state = status_of(row.status)
    return RemoteBill(
        remote_id=row.id,
        number=row.number or row.id,
        vendor_ref=row.vendor_id or "",
        vendor_name=known.vendors.get(row.vendor_id or "", row.vendor_id or ""),
        currency=known.currency,
        total=total,
        paid=paid,
        is_posted=state is RemoteStatus.ISSUED,
        is_cancelled=state is RemoteStatus.VOIDED,
    )


def vendor(row: VendorRow) -> RemoteVendor:
    return RemoteVendor(row.id, row.code or "", row.name or row.code or row.id)


def rejected(raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    try:
        record: Any = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        record = {}
    known = record.get("id") if isinstance(record, dict) else ""
    return RejectedRecord(
        remote_id=known if isinstance(known, str) else "",
        reason=f"Agave sent a payment that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount
