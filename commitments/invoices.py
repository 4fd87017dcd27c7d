"""What people do with subcontractor invoices here; ``erp_states`` brings them to the ERP.

Everything needs Admin on Commitments. Once an invoice was sent to the ERP it is
locked, except for its attachments, until it is retrieved, rejected or unlinked
(domain sheet §1.4, §3.6). Each change is in the history with its old value.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from commitments.erp_states import NOT_ADMIN, record
from commitments.invoice_list import G702_LINES
from commitments.models import (
    BillingPeriod,
    Commitment,
    InvoiceAttachment,
    InvoiceStatus,
    SubcontractorInvoice,
)
from projects import attachments
from projects.access import Level
from projects.models import ErpStatus, User
from projects.money import ZERO, amount_problem, display_money

#: Procore's sentence for what is synced (domain sheet §2), and ours for the way there
LOCKED: dict[str, str] = {
    ErpStatus.SENT: "The invoice is not editable because it was sent to the ERP. Retrieve it "
    "first, or wait until an accounting approver rejects it.",
    ErpStatus.EXPORTING: "The invoice is not editable because the ERP is receiving it now.",
    ErpStatus.FAILED: "The invoice is not editable because it was accepted for export. An "
    "accounting approver can reject it, which gives it back.",
    ErpStatus.SYNCED: "The invoice is not editable because it has been synced with ERP",
}
CHANGED_MEANWHILE = (
    "Somebody changed this invoice while you had it open, so nothing was saved. What you see now "
    "is what it is; make your changes again."
)
NOT_THE_LAST = "Only the last invoice of a commitment can be deleted: later ones count on it."
HAS_PAYMENTS = (
    "Payments stand on this invoice. Choose another invoice for them, or delete them first."
)
NO_NUMBER = "Invoice number can't be blank."
WRONG_STATUS = "Choose a status of the list."
WRONG_DATE = "Enter a date between 01/01/2000 and one year from today."
WRONG_PERIOD = "The period ends before it starts."
OTHER_PERIOD = "Choose a billing period of the project."
TOO_LONG = "Use at most {limit} characters."
EARLIEST = dt.date(2000, 1, 1)

LABELS = {
    "position": "Invoice Position",
    "invoice_number": "Invoice #",
    "status": "Status",
    "billing_period": "Billing Period",
    "billing_date": "Billing Date",
    "period_start": "Period Start",
    "period_end": "Period End",
    "submitted_at": "Submitted",
    "is_final": "Final",
    "comments": "Overall Comments",
    **{name: label for _, label, name in G702_LINES},
}
#: no line of the invoice itself, so it may change when the invoice is locked
BILL_TOTAL = {"erp_bill_total": "Total of the ERP's bill"}
AMOUNTS = {name for _, _, name in G702_LINES} | set(BILL_TOTAL)


@dataclass(frozen=True, kw_only=True)
class InvoiceEntry:
    """What a person fills in; the other four lines of the G702 follow from these five."""

    invoice_number: str
    billing_date: dt.date
    status: str = InvoiceStatus.DRAFT
    billing_period: BillingPeriod | None = None
    period_start: dt.date | None = None
    period_end: dt.date | None = None
    is_final: bool = False
    comments: str = ""
    original_contract_sum: Decimal = ZERO
    net_change_by_change_orders: Decimal = ZERO
    total_completed_and_stored_to_date: Decimal = ZERO
    total_retainage: Decimal = ZERO
    less_previous_certificates: Decimal = ZERO


ENTERED_AMOUNTS = [each.name for each in fields(InvoiceEntry) if each.type is Decimal]


@transaction.atomic
def create_invoice(
    *, commitment: Commitment, entry: InvoiceEntry, by: User
) -> SubcontractorInvoice:
    """Add an invoice at the next position of its commitment."""
    commitment = _administered(commitment, by)
    highest = commitment.invoices.aggregate(highest=Max("position"))["highest"] or 0
    invoice = SubcontractorInvoice(
        company_id=commitment.company_id,
        project_id=commitment.project_id,
        commitment=commitment,
        position=highest + 1,
    )
    _fill(invoice, entry)
    return _create(invoice, by)


@transaction.atomic
def edit_invoice(
    *,
    invoice: SubcontractorInvoice,
    entry: InvoiceEntry,
    by: User,
    seen_at: dt.datetime | None = None,
) -> SubcontractorInvoice:
    """Change it. ``seen_at``: its ``updated_at`` when the person opened it; what changed since
    would be lost, so that is refused."""
    invoice = _locked(invoice, by)
    require_editable(invoice)
    if seen_at is not None and invoice.updated_at != seen_at:
        raise ValidationError(CHANGED_MEANWHILE)
    before = _shown(invoice)
    _fill(invoice, entry)
    return _save(invoice, before, by)


@transaction.atomic
def set_status(*, invoice: SubcontractorInvoice, status: str, by: User) -> SubcontractorInvoice:
    """Approve it, or give it any other status; the same status again changes nothing."""
    invoice = _locked(invoice, by)
    require_editable(invoice)
    if status not in InvoiceStatus.values:
        raise ValidationError(WRONG_STATUS)
    before = _shown(invoice)
    _give_status(invoice, status)
    return _save(invoice, before, by)


@transaction.atomic
def store(*, invoice: SubcontractorInvoice, by: User) -> SubcontractorInvoice:
    """Write an invoice as the administration's form filled it in, with all nine lines."""
    if invoice._state.adding:
        _administered(invoice.commitment, by)
        return _create(invoice, by)
    stored = _locked(invoice, by)
    before = _shown(stored)
    if any(before[label] != now for label, now in _shown(invoice).items() if label in _CLOSED):
        require_editable(stored)
    return _save(invoice, before, by)


