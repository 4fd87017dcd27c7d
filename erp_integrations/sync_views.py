"""What people press to start syncs: of everything, of a part, from a day, or only to look."""

import datetime as dt

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST

from commitments.models import Commitment
from erp_integrations import runs
from erp_integrations.back_fill import check_first_day
from erp_integrations.models import ErpConnection, RunMode, RunTrigger, SyncRun
from erp_integrations.panels import sync_context
from erp_integrations.places import Place, find_place
from erp_integrations.preconditions import obstacles_to_sync, projects_to_sync
from erp_integrations.progress import WITH_IT, Progress, ScopedPanel
from erp_integrations.scopes import EVERYTHING, Order, Scope, order_of
from projects.models import Project

#: htmx stops asking when it gets this
STOP_POLLING = 286
LOOKED_AT_ANEW = (
    "The sync reads the ERP anew: what has changed there since the preview comes along."
)


@login_required
@require_POST
def sync(request: HttpRequest, **where: int) -> HttpResponse:
    """The button. Pressing it twice, or by two people, is one run."""
    place = find_place(request.user, **where)
    scope = _chosen_scope(place, request.POST.get("project", ""))
    refusal = ""
    if erp := _ready(request, place, scope.project or place.project):
        order = runs.order_for(erp, scope, is_preview="preview" in request.POST)
        refusal = _refusal(place, order, _start(request, erp, order))
    if request.htmx:  # type: ignore[attr-defined]
        context = sync_context(place, refusal=refusal)
        active = context["panel"].active
        context["announcement"] = refusal or (active.announcement if active else "")
        return render(request, "erp_integrations/_sync.html", context)
    if refusal:
        messages.warning(request, refusal)
    return HttpResponseRedirect(place.url("subcontractor_invoices"))


@login_required
@require_POST
def back_fill(request: HttpRequest, **where: int) -> HttpResponse:
    """Read again from a day on, beside the normal syncs."""
    place = find_place(request.user, **where)
    history = HttpResponseRedirect(place.url("runs"))
    erp = _ready(request, place, place.project)
    if erp is None:
        return history
    try:
        day = _first_day(request.POST.get("since", ""))
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return history
    order = Order(RunMode.BACK_FILL, since=day, is_preview="preview" in request.POST)
    return _to_the_run(request, place, _start(request, erp, order), order)


@login_required
@require_POST
def apply_preview(request: HttpRequest, preview_id: int, **where: int) -> HttpResponse:
    """Do what a preview has shown: a sync of the same kind and scope."""
    place = find_place(request.user, **where)
    previews = place.runs.filter(is_preview=True).select_related(*WITH_IT)
    preview = get_object_or_404(previews, pk=preview_id)
    order = order_of(preview)
    erp = _ready(request, place, order.scope.right_on or place.project)
    if erp and not preview.is_good:
        messages.error(request, "The preview did not come to its end. Start a new one.")
    if erp is None or not preview.is_good:
        return HttpResponseRedirect(place.url("run", preview.pk))
    real = Order(order.mode, order.scope, order.since)
    run = _start(request, erp, real)
    if real.fits(run):
        messages.info(request, LOOKED_AT_ANEW)
    return _to_the_run(request, place, run, real)


@login_required
@require_http_methods(["GET", "POST"])
def sync_invoice(request: HttpRequest, invoice_id: int, **where: int) -> HttpResponse:
    """The button on an invoice's page, and its progress."""
    place = find_place(request.user, **where)
    invoice = get_object_or_404(place.invoices.select_related("project"), pk=invoice_id)
    return _scoped(request, place, Scope(invoice=invoice))


@login_required
@require_http_methods(["GET", "POST"])
def sync_commitment(request: HttpRequest, commitment_id: int, **where: int) -> HttpResponse:
    """The button on a commitment's Payments Issued tab, and its progress."""
    place = find_place(request.user, **where)
    mine = Commitment.objects.for_user(request.user).filter(company=place.company)
    if place.project:
        mine = mine.filter(project=place.project)
    commitment = get_object_or_404(mine.select_related("project"), pk=commitment_id)
    if not place.sees(commitment.project):
        raise Http404
    return _scoped(request, place, Scope(commitment=commitment))


def _scoped(request: HttpRequest, place: Place, scope: Scope) -> HttpResponse:
    watched: SyncRun | None = None
    refusal = ""
    if request.method == "POST":
        erp = _ready(request, place, scope.right_on)
        if erp is None:
            return HttpResponseRedirect(place.url("subcontractor_invoices"))
        order = runs.order_for(erp, scope, is_preview="preview" in request.POST)
        watched = _start(request, erp, order)
        if not request.htmx:  # type: ignore[attr-defined]
            return _to_the_run(request, place, watched, order)
        refusal = _refusal(place, order, watched)
    elif (number := request.GET.get("run", "")).isdecimal():
        watched = place.runs.select_related(*WITH_IT).filter(pk=number).first()
    panel = ScopedPanel(place, scope, watched, refusal)
    response = render(request, panel.template, {"action": panel})
    if request.method == "GET" and panel.active is None:
        response.status_code = STOP_POLLING
        response["HX-Trigger-After-Swap"] = "sync-finished"
    return response


def _chosen_scope(place: Place, number: str) -> Scope:
    """The project that was chosen, if any. One that does not exist for the person is a 404."""
    if not number:
        return EVERYTHING
    if not number.isdecimal() or place.connection is None:
        raise Http404
    projects = projects_to_sync(place.connection, place.person)
    if place.project:
        projects = projects.filter(pk=place.project.pk)
    found: Project | None = projects.filter(pk=int(number)).first()
    if found is None:
        raise PermissionDenied if place.project else Http404
    return Scope(project=found)


def _ready(request: HttpRequest, place: Place, project: Project | None) -> ErpConnection | None:
    """The connection, if it can be synced now. Says why not; without the right it is a 403."""
    obstacles = obstacles_to_sync(place.connection, request.user, project)
    if any(obstacle.code == "level" for obstacle in obstacles):
        raise PermissionDenied
    for obstacle in obstacles:
        messages.error(request, obstacle.sentence)
    return None if obstacles else place.connection


def _start(request: HttpRequest, erp: ErpConnection, order: Order) -> SyncRun:
    return runs.request_run(
        connection=erp,
        trigger=RunTrigger.BUTTON,
        requested_by=request.user,  # type: ignore[arg-type]  # login_required
        order=order,
    )


def _to_the_run(request: HttpRequest, place: Place, run: SyncRun, order: Order) -> HttpResponse:
    if refusal := _refusal(place, order, run):
        messages.warning(request, refusal)
    return HttpResponseRedirect(place.url("run", run.pk))


def _refusal(place: Place, order: Order, run: SyncRun) -> str:
    """What to say when another run is under way than the one that was asked for."""
    if order.fits(run):
        return ""
    other = Progress(place, run)
    return (
        f"Yours was not started: {other.noun.lower()} {run.pk} ({other.subject}) is under way. "
        "Press again when it is over."
    )


def _first_day(text: str) -> dt.date:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    return check_first_day(day, today=timezone.localdate())
