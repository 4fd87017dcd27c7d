"""The tab *Find a Payment*: one box, and for each payment found the way it has gone."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from erp_integrations import runs
from erp_integrations.frames import frame
from erp_integrations.inquiry.finding import find, may_ask, parts_of
from erp_integrations.inquiry.question import Question
from erp_integrations.inquiry.walk import Walk, unread_walk, walks_of
from erp_integrations.models import RunTrigger
from erp_integrations.panels import sync_context
from erp_integrations.places import Place, find_place
from erp_integrations.preconditions import obstacles_to_sync
from erp_integrations.scopes import Scope

TAB = "find_payment"
LONGEST = 100
BUSY = "Another run is under way. Press again when it is over."


@login_required
@require_GET
def find_payment(request: HttpRequest, **where: int) -> HttpResponse:
    place = find_place(request.user, **where)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    context: dict[str, Any] = {
        **frame(place, TAB),
        **sync_context(place),
        "q": text,
        "may_ask": may_ask(place),
        "find_url": place.url(TAB),
        "sync_found_url": place.url("sync_found"),
    }
    if text and place.connection:
        is_busy = context["panel"].active is not None
        context |= _answer(place, text, asks_erp="ask" in request.GET, is_busy=is_busy)
    return render(request, "erp_integrations/find_payment.html", context)


@login_required
@require_POST
def sync_found(request: HttpRequest, **where: int) -> HttpResponse:
    """The button beside a payment that was never read: sync its invoice, or what is new."""
    place = find_place(request.user, **where)
    obstacles = obstacles_to_sync(place.connection, place.person, place.project)
    if any(obstacle.code == "level" for obstacle in obstacles):
        raise PermissionDenied
    text = request.POST.get("q", "")[:LONGEST]
    if place.connection is None or obstacles:
        for obstacle in obstacles:
            messages.error(request, obstacle.sentence)
    else:
        bill = request.POST.get("bill", "")
        invoice = place.invoices.filter(origin_id=bill).first() if bill else None
        order = runs.order_for(place.connection, Scope(invoice=invoice))
        run = runs.request_run(
            connection=place.connection,
            trigger=RunTrigger.BUTTON,
            requested_by=request.user,  # type: ignore[arg-type]  # login_required
            order=order,
        )
        if not order.fits(run):
            messages.info(request, BUSY)
    return HttpResponseRedirect(f"{place.url(TAB)}?{urlencode({'q': text})}")


def _answer(place: Place, text: str, *, asks_erp: bool, is_busy: bool) -> dict[str, Any]:
    found = find(place, Question(text), asks_erp=asks_erp, is_busy=is_busy)
    may_sync = not obstacles_to_sync(place.connection, place.person, place.project)
    parts = parts_of(place, [each.pk for each in found.stored]).select_related(
        "erp_payment",
        "invoice__commitment__vendor",
        "invoice__commitment__project",
        "payment__commitment",
        "payment__invoice__commitment",
    )
    walks: list[Walk] = walks_of(place, found.stored, parts.order_by("pk"), may_sync=may_sync)
    walks += [unread_walk(each, place, may_sync=may_sync) for each in found.unread]
    return {
        "found": found,
        "walks": walks,
        "ask_url": f"{place.url(TAB)}?{urlencode({'q': text, 'ask': '1'})}",
    }
