"""The pages of the ERP Integrations tool, for a company and for each of its projects."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from commitments.exports import csv_response
from erp_integrations import runs
from erp_integrations.explanations import Adviser
from erp_integrations.filters import RunFilter
from erp_integrations.frames import frame
from erp_integrations.models import ErpAllocation, RunState, SyncRun
from erp_integrations.models.issue import IssueCode
from erp_integrations.panels import sync_context
from erp_integrations.places import Place, find_place
from erp_integrations.preconditions import may_sync, obstacles_to_sync
from erp_integrations.previews.views import preview_page
from erp_integrations.progress import WITH_IT, Progress
from erp_integrations.sync_views import STOP_POLLING
from projects.money import rounded
from projects.paging import BoundedCount, KeysetPage, keyset_page


@login_required
@require_GET
def run_progress(request: HttpRequest, run_id: int, **where: int) -> HttpResponse:
    """The sync panel while this run goes on, asked for every second until it is over.

    With ``on=run`` what stands on the run's own page instead.
    """
    place = find_place(request.user, **where)
    run = _run(place, run_id)
    progress = Progress(place, run)
    if request.GET.get("on") == "run":
        template, context = "erp_integrations/_run.html", _run_context(place, run)
    else:
        template, context = "erp_integrations/_sync.html", sync_context(place, run)
        if context["panel"].active is None:
            run.refresh_from_db()  # it may have ended between the two looks
    seen = request.GET.get("seen") == run.phase
    context["announcement"] = "" if seen else progress.announcement
    response = render(request, template, context)
    if not run.is_active:
        response.status_code = STOP_POLLING
        response["HX-Trigger-After-Swap"] = "sync-finished"
    return response


@login_required
@require_GET
def sync_history(request: HttpRequest, **where: int) -> HttpResponse:
    place = find_place(request.user, **where)
    found = RunFilter(request.GET, queryset=place.runs.select_related(*WITH_IT))
    page = keyset_page(request, found.qs, ("-created_at", "-pk"))
    context = {
        **frame(place, "runs"),
        "filter": found,
        "page": page,
        "rows": [Progress(place, each) for each in page],
        "back_fill_url": _back_fill_url(place),
        "today": timezone.localdate().isoformat(),
        "empty": NO_RUN_IN_STATE if request.GET.get("state") else NO_RUN,
    }
    return render(request, "erp_integrations/sync_history.html", context)


@login_required
@require_GET
def run_detail(request: HttpRequest, run_id: int, **where: int) -> HttpResponse:
    """One run: what it did, what is wrong with which record, and what to do about it."""
    place = find_place(request.user, **where)
    run = _run(place, run_id)
    if run.is_preview:
        return preview_page(request, place, run)
    issues = _whole_page(request, _issues(place, run), ("pk",), prefix="problems_")
    waiting = _whole_page(request, _waiting(place), ("waiting_since", "pk"), prefix="waiting_")
    adviser = _adviser(place, [*issues, *waiting])
    everything = run.issues.exclude(code=IssueCode.WAITING).count()
    all_waiting = _all_waiting(run)
    context = {
        **frame(place, "runs"),
        **_run_context(place, run, adviser),
        "issue_page": issues,
        "issues": [(each, adviser.on_issue(each)) for each in issues],
        "hidden_issues": everything - issues.total.number,
        "waiting_page": waiting,
        "waiting": [(each, adviser.on_waiting(each)) for each in waiting],
        "hidden_waiting": all_waiting - waiting.total.number,
        "csv_url": place.url("run_issues_csv", run.pk),
    }
    return render(request, "erp_integrations/run.html", context)


@login_required
@require_POST
def run_cancel(request: HttpRequest, run_id: int, **where: int) -> HttpResponse:
    place = find_place(request.user, **where)
    run = _run(place, run_id)
    if not may_sync(run.connection, request.user, place.project):
        raise PermissionDenied
    run = runs.cancel_run(run=run, by=request.user)  # type: ignore[arg-type]  # login_required
    if run.state == RunState.CANCELLED:
        messages.success(request, f"Sync {run.pk} was stopped. What was read until then was kept.")
    else:
        messages.info(request, f"Sync {run.pk} had come to its end already.")
    return HttpResponseRedirect(place.url("run", run.pk))


@login_required
@require_GET
def run_issues_csv(request: HttpRequest, run_id: int, **where: int) -> HttpResponseBase:
    """The run's issues and what waits now, for a spreadsheet."""
    place = find_place(request.user, **where)
    run = _run(place, run_id)
    issues, waiting = list(_issues(place, run)), list(_waiting(place))
    adviser = _adviser(place, [*issues, *waiting])
    return csv_response(
        name=f"sync-{run.pk}-issues", header=ISSUES_HEADER, rows=_lines(adviser, issues, waiting)
    )


