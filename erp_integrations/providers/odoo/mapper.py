"""Odoo's records become payments and bills; no network, no clock.

How much of a payment went to which bill is only in ``account.partial.reconcile``:
a line of the payment's entry settles a line of the bill's. The bills that a
payment lists by itself are not believed: they stay when it was cancelled and
when it was un-applied. The one exception is a payment without an entry.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
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
from erp_integrations.providers.odoo.rows import (
    BillRow,
    Entry,
    LinkedBill,
    Named,
    PaidBy,
    Partner,
    PaymentRow,
    UnbookedPayment,
    day,
    moment,
    text,
)

#: Odoo 18 and 19 say ``in_process`` of a check that was handed out, and ``paid`` once the bank
#: has it; 17 says ``posted`` of both. A draft may settle bills and is no money all the same.
STATUSES = {
    "draft": RemoteStatus.PENDING,
    "in_process": RemoteStatus.ISSUED,
    "paid": RemoteStatus.ISSUED,
    "posted": RemoteStatus.ISSUED,
    "canceled": RemoteStatus.VOIDED,
    "cancel": RemoteStatus.VOIDED,
    "rejected": RemoteStatus.VOIDED,
}
#: payment methods of Odoo that leave a check; *manual* is whatever is done outside of Odoo
PAPER = {"manual", "check_printing"}
RAW_SIZE = 2000
Row = TypeVar("Row")


class Mapped(NamedTuple):
    payments: list[RemotePayment]
    rejected: list[RejectedRecord]
    #: the companies whose books these payments are in
    companies: set[int]


class _Id(msgspec.Struct):
    id: int


def payments(rows: Iterable[msgspec.Raw]) -> Mapped:
    """Records of ``account.payment``, with their entries."""
    mapped = Mapped([], [], set())
    decoder = msgspec.json.Decoder(PaymentRow)
    for raw in rows:
        try:
            row = decoder.decode(raw)
            mapped.payments.append(_payment(row))
            mapped.companies.add(row.company_id)
        except (KeyError, ValueError, ArithmeticError) as error:
            mapped.rejected.append(_rejected(raw, error))
    return mapped


def bill(raw: msgspec.Raw) -> RemoteBill:
    """One record of ``account.move``. Raises ``ValueError``."""
    row = msgspec.json.decode(raw, type=BillRow)
    vendor = _vendor(row.partner_id)
    return RemoteBill(
        remote_id=str(row.id),
        number=text(row.ref) or text(row.name),
        vendor_ref=str(vendor.id) if vendor else "",
        vendor_name=text(vendor.display_name) if vendor else "",
        currency=row.currency_id.name,
        total=finite(row.amount_total),
        paid=_booked(row) + _unbooked(row),
        is_posted=row.state == "posted",
        is_cancelled=row.state == "cancel",
    )


def last_id(rows: Sequence[msgspec.Raw]) -> int | None:
    """The id of the last record that has one."""
    return next((row.id for row in _readable(reversed(rows), _Id)), None)


# ------------------------------------------------------------------- payments
def _payment(row: PaymentRow) -> RemotePayment:
    vendor, status = _vendor(row.partner_id), STATUSES[row.state]
    total, memo = finite(row.amount), text(row.memo) or text(row.ref)
    allocations = _allocations(row, total, status)
    return RemotePayment(
        remote_id=str(row.id),
        number=text(row.name) or f"Draft {row.id}",
        status=status,
        method=_method(row),
        date=day(row.date),
        currency=row.currency_id.name,
        total=total,
        modified_at=_modified(row),
        allocations=allocations,
        check_number=_check_number(row, memo, allocations),
        vendor_ref=str(vendor.id) if vendor else "",
        vendor_name=text(vendor.display_name) if vendor else "",
        memo=memo,
    )


def _vendor(partner: Partner | bool) -> Named | None:
    return partner.commercial_partner_id if isinstance(partner, Partner) else None


def _method(row: PaymentRow) -> RemoteMethod:
    if row.journal_id.type == "credit":
        return RemoteMethod.CREDIT_CARD
    paper = text(row.payment_method_code) in PAPER
    return RemoteMethod.CHECK if paper else RemoteMethod.ELECTRONIC


def _modified(row: PaymentRow) -> datetime:
    """The latest of the payment, its entry and its lines.

    Seen on Odoo 19: where a payment that is not used up is applied to a bill, or
    taken off one, only the ``write_date`` of its line moves.
    """
    moments = [moment(row.write_date)]
    if isinstance(row.move_id, Entry):
        moments.append(moment(row.move_id.write_date))
        moments += [moment(line.write_date) for line in row.move_id.line_ids]
    return max(moments)


def _check_number(row: PaymentRow, memo: str, allocations: Sequence[RemoteAllocation]) -> str:
    """The printed number, else the reference, else a memo that is one word.

    Odoo writes the bill's own number into the memo if nobody types another one.
    """
    typed = text(row.check_number) or text(row.payment_reference)
    if typed:
        return typed
    own = {each.bill_number for each in allocations}
    own |= {text(each.name) for each in row.invoice_ids}
    return memo if len(memo.split()) == 1 and memo not in own else ""


def _allocations(
    row: PaymentRow, total: Decimal, status: RemoteStatus
) -> tuple[RemoteAllocation, ...]:
    if isinstance(row.move_id, Entry):
        return _spent(row.move_id, total)
    if status is not RemoteStatus.ISSUED:
        return ()
    shares = _shares(total, row.currency_id.id, [bill for bill in row.invoice_ids if bill.is_bill])
    return tuple(RemoteAllocation(str(bill.id), bill.number, amount) for bill, amount in shares)


def _spent(entry: Entry, total: Decimal) -> tuple[RemoteAllocation, ...]:
    """What of this amount went to which bill; more was settled where there was a discount."""
    applied = _applied(entry)
    sums = sum((each.amount for each in applied), Decimal(0))
    return _less_discount(applied, sums - total) if sums > total else applied


def _applied(entry: Entry) -> tuple[RemoteAllocation, ...]:
    """What the entry's lines settle of bills, in the payment's own currency.

    A bill with installments has several lines; exchange differences, refunds
    and other entries have no bill on the other side.
    """
    sums: dict[int, RemoteAllocation] = {}
    for line in entry.line_ids:
        for each in line.matched_credit_ids:
            bill, amount = each.credit_move_id.move_id, finite(each.debit_amount_currency)
            if not bill.is_bill or not amount:
                continue
            before = sums[bill.id].amount if bill.id in sums else Decimal(0)
            sums[bill.id] = RemoteAllocation(str(bill.id), bill.number, before + amount)
    return tuple(sums[number] for number in sorted(sums))


def _less_discount(
    applied: Sequence[RemoteAllocation], discount: Decimal
) -> tuple[RemoteAllocation, ...]:
    """What was settled beyond the money is a discount; of several bills each has its share."""
    total = sum((each.amount for each in applied), Decimal(0))
    cent, left, shared = Decimal(1).scaleb(_exponent(applied, discount)), discount, []
    for each in applied[:-1]:
        share = (discount * each.amount / total).quantize(cent, ROUND_HALF_EVEN)
        shared.append(_with_discount(each, share))
        left -= share
    return (*shared, _with_discount(applied[-1], left))


def _exponent(applied: Sequence[RemoteAllocation], discount: Decimal) -> int:
    """The finest step of these amounts, and a cent at least."""
    exponents = [each.amount.as_tuple().exponent for each in applied]
    exponents.append(discount.as_tuple().exponent)
    return min([-2, *(each for each in exponents if isinstance(each, int))])


def _with_discount(each: RemoteAllocation, discount: Decimal) -> RemoteAllocation:
    return msgspec.structs.replace(each, amount=each.amount - discount, discount=discount)


def _shares(
    amount: Decimal, currency: int, bills: Sequence[LinkedBill]
) -> list[tuple[LinkedBill, Decimal]]:
    """How a payment without an entry is spread over the bills that it lists.

    Odoo Enterprise books no entry where the journal has no outstanding account,
    and then says nowhere how much is for which bill. It is plain for one bill,
    and where the amount is what is owed on them together. Raises ``ValueError``.
    """
    if len(bills) == 1:
        (bill,) = bills
        is_same = bill.currency_id == currency
        return [(bill, min(amount, finite(bill.amount_total)) if is_same else amount)]
    if all(bill.currency_id == currency for bill in bills):
        for owed in ("amount_total", "amount_residual"):
            shares = [(bill, finite(getattr(bill, owed))) for bill in bills]
            if sum((share for _, share in shares), Decimal(0)) == amount:
                return [(bill, share) for bill, share in shares if share]
    if not bills:
        return []
    raise ValueError(
        f"it is for {len(bills)} bills and has no journal entry, so Odoo does not say how much of "
        f"it is for which. Give its journal an outstanding account, or pay these bills one by one"
    )


# ---------------------------------------------------------------------- bills
def _booked(row: BillRow) -> Decimal:
    """What issued payments have left for the bill, in its own currency.

    Not ``amount_total - amount_residual``: that is lowered by drafts, refunds
    and discounts too.
    """
    settled: dict[int, Decimal] = {}
    payments: dict[int, PaidBy] = {}
    for line in row.line_ids:
        for paid in line.matched_debit_ids:
            payment = paid.debit_move_id.payment_id
            if isinstance(payment, PaidBy) and _is_money(payment):
                before = settled.get(payment.id, Decimal(0))
                settled[payment.id] = before + finite(paid.credit_amount_currency)
                payments[payment.id] = payment
    return sum(
        (_less_its_discount(row.id, each, settled[each.id]) for each in payments.values()),
        Decimal(0),
    )


def _less_its_discount(bill: int, payment: PaidBy, settled: Decimal) -> Decimal:
    """What of an amount in the bill's currency was money, as the payment says in its own."""
    if not isinstance(payment.move_id, Entry):
        return settled
    for each in _spent(payment.move_id, finite(payment.amount)):
        if each.bill_id == str(bill) and each.discount:
            discount = settled * each.discount / (each.amount + each.discount)
            return settled - discount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return settled


