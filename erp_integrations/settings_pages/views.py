"""The Settings tab: for administrators of the company's tool; for others it does not exist."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from erp_integrations import connections
from erp_integrations.connection_form import ConnectionForm
from erp_integrations.frames import frame
from erp_integrations.grants.panel import callback_address, grant_panel
from erp_integrations.grants.standing import missing_right
from erp_integrations.models import ConnectionEvent, ErpConnection
from erp_integrations.panels import ConnectionPanel
from erp_integrations.places import Place, find_administered
from erp_integrations.providers.errors import ErpError
from erp_integrations.providers.oauth import GrantLost
from erp_integrations.providers.registry import find_provider, provider_choices
from erp_integrations.settings_pages.erps import groups
from erp_integrations.settings_pages.forms import SettingsForm, connection_form

PER_PAGE = 25


@login_required
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, company_id: int) -> HttpResponse:
    """What is switched on, how often payments are synced, and who changed what."""
    place = find_administered(request.user, company_id)
    if place.connection is None:
        return _page(request, place, None)
    form = SettingsForm(request.POST or None, instance=copy(place.connection))
    if request.method == "POST" and form.is_valid():
        connections.change_settings(
            connection=place.connection,
            by=request.user,  # type: ignore[arg-type]  # login_required
            **form.changes(),
        )
        messages.success(request, SAVED if form.has_changed() else UNCHANGED)
        return HttpResponseRedirect(place.url("settings"))
    return _page(request, place, form)


@login_required
@require_POST
def test_connection(request: HttpRequest, company_id: int) -> HttpResponse:
    """Ask the ERP who it is, and tell what it answered."""
    place = find_administered(request.user, company_id)
    if place.connection is None:
        raise Http404
    try:
        answer = connections.test_connection(place.connection)
    except ErpError as error:
        messages.error(request, f"The connection does not work. {error}")
        if isinstance(error, GrantLost):  # so that no sync tries it
            connections.give_new_chance(connection=place.connection)
    else:
        messages.success(request, f"The connection works. The ERP answered: {answer}")
    return HttpResponseRedirect(place.url("settings"))


test_connection.__test__ = False  # type: ignore[attr-defined]  # pytest: this is no test


@login_required
@require_http_methods(["GET", "POST"])
def connection(request: HttpRequest, company_id: int) -> HttpResponse:
    """Where the ERP is and how to sign in to it; also where the first connection is made."""
    place = find_administered(request.user, company_id)
    form = connection_form(_connection_of(place, request), request.POST or None)
    if request.method == "POST" and form.is_valid() and _store(request, form):
        messages.success(request, _stored_words(place))
        return HttpResponseRedirect(place.url("settings"))
    provider = find_provider(form.provider_code)
    context = {
        **frame(place, "settings"),
        "form": form,
        "erp": provider.label if provider else form.provider_code,
        "callback": callback_address(request) if provider and provider.uses_oauth else "",
        "settings_url": place.url("settings"),
    }
    return render(request, "erp_integrations/connection.html", context)


def _connection_of(place: Place, request: HttpRequest) -> ErpConnection:
    """The company's connection, or a new one to the ERP that the address names."""
    if place.connection:
        return place.connection
    codes = [code for code, _ in provider_choices()]
    chosen = request.GET.get("provider", "")
    if chosen not in codes:
        raise Http404
    label = dict(provider_choices())[chosen]
    return ErpConnection(
        company=place.company, provider=chosen, name=label, currency=place.company.currency
    )


def _store(request: Any, form: ConnectionForm) -> bool:
    """Write the connection; what changed since the form was checked may refuse it."""
    try:
        form.store(by=request.user)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return False
    return True


def _stored_words(place: Place) -> str:
    """What is next: signing in at the vendor where that is missing, else a test."""
    fresh = find_administered(place.person, place.company.pk)
    return STORED_ONLY if fresh.connection and missing_right(fresh.connection) else STORED


def _page(request: HttpRequest, place: Place, form: SettingsForm | None) -> HttpResponse:
    events = ConnectionEvent.objects.for_user(request.user).filter(company=place.company)
    page = Paginator(events.select_related("actor"), PER_PAGE).get_page(request.GET.get("page"))
    panel = ConnectionPanel(place, place.connection) if place.connection else None
    context = {
        **frame(place, "settings"),
        "form": form,
        "connection_panel": panel,
        "grant_panel": grant_panel(place),
        "page": page,
        "test_url": place.url("test_connection"),
        "connection_url": place.url("connection"),
        "erps": [] if panel else groups(),
    }
    return render(request, "erp_integrations/settings.html", context)


SAVED = "The settings are saved."
UNCHANGED = "Nothing was changed."
STORED_ONLY = (
    "The connection is saved. Nothing is read before somebody signs in at the vendor: press "
    "“Connect” or “Reconnect” below."
)
STORED = (
    "The connection is saved. Press “Test connection” to see whether the ERP answers; what had "
    "stopped the connection is forgotten."
)
