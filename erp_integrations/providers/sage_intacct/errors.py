"""What Sage Intacct means when it refuses; closed by default.

The envelope of an error is ``{"ia::error": {…}}``, sometimes inside
``"ia::result"``, and ``{"error": {…}}`` from the gateway in front of it.
"""

from collections.abc import Mapping
from typing import Any

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    ProtocolError,
    RateLimited,
    RecordError,
)
from erp_integrations.providers.exchanges import Answer
from erp_integrations.providers.http_headers import seconds_to_wait

#: Intacct says in headers of its own how long each of its limits still holds
WAITS = (
    "x-ia-throttle-limit-retry-after",
    "x-ia-minute-rate-limit-retry-after",
    "x-ia-hour-rate-limit-retry-after",
    "x-ia-tenant-throttle-limit-retry-after",
)


def meaning(answer: Answer, name: str, what: str) -> ErpError | None:
    """The error of an answer that is no success; ``what`` was asked for. None: HTTP says it all."""
    detail = f"status {answer.status}: {answer.text}"
    if answer.status == 429:
        return RateLimited(
            f"{name} asks us to slow down. It will be tried again by itself.",
            detail=detail,
            retry_after=_wait(answer),
        )
    if answer.status == 403 and answer.is_json:
        return AuthenticationError(
            f"{name} does not let the user of the connection read {what}: {message(answer)} "
            f"Give that user the permissions that the guide lists.",
            detail=detail,
        )
    if answer.status == 404:
        return ConfigurationError(
            f"{name} has no query service at this address. Check the address of the connection.",
            detail=detail,
        )
    if 400 <= answer.status < 500 and answer.status not in {401, 403, 408}:
        if "entity" in message(answer).lower():
            return ConfigurationError(
                f"{name} does not know the entity of the connection: {message(answer)} Check its "
                f"ID in the settings of the connection.",
                detail=detail,
            )
        return ProtocolError(
            f"{name} refused the question for {what}: {message(answer)}", detail=detail
        )
    return None


def refusal(answer: Answer, name: str, what: str) -> ErpError | None:
    """What Intacct says to a write that it does not do: what is wrong with this one record."""
    if answer.status in {400, 409, 422}:
        return RecordError(
            f"Sage Intacct refuses it: {message(answer)}",
            detail=f"status {answer.status}: {answer.text}",
        )
    if answer.status == 403 and answer.is_json:
        return AuthenticationError(
            f"{name} does not let the user of the connection write {what}: {message(answer)} "
            f"Give that user the permissions that the guide lists.",
            detail=f"status {answer.status}: {answer.text}",
        )
    return meaning(answer, name, what)


def message(answer: Answer) -> str:
    """What Intacct says to people, with its full stop."""
    try:
        body: Any = answer.json()
    except ValueError:
        return "it gives no reason."
    error = _error_in(body)
    details = error.get("details")
    inner = details[0] if isinstance(details, list) and details else details
    told = [each.get("message") for each in (error, inner) if isinstance(each, Mapping)]
    text = " ".join(each.strip() for each in told if isinstance(each, str) and each.strip())[:300]
    return text if text.endswith(".") else f"{text or 'it gives no reason'}."


def _error_in(body: Any) -> Mapping[str, Any]:
    body = body if isinstance(body, Mapping) else {}
    result = body.get("ia::result")
    inner = result.get("ia::error") if isinstance(result, Mapping) else None
    for found in (body.get("ia::error"), inner, body.get("error")):
        if isinstance(found, Mapping):
            return found
    return {}


def _wait(answer: Answer) -> float | None:
    given = [seconds_to_wait(answer.headers.get(name)) for name in WAITS]
    waits = [each for each in (answer.retry_after, *given) if each is not None]
    return max(waits, default=None)