ISSUES_HEADER = ("Kind", "ERP record", "Bill", "Amount", "Currency", "Reason", "What to do")


def _lines(adviser: Adviser, issues: list[Any], waiting: list[Any]) -> Iterator[Sequence[object]]:
    for issue in issues:
        advice = adviser.on_issue(issue)
        line = (issue.get_code_display(), issue.remote_id, "", "", "", issue.message)
        yield (*line, advice.sentence)
    for each in waiting:
        payment = each.erp_payment
        amount = rounded(each.amount, payment.currency)
        yield (
            *("Waiting", payment.number, each.bill_number, amount, payment.currency),
            *(each.get_reason_display(), adviser.on_waiting(each).sentence),
        )


def _back_fill_url(place: Place) -> str:
    """Where to back-fill, for those who may."""
    obstacles = obstacles_to_sync(place.connection, place.person, place.project)
    return "" if obstacles else place.url("back_fill")


def _run_context(place: Place, run: SyncRun, adviser: Adviser | None = None) -> dict[str, Any]:
    """What ``_run.html`` needs."""
    adviser = adviser or (_adviser(place, []) if run.error_code else None)
    return {
        "run": run,
        "progress": Progress(place, run),
        "zone": place.time_zone,
        "error_advice": adviser.on_error(run) if adviser and run.error_code else None,
    }


NO_RUN = (
    "Nothing was synced yet. Press “Sync Payments for Synced Invoices” on the Subcontractor "
    "Invoices tab, or wait for the next scheduled sync."
)
NO_RUN_IN_STATE = "No sync is in this state. Choose another one."


def _run(place: Place, run_id: int) -> SyncRun:
    runs_here = place.runs.select_related("connection__company", *WITH_IT)
    run: SyncRun = get_object_or_404(runs_here, pk=run_id)
    return run


_INVOICE = ("invoice__commitment__vendor", "invoice__commitment__project")


def _issues(place: Place, run: SyncRun) -> Any:
    """What this run found wrong; what waits has a list of its own."""
    rows = place.issues(run).exclude(code=IssueCode.WAITING)
    return rows.select_related("erp_payment", *_INVOICE).order_by("pk")


def _whole_page(
    request: HttpRequest, rows: Any, order: Sequence[str], *, prefix: str
) -> KeysetPage:
    """A page of rows that are counted to the last one: how many are elsewhere depends on it."""
    total = BoundedCount(rows.count())
    return keyset_page(request, rows, order, total=total, prefix=prefix)


def _waiting(place: Place) -> Any:
    return place.waiting.select_related("erp_payment", *_INVOICE).order_by("waiting_since", "pk")


def _all_waiting(run: SyncRun) -> int:
    waiting = ErpAllocation.objects.waiting()
    return waiting.filter(erp_payment__connection=run.connection_id).count()


def _adviser(place: Place, rows: list[Any]) -> Adviser:
    commitments = {row.invoice.commitment_id for row in rows if row.invoice}
    return Adviser(place.person, place.company, commitments)
