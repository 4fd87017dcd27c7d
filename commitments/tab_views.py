"""The tabs of one commitment, except its invoices and those that other rooms add."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from commitments.commitment_list import percent_text, with_amounts
from commitments.forms import AdvancedSettingsForm
from commitments.history import history_page
from commitments.models import (
    ChangeOrder,
    Commitment,
    ScheduleOfValuesLine,
)
from commitments.pages import CommitmentPage, open_commitment, page_of, require
from commitments.payments_tab import set_payments_enabled
from projects.access import Level

SUMMARY = (
    ("Original Contract Amount", "original_amount"),
    ("Approved Change Orders", "approved_changes"),
    ("Revised Contract Amount", "revised_amount"),
    ("Pending Change Orders", "pending_changes"),
    ("Pending Revised Contract Amount", "pending_revised_amount"),
    ("Draft Change Orders", "draft_changes"),
    ("Invoices", "invoiced"),
    ("Payments Issued", "payments_issued"),
    ("Remaining Balance", "remaining_balance"),
)


@login_required
@require_GET
def general(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    """What the contract says, and where its money stands."""
    frame = open_commitment(request, project_id, commitment_id, "general")
    amounts: Any = with_amounts(Commitment.objects.filter(pk=commitment_id)).get()
    context = {
        **frame.context,
        "summary": [(label, getattr(amounts, name)) for label, name in SUMMARY],
        "percent_paid": percent_text(amounts.percent_paid),
        "people": list(frame.commitment.viewers.all()) if frame.is_admin else [],
        "contacts": list(frame.commitment.invoice_contacts.all()) if frame.is_admin else [],
        "settings_url": _settings_hint(frame),
    }
    return render(request, "commitments/general.html", context)


@login_required
@require_GET
def schedule_of_values(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    """What the contract sum is made of."""
    frame = open_commitment(request, project_id, commitment_id, "schedule_of_values")
    require(frame.sees_schedule)
    lines = ScheduleOfValuesLine.objects.filter(commitment=frame.commitment)
    context = {
        **frame.context,
        "page": page_of(request, lines),
        "total": lines.aggregate(total=Sum("amount"))["total"],
    }
    return render(request, "commitments/schedule_of_values.html", context)


@login_required
@require_GET
def change_orders(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    frame = open_commitment(request, project_id, commitment_id, "change_orders")
    rows = ChangeOrder.objects.filter(commitment=frame.commitment)
    by_status = rows.order_by().values("status").annotate(total=Sum("amount")).order_by("status")
    context = {**frame.context, "page": page_of(request, rows), "totals": by_status}
    return render(request, "commitments/change_orders.html", context)


@login_required
@require_GET
def history(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    frame = open_commitment(request, project_id, commitment_id, "history")
    page, rows = history_page(request, frame.commitment)
    context = {**frame.context, "page": page, "rows": rows}
    return render(request, "commitments/history.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def advanced_settings(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    """Enable Payments, for administrators of Commitments; for others it does not exist."""
    frame = open_commitment(request, project_id, commitment_id, "advanced_settings", Level.ADMIN)
    form = AdvancedSettingsForm.of(frame.commitment)
    if request.method == "POST":
        form = AdvancedSettingsForm(request.POST)
        if form.is_valid():
            is_enabled = form.cleaned_data["allow_payments"]
            set_payments_enabled(
                commitment=frame.commitment,
                is_enabled=is_enabled,
                by=request.user,  # type: ignore[arg-type]  # login_required
            )
            messages.success(request, SWITCHED_ON if is_enabled else SWITCHED_OFF)
            return redirect(frame.url("commitments:advanced_settings"))
    return render(request, "commitments/advanced_settings.html", {**frame.context, "form": form})


SWITCHED_ON = (
    "Payments are enabled. Payments that waited for this appear on Payments Issued in a moment."
)
SWITCHED_OFF = (
    "Payments are disabled. The Payments Issued tab is hidden; payments that came stay stored, and "
    "new ones wait until an administrator of Commitments enables payments again."
)


def _settings_hint(frame: CommitmentPage) -> str:
    """Where an administrator can switch the payments on; empty when they are or it is no one's."""
    if not frame.is_admin or frame.commitment.allow_payments:
        return ""
    return frame.url("commitments:advanced_settings")