def _is_money(payment: PaidBy | UnbookedPayment) -> bool:
    return STATUSES.get(payment.state) is RemoteStatus.ISSUED


def _unbooked(row: BillRow) -> Decimal:
    """What issued payments without an entry have left for this bill."""
    return sum((_share_of(row, each) for each in row.matched_payment_ids), Decimal(0))


def _share_of(row: BillRow, payment: UnbookedPayment) -> Decimal:
    if payment.move_id or not _is_money(payment):
        return Decimal(0)
    bills = [bill for bill in payment.invoice_ids if bill.is_bill]
    try:
        shares = _shares(finite(payment.amount), payment.currency_id, bills)
    except ValueError:
        return Decimal(0)
    return sum((share for bill, share in shares if bill.id == row.id), Decimal(0))


# ------------------------------------------------------------------- in general
def finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount


def _readable(rows: Iterable[msgspec.Raw], form: type[Row]) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(form)
    for raw in rows:
        try:
            yield decoder.decode(raw)
        except ValueError:
            continue


def _rejected(raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    known = next(_readable([raw], _Id), None)
    said = f"the state {error} is not known" if isinstance(error, KeyError) else str(error)
    return RejectedRecord(
        remote_id=str(known.id) if known else "",
        reason=f"Odoo sent a payment that cannot be used: {said.rstrip('.')}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )
