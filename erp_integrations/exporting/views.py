"""ERP Integrations › Subcontractor Invoices: the list, its buttons, and what was exported."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from commitments.erp_states import LONGEST_REASON
from commitments.models import SubcontractorInvoice
from erp_integrations.exporting import actions
from erp_integrations.exporting.requirements import longest_number
from erp_integrations.exporting.rights import Exporter, unlinkable_by
from erp_integrations.filters import VIEWS, InvoiceFilter, counts_of_views
from erp_integrations.frames import frame
from erp_integrations.invoice_list import NEWEST_FIRST, Entry, Row, rows_for, with_shown
from erp_integrations.models import ExportState, InvoiceExport
from erp_integrations.panels import sync_context
from erp_integrations.places import Place, find_place
from erp_integrations.sync_views import STOP_POLLING
from projects.models import ErpStatus, User
from projects.paging import keyset_page

#: rows that one page can watch
MOST_WATCHED = 50
#: where the session keeps what was typed
TYPED = "refused_exports"
NONE_TICKED = "Tick at least one invoice first."
NO_SUCH_ACTION = "Choose Export or Reject."
MISSING = "{count} of the ticked invoices are not here any more."


@login_required
@require_GET
def subcontractor_invoices(request: HttpRequest, **where: int) -> HttpResponse:
    """What was billed, whether the ERP has it, what was paid; for approvers also what to do."""
    place = find_place(request.user, **where)
    exporter = Exporter(place)
    invoices = InvoiceFilter(request.GET, queryset=place.invoices)
    page = keyset_page(request, with_shown(invoices.qs), NEWEST_FIRST, counted=invoices.qs)
    typed, reason = _typed(request)
    rows = rows_for(exporter, page.rows, typed)
    connection = place.connection
    context = {
        **frame(place, "subcontractor_invoices"),
        **sync_context(place),
        **_views(place, invoices),
        "page": page,
        "rows": rows,
        "exporter": exporter,
        "watch": Watch(place, rows),
        "has_remarks": any(row.has_remarks for row in rows),
        "longest_number": longest_number(connection) if connection else 0,
        "reason": reason,
        "act_url": _address(request, place, "invoices_act"),
        "exports_url": place.url("exports"),
    }
    return render(request, "erp_integrations/subcontractor_invoices.html", context)


@login_required
@require_POST
def invoices_act(request: HttpRequest, **where: int) -> HttpResponse:
    """Export or reject the ticked rows, or unlink one. Each row is done or refused by itself."""
    place = find_place(request.user, **where)
    if not Exporter(place).may_accept:
        raise PermissionDenied
    by: User = request.user  # type: ignore[assignment]  # login_required
    back = _address(request, place)
    if actions.is_id(request.POST.get("unlink", "")):
        _unlink(request, place.invoices, int(request.POST["unlink"]), by)
        return HttpResponseRedirect(back)
    ids = actions.ticked(request.POST)
    doing = {"export": actions.export_rows, "reject": actions.reject_rows}
    act = doing.get(request.POST.get("action", ""))
    if not ids or act is None:
        messages.error(request, NO_SUCH_ACTION if ids else NONE_TICKED)
        return HttpResponseRedirect(back)
    found = list(place.invoices.filter(pk__in=ids).order_by("pk"))
    outcome = act(request.POST, found, by)
    _tell(request, found, outcome, missing=len(set(ids)) - len(found))
    return HttpResponseRedirect(back)


@login_required
@require_GET
def export_progress(request: HttpRequest, **where: int) -> HttpResponse:
    """The rows that were being exported, asked for again and again until none is."""
    place = find_place(request.user, **where)
    ids = [int(each) for each in request.GET.getlist("row") if actions.is_id(each)][:MOST_WATCHED]
    rows = rows_for(Exporter(place), list(with_shown(place.invoices.filter(pk__in=ids))))
    watch = Watch(place, rows)
    ended = [row for row in rows if not row.is_exporting]
    context = {"place": place, "watch": watch, "ended": ended}
    response = render(request, "erp_integrations/exporting/_progress.html", context)
    if not watch.rows:
        response.status_code = STOP_POLLING
    if ended:
        response["HX-Trigger-After-Swap"] = "sync-finished"  # the list and its counts come anew
    return response


@login_required
@require_POST
def invoice_unlink(request: HttpRequest, invoice_id: int, **where: int) -> HttpResponse:
    """The same button, on the page of the invoice."""
    place = find_place(request.user, **where)
    invoice = get_object_or_404(place.invoices, pk=invoice_id)
    by: User = request.user  # type: ignore[assignment]  # login_required
    if not unlinkable_by(by, [invoice.pk]):
        raise PermissionDenied
    _unlink(request, place.invoices, invoice.pk, by)
    where_it_is = [invoice.project_id, invoice.commitment_id, invoice.pk]
    return HttpResponseRedirect(reverse("commitments:invoice", args=where_it_is))


@login_required
@require_GET
def exports(request: HttpRequest, **where: int) -> HttpResponse:
    """Who exported what, when, and what came of it."""
    place = find_place(request.user, **where)
    found = InvoiceExport.objects.filter(invoice__in=place.invoices)
    shown = found.select_related("invoice__project", "invoice__commitment", "requested_by")
    page = keyset_page(request, shown, ("-created_at", "-pk"), counted=found)
    tones = {ExportState.SUCCEEDED: "good", ExportState.FAILED: "bad"}
    context = {
        **frame(place, "subcontractor_invoices"),
        "page": page,
        "rows": [(each, tones.get(ExportState(each.state), "info")) for each in page.rows],
    }
    return render(request, "erp_integrations/exporting/history.html", context)


@dataclass(frozen=True)
class Watch:
    """The rows of a page that the ERP is receiving now."""

    place: Place
    listed: list[Row]

    @property
    def rows(self) -> list[Row]:
        return [row for row in self.listed if row.is_exporting]

    @cached_property
    def troubles(self) -> list[str]:
        """Why some of them have to wait for another attempt."""
        ids = [row.invoice.pk for row in self.rows]
        waiting = InvoiceExport.objects.active().filter(invoice__in=ids).exclude(error_message="")
        return sorted(set(waiting.values_list("error_message", flat=True))) if ids else []

    @property
    def url(self) -> str:
        ids = urlencode({"row": [row.invoice.pk for row in self.rows]}, doseq=True)
        return f"{self.place.url('export_progress')}?{ids}"


def _views(place: Place, invoices: InvoiceFilter) -> dict[str, Any]:
    """The views with their counts, and the search, each keeping the other."""
    invoices.form.is_valid()
    chosen = invoices.form.cleaned_data.get("view") or "all"
    search = invoices.form.cleaned_data.get("q") or ""
    counts = counts_of_views(place.invoices)
    url = place.url("subcontractor_invoices")
    views = [
        {
            "label": label,
            "count": counts[code],
            "is_chosen": code == chosen,
            "url": f"{url}?{urlencode({'view': code, **({'q': search} if search else {})})}",
        }
        for code, label in VIEWS
    ]
    return {
        "views": views,
        "chosen_view": chosen,
        "search": search,
        "url_without_search": f"{url}?{urlencode({'view': chosen})}",
        "empty": NOTHING_FOUND if search else EMPTY_VIEWS[chosen],
    }


def _address(request: HttpRequest, place: Place, name: str = "subcontractor_invoices") -> str:
    """A page of the list with the view, the search and the place that were chosen."""
    query = request.GET.urlencode()
    return f"{place.url(name)}?{query}" if query else place.url(name)


def _tell(
    request: HttpRequest, found: list[Any], outcome: actions.Outcome, *, missing: int
) -> None:
    """What was done, what was not and why; what was typed in refused rows waits for them."""
    is_export = request.POST.get("action") == "export"
    if outcome.done:
        sentence = "On the way to the ERP: {}." if is_export else "Rejected: {}."
        messages.success(request, sentence.format(outcome.numbers))
    numbers = {invoice.pk: invoice.invoice_number for invoice in found}
    for pk, entry in outcome.refused.items():
        messages.error(request, f"{numbers[pk]}: {entry.refusal}")
    if outcome.refused:
        rows = {str(pk): entry for pk, entry in outcome.refused.items()}
        reason = request.POST.get("reason", "")[:LONGEST_REASON]
        request.session[TYPED] = {"rows": rows, "reason": reason}
    if missing:
        messages.warning(request, MISSING.format(count=missing))


def _typed(request: HttpRequest) -> tuple[dict[int, Entry], str]:
    """What was typed in the rows that were refused just now, once."""
    if TYPED not in request.session:
        return {}, ""
    typed = request.session.pop(TYPED)
    return {int(pk): Entry(*entry) for pk, entry in typed["rows"].items()}, typed["reason"]


def _unlink(request: HttpRequest, invoices: Any, invoice_id: int, by: User) -> None:
    invoice: SubcontractorInvoice = get_object_or_404(
        invoices.filter(erp_status=ErpStatus.SYNCED), pk=invoice_id
    )
    try:
        messages.success(request, actions.unlink_row(invoice, by))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))


NOTHING_FOUND = "No invoice here has all these words. Clear the search to see the others."
EMPTY_VIEWS = {
    "all": "No subcontractor invoice yet. Invoices are entered on a commitment's Invoices tab.",
    "ready": "Nothing is ready to export. Invoices arrive here when they are sent to the ERP from "
    "their commitment.",
    "failed": "No export has failed.",
    "synced": "No invoice is synced yet. Payments come for invoices that were exported to the ERP "
    "or linked to a bill there.",
}
