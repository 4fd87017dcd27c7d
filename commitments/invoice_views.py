"""The Invoices tab of a commitment, and each invoice's own pages."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commitments import extensions, invoices
from commitments.checklist import checklist
from commitments.erp_states import erp_tool_is_on
from commitments.history import invoice_history
from commitments.invoice_actions import BulkBar, act_on_ticked
from commitments.invoice_forms import InvoiceEntryForm, initial_for, initial_of
from commitments.invoice_list import InvoiceRow, invoice_totals, visible_invoices
from commitments.models import InvoiceAttachment, SubcontractorInvoice
from commitments.pages import CommitmentPage, open_commitment
from projects import attachments
from projects.access import Level
from projects.forms import AttachmentForm
from projects.paging import keyset_page

TAB = "invoices"


@dataclass(frozen=True)
class Opened:
    """An invoice, with what was paid on it, in the frame of its commitment."""

    frame: CommitmentPage
    invoice: Any

    def url(self, name: str, *args: int) -> str:
        return self.frame.url(f"commitments:{name}", self.invoice.pk, *args)

    @property
    def context(self) -> dict[str, Any]:
        is_on = erp_tool_is_on(self.invoice.project_id)
        return {**self.frame.context, "row": InvoiceRow(self.invoice, tool_is_on=is_on)}


def _open(request: HttpRequest, where: tuple[int, int, int], *, to_write: bool = False) -> Opened:
    """The invoice, for whoever may see it. Raises ``Http404`` for everybody else, and
    ``PermissionDenied`` for readers who want to write."""
    project_id, commitment_id, invoice_id = where
    frame = open_commitment(request, project_id, commitment_id, TAB)
    found = get_object_or_404(visible_invoices(request.user, frame.commitment), pk=invoice_id)
    if to_write and not frame.is_admin:
        raise PermissionDenied
    return Opened(frame, found)


@login_required
@require_GET
def invoice_list(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    frame = open_commitment(request, project_id, commitment_id, TAB)
    rows = visible_invoices(request.user, frame.commitment)
    page = keyset_page(request, rows, ("-position",), counted=rows.values("pk"))
    tool_is_on = frame.is_admin and erp_tool_is_on(project_id)
    shown = [InvoiceRow(each, tool_is_on=tool_is_on) for each in page]
    url = frame.url("commitments:invoices_act")
    context = {
        **frame.context,
        "page": page,
        "rows": shown,
        "totals": invoice_totals(rows),
        "bulk": BulkBar(url, shown, tool_is_on) if frame.is_admin else None,
        "new_url": frame.url("commitments:invoice_new") if frame.is_admin else "",
    }
    return render(request, "commitments/invoices.html", context)


@login_required
@require_POST
def act(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    """Send, retrieve, or change the status of the ticked invoices."""
    frame = open_commitment(request, project_id, commitment_id, TAB)
    if not frame.is_admin:
        raise PermissionDenied
    act_on_ticked(request, visible_invoices(request.user, frame.commitment))
    return redirect(f"{frame.url('commitments:invoices')}?{request.GET.urlencode()}")


@login_required
@require_GET
def detail(
    request: HttpRequest, project_id: int, commitment_id: int, invoice_id: int
) -> HttpResponse:
    """The nine lines of the G702, where it stands in the ERP, and what was paid on it."""
    opened = _open(request, (project_id, commitment_id, invoice_id))
    found, is_admin = opened.invoice, opened.frame.is_admin
    context = {
        **opened.context,
        "checklist": checklist(found, request.user),
        "erp_actions": extensions.invoice_actions(found, request.user),
        "payments": extensions.invoice_payments(found, request.user),
        "payments_actions": extensions.payments_actions(
            opened.frame.commitment, request.user, found
        ),
        "add_payment_url": _add_payment_url(opened.frame, found),
        "edit_url": opened.url("invoice_edit") if is_admin else "",
        "lock_notice": invoices.LOCKED.get(found.erp_status, ""),
        "act_url": opened.url("invoice_act") if is_admin else "",
        "attachments": _attachments(opened),
        "attachment_form": AttachmentForm() if is_admin else None,
        "attach_url": opened.url("invoice_attach"),
        "rows": invoice_history(found),
    }
    return render(request, "commitments/invoice.html", context)


@login_required
@require_POST
def act_on_one(
    request: HttpRequest, project_id: int, commitment_id: int, invoice_id: int
) -> HttpResponse:
    """Send it to the ERP, or retrieve it from there."""
    opened = _open(request, (project_id, commitment_id, invoice_id), to_write=True)
    act_on_ticked(request, visible_invoices(request.user, opened.frame.commitment), [invoice_id])
    return redirect(opened.url("invoice"))


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    """Add an invoice; it gets the next position."""
    frame = open_commitment(request, project_id, commitment_id, TAB, Level.ADMIN)
    commitment = frame.commitment
    initial = initial_for(commitment)
    form = InvoiceEntryForm(request.POST or None, commitment=commitment, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = invoices.create_invoice(
                commitment=commitment,
                entry=form.entry,
                by=request.user,  # type: ignore[arg-type]  # login_required
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Invoice {made.invoice_number} was added.")
            return redirect(frame.url("commitments:invoice", made.pk))
    context = {**frame.context, "form": form, "back_url": frame.url("commitments:invoices")}
    return render(request, "commitments/invoice_form.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, project_id: int, commitment_id: int, invoice_id: int
) -> HttpResponse:
    """Every field, until it is sent to the ERP; then the reason why not."""
    frame = open_commitment(request, project_id, commitment_id, TAB, Level.ADMIN)
    found = get_object_or_404(visible_invoices(request.user, frame.commitment), pk=invoice_id)
    opened = Opened(frame, found)
    form = InvoiceEntryForm(
        request.POST or None, commitment=frame.commitment, initial=initial_of(found)
    )
    if request.method == "POST" and form.is_valid():
        try:
            invoices.edit_invoice(
                invoice=found,
                entry=form.entry,
                by=request.user,  # type: ignore[arg-type]  # login_required
                seen_at=form.seen,
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(opened.url("invoice_edit"))
        messages.success(request, "The invoice was saved.")
        return redirect(opened.url("invoice"))
    context = {
        **opened.context,
        "form": form,
        "lock_notice": invoices.LOCKED.get(found.erp_status, ""),
        "back_url": opened.url("invoice"),
    }
    return render(request, "commitments/invoice_form.html", context)


@login_required
@require_POST
def attach(
    request: HttpRequest, project_id: int, commitment_id: int, invoice_id: int
) -> HttpResponse:
    """Keep a file with the invoice, in whatever state it is."""
    opened = _open(request, (project_id, commitment_id, invoice_id), to_write=True)
    form = AttachmentForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, " ".join(str(each) for each in form.errors["file"]))
        return redirect(f"{opened.url('invoice')}#attachments")
    try:
        attachment = invoices.attach_file(
            invoice=opened.invoice,
            file=form.cleaned_data["file"],
            by=request.user,  # type: ignore[arg-type]  # login_required
        )
        messages.success(request, f"“{attachment.name}” was attached.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(f"{opened.url('invoice')}#attachments")


@login_required
@require_GET
def download(
    request: HttpRequest, project_id: int, commitment_id: int, invoice_id: int, attachment_id: int
) -> FileResponse:
    opened = _open(request, (project_id, commitment_id, invoice_id))
    return attachments.as_download(_attachment(opened, attachment_id))


@login_required
@require_POST
def detach(
    request: HttpRequest, project_id: int, commitment_id: int, invoice_id: int, attachment_id: int
) -> HttpResponse:
    opened = _open(request, (project_id, commitment_id, invoice_id), to_write=True)
    try:
        invoices.remove_attachment(
            attachment=_attachment(opened, attachment_id),
            by=request.user,  # type: ignore[arg-type]  # login_required
        )
        messages.success(request, "The attachment was removed.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(f"{opened.url('invoice')}#attachments")


def _attachment(opened: Opened, attachment_id: int) -> InvoiceAttachment:
    rows = InvoiceAttachment.objects.filter(invoice=opened.invoice)
    return get_object_or_404(rows, pk=attachment_id)


def _attachments(opened: Opened) -> list[dict[str, Any]]:
    """Each file with where it can be downloaded, and for administrators removed."""
    return [
        {
            "file": each,
            "url": opened.url("invoice_attachment", each.pk),
            "delete_url": opened.url("invoice_detach", each.pk) if opened.frame.is_admin else "",
        }
        for each in opened.invoice.attachments.select_related("uploaded_by")
    ]


def _add_payment_url(frame: CommitmentPage, found: SubcontractorInvoice) -> str:
    """The form of a payment by hand, filled from this invoice; for administrators only.

    A synced invoice is paid in the ERP, and its payments come from there.
    """
    if not frame.is_admin or not frame.commitment.allow_payments or found.is_synced:
        return ""
    return f"{frame.url('payments:new')}?invoice={found.pk}"
