"""The tab *Reconciliation*: both books side by side, what differs, and what mends it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from commitments.exports import csv_response, xlsx_response
from erp_integrations import runs
from erp_integrations.frames import frame
from erp_integrations.models import ReconciliationLine, RunMode, RunTrigger
from erp_integrations.places import Place, find_place
from erp_integrations.progress import Progress
from erp_integrations.reconciliation.advice import labels, pairs_for, rows_for
from erp_integrations.reconciliation.results import (
    ORDER,
    VIEWS,
    ComparePanel,
    LineFilter,
    Results,
)
from projects.money import rounded
from projects.paging import keyset_page

TAB = "reconciliation"
#: htmx stops asking when it gets this
STOP_POLLING = 286
BUSY = "A sync is under way. Compare the books when it is over."
HEADER = (
    *("Invoice #", "ERP ID", "Contract Company", "Commitment", "Project", "Currency"),
    *("Bill Total in the ERP", "Paid in the ERP", "Paid Here", "Difference", "Unexplained"),
    "Why",
)
EMPTY = {
    "differences": "The two books agree on every invoice that was compared.",
    "unexplained": "Every difference is explained.",
    "all": "No synced invoice yet. Invoices are compared once they are exported to the ERP or "
    "linked to a bill there.",
}
NOTHING_FOUND = "No invoice here has all these words. Clear the search to see the others."


@login_required
@require_GET
def reconciliation(request: HttpRequest, **where: int) -> HttpResponse:
    place = find_place(request.user, **where)
    results, panel = Results(place), ComparePanel(place)
    found = LineFilter(request.GET, queryset=results.lines)
    page = keyset_page(request, found.shown, ORDER)
    context = {
        **frame(place, TAB),
        **_compare_context(place, panel),
        **_views(place, found),
        "newest": results.newest,
        "compared_by": Progress(place, results.newest.run).who if results.newest else "",
        "totals": results.totals,
        "charts": results.charts,
        "page": page,
        "rows": rows_for(place, page.rows, may_sync=not panel.obstacles),
        "pairs": pairs_for(place),
        "sync_url": place.url("sync"),
    }
    return render(request, "erp_integrations/reconciliation.html", context)


@login_required
@require_POST
def compare(request: HttpRequest, **where: int) -> HttpResponse:
    """The button. On a project's page only that project is compared."""
    place = find_place(request.user, **where)
    panel = ComparePanel(place)
    if any(obstacle.code == "level" for obstacle in panel.obstacles):
        raise PermissionDenied
    if place.connection is None or panel.obstacles:
        for obstacle in panel.obstacles:
            messages.error(request, obstacle.sentence)
    else:
        run = runs.request_run(
            connection=place.connection,
            trigger=RunTrigger.BUTTON,
            requested_by=request.user,  # type: ignore[arg-type]  # login_required
            mode=RunMode.RECONCILE,
            project=place.project,
        )
        if run.mode != RunMode.RECONCILE:
            messages.info(request, BUSY)
    if request.htmx:  # type: ignore[attr-defined]
        context = _compare_context(place, ComparePanel(place))
        return render(request, "erp_integrations/_compare.html", context)
    return HttpResponseRedirect(place.url(TAB))


@login_required
@require_GET
def comparison_progress(request: HttpRequest, run_id: int, **where: int) -> HttpResponse:
    """The panel while a run goes on, asked for every second until it is over."""
    place = find_place(request.user, **where)
    run: Any = get_object_or_404(place.runs.select_related("connection"), pk=run_id)
    panel = ComparePanel(place)
    context = _compare_context(place, panel)
    if panel.active is None:
        run.refresh_from_db()  # it may have ended between the two looks
    seen = request.GET.get("seen") == run.phase
    context["announcement"] = "" if seen else Progress(place, run).announcement
    response = render(request, "erp_integrations/_compare.html", context)
    if not run.is_active:
        response.status_code = STOP_POLLING
        response["HX-Trigger-After-Swap"] = "sync-finished"
    return response


@login_required
@require_GET
def export_csv(request: HttpRequest, **where: int) -> HttpResponseBase:
    place = find_place(request.user, **where)
    return csv_response(
        name="reconciliation", project=place.project, header=HEADER, rows=_lines(request, place)
    )


@login_required
@require_GET
def export_excel(request: HttpRequest, **where: int) -> HttpResponseBase:
    place = find_place(request.user, **where)
    return xlsx_response(
        name="reconciliation", project=place.project, header=HEADER, rows=_lines(request, place)
    )


def _lines(request: HttpRequest, place: Place) -> Iterator[tuple[object, ...]]:
    found = LineFilter(request.GET, queryset=Results(place).lines)
    return (_cells(line) for line in found.shown.iterator(chunk_size=500))


def _cells(line: ReconciliationLine) -> tuple[object, ...]:
    invoice = line.invoice
    amounts = (line.erp_total, line.erp_paid, line.paid_here, line.difference, line.unexplained)
    return (
        invoice.invoice_number,
        invoice.origin_code or invoice.origin_id,
        invoice.commitment.vendor.name,
        invoice.commitment.number,
        str(invoice.project),
        line.currency,
        *(None if each is None else rounded(each, line.currency) for each in amounts),
        labels(line),
    )


def _compare_context(place: Place, panel: ComparePanel) -> dict[str, Any]:
    return {"panel": panel, "compare_url": place.url("compare"), "zone": place.time_zone}


def _views(place: Place, found: LineFilter) -> dict[str, Any]:
    """The views and the search, each keeping the other."""
    chosen, search = found.chosen
    url = place.url(TAB)
    kept = {"q": search} if search else {}
    query = urlencode({"view": chosen, **kept})
    return {
        "views": [
            {
                "label": label,
                "is_chosen": code == chosen,
                "url": f"{url}?{urlencode({'view': code, **kept})}",
            }
            for code, label in VIEWS
        ],
        "chosen_view": chosen,
        "search": search,
        "url_without_search": f"{url}?{urlencode({'view': chosen})}",
        "csv_url": f"{place.url('reconciliation_csv')}?{query}",
        "excel_url": f"{place.url('reconciliation_xlsx')}?{query}",
        "empty": NOTHING_FOUND if search else EMPTY[chosen],
    }
