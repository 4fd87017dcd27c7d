"""Acumatica's documents → the types of the contract. Pure: no network, no clock.

Every scalar is ``{"value": …}``, and ``{}`` where there is nothing. A record
that does not have the promised form becomes a ``RejectedRecord`` by itself.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

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

#: what is kept of a record that cannot be used
RAW_SIZE = 4000
T = TypeVar("T")

#: documents with which money leaves, by what builds call them: before 2021 R1 a check was "Check"
PAYMENTS = {"Payment": "check", "Check": "check", "Prepayment": "prepayment"}
#: documents of the same form that are no payment of a bill: a credit, money that comes back,
#: and the second half of a void, whose first half says "Voided" itself
NO_PAYMENTS = {
    "Debit Adj.",
    "Refund",
    "Vendor Refund",
    "Voided Refund",
    "Voided Payment",
    "Voided Check",
}
#: what is owed: a credit adjustment raises the debt
BILLS = {"Bill": "bill", "Credit Adj.": "credit-adj"}
STATUSES = {
    "On Hold": RemoteStatus.PENDING,
    "Hold": RemoteStatus.PENDING,
    "Pending Approval": RemoteStatus.PENDING,
    "Rejected": RemoteStatus.PENDING,
    "Scheduled": RemoteStatus.PENDING,
    "Balanced": RemoteStatus.PENDING,
    "Pending Print": RemoteStatus.PENDING,
    "Pending Processing": RemoteStatus.PENDING,
    # The paper is there, the release is not: Acumatica has paid no bill with it yet.
    "Printed": RemoteStatus.PENDING,
    "Open": RemoteStatus.ISSUED,
    "Closed": RemoteStatus.ISSUED,
    # released, and then put on hold so that nobody applies the rest of it
    "Reserved": RemoteStatus.ISSUED,
    "Voided": RemoteStatus.VOIDED,
}
RELEASED_BILL = {"Open", "Closed", "Reserved"}
CANCELLED_BILL = {"Voided", "Canceled"}
CARD_WORDS = ("card", "visa", "amex", "mastercard")
CARD_CODES = {"CC", "PCARD", "P-CARD"}
CHECK_WORDS = ("check", "cheque", "chk")


# ------------------------------------------------------- what Acumatica sends
class Value(msgspec.Struct, Generic[T], frozen=True):
    value: T | None = None

    def required(self, name: str) -> T:
        if self.value is None:
            raise ValueError(f"{name} is missing")
        return self.value


Text = Value[str]
Amount = Value[Decimal]
Moment = Value[datetime]
NO_TEXT, NO_AMOUNT = Text(), Amount()


class Application(msgspec.Struct, rename="pascal"):
    """A part of a payment on a bill. In ``History`` it is released, in ``Details`` it waits."""

    doc_type: Text
    reference_nbr: Text
    amount_paid: Amount
    vendor_ref: Text = NO_TEXT
    cash_discount_taken: Amount = NO_AMOUNT


class CheckRow(msgspec.Struct, rename="pascal"):
    type: Text
    reference_nbr: Text
    status: Text
    application_date: Value[str]
    payment_amount: Amount
    vendor: Text
    last_modified_date_time: Moment
    history: list[Application]
    details: list[Application]
    currency_id: Text = msgspec.field(name="CurrencyID")
    payment_method: Text = NO_TEXT
    payment_ref: Text = NO_TEXT
    description: Text = NO_TEXT


class Applied(msgspec.Struct, rename="pascal"):
    """What paid a part of a bill."""

    doc_type: Text
    reference_nbr: Text
    amount_paid: Amount
    status: Text = NO_TEXT


class BillRow(msgspec.Struct, rename="pascal"):
    type: Text
    reference_nbr: Text
    status: Text
    amount: Amount
    vendor: Text
    applications: list[Applied]
    currency_id: Text = msgspec.field(name="CurrencyID")
    vendor_ref: Text = NO_TEXT


class VendorRow(msgspec.Struct, rename="pascal"):
    vendor_id: Text = msgspec.field(name="VendorID")
    vendor_name: Text = NO_TEXT


class Key(msgspec.Struct, rename="pascal"):
    """What tells documents of one kind apart."""

    type: Text
    reference_nbr: Text


class _Id(msgspec.Struct):
    id: str


# ------------------------------------------------------------------ mapping
class Mapped(NamedTuple):
    payments: list[RemotePayment]
    rejected: list[RejectedRecord]


def payments(
    rows: Iterable[msgspec.Raw], names: Callable[[Sequence[str]], Mapping[str, str]]
) -> Mapped:
    """Those documents of ``Check`` that are payments; ``names`` gives vendors' names by code."""
    mapped = Mapped([], [])
    readable: list[tuple[msgspec.Raw, CheckRow]] = []
    decoder = msgspec.json.Decoder(CheckRow)
    for raw in rows:
        if _type_of(raw) in NO_PAYMENTS:
            continue
        try:
            readable.append((raw, decoder.decode(raw)))
        except (ValueError, RecursionError) as error:
            mapped.rejected.append(_rejected(raw, error))
    vendors = names(sorted({row.vendor.value for _, row in readable if row.vendor.value}))
    for raw, row in readable:
        try:
            mapped.payments.append(_payment(row, vendors))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected(raw, error))
    return mapped


