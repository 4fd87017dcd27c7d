"""The addresses that senders call. No session, no cookie: the key says who speaks."""

import json
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from erp_integrations.models import ErpConnection
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.push.provider import KEY, PushProvider
from erp_integrations.push.services import (
    LONGEST_KEY,
    MOST_ROWS,
    Answer,
    Call,
    KeyUsedTwice,
    NotTaken,
    take_links,
    take_payments,
)

LONGEST_BODY = 2 * 1024 * 1024
#: of one connection in a minute
AT_MOST_A_MINUTE = 120


class Refused(Exception):
    """The call as a whole: a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@csrf_exempt
@require_http_methods(["PATCH", "POST"])
def invoice_payments(request: HttpRequest, company_id: int) -> JsonResponse:
    """Payments, up to 1,000; 200 also where rows are wrong."""
    return _answered(request, company_id, _take_payments)


@csrf_exempt
@require_http_methods(["PATCH", "POST"])
def external_data(request: HttpRequest, company_id: int) -> JsonResponse:
    """Which bill of the ERP an invoice is."""
    return _answered(request, company_id, lambda connection, rows, request, body: take_links(
        connection=connection, updates=rows))  # fmt: skip


def _take_payments(
    connection: ErpConnection, rows: list[Any], request: HttpRequest, body: bytes
) -> Answer:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Refused(400, f"An Idempotency-Key has at most {LONGEST_KEY} printable characters.")
    call = Call(rows, key, sha256(body).hexdigest())
    try:
        return take_payments(connection=connection, call=call)
    except KeyUsedTwice as error:
        raise Refused(422, str(error)) from error
    except NotTaken as error:
        raise Refused(409, str(error)) from error


def _answered(
    request: HttpRequest,
    company_id: int,
    take: Callable[[ErpConnection, list[Any], HttpRequest, bytes], Answer],
) -> JsonResponse:
    try:
        connection = _sender(request, company_id)
        body = _body(request)
        return JsonResponse(take(connection, _rows(body), request, body))
    except Refused as refused:
        headers = {"Retry-After": "60"} if refused.status == 429 else None
        return JsonResponse({"error": str(refused)}, status=refused.status, headers=headers)


def _sender(request: HttpRequest, company_id: int) -> ErpConnection:
    """The connection whose key was shown. A company without one is a wrong key like any other."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    found = ErpConnection.objects.filter(company=company_id, provider=PushProvider.code).first()
    try:
        key = found.credentials.reveal().get(KEY, "") if found else ""
    except ConfigurationError as error:  # stored credentials that cannot be opened: ours to mend
        raise Refused(
            503, "The stored key cannot be read here; it has to be entered anew."
        ) from error
    good = compare_digest(shown.strip().encode(), key.encode()) and scheme.lower() == "bearer"
    if found is None or not key or not good:
        raise Refused(401, "Show the connection's key: “Authorization: Bearer …”.")
    _count(found)
    return found


def _count(connection: ErpConnection) -> None:
    name = f"pushed-{connection.pk}"
    if cache.add(name, 1, timeout=60):
        return
    try:
        too_often = int(cache.incr(name)) > AT_MOST_A_MINUTE
    except ValueError:  # the minute ended between the two
        return
    if too_often:
        raise Refused(429, f"At most {AT_MOST_A_MINUTE} calls a minute; send more rows in each.")


def _body(request: HttpRequest) -> bytes:
    body = request.read(LONGEST_BODY + 1)
    if len(body) > LONGEST_BODY:
        raise Refused(413, f"A call has at most {LONGEST_BODY // 1024 // 1024} MB.")
    return body


def _rows(body: bytes) -> list[Any]:
    try:
        said = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not JSON.") from error
    rows = said.get("updates") if isinstance(said, dict) else None
    if not isinstance(rows, list):
        raise Refused(400, "The body has to be an object with a list “updates”.")
    if len(rows) > MOST_ROWS:
        raise Refused(413, f"A call has at most {MOST_ROWS} rows; this one has {len(rows)}.")
    return rows
