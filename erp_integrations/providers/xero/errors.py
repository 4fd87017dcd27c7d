"""What Xero's refusals mean; whatever is not known here stays with ``HttpClient``."""

from typing import Any

from erp_integrations.providers.errors import (
    AuthenticationError,
    ErpError,
    RateLimited,
    RecordError,
)
from erp_integrations.providers.exchanges import Answer

#: in the answers to a token without the scope; one that is too old says AuthenticationUnsuccessful
NO_SCOPE = ("AuthorizationUnsuccessful", "insufficient_scope")
RECONNECT = "An administrator has to press “Reconnect” in the settings of the connection"


def of_reading(answer: Answer) -> ErpError | None:
    """A refusal that only Xero gives. 404 stays unknown: proxies give it too."""
    detail = f"status {answer.status}: {answer.text}"
    if answer.status == 401:
        asked = f"{answer.text} {answer.headers.get('www-authenticate', '')}"
        if any(word in asked for word in NO_SCOPE):
            return AuthenticationError(
                f"Xero was not given every right that the sync needs. {RECONNECT} and leave all "
                f"of them ticked.",
                detail=detail,
            )
        return AuthenticationError(
            f"Xero does not accept the sign-in of the connection any more. {RECONNECT}.",
            detail=detail,
        )
    if answer.status == 403:
        return AuthenticationError(
            f"Xero does not let the connection into this company's books any more. {RECONNECT} and "
            f"choose the company there.",
            detail=detail,
        )
    if answer.status == 429:
        return _too_often(answer, detail)
    return None


def of_writing(answer: Answer) -> ErpError | None:
    """The same, and what Xero says against a record."""
    if answer.status in {400, 409, 412} and answer.is_json:
        return RecordError(
            f"Xero refuses it: {_reasons(answer)}",
            detail=f"status {answer.status}: {answer.text}",
        )
    return of_reading(answer)


def _too_often(answer: Answer, detail: str) -> RateLimited:
    problem = answer.headers.get("x-rate-limit-problem", "").lower()
    what = "of one day" if "da" in problem else "at a time"
    return RateLimited(
        f"Xero takes no more calls {what} for now. It will be tried again by itself.",
        detail=detail,
        retry_after=answer.retry_after,
    )


def _reasons(answer: Answer) -> str:
    """The sentences of a ``ValidationException``, each once."""
    try:
        refusal = answer.json()
        found = [
            str(error["Message"])
            for element in refusal.get("Elements") or [{}]
            for error in _errors_in(element)
        ]
        reasons = found or [str(refusal.get("Message") or refusal.get("Detail") or "")]
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        reasons = []
    said = " ".join(dict.fromkeys(each.strip()[:300] for each in reasons if each.strip()))
    return said if said.endswith((".", "!", "?")) else f"{said or 'it gives no reason'}."


def _errors_in(element: Any) -> list[Any]:
    """Of the record itself, and of its lines."""
    found = list(element.get("ValidationErrors") or [])
    for line in element.get("LineItems") or []:
        found += line.get("ValidationErrors") or []
    return found
