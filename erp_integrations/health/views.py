"""The home of the tool: how the connection is, what waits, and what has to be done."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from erp_integrations.frames import frame
from erp_integrations.health.overview import Overview
from erp_integrations.panels import sync_context
from erp_integrations.places import find_place


@login_required
@require_GET
def overview(request: HttpRequest, **where: int) -> HttpResponse:
    place = find_place(request.user, **where)
    context = {
        **frame(place, "home"),
        **sync_context(place),
        "reconciliation_url": place.url("reconciliation"),
        "overview": Overview(place, place.connection) if place.connection else None,
    }
    return render(request, "erp_integrations/overview.html", context)
