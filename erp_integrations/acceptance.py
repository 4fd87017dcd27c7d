"""Which records of an ERP can be stored. Everything else becomes an issue of its own.

Only records that are new or changed get here; what was accepted once and has
not changed since is not looked at again.
"""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from erp_integrations.providers.contract import (
    RejectedRecord,
    RemoteAllocation,
    RemotePayment,
    RemoteStatus,
)
from erp_integrations.providers.errors import RecordError
from projects.money import display_money, fits_currency, is_currency, minor_units

EARLIEST = dt.date(1990, 1, 1)
#: post-dated checks exist; a payment further ahead is a typing error
LATEST_AHEAD = dt.timedelta(days=366)
LARGEST = Decimal(10) ** 13
LONGEST_ID = 200
LONGEST_NUMBER = 100
#: texts that nothing depends on are cut to what their column holds
LONGEST_NAME = 200
LONGEST_MEMO = 500


def check_payment(payment: RemotePayment) -> None:
    """Raises ``RecordError`` with a sentence for the accountant when it cannot be stored."""
    _check_texts(payment)
    _check_date(payment.date)
    _check_currency(payment.currency)
    _check_amount(payment.total, payment.currency, "The payment's total")
    if payment.total < 0:
        raise RecordError(f"The payment's total is negative: {payment.total}.")
    for allocation in payment.allocations:
        _check_allocation(allocation, payment.currency)
    if payment.status is RemoteStatus.ISSUED:
        _check_sum(payment)


def rejected(payment: RemotePayment, error: RecordError) -> RejectedRecord:
    """The record as an issue will show it."""
    return RejectedRecord(payment.remote_id[:LONGEST_ID], str(error), repr(payment)[:4000])


def _check_texts(payment: RemotePayment) -> None:
    texts = [payment.remote_id, payment.number, payment.check_number, payment.vendor_ref]
    texts += [text for each in payment.allocations for text in (each.bill_id, each.bill_line_id)]
    if not payment.remote_id or any(not each.bill_id for each in payment.allocations):
        raise RecordError("The ERP sent a payment without an ID of its own or of its bill.")
    everything = "".join([*texts, payment.vendor_name, payment.memo]) + "".join(
        each.bill_number for each in payment.allocations
    )
    if "\x00" in everything or not everything.isprintable() and _has_surrogates(everything):
        raise RecordError("The payment has characters in its texts that are not text.")
    if max(map(len, texts)) > LONGEST_ID or max(map(len, texts[1:3])) > LONGEST_NUMBER:
        raise RecordError("The payment has a number or ID that is longer than any ERP makes.")
    if len({(each.bill_id, each.bill_line_id) for each in payment.allocations}) != len(
        payment.allocations
    ):
        raise RecordError("The ERP lists the same bill twice on this payment.")


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _check_date(date: dt.date) -> None:
    if not EARLIEST <= date <= timezone.localdate() + LATEST_AHEAD:
        raise RecordError(f"The payment's date is {date:%m/%d/%Y}, which cannot be right.")


def _check_currency(code: str) -> None:
    if not is_currency(code):
        raise RecordError(f"The payment is in “{code[:20]}”, which is not a currency we know.")


def _check_amount(amount: Decimal, currency: str, what: str) -> None:
    if not amount.is_finite() or abs(amount) >= LARGEST:
        raise RecordError(f"{what} is {amount}, which cannot be right.")
    if not fits_currency(amount, currency):
        raise RecordError(
            f"{what} is {amount}, but {currency} has {minor_units(currency)} decimals."
        )


def _check_allocation(allocation: RemoteAllocation, currency: str) -> None:
    bill = allocation.bill_number or allocation.bill_id
    _check_amount(allocation.amount, currency, f"The amount paid on bill {bill}")
    _check_amount(allocation.discount, currency, f"The discount on bill {bill}")
    if allocation.amount <= 0:
        amount = display_money(allocation.amount, currency)
        raise RecordError(f"The amount paid on bill {bill} is {amount}; it must be more than zero.")


def _check_sum(payment: RemotePayment) -> None:
    applied = sum((each.amount for each in payment.allocations), Decimal(0))
    if applied > payment.total:
        raise RecordError(
            f"The payment is {display_money(payment.total, payment.currency)}, but "
            f"{display_money(applied, payment.currency)} of it are applied to bills."
        )


def storable(text: str) -> str:
    """The text without what the database cannot keep."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()
