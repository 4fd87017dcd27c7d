"""Tryton's records → the types of the contract. Pure: no network, no clock.

A record that does not have the promised form becomes a ``RejectedRecord``; the
others of its page are not touched by that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeVar

import msgspec

from erp_integrations.providers.contract import (
    RejectedRecord,
    RemoteAllocation,
    RemoteBill,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
)

#: what is kept of a record that cannot be used
RAW_SIZE = 4000
BILL = "account.invoice"

PAYMENT_FIELDS = (
    "number",
    "state",
    "date",
    "amount",
    "currency.code",
    "reference",
    "journal.process_method",
    "party.name",
    "line.move.origin",
    "last_modified_at",
)
BILL_PAYMENT_FIELDS = (
    "number",
    "reference",
    "party.name",
    "currency.code",
    "last_modified_at",
    "payment_lines.date",
    "payment_lines.debit",
    "payment_lines.credit",
    "payment_lines.amount_second_currency",
    "payment_lines.second_currency.code",
    "payment_lines.description",
    "payment_lines.move.number",
    "payment_lines.move.description",
)
BILL_FIELDS = (
    "number",
    "reference",
    "state",
    "party.name",
    "currency.code",
    "total_amount",
    "payment_lines.debit",
    "payment_lines.credit",
    "payment_lines.amount_second_currency",
    "payment_lines.second_currency.code",
    "lines_to_pay.payments.amount",
    "lines_to_pay.payments.kind",
    "lines_to_pay.payments.state",
)

STATUSES = {
    "draft": RemoteStatus.PENDING,
    "submitted": RemoteStatus.PENDING,
    "approved": RemoteStatus.PENDING,
    "processing": RemoteStatus.PENDING,
    "succeeded": RemoteStatus.ISSUED,
    "failed": RemoteStatus.VOIDED,
}
#: ways in which a payment journal makes a piece of paper; all others are electronic
PAPER = {"manual", "check"}


# ------------------------------------------------------- what Tryton sends
class Number(msgspec.Struct, tag_field="__class__", tag="Decimal"):
    decimal: Decimal


class Day(msgspec.Struct, tag_field="__class__", tag="date"):
    year: int
    month: int
    day: int

    def value(self) -> date:
        return date(self.year, self.month, self.day)


class Moment(msgspec.Struct, tag_field="__class__", tag="datetime"):
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int = 0

    def value(self) -> datetime:
        """Naive UTC on the wire, aware here."""
        day = (self.year, self.month, self.day)
        return datetime(*day, self.hour, self.minute, self.second, self.microsecond, UTC)


class Party(msgspec.Struct):
    id: int
    name: str | None


class Currency(msgspec.Struct):
    code: str


class PaymentJournal(msgspec.Struct):
    process_method: str


class Origin(msgspec.Struct):
    origin: str | None


class PaidLine(msgspec.Struct):
    move: Origin


class PaymentRow(msgspec.Struct):
    id: int
    number: str
    state: Literal["draft", "submitted", "approved", "processing", "succeeded", "failed"]
    date: Day
    amount: Number
    currency: Currency
    reference: str | None
    journal: PaymentJournal
    party: Party
    line: PaidLine | None
    last_modified_at: Moment


class Move(msgspec.Struct):
    number: str | None
    description: str | None


class Money(msgspec.Struct):
    """A journal line's amount, in the company's currency and perhaps in another."""

    debit: Number
    credit: Number
    amount_second_currency: Number | None
    second_currency: Currency | None

    def amount(self, currency: str) -> Decimal:
        if self.second_currency and self.second_currency.code == currency:
            if self.amount_second_currency is None:
                raise ValueError("the amount in the second currency is missing")
            return self.amount_second_currency.decimal
        return self.debit.decimal - self.credit.decimal


class PaymentLine(Money):
    id: int
    date: Day
    description: str | None
    move: Move


class BillWithLines(msgspec.Struct):
    id: int
    number: str | None
    reference: str | None
    party: Party
    currency: Currency
    last_modified_at: Moment
    payment_lines: list[msgspec.Raw]


class LinePayment(msgspec.Struct):
    amount: Number
    kind: str
    state: str


class LineToPay(msgspec.Struct):
    payments: list[LinePayment]


class BillRow(msgspec.Struct):
    id: int
    number: str | None
    reference: str | None
    state: str
    party: Party
    currency: Currency
    total_amount: Number
    payment_lines: list[Money]
    lines_to_pay: list[LineToPay]


class ReferenceRow(msgspec.Struct):
    id: int
    number: str | None
    reference: str | None


class Key(msgspec.Struct):
    """What the order of reading hangs on."""

    id: int
    last_modified_at: Moment


class _Id(msgspec.Struct):
    id: int


# ------------------------------------------------------------------ mapping
class Mapped(NamedTuple):
    payments: list[RemotePayment]
    rejected: list[RejectedRecord]


Row = TypeVar("Row")


def payments(
    rows: Iterable[msgspec.Raw], numbers: Callable[[Sequence[int]], Mapping[int, str]]
) -> Mapped:
    """Records of ``account.payment``; ``numbers`` gives the vendor's numbers of bills, by id."""
    mapped = Mapped([], [])
    decoder = msgspec.json.Decoder(PaymentRow)
    readable: list[tuple[msgspec.Raw, PaymentRow]] = []
    for raw in rows:
        try:
            readable.append((raw, decoder.decode(raw)))
        except ValueError as error:
            mapped.rejected.append(_rejected("payment", raw, error))
    bill_ids = {_bill_id(row.line) for _, row in readable}
    bill_numbers = numbers(sorted(each for each in bill_ids if each is not None))
    for raw, row in readable:
        try:
            mapped.payments.append(_payment(row, bill_numbers))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected("payment", raw, error))
    return mapped