@transaction.atomic
def attach_file(
    *, invoice: SubcontractorInvoice, file: "UploadedFile[Any]", by: User
) -> InvoiceAttachment:
    """Keep a file with the invoice, wherever it stands on its way to the ERP."""
    invoice = _locked(invoice, by)
    attachment = InvoiceAttachment(company_id=invoice.company_id, invoice=invoice, uploaded_by=by)
    with attachments.kept(attachment, file):
        changes = {"Attachment": ["", attachment.name]}
        record(invoice, by=by, summary="Attachment added", changes=changes)
    return attachment


@transaction.atomic
def remove_attachment(*, attachment: InvoiceAttachment, by: User) -> InvoiceAttachment:
    invoice = _locked(attachment.invoice, by)
    attachment = invoice.attachments.select_for_update().get(pk=attachment.pk)
    changes = {"Attachment": [attachment.name, ""]}
    record(invoice, by=by, summary="Attachment removed", changes=changes)
    attachment.delete()
    attachments.forget(attachment)
    return attachment


@transaction.atomic
def delete_invoice(*, invoice: SubcontractorInvoice, by: User) -> SubcontractorInvoice:
    """Delete the last invoice of its commitment, with its files; its history stays (§1.5)."""
    commitment = _administered(invoice.commitment, by)
    invoice = _locked(invoice, by)
    require_editable(invoice)
    if commitment.invoices.filter(position__gt=invoice.position).exists():
        raise ValidationError(NOT_THE_LAST)
    if invoice.payments.exists():
        raise ValidationError(HAS_PAYMENTS)
    gone = {label: [value, ""] for label, value in _shown(invoice).items() if value}
    record(invoice, by=by, summary="Deleted", changes=gone)
    files = list(invoice.attachments.all())
    invoice.delete()
    for each in files:
        attachments.forget(each)
    return invoice


def require_editable(invoice: SubcontractorInvoice) -> None:
    """Raises ``ValidationError`` while the ERP, or an approver, has the invoice."""
    if notice := LOCKED.get(invoice.erp_status):
        raise ValidationError(notice)


@dataclass(frozen=True)
class Batch:
    """What came of doing one thing to several invoices: each by itself, in its own transaction."""

    done: list[SubcontractorInvoice] = field(default_factory=list)
    #: with the reason
    refused: list[tuple[SubcontractorInvoice, str]] = field(default_factory=list)


def for_each(
    invoices: Iterable[SubcontractorInvoice],
    act: Callable[[SubcontractorInvoice], SubcontractorInvoice],
) -> Batch:
    """Do it to one after the other; one that is refused does not stop the others."""
    batch = Batch()
    for invoice in invoices:
        try:
            batch.done.append(act(invoice))
        except ValidationError as error:
            batch.refused.append((invoice, " ".join(error.messages)))
    return batch


def check_entry(commitment: Commitment, entry: InvoiceEntry) -> None:
    """Raises ``ValidationError`` with a sentence for each field that cannot be so."""
    problems = {
        "invoice_number": _wrong_number(entry.invoice_number.strip()),
        "status": "" if entry.status in InvoiceStatus.values else WRONG_STATUS,
        "billing_period": _wrong_period(commitment, entry.billing_period),
        "period_end": _wrong_dates(entry.period_start, entry.period_end),
        **{name: _wrong_date(getattr(entry, name)) for name in ("billing_date", "period_start")},
        **{
            name: amount_problem(getattr(entry, name), commitment.currency)
            for name in ENTERED_AMOUNTS
        },
    }
    found = {name: sentence for name, sentence in problems.items() if sentence}
    if found:
        raise ValidationError(found)


