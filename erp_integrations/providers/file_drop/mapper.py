"""The rows of one payment as one payment; pure.

A row below zero, or one that is marked, voids the payment with the same key. A
payment goes in whole or not at all: what comes later states it anew, so a part
of it would take away the rest.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from erp_integrations.acceptance import check_payment
from erp_integrations.providers.contract import (
    RemoteAllocation,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
)
from erp_integrations.providers.errors import RecordError
from erp_integrations.providers.file_drop.rows import Line

ZERO = Decimal(0)


class Refused(Exception):
    """The rows make no payment. ``columns`` are labels, ``str`` a sentence without a stop."""

    def __init__(self, sentence: str, *columns: str) -> None:
        super().__init__(sentence)
        self.columns = columns


class NothingKnown(Refused):
    """It voids a payment that no file has told of: nothing to do, and nothing is wrong."""


class Repeats(NamedTuple):
    """Rows of a payment, and those that only repeat another one word by word."""

    lines: list[Line]
    #: ``(the repetition, what it repeats)``
    repeated: list[tuple[Line, Line]]


def without_repeats(lines: Sequence[Line]) -> Repeats:
    """Each row once; but twice where only that adds up to the total of the payment."""
    kept: dict[bytes, Line] = {}
    repeated = []
    for line in lines:
        first = kept.setdefault(line.digest, line)
        if first is not line:
            repeated.append((line, first))
    total = lines[0].total
    if repeated and total is not None and sum((each.amount for each in lines), ZERO) == total:
        return Repeats(list(lines), [])
    return Repeats(list(kept.values()), repeated)


def payment_of(
    lines: Sequence[Line], *, stated_at: dt.datetime, known: RemotePayment | None
) -> RemotePayment:
    """One payment from its rows; ``known``: as the files before stated it.

    Raises ``Refused``.
    """
    given = [line for line in lines if line.amount > 0 and not line.is_void]
    if not given:
        return _voided(lines, stated_at, known)
    _check_agreement(given)
    applied = _applied(lines)
    first = given[0]
    status = RemoteStatus.ISSUED
    if not applied or any(line.is_void for line in lines):
        applied, status = _applied(given), RemoteStatus.VOIDED
    return _checked(_stated(first, applied, status, stated_at))


def _voided(
    lines: Sequence[Line], stated_at: dt.datetime, known: RemotePayment | None
) -> RemotePayment:
    """The payment as it was, voided: its date and amounts stay those of the payment."""
    amounts = {line.bill_id for line in lines if line.amount}
    if known is None and not amounts:
        raise NothingKnown(UNKNOWN_VOID)
    mine = [
        msgspec.structs.replace(
            line, amount=abs(line.amount), discount=abs(line.discount), is_void=False
        )
        for line in lines
        if line.amount
    ]
    if known is None:
        made = _stated(mine[0], _applied(mine), RemoteStatus.VOIDED, stated_at)
        return _checked(made)
    taken_back = sum((line.amount for line in mine), ZERO)
    applied = sum((each.amount for each in known.allocations), ZERO)
    if mine and taken_back not in (applied, known.total):
        raise Refused(PART_VOID.format(back=taken_back, paid=applied), "Amount paid on the invoice")
    return msgspec.structs.replace(known, status=RemoteStatus.VOIDED, modified_at=stated_at)


def _applied(lines: Sequence[Line]) -> tuple[RemoteAllocation, ...]:
    """What is left on each bill. Raises ``Refused`` for a credit inside of a payment."""
    by_bill: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_bill[line.bill_id].append(line)
    made = []
    for bill_id, rows in by_bill.items():
        amount = sum((row.amount for row in rows), ZERO)
        if amount < 0:
            numbers = rows[0].invoice, abs(amount)
            raise Refused(CREDIT.format(*numbers), "Amount paid on the invoice")
        if amount:
            discount = sum((row.discount for row in rows), ZERO)
            made.append(RemoteAllocation(bill_id, rows[0].invoice, amount, discount=discount))
    return tuple(made)


def _stated(
    first: Line,
    applied: tuple[RemoteAllocation, ...],
    status: RemoteStatus,
    stated_at: dt.datetime,
) -> RemotePayment:
    whole = sum((each.amount for each in applied), ZERO)
    return RemotePayment(
        remote_id=first.key,
        number=first.number,
        status=status,
        method=first.method,
        date=first.date,
        currency=first.currency,
        total=whole if first.total is None else abs(first.total),
        modified_at=stated_at,
        allocations=applied,
        check_number=first.number if first.method is RemoteMethod.CHECK else "",
        vendor_ref=first.vendor_ref,
        vendor_name=first.vendor_name,
        memo=first.memo,
    )


def _checked(payment: RemotePayment) -> RemotePayment:
    try:
        check_payment(payment)
    except RecordError as error:
        raise Refused(str(error).removesuffix(".")) from error
    return payment


def _check_agreement(lines: Sequence[Line]) -> None:
    """The rows of one payment say the same of what a payment has only once."""
    for name, label in _ONCE:
        values = {getattr(line, name): line for line in reversed(lines)}
        if len(values) > 1:
            one, other = sorted(values.values(), key=lambda line: line.line)[:2]
            raise Refused(
                DISAGREE.format(
                    one.line, _word(getattr(one, name)), other.line, _word(getattr(other, name))
                ),
                label,
            )


def _word(value: object) -> str:
    return f"{value:%m/%d/%Y}" if isinstance(value, dt.date) else str(value)


_ONCE = (
    ("date", "Date paid"),
    ("currency", "Currency"),
    ("method", "Payment method"),
    ("total", "Total of the payment"),
)
DISAGREE = "The rows of one payment disagree: line {} says {}, line {} says {}"
CREDIT = (
    "Invoice {} is below zero by {} within a payment of other invoices: a credit was taken on one "
    "of them. Lower that invoice's amount by as much and take this row out"
)
PART_VOID = (
    "The row takes back {back}, but the payment was {paid}. A payment is voided whole; state the "
    "payment anew where only a part was taken back"
)
UNKNOWN_VOID = "It voids a payment that no file has told of, so there was nothing to do"
