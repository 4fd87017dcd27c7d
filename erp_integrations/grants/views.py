"""Connect, the way back from the vendor, the choice of a company, Disconnect.

*Connect* is answered with a page that has a plain link to the vendor. A form
whose answer redirects there would need the vendor, and every host to which the
vendor forwards people, in ``form-action`` of the Content-Security-Policy.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp_integrations.asking import ask, ask_to_choose
from erp_integrations.frames import frame
from erp_integrations.grants import services
from erp_integrations.grants.panel import callback_address
from erp_integrations.grants.standing import authorization_of
from erp_integrations.models import ErpConnection, OAuthAttempt
from erp_integrations.places import Place, find_administered
from erp_integrations.providers.contract import Provider, Tenant
from erp_integrations.providers.errors import ErpError
from erp_integrations.providers.registry import find_provider, provider_class


@login_required
@require_POST
@never_cache
def start(request: HttpRequest, company_id: int) -> HttpResponse:
    """The last page before the vendor's: what will happen, and the link."""
    place = find_administered(request.user, company_id)
    connection = _connection_of(place)
    try:
        address = services.begin(
            connection=connection,
            by=request.user,  # type: ignore[arg-type]  # login_required
            session_key=request.session.session_key or "",
            redirect_uri=callback_address(request),
        )
    except ErpError as error:
        messages.error(request, f"The sign-in cannot be started. {error}")
        return HttpResponseRedirect(place.url("settings"))
    authorization = authorization_of(connection.provider, connection.settings)
    context = {
        **frame(place, "settings"),
        "address": address,
        "host": urlsplit(address).hostname,
        "erp": provider_class(connection.provider).label,
        "scopes": authorization.scopes,
        "callback": callback_address(request),
        "minutes": services.ATTEMPT_MINUTES,
        "settings_url": place.url("settings"),
    }
    return render(request, "erp_integrations/grants/leave.html", context)


@login_required
@require_GET
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """Where every vendor sends people back to, with a code or with a refusal."""
    said = {name: str(value) for name, value in request.GET.items()}
    try:
        attempt = services.take_up(
            state=said.pop("state", ""),
            by=request.user,  # type: ignore[arg-type]  # login_required
            session_key=request.session.session_key or "",
        )
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return HttpResponseRedirect(reverse("projects:portfolio"))
    try:
        place = find_administered(request.user, attempt.company_id)
    except Http404:
        messages.error(request, NOT_ADMIN)
        return HttpResponseRedirect(reverse("projects:portfolio"))
    return HttpResponseRedirect(place.url(_ended(request, attempt, said)))


def _ended(request: HttpRequest, attempt: OAuthAttempt, said: dict[str, str]) -> str:
    """Store what the person gave and tell about it; the name of the page that is next."""
    connection, code = attempt.connection, said.pop("code", "")
    if not code:
        messages.error(request, _refusal(connection, said.get("error", "")))
        return "settings"
    try:
        connection = services.complete(
            attempt=attempt,
            by=request.user,  # type: ignore[arg-type]  # login_required
            code=code,
            answer=said,
        )
    except (ErpError, ValidationError) as error:
        sentence = str(error) if isinstance(error, ErpError) else " ".join(error.messages)
        messages.error(request, f"{connection.name} was not connected. {sentence}")
        return "settings"
    provider = provider_class(connection.provider)
    if provider.tenant_setting and not connection.settings.get(provider.tenant_setting):
        messages.success(request, SIGNED_IN.format(erp=provider.label))
        return "erp_company"
    _try_it(request, connection)
    return "settings"


def _try_it(request: HttpRequest, connection: ErpConnection) -> None:
    def check(provider: Provider) -> str:
        provider.hurry()
        return provider.check()

    try:
        answer = ask(connection, check)
    except ErpError as error:
        messages.error(request, f"You are signed in, but the connection does not work. {error}")
    else:
        messages.success(request, f"Connected. The ERP answered: {answer}")


@login_required
@require_http_methods(["GET", "POST"])
def choose_company(request: HttpRequest, company_id: int) -> HttpResponse:
    """Which of the companies that the sign-in opens is read."""
    place = find_administered(request.user, company_id)
    connection = place.connection
    provider = find_provider(connection.provider) if connection else None
    if connection is None or provider is None or not provider.tenant_setting:
        raise Http404
    problem, offered = "", _offered(request, connection)
    if request.method == "POST":
        chosen = next((it for it in offered if it.remote_id == request.POST.get("company")), None)
        problem = _choose(request, connection, chosen)
        if not problem:
            return HttpResponseRedirect(place.url("settings"))
    context = {
        **frame(place, "settings"),
        "erp": provider.label,
        "offered": offered,
        "problem": problem,
        "present": connection.settings.get(provider.tenant_setting, ""),
        "settings_url": place.url("settings"),
    }
    return render(request, "erp_integrations/grants/company.html", context)


def _offered(request: HttpRequest, connection: ErpConnection) -> Sequence[Tenant]:
    def tenants(provider: Provider) -> list[Tenant]:
        provider.hurry()
        return provider.tenants()

    try:
        return ask_to_choose(connection, tenants)
    except ErpError as error:
        messages.error(request, f"The companies cannot be listed now. {error}")
        return []


def _choose(request: HttpRequest, connection: ErpConnection, chosen: Tenant | None) -> str:
    """Why the choice cannot be, or nothing."""
    if chosen is None:
        return CHOOSE_ONE
    try:
        stored = services.choose_tenant(
            connection=connection,
            by=request.user,  # type: ignore[arg-type]  # login_required
            tenant=chosen,
        )
    except ValidationError as error:
        return " ".join(error.messages)
    messages.success(request, f"{chosen.name} is read from now on.")
    _try_it(request, stored)
    return ""


@login_required
@require_POST
def disconnect(request: HttpRequest, company_id: int) -> HttpResponse:
    """Forget the tokens; what was read stays."""
    place = find_administered(request.user, company_id)
    connection = _connection_of(place)
    services.disconnect(
        connection=connection,
        by=request.user,  # type: ignore[arg-type]  # login_required
    )
    messages.success(request, FORGOTTEN.format(name=connection.name))
    return HttpResponseRedirect(place.url("settings"))


def _connection_of(place: Place) -> ErpConnection:
    if place.connection is None:
        raise Http404
    return place.connection


def _refusal(connection: ErpConnection, code: str) -> str:
    if code == "access_denied":
        return DENIED.format(name=connection.name)
    return NO_CODE.format(name=connection.name, code=code[:60] or "no reason")


NOT_ADMIN = (
    "Only administrators of ERP Integrations may connect an ERP, and you are none any more. "
    "Nothing was changed."
)
DENIED = (
    "You did not allow access to {name}, so nothing was changed. To connect it, press the button "
    "again and agree at the vendor's page; if the choice is not yours, ask somebody who "
    "administers the books."
)
NO_CODE = (
    "{name} was not connected: the vendor sent you back without a code ({code}). Check that this "
    "server's redirect address is registered with the vendor's app, then connect again."
)
SIGNED_IN = "You are signed in at {erp}. It has several companies: choose the one that is read."
CHOOSE_ONE = "Choose one of the companies."
FORGOTTEN = (
    "{name} is disconnected: its tokens are deleted here, and nothing is read any more. Payments "
    "that came stay. To withdraw the right at the vendor as well, remove the app there."
)
