"""The address that ERPs notify. No session, no cookie: the signature says who speaks."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from erp_integrations.models import ErpConnection
from erp_integrations.notifications.arrival import (
    LONGEST_BODY,
    is_too_often,
    provider_that_notifies,
    receive,
)
from erp_integrations.providers.errors import AuthenticationError, ConfigurationError

TOO_LARGE, TOO_OFTEN, NOT_SIGNED, NOT_READY = 413, 429, 401, 503


@csrf_exempt
@require_POST
def notification(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Stored first, answered at once: 200 also for one that came before."""
    connection = ErpConnection.objects.filter(public_id=public_id).first()
    provider = connection and provider_that_notifies(connection)
    if connection is None or not provider:
        raise Http404
    if is_too_often(connection):
        return HttpResponse(status=TOO_OFTEN, headers={"Retry-After": "60"})
    body = request.read(LONGEST_BODY + 1)
    if len(body) > LONGEST_BODY:
        return HttpResponse(status=TOO_LARGE)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        receive(connection=connection, provider=provider, headers=headers, body=body)
    except AuthenticationError:
        return HttpResponse(status=NOT_SIGNED)
    except ConfigurationError:  # stored credentials that cannot be opened: ours to mend
        return HttpResponse(status=NOT_READY)
    return HttpResponse()
