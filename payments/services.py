"""What people do with payments. The other writer is ``projection``, which mirrors the ERP.

Everything here needs Admin on Commitments, and says so to whoever lacks it. A
payment that is synced with an ERP is locked, except for its payment number and
its attachments.
"""

import datetime as dt
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from commitments.models import Commitment, SubcontractorInvoice
from payments.models import (
    EventKind,
    Payment,
    PaymentAttachment,
    PaymentEvent,
    PaymentMethod,
)
from payments.rows import LOCKED
from projects import attachments
from projects.access import Level
from projects.models import User
from projects.money import amount_problem, display_money

NOT_ADMIN = (
    "Only administrators of Commitments on this project can change payments. Ask one of them."
)
SWITCHED_OFF = (
    "Payments are switched off for this commitment. An administrator of Commitments can switch "
    "them on in Advanced Settings."
)
ZERO_AMOUNT = "Enter an amount other than zero."
OTHER_INVOICE = "Choose an invoice of this commitment."
WRONG_DATE = "Enter a date between 01/01/2000 and one year from today."
WRONG_METHOD = "Choose Check, Credit Card or Electronic."
TOO_LONG = "Use at most 100 characters."

EARLIEST = dt.date(2000, 1, 1)
LABELS = {
    "invoice": "Invoice",
    "amount": "Amount",
    "method": "Payment Method",
    "date": "Date Paid",
    "payment_number": "Payment #",
    "invoice_number": "Invoice #",
    "check_number": "Check #",
    "notes": "Notes",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a person fills in for a payment."""

    amount: Decimal
    method: str
    date: dt.date
    invoice: SubcontractorInvoice | None = None
    payment_number: str = ""
    #: left empty, it is the chosen invoice's
    invoice_number: str = ""
    check_number: str = ""
    notes: str = ""


@transaction.atomic
def record_payment(*, commitment: Commitment, entry: Entry, by: User) -> Payment:
    """Add a payment by hand."""
    commitment = _administered(commitment, by)
    payment = Payment(
        company_id=commitment.company_id,
        project_id=commitment.project_id,
        commitment=commitment,
        currency=commitment.currency,
        created_by=by,
    )
    _fill(payment, entry)
    payment.save(force_insert=True)
    record_event(
        payment, EventKind.CREATED, by, {k: ["", v] for k, v in shown_values(payment).items() if v}
    )
    return payment


@transaction.atomic
def edit_payment(*, payment: Payment, entry: Entry, by: User) -> Payment:
    """Change a payment that was entered by hand."""
    payment = lock_payment(payment, by)
    _refuse_synced(payment)
    before = shown_values(payment)
    _fill(payment, entry)
    return _save(payment, before, [field.name for field in fields(Entry)], by)


@transaction.atomic
def set_payment_number(*, payment: Payment, payment_number: str, by: User) -> Payment:
    """The one field that people may change on a synced payment; the next sync keeps it."""
    payment = lock_payment(payment, by)
    before = shown_values(payment)
    payment.payment_number = payment_number.strip()
    if len(payment.payment_number) > 100:
        raise ValidationError({"payment_number": TOO_LONG})
    return _save(payment, before, ["payment_number"], by)


@transaction.atomic
def delete_payment(*, payment: Payment, by: User) -> Payment:
    """Delete a payment that was entered by hand, with its files; its history stays."""
    payment = lock_payment(payment, by)
    _refuse_synced(payment)
    gone = {label: [value, ""] for label, value in shown_values(payment).items() if value}
    files = list(payment.attachments.all())
    payment.attachments.all().delete()
    record_event(payment, EventKind.DELETED, by, gone)
    payment.delete()
    for each in files:
        attachments.forget(each)
    return payment


@transaction.atomic
def attach_file(*, payment: Payment, file: "UploadedFile[Any]", by: User) -> PaymentAttachment:
    """Keep a file with the payment. Raises ``ValidationError`` for a file that may not be."""
    payment = lock_payment(payment, by)
    attachment = PaymentAttachment(company_id=payment.company_id, payment=payment, uploaded_by=by)
    with attachments.kept(attachment, file):
        record_event(payment, EventKind.ATTACHED, by, {"Attachment": ["", attachment.name]})
    return attachment


@transaction.atomic
def remove_attachment(*, attachment: PaymentAttachment, by: User) -> PaymentAttachment:
    payment = lock_payment(attachment.payment, by)
    attachment = payment.attachments.select_for_update().get(pk=attachment.pk)
    record_event(payment, EventKind.DETACHED, by, {"Attachment": [attachment.name, ""]})
    attachment.delete()
    attachments.forget(attachment)
    return attachment


def check_entry(commitment: Commitment, entry: Entry) -> None:
    """Raises ``ValidationError`` with a sentence for each field that cannot be so."""
    problems: dict[str, str] = {}
    if sentence := _wrong_amount(entry.amount, commitment.currency):
        problems["amount"] = sentence
    if not EARLIEST <= entry.date <= timezone.localdate() + dt.timedelta(days=366):
        problems["date"] = WRONG_DATE
    if entry.method not in PaymentMethod.values:
        problems["method"] = WRONG_METHOD
    if entry.invoice is not None and entry.invoice.commitment_id != commitment.pk:
        problems["invoice"] = OTHER_INVOICE
    for name in ("payment_number", "invoice_number", "check_number"):
        if len(getattr(entry, name).strip()) > 100:
            problems[name] = TOO_LONG
    if problems:
        raise ValidationError(problems)


def _wrong_amount(amount: Decimal, currency: str) -> str:
    if not amount.is_finite() or amount == 0:
        return ZERO_AMOUNT
    return amount_problem(amount, currency)


def _fill(payment: Payment, entry: Entry) -> None:
    check_entry(payment.commitment, entry)
    payment.amount, payment.method, payment.date = entry.amount, entry.method, entry.date
    payment.invoice = entry.invoice
    payment.payment_number = entry.payment_number.strip()
    payment.check_number = entry.check_number.strip()
    payment.notes = entry.notes.strip()
    own_number = entry.invoice.invoice_number if entry.invoice else ""
    payment.invoice_number = entry.invoice_number.strip() or own_number


def _administered(commitment: Commitment, by: User) -> Commitment:
    """The commitment, locked. Raises ``ValidationError`` when the person may not pay on it."""
    rows = Commitment.objects.for_user(by, Level.ADMIN).select_for_update(of=("self",))
    found: Commitment | None = rows.filter(pk=commitment.pk).first()
    if found is None:
        raise ValidationError(NOT_ADMIN)
    if not found.allow_payments:
        raise ValidationError(SWITCHED_OFF)
    return found


def lock_payment(payment: Payment, by: User) -> Payment:
    """The payment as it is now, held until the end of the transaction."""
    rows = Payment.objects.for_user(by, Level.ADMIN).select_for_update(of=("self",))
    found: Payment | None = rows.filter(pk=payment.pk).first()
    if found is None:
        raise ValidationError(NOT_ADMIN)
    return found


def _refuse_synced(payment: Payment) -> None:
    if payment.is_synced:
        raise ValidationError(LOCKED)


def _save(payment: Payment, before: dict[str, str], names: list[str], by: User) -> Payment:
    """Store what differs, and its history; nothing at all when nothing does."""
    after = shown_values(payment)
    changes = {
        label: [before[label], after[label]] for label in after if before[label] != after[label]
    }
    if changes:
        payment.save(update_fields=[*names, "updated_at"])
        record_event(payment, EventKind.CHANGED, by, changes)
    return payment


def shown_values(payment: Payment) -> dict[str, str]:
    """What the history says about a payment, by label."""
    values: dict[str, Any] = {
        **{name: getattr(payment, name) for name in LABELS},
        "invoice": payment.invoice.invoice_number if payment.invoice else "",
        "amount": display_money(payment.amount, payment.currency),
        "method": PaymentMethod(payment.method).label,
        "date": f"{payment.date:%m/%d/%Y}",
    }
    return {LABELS[name]: str(value) for name, value in values.items()}


def record_event(
    payment: Payment, kind: EventKind, by: User, changes: dict[str, list[str]]
) -> PaymentEvent:
    return PaymentEvent.objects.create(
        company_id=payment.company_id,
        commitment_id=payment.commitment_id,
        payment=payment,
        label=str(payment)[:250],
        kind=kind,
        at=timezone.now(),
        actor=by,
        changes=changes,
    )
