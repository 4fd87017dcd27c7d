"""The Payments Issued tab of a commitment, and what is done on it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from commitments import extensions
from commitments.exports import csv_response
from commitments.pages import CommitmentPage, open_commitment, require
from payments.duplicates import pairs_in
from payments.filters import PaymentFilter
from payments.rows import (
    NEWEST_FIRST,
    PaymentRow,
    grand_totals,
    visible_rows,
    with_attachment_counts,
)
from projects.money import rounded
from projects.paging import KeysetPage, keyset_page

NONE_YET_ADMIN = (
    "No payment yet. Payments of invoices that are synced with the ERP appear here after the next "
    "sync. A payment made outside the ERP can be added by hand with “Add Payment”."
)
NONE_YET = (
    "No payment yet. Payments of invoices that are synced with the ERP appear here after the next "
    "sync. Administrators of Commitments can add payments by hand."
)
NONE_FOUND = "No payment fits these filters. Clear them to see all payments."
EXPORT_HEADER = (
    *("ERP Status", "Invoice", "Amount", "Currency", "Date Paid", "Payment Method"),
    *("Payment Number", "Invoice Number", "Check Number", "Notes", "Status", "Voided On"),
    "Attachments",
)


@login_required
@require_GET
def payments_issued(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    """What was paid on the commitment, row by row, and what it comes to."""
    frame = open_commitment(request, project_id, commitment_id, "payments_issued")
    if not frame.commitment.allow_payments:
        return switched_off(request, frame)
    found = _found(request, frame)
    page = keyset_page(request, with_attachment_counts(found.qs), NEWEST_FIRST, counted=found.qs)
    context = {
        **frame.context,
        "filter": found,
        "page": page,
        "rows": _rows(page, frame),
        "totals": grand_totals(found.qs),
        "statuses": extensions.payments_statuses(frame.commitment, request.user),
        "payments_actions": extensions.payments_actions(frame.commitment, request.user),
        "empty": _empty(found, frame),
        "page_url": frame.url("payments:payments_issued"),
        "export_url": frame.url("payments:export"),
        "add_url": frame.url("payments:new") if frame.is_admin else "",
    }
    return render(request, "payments/payments_issued.html", context)


def _rows(page: KeysetPage, frame: CommitmentPage) -> list[PaymentRow]:
    """The payments, and of those that seem to be here twice the other half."""
    pairs = pairs_in(frame.commitment.payments.all())
    twins = {each.pk: pair.other(each) for pair in pairs for each in pair}
    return [PaymentRow(each, frame.commitment, twins.get(each.pk)) for each in page]


@login_required
@require_GET
def export(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponseBase:
    """The filtered rows, for a spreadsheet."""
    frame = open_commitment(request, project_id, commitment_id, "payments_issued")
    require(frame.commitment.allow_payments)
    rows = with_attachment_counts(_found(request, frame).qs)
    lines = (_line(PaymentRow(each, frame.commitment)) for each in rows.iterator())
    return csv_response(
        name="payments-issued",
        project=frame.commitment.project,
        header=EXPORT_HEADER,
        rows=lines,
    )


def switched_off(request: HttpRequest, frame: CommitmentPage) -> HttpResponse:
    """Nothing for readers; for administrators the way to switch the tab on."""
    require(frame.is_admin)
    context = {**frame.context, "settings_url": frame.url("commitments:advanced_settings")}
    return render(request, "payments/switched_off.html", context)


def _found(request: HttpRequest, frame: CommitmentPage) -> PaymentFilter:
    return PaymentFilter(request.GET, queryset=visible_rows(frame.commitment, request.user))


def _empty(found: PaymentFilter, frame: CommitmentPage) -> str:
    if found.is_filtering:
        return NONE_FOUND
    return NONE_YET_ADMIN if frame.is_admin else NONE_YET


def _line(row: PaymentRow) -> tuple[object, ...]:
    payment = row.payment
    return (
        row.erp_state,
        row.invoice_text,
        rounded(payment.amount, payment.currency),
        payment.currency,
        payment.date,
        payment.get_method_display(),
        payment.payment_number,
        payment.invoice_number,
        payment.check_number,
        payment.notes,
        payment.get_status_display(),
        payment.voided_on,
        payment.attachment_count,
    )
