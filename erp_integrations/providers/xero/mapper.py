"""Xero's records → the types of the contract. Pure: no network, no clock.

A record that does not have the promised form becomes a ``RejectedRecord``; the
others of its page are not touched by that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

import msgspec

from erp_integrations.providers.contract import (
    RejectedRecord,
    RemoteAllocation,
    RemoteBill,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
)
from erp_integrations.providers.xero import records
from erp_integrations.providers.xero.records import AdvanceRow, Batch, BillRow, PaymentRow

#: what is kept of a record that cannot be used
RAW_SIZE = 4000
#: longest check number that is stored
LONGEST_NUMBER = 100

PAYMENT, PREPAYMENT, OVERPAYMENT = "payment", "prepayment", "overpayment"
BILL_PAYMENT = "ACCPAYPAYMENT"
POSTED = {"AUTHORISED", "PAID"}
GONE = {"VOIDED", "DELETED"}
WHAT = {PAYMENT: "a payment", PREPAYMENT: "a prepayment", OVERPAYMENT: "an overpayment"}


class Mapped(NamedTuple):
    payments: list[RemotePayment]
    rejected: list[RejectedRecord]


Row = TypeVar("Row")
#: the names of these payment runs, by their id
BatchNames = Callable[[Sequence[Batch]], Mapping[str, str]]


def payments(rows: Iterable[msgspec.Raw], names_of: BatchNames) -> Mapped:
    """Records of *Payments*; what is paid is always one bill."""
    mapped = Mapped([], [])
    readable: list[tuple[msgspec.Raw, PaymentRow]] = []
    decoder = msgspec.json.Decoder(PaymentRow)
    for raw in rows:
        try:
            readable.append((raw, decoder.decode(raw)))
        except ValueError as error:
            mapped.rejected.append(_rejected(PAYMENT, raw, error))
    names = names_of([batch for _, row in readable if (batch := _batch(row))])
    for raw, row in readable:
        try:
            mapped.payments.append(_payment(row, names))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected(PAYMENT, raw, error))
    return mapped


def prepayments(rows: Iterable[msgspec.Raw]) -> Mapped:
    return _advances(rows, PREPAYMENT)


def overpayments(rows: Iterable[msgspec.Raw]) -> Mapped:
    return _advances(rows, OVERPAYMENT)


def bill(raw: msgspec.Raw) -> RemoteBill:
    """One record of *Invoices*. Raises ``ValueError``.

    ``AmountCredited`` is not asked: besides pre- and overpayments, which are
    money, it counts credit notes, which are none.
    """
    row = msgspec.json.decode(raw, type=BillRow)
    applied = [each.amount for each in (*row.prepayments, *row.overpayments)]
    return RemoteBill(
        remote_id=row.id,
        number=row.number or "",
        vendor_ref=row.contact.id,
        vendor_name=row.contact.name,
        currency=row.currency,
        total=_finite(row.total),
        paid=_finite(sum(applied, row.paid)),
        is_posted=row.status in POSTED,
        is_cancelled=row.status in GONE,
    )


def _payment(row: PaymentRow, names: Mapping[str, str]) -> RemotePayment:
    if row.type != BILL_PAYMENT:
        raise ValueError(f"a {row.type} pays no bill")
    amount = _finite(row.amount)
    text = (row.reference or "").strip()
    batch = _batch(row)
    run = names.get(batch.id, "") if batch else ""
    check = (run or _run_number(batch.id))[:LONGEST_NUMBER] if batch else _number_in(text)
    return RemotePayment(
        remote_id=f"{PAYMENT}-{row.id}",
        number=_number_in(text) or row.id,
        status=RemoteStatus.ISSUED if row.status == "AUTHORISED" else RemoteStatus.VOIDED,
        method=_method(check),
        date=records.day(row.date),
        currency=row.invoice.currency,
        total=amount,
        modified_at=records.moment(row.updated),
        allocations=(
            RemoteAllocation(
                bill_id=row.invoice.id, bill_number=row.invoice.number or "", amount=amount
            ),
        ),
        check_number=check,
        vendor_ref=row.invoice.contact.id,
        vendor_name=row.invoice.contact.name,
        memo=text,
    )


def _advances(rows: Iterable[msgspec.Raw], kind: str) -> Mapped:
    mapped = Mapped([], [])
    decoder = msgspec.json.Decoder(AdvanceRow)
    for raw in rows:
        try:
            mapped.payments.append(_advance(kind, decoder.decode(raw)))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected(kind, raw, error))
    return mapped


def _advance(kind: str, row: AdvanceRow) -> RemotePayment:
    """The money left on the advance's own day; its allocations say what it paid since."""
    if not row.type.startswith("SPEND-"):
        raise ValueError(f"a {row.type} pays no bill")
    if not row.id:
        raise ValueError("it has no id")
    text = (row.reference or "").strip()
    check = _number_in(text)
    return RemotePayment(
        remote_id=f"{kind}-{row.id}",
        number=check or row.id,
        status=RemoteStatus.VOIDED if row.status == "VOIDED" else RemoteStatus.ISSUED,
        method=_method(check),
        date=records.day(row.date),
        currency=row.currency,
        total=_finite(row.total),
        modified_at=records.moment(row.updated),
        allocations=tuple(
            RemoteAllocation(
                bill_id=each.invoice.id,
                bill_number=each.invoice.number or "",
                amount=_finite(each.amount),
            )
            for each in row.allocations
            if not each.is_deleted
        ),
        check_number=check,
        vendor_ref=row.contact.id,
        vendor_name=row.contact.name,
        memo=text,
    )


def _batch(row: PaymentRow) -> Batch | None:
    """The run that a payment belongs to, with the payment's day where it says none itself."""
    number = row.batch.id if row.batch else row.batch_id
    if not number:
        return None
    if row.batch and row.batch.date:
        return row.batch
    return msgspec.structs.replace(row.batch or Batch(number), date=row.date)


def _run_number(batch_id: str) -> str:
    """One check number for all payments of a run that nobody gave a reference."""
    return f"BATCH-{batch_id[:8].upper()}"


def _number_in(text: str) -> str:
    """Xero has one free text: a single word with a digit is a number, all else is a note."""
    is_number = len(text.split()) == 1 and any(each.isdigit() for each in text)
    return text if is_number and len(text) <= LONGEST_NUMBER else ""


def _method(check: str) -> RemoteMethod:
    """Xero does not say how it was paid; a payment with a number is shown as a check."""
    is_check = bool(_number_in(check)) and not check.startswith("BATCH-")
    return RemoteMethod.CHECK if is_check else RemoteMethod.ELECTRONIC


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount


def _rejected(kind: str, raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    known = _id_in(raw, f"{kind.capitalize()}ID")
    return RejectedRecord(
        remote_id=f"{kind}-{known}" if known else "",
        reason=f"Xero sent {WHAT[kind]} that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )


def _id_in(raw: msgspec.Raw, name: str) -> str:
    try:
        value = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get(name)
        return msgspec.json.decode(value, type=str) if value is not None else ""
    except (ValueError, RecursionError):
        return ""
