"""What the unified API says when it says no; its texts stand under ``message`` or ``error``."""

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    RecordNotFound,
)
from erp_integrations.providers.http import Answer


class NotFilterable(ConfigurationError):
    """The system behind cannot be asked for a part of these records."""


def text_of(answer: Answer) -> str:
    try:
        body = answer.json() if answer.is_json else None
    except (ValueError, RecursionError):
        body = None
    found = (body.get("message") or body.get("error")) if isinstance(body, dict) else ""
    return str(found or "")[:300]


def of_question(answer: Answer, name: str) -> ErpError | None:
    """``None`` leaves it to what the status means everywhere."""
    said, detail = text_of(answer), f"status {answer.status}: {answer.text}"
    if answer.status in {401, 403} and said:
        return AuthenticationError(f"{name} does not let us in: {said}.", detail=detail)
    if answer.status == 404:
        return ConfigurationError(
            f"{name} does not offer this for the linked system. Check the address and which "
            f"system the account token is for.",
            detail=detail,
        )
    if answer.status == 400:
        return NotFilterable(f"{name} refuses the question: {said or 'no reason'}.", detail=detail)
    return None


def of_record(answer: Answer, name: str) -> ErpError | None:
    """The same for one record; only an answer in JSON says that it does not exist."""
    if answer.status == 404 and text_of(answer) and "route" not in text_of(answer).lower():
        return RecordNotFound(f"{name} does not know this payment any more.")
    return of_question(answer, name)
