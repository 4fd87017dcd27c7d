"""One payment: looking at it, adding, changing and deleting it, and its files."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commitments import extensions
from commitments.history import HistoryRow, change_lines, doer
from commitments.models import SubcontractorInvoice
from commitments.pages import CommitmentPage, open_commitment
from payments import services
from payments.actions import payment_actions
from payments.check import siblings_of
from payments.duplicate_views import pair_of
from payments.forms import (
    PaymentForm,
    PaymentNumberForm,
    initial_for,
    initial_of,
)
from payments.models import Payment, PaymentAttachment, PaymentEvent
from payments.rows import PaymentRow
from payments.views import switched_off
from projects import attachments
from projects.access import Level, Person
from projects.forms import AttachmentForm

TAB = "payments_issued"


@dataclass(frozen=True)
class Opened:
    """A payment in the frame of its commitment."""

    frame: CommitmentPage
    payment: Payment

    @property
    def row(self) -> PaymentRow:
        return PaymentRow(self.payment, self.frame.commitment)

    def url(self, name: str, *args: int) -> str:
        return self.frame.url(f"payments:{name}", self.payment.pk, *args)

    @property
    def context(self) -> dict[str, Any]:
        return {
            **self.frame.context,
            "row": self.row,
            "payment": self.payment,
            "payments_url": self.frame.url("payments:payments_issued"),
        }


def _open(
    request: HttpRequest, where: tuple[int, int, int], level: Level = Level.READ_ONLY
) -> Opened:
    """The payment, for whoever holds the level. Raises ``Http404`` for everybody else."""
    project_id, commitment_id, payment_id = where
    frame = open_commitment(request, project_id, commitment_id, TAB, level)
    rows = Payment.objects.for_user(request.user, level).filter(commitment=frame.commitment)
    payment = get_object_or_404(rows.select_related("invoice", "created_by"), pk=payment_id)
    return Opened(frame, payment)


@login_required
@require_GET
def detail(
    request: HttpRequest, project_id: int, commitment_id: int, payment_id: int
) -> HttpResponse:
    opened = _open(request, (project_id, commitment_id, payment_id))
    is_admin = opened.frame.is_admin
    context = {
        **opened.context,
        "attachments": _attachments(opened),
        "rows": _events(opened.payment, request.user),
        **siblings_of(opened.payment, request.user),
        **_pair(opened),
        "actions": payment_actions(opened.payment, request.user),
        "attachment_form": AttachmentForm() if is_admin else None,
        "attach_url": opened.url("attach"),
        "edit_url": opened.url("edit") if is_admin else "",
        "delete_url": opened.url("delete") if is_admin and not opened.payment.is_synced else "",
    }
    return render(request, "payments/detail.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, project_id: int, commitment_id: int) -> HttpResponse:
    """Add a payment by hand; ``?invoice=`` fills the form from an invoice."""
    frame = open_commitment(request, project_id, commitment_id, TAB, Level.ADMIN)
    commitment = frame.commitment
    if not commitment.allow_payments:
        return switched_off(request, frame)
    form = PaymentForm(
        request.POST or None, commitment=commitment, initial=initial_for(_chosen(request, frame))
    )
    if request.method == "POST" and form.is_valid():
        try:
            payment = services.record_payment(
                commitment=commitment,
                entry=form.entry,
                by=request.user,  # type: ignore[arg-type]  # login_required
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "The payment was added. You can attach its documents below.")
            return redirect(frame.url("payments:detail", payment.pk))
    context = {**frame.context, "form": form, "back_url": frame.url("payments:payments_issued")}
    return render(request, "payments/new.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, project_id: int, commitment_id: int, payment_id: int
) -> HttpResponse:
    """Every field of a manual payment; of a synced one the payment number only."""
    opened = _open(request, (project_id, commitment_id, payment_id), Level.ADMIN)
    form = _edit_form(request, opened)
    if request.method == "POST" and form.is_valid():
        try:
            _store(request, opened, form)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "The payment was saved.")
            return redirect(opened.url("detail"))
    context = {**opened.context, "form": form, "back_url": opened.url("detail")}
    return render(request, "payments/edit.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def delete(
    request: HttpRequest, project_id: int, commitment_id: int, payment_id: int
) -> HttpResponse:
    """Asks first; a synced payment cannot be deleted."""
    opened = _open(request, (project_id, commitment_id, payment_id), Level.ADMIN)
    if request.method == "POST":
        try:
            services.delete_payment(
                payment=opened.payment,
                by=request.user,  # type: ignore[arg-type]  # login_required
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(opened.url("detail"))
        messages.success(request, "The payment was deleted. Change History keeps what it was.")
        return redirect(opened.frame.url("payments:payments_issued"))
    context = {**opened.context, "back_url": opened.url("detail")}
    return render(request, "payments/delete.html", context)


@login_required
@require_POST
def attach(
    request: HttpRequest, project_id: int, commitment_id: int, payment_id: int
) -> HttpResponse:
    opened = _open(request, (project_id, commitment_id, payment_id), Level.ADMIN)
    form = AttachmentForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, " ".join(str(each) for each in form.errors["file"]))
        return redirect(f"{opened.url('detail')}#attachments")
    try:
        attachment = services.attach_file(
            payment=opened.payment,
            file=form.cleaned_data["file"],
            by=request.user,  # type: ignore[arg-type]  # login_required
        )
        messages.success(request, f"“{attachment.name}” was attached.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(f"{opened.url('detail')}#attachments")


@login_required
@require_GET
def download(
    request: HttpRequest,
    project_id: int,
    commitment_id: int,
    payment_id: int,
    attachment_id: int,
) -> FileResponse:
    opened = _open(request, (project_id, commitment_id, payment_id))
    return attachments.as_download(_attachment(opened, attachment_id))


@login_required
@require_POST
def detach(
    request: HttpRequest,
    project_id: int,
    commitment_id: int,
    payment_id: int,
    attachment_id: int,
) -> HttpResponse:
    opened = _open(request, (project_id, commitment_id, payment_id), Level.ADMIN)
    try:
        services.remove_attachment(
            attachment=_attachment(opened, attachment_id),
            by=request.user,  # type: ignore[arg-type]  # login_required
        )
        messages.success(request, "The attachment was removed.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(f"{opened.url('detail')}#attachments")


def _edit_form(request: HttpRequest, opened: Opened) -> PaymentForm | PaymentNumberForm:
    data = request.POST if request.method == "POST" else None
    if opened.payment.is_synced:
        initial = {"payment_number": opened.payment.payment_number}
        return PaymentNumberForm(data, initial=initial)
    initial = initial_of(opened.payment)
    return PaymentForm(data, commitment=opened.frame.commitment, initial=initial)


def _store(request: HttpRequest, opened: Opened, form: PaymentForm | PaymentNumberForm) -> None:
    payment, by = opened.payment, request.user
    if isinstance(form, PaymentForm):
        services.edit_payment(payment=payment, entry=form.entry, by=by)  # type: ignore[arg-type]
    else:
        number = form.cleaned_data["payment_number"]
        services.set_payment_number(payment=payment, payment_number=number, by=by)  # type: ignore[arg-type]


def _chosen(request: HttpRequest, frame: CommitmentPage) -> SubcontractorInvoice | None:
    wanted = request.GET.get("invoice", "")
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 19):
        return None
    found: SubcontractorInvoice | None = frame.commitment.invoices.filter(pk=int(wanted)).first()
    return found


def _events(payment: Payment, person: Person) -> list[HistoryRow]:
    events = list(payment.events.select_related("actor")[:100])
    imports = extensions.import_names({each.import_id for each in events if each.import_id}, person)
    return [_event(each, imports) for each in events]


def _event(event: PaymentEvent, imports: dict[int, extensions.StatusLine]) -> HistoryRow:
    who = doer(event.actor, event.import_id or 0, imports)
    return HistoryRow(
        at=event.at,
        subject=event.label,
        summary=event.get_kind_display(),
        changes=change_lines(event.changes),
        who=who["text"],
        who_url=who["url"],
    )


def _attachment(opened: Opened, attachment_id: int) -> PaymentAttachment:
    return get_object_or_404(opened.payment.attachments.all(), pk=attachment_id)


def _attachments(opened: Opened) -> list[dict[str, Any]]:
    """Each file with where it can be downloaded, and for administrators removed."""
    return [
        {
            "file": each,
            "url": opened.url("attachment", each.pk),
            "delete_url": opened.url("detach", each.pk) if opened.frame.is_admin else "",
        }
        for each in opened.payment.attachments.select_related("uploaded_by")
    ]


def _pair(opened: Opened) -> dict[str, Any]:
    """The pair that this payment is half of, with its buttons for administrators."""
    pair = pair_of(opened.payment, opened.frame.commitment)
    if pair and opened.frame.is_admin:
        pair["link_url"] = opened.frame.url("payments:link", pair["manual_id"])
        pair["dismiss_url"] = opened.frame.url("payments:dismiss", pair["manual_id"])
    return pair