def _wrong_number(number: str) -> str:
    return TOO_LONG.format(limit=50) if len(number) > 50 else "" if number else NO_NUMBER


def _wrong_date(date: dt.date | None) -> str:
    latest = timezone.localdate() + dt.timedelta(days=366)
    return "" if date is None or EARLIEST <= date <= latest else WRONG_DATE


def _wrong_dates(start: dt.date | None, end: dt.date | None) -> str:
    return WRONG_PERIOD if start and end and end < start else _wrong_date(end)


def _wrong_period(commitment: Commitment, period: BillingPeriod | None) -> str:
    return OTHER_PERIOD if period and period.project_id != commitment.project_id else ""


def _fill(invoice: SubcontractorInvoice, entry: InvoiceEntry) -> None:
    check_entry(invoice.commitment, entry)
    _give_status(invoice, entry.status)
    for each in fields(InvoiceEntry):
        if each.name != "status":
            setattr(invoice, each.name, getattr(entry, each.name))
    invoice.invoice_number = entry.invoice_number.strip()
    invoice.comments = entry.comments.strip()
    _add_up(invoice)


def _add_up(invoice: SubcontractorInvoice) -> None:
    """The four lines of the G702 that follow from the others."""
    whole = invoice.original_contract_sum + invoice.net_change_by_change_orders
    earned = invoice.total_completed_and_stored_to_date - invoice.total_retainage
    invoice.contract_sum_to_date, invoice.total_earned_less_retainage = whole, earned
    invoice.current_payment_due = earned - invoice.less_previous_certificates
    invoice.balance_to_finish = whole - earned


def _give_status(invoice: SubcontractorInvoice, status: str) -> None:
    """An invoice that is no draft any more was submitted, if not before then now."""
    invoice.status = status
    if status != InvoiceStatus.DRAFT and invoice.submitted_at is None:
        invoice.submitted_at = timezone.now()


def _administered(commitment: Commitment, by: User) -> Commitment:
    """The commitment, held so that positions are counted by one at a time."""
    rows = Commitment.objects.for_user(by, Level.ADMIN).select_for_update(of=("self",))
    found: Commitment | None = rows.filter(pk=commitment.pk).first() if by.is_active else None
    if found is None:
        raise ValidationError(NOT_ADMIN)
    return found


def _locked(invoice: SubcontractorInvoice, by: User) -> SubcontractorInvoice:
    """The invoice as it is now, held until the end of the transaction."""
    rows = SubcontractorInvoice.objects.for_user(by, Level.ADMIN).select_for_update(of=("self",))
    rows = rows.select_related("commitment", "billing_period").filter(pk=invoice.pk)
    found: SubcontractorInvoice | None = rows.first() if by.is_active else None
    if found is None:
        raise ValidationError(NOT_ADMIN)
    return found


def _create(invoice: SubcontractorInvoice, by: User) -> SubcontractorInvoice:
    invoice.save(force_insert=True)
    changes = {label: ["", now] for label, now in _shown(invoice).items() if now}
    record(invoice, by=by, summary="Created", changes=changes)
    return invoice


def _save(invoice: SubcontractorInvoice, before: dict[str, str], by: User) -> SubcontractorInvoice:
    """Store what differs, and its history; nothing at all when nothing does."""
    after = _shown(invoice)
    changes = {label: [before[label], now] for label, now in after.items() if before[label] != now}
    if changes:
        invoice.save(update_fields=[*LABELS, *BILL_TOTAL, "updated_at"])
        record(invoice, by=by, summary="Changed", changes=changes)
    return invoice


#: what an approver was sent
_CLOSED = set(LABELS.values())


def _shown(invoice: SubcontractorInvoice) -> dict[str, str]:
    """What the history says about an invoice, by label."""
    labels = {**LABELS, **BILL_TOTAL}
    return {label: _words(invoice, name) for name, label in labels.items()}


def _words(invoice: SubcontractorInvoice, name: str) -> str:
    value = getattr(invoice, name)
    if value is None:
        return ""
    if name in AMOUNTS:
        return display_money(value, invoice.commitment.currency)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%m/%d/%Y %I:%M %p} UTC"
    if isinstance(value, dt.date):
        return f"{value:%m/%d/%Y}"
    return str(InvoiceStatus(value).label) if name == "status" else str(value)