def bill_payments(rows: Iterable[msgspec.Raw]) -> Mapped:
    """What was paid with the "Pay" button of bills: their ``payment_lines``."""
    mapped = Mapped([], [])
    decoder, line_decoder = msgspec.json.Decoder(BillWithLines), msgspec.json.Decoder(PaymentLine)
    for raw in rows:
        try:
            bill = decoder.decode(raw)
        except ValueError as error:
            mapped.rejected.append(_rejected("bill", raw, error))
            continue
        for line in bill.payment_lines:
            try:
                mapped.payments.append(_line_payment(bill, line_decoder.decode(line)))
            except (ValueError, ArithmeticError) as error:
                mapped.rejected.append(_rejected("line", line, error))
    return mapped


def bill(raw: msgspec.Raw) -> RemoteBill:
    """One record of ``account.invoice``. Raises ``ValueError``."""
    row = msgspec.json.decode(raw, type=BillRow)
    currency = row.currency.code
    paid = sum((_finite(line.amount(currency)) for line in row.payment_lines), Decimal(0))
    for line in row.lines_to_pay:
        paid += sum((_finite(p.amount.decimal) for p in line.payments if _is_money(p)), Decimal(0))
    return RemoteBill(
        remote_id=str(row.id),
        number=row.reference or row.number or "",
        vendor_ref=str(row.party.id),
        vendor_name=row.party.name or "",
        currency=currency,
        total=_finite(row.total_amount.decimal),
        paid=paid,
        is_posted=row.state in {"posted", "paid"},
        is_cancelled=row.state == "cancelled",
    )


def numbers_of(rows: Iterable[msgspec.Raw]) -> dict[int, str]:
    """What the vendor calls its bills, by bill id."""
    readable = _readable(rows, ReferenceRow)
    return {row.id: row.reference or row.number or "" for row in readable}


def last_key(rows: Sequence[msgspec.Raw]) -> tuple[datetime, int] | None:
    """Where the last record that has a place stands in the order of changes."""
    for key in _readable(reversed(rows), Key):
        return key.last_modified_at.value(), key.id
    return None


def _payment(row: PaymentRow, bill_numbers: Mapping[int, str]) -> RemotePayment:
    total = _finite(row.amount.decimal)
    bill_id = _bill_id(row.line)
    allocations: tuple[RemoteAllocation, ...] = ()
    if bill_id is not None:
        number = bill_numbers.get(bill_id, "")
        allocations = (RemoteAllocation(bill_id=str(bill_id), bill_number=number, amount=total),)
    paper = row.journal.process_method in PAPER
    return RemotePayment(
        remote_id=f"payment-{row.id}",
        number=row.number,
        status=STATUSES[row.state],
        method=RemoteMethod.CHECK if paper else RemoteMethod.ELECTRONIC,
        date=row.date.value(),
        currency=row.currency.code,
        total=total,
        modified_at=row.last_modified_at.value(),
        allocations=allocations,
        check_number=row.reference or "",
        vendor_ref=str(row.party.id),
        vendor_name=row.party.name or "",
    )


def _line_payment(bill: BillWithLines, line: PaymentLine) -> RemotePayment:
    amount = _finite(line.amount(bill.currency.code))
    memo = line.description or line.move.description or ""
    return RemotePayment(
        remote_id=f"line-{line.id}",
        number=line.move.number or str(line.id),
        status=RemoteStatus.ISSUED,
        method=RemoteMethod.CHECK,
        date=line.date.value(),
        currency=bill.currency.code,
        total=amount,
        modified_at=bill.last_modified_at.value(),
        allocations=(
            RemoteAllocation(
                bill_id=str(bill.id),
                bill_number=bill.reference or bill.number or "",
                amount=amount,
            ),
        ),
        # The wizard has one free text; a single word is a check number, more is a note.
        check_number=memo if len(memo.split()) == 1 else "",
        vendor_ref=str(bill.party.id),
        vendor_name=bill.party.name or "",
        memo=memo,
    )


def _bill_id(line: PaidLine | None) -> int | None:
    """The bill that a journal line belongs to: its entry's origin is ``account.invoice,7``."""
    origin = line.move.origin if line else None
    model, _, number = (origin or "").partition(",")
    return int(number) if model == BILL and number.isdecimal() else None


def _is_money(payment: LinePayment) -> bool:
    return payment.state == "succeeded" and payment.kind == "payable"


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount


def _readable(rows: Iterable[msgspec.Raw], form: type[Row]) -> Iterator[Row]:
    decode: Callable[[msgspec.Raw], Row] = msgspec.json.Decoder(form).decode
    for raw in rows:
        try:
            yield decode(raw)
        except ValueError:
            continue


def _rejected(kind: str, raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    known = next(_readable([raw], _Id), None)
    what = {"payment": "a payment", "bill": "a bill", "line": "a payment of a bill"}[kind]
    return RejectedRecord(
        remote_id=f"{kind}-{known.id}" if known else "",
        reason=f"Tryton sent {what} that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )
