"""What NetSuite means when it refuses; closed by default.

Errors are ``{"title", "status", "o:errorDetails": [{"detail", "o:errorCode"}]}``.
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

#: too many requests at once, of all programs of the account; some come with status 400
BUSY = {"CONCURRENCY_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED"}
NO_RIGHT = {"INSUFFICIENT_PERMISSION", "PERMISSION_VIOLATION"}
NO_SUCH_ID = "NONEXISTENT_ID"


def meaning(answer: Answer, name: str, what: str) -> ErpError | None:
    """The error of an answer that is no success; ``what`` was asked for. None: HTTP says it all."""
    detail, codes = f"status {answer.status}: {answer.text}", error_codes(answer)
    if codes & BUSY:
        return RateLimited(
            f"{name} has as many requests at once as the account may make. It will be tried again "
            f"by itself.",
            detail=detail,
            retry_after=answer.retry_after,
        )
    if codes & NO_RIGHT:
        return AuthenticationError(
            f"{name} does not let the role of the connection read {what}: {message(answer)} Give "
            f"that role the permissions that the guide lists.",
            detail=detail,
        )
    if answer.status == 400 and "was not found" in message(answer):
        return ConfigurationError(
            f"{name} does not show {what} to the role of the connection: {message(answer)} Give "
            f"that role the permissions that the guide lists, or turn the feature on.",
            detail=detail,
        )
    if answer.status == 404:
        return ConfigurationError(
            f"{name} has no REST web services at this address. Check the account ID, and that the "
            f"feature is turned on.",
            detail=detail,
        )
    if 400 <= answer.status < 500 and answer.status not in {401, 403, 408, 429}:
        return ProtocolError(
            f"{name} refused the question for {what}: {message(answer)}", detail=detail
        )
    return None


def refusal(answer: Answer, name: str, what: str) -> ErpError | None:
    """What NetSuite says to a write that it does not do: what is wrong with this one record."""
    if answer.status in {400, 409, 422} and not error_codes(answer) & (BUSY | NO_RIGHT):
        return RecordError(
            f"NetSuite refuses it: {message(answer)}",
            detail=f"status {answer.status}: {answer.text}",
        )
    return meaning(answer, name, what)


def message(answer: Answer) -> str:
    """What NetSuite says to people, with its full stop."""
    texts = [str(each.get("detail") or "").strip() for each in _details(answer)]
    text = " ".join(filter(None, texts))[:300]
    return text if text.endswith(".") else f"{text or 'it gives no reason'}."


def error_codes(answer: Answer) -> set[str]:
    return {str(each.get("o:errorCode") or "") for each in _details(answer)}


def _details(answer: Answer) -> list[Mapping[str, Any]]:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return []
    details = body.get("o:errorDetails") if isinstance(body, Mapping) else None
    found = details if isinstance(details, list) else []
    return [each for each in found if isinstance(each, Mapping)]