def bill(raw: msgspec.Raw, names: Mapping[str, str]) -> RemoteBill:
    """One record of ``Bill``. Raises ``ValueError``."""
    row = msgspec.json.decode(raw, type=BillRow)
    status, code = row.status.required("the status"), row.vendor.required("the vendor")
    number = row.reference_nbr.required("the number")
    paid = (money(each.amount_paid) for each in row.applications if _is_money(each))
    return RemoteBill(
        remote_id=bill_id(row.type.value, number) or "",
        number=row.vendor_ref.value or number,
        vendor_ref=code,
        vendor_name=names.get(code, code),
        currency=row.currency_id.required("the currency"),
        total=money(row.amount),
        paid=sum(paid, Decimal(0)),
        is_posted=status in RELEASED_BILL,
        is_cancelled=status in CANCELLED_BILL,
    )


def payers_of(raw: msgspec.Raw) -> list[str]:
    """Numbers of the documents that are applied to a bill."""
    rows = msgspec.json.decode(raw, type=BillRow).applications
    found = [each.reference_nbr.value for each in rows if each.doc_type.value in PAYMENTS]
    return [number for number in found if number]


def vendor_of(raw: msgspec.Raw) -> str:
    """Whose bill it is."""
    return msgspec.json.decode(raw, type=BillRow).vendor.required("the vendor")


def vendor(raw: msgspec.Raw) -> RemoteVendor:
    row = msgspec.json.decode(raw, type=VendorRow)
    code = row.vendor_id.required("the code of a vendor")
    return RemoteVendor(code, code, row.vendor_name.value or code)


def key_of(raw: msgspec.Raw) -> tuple[str, str]:
    """Type and number of a document. Raises ``ValueError``."""
    key = msgspec.json.decode(raw, type=Key)
    return key.type.required("the type"), key.reference_nbr.required("the number")


def id_of(raw: msgspec.Raw) -> str:
    """Acumatica's own id of a record; empty where there is none."""
    try:
        return msgspec.json.decode(raw, type=_Id).id
    except (ValueError, RecursionError):
        return ""


def payment_id(type_: str | None, number: str) -> str | None:
    """None for what is no payment. A number is used by one document of each type."""
    kind = PAYMENTS.get(type_ or "")
    return f"{kind}-{number}" if kind else None


def bill_id(type_: str | None, number: str) -> str | None:
    kind = BILLS.get(type_ or "")
    return f"{kind}-{number}" if kind else None


def number_in(remote_id: str, kinds: Iterable[str]) -> str:
    """The document's number; empty for an id that is none of these kinds."""
    for kind in kinds:
        if remote_id.startswith(f"{kind}-"):
            return remote_id.removeprefix(f"{kind}-")
    return ""


# ------------------------------------------------------------------- one payment
def _payment(row: CheckRow, vendors: Mapping[str, str]) -> RemotePayment:
    number = row.reference_nbr.required("the number")
    remote_id = payment_id(row.type.required("the type"), number)
    if remote_id is None:
        raise ValueError(f"“{row.type.value}” is not a known type of document")
    said = row.status.required("the status")
    if said not in STATUSES:
        raise ValueError(f"“{said}” is not a known status of a payment")
    code = row.vendor.required("the vendor")
    modified = row.last_modified_date_time.required("the time of the last change")
    if modified.tzinfo is None:
        raise ValueError("the time of the last change has no time zone")
    return RemotePayment(
        remote_id=remote_id,
        number=number,
        status=STATUSES[said],
        method=_method(row.payment_method.value or ""),
        # midnight of the day, whatever zone is written behind it
        date=datetime.fromisoformat(row.application_date.required("the date")[:10]).date(),
        currency=row.currency_id.required("the currency"),
        total=money(row.payment_amount),
        modified_at=modified.astimezone(UTC),
        allocations=_allocations(row, STATUSES[said]),
        check_number=row.payment_ref.value or "",
        vendor_ref=code,
        vendor_name=vendors.get(code, code),
        memo=row.description.value or "",
    )


def _allocations(row: CheckRow, status: RemoteStatus) -> tuple[RemoteAllocation, ...]:
    """Of released payments what is released, of the others what they will pay.

    A reversed application stays in the history, with its mirror below zero: so
    each bill's rows are added up. What a voided payment had paid is kept.
    """
    rows = row.details if status is RemoteStatus.PENDING else row.history
    if status is RemoteStatus.VOIDED:
        rows = [each for each in rows or row.details if money(each.amount_paid) > 0]
    paid: dict[str, Decimal] = defaultdict(Decimal)
    discount: dict[str, Decimal] = defaultdict(Decimal)
    numbers: dict[str, str] = {}
    for each in rows:
        number = each.reference_nbr.required("the number of a bill")
        bill = bill_id(each.doc_type.value, number)
        if bill is None:
            continue
        paid[bill] += money(each.amount_paid)
        discount[bill] += money(each.cash_discount_taken, Decimal(0))
        numbers[bill] = each.vendor_ref.value or numbers.get(bill, "")
    return tuple(
        RemoteAllocation(bill, numbers[bill], paid[bill], discount=discount[bill])
        for bill in paid
        if paid[bill] or discount[bill]
    )


def _method(code: str) -> RemoteMethod:
    """Payment methods are the company's own; their codes are words that people chose."""
    word = code.lower()
    if code.upper() in CARD_CODES or any(each in word for each in CARD_WORDS):
        return RemoteMethod.CREDIT_CARD
    if any(each in word for each in CHECK_WORDS):
        return RemoteMethod.CHECK
    return RemoteMethod.ELECTRONIC


def _is_money(applied: Applied) -> bool:
    status = STATUSES.get(applied.status.value or "")
    return applied.doc_type.value in PAYMENTS and status is RemoteStatus.ISSUED


def money(amount: Amount, default: Decimal | None = None) -> Decimal:
    """Raises ``ValueError`` where there is none."""
    value = amount.value if amount.value is not None else default
    if value is None or not value.is_finite():
        raise ValueError("an amount of money is missing")
    return value


def _type_of(raw: msgspec.Raw) -> str:
    try:
        return key_of(raw)[0]
    except (ValueError, RecursionError):
        return ""


def _rejected(raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    try:
        type_, number = key_of(raw)
        remote_id = payment_id(type_, number) or ""
    except (ValueError, RecursionError):
        remote_id = ""
    return RejectedRecord(
        remote_id=remote_id,
        reason=f"Acumatica sent a payment that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )
