"""What Acumatica means when it says no; closed by default.

Nearly every refusal is a 500 with JSON: ``exceptionMessage`` is for people,
``exceptionType`` is the class of .NET. What is not known here stays a failure
that may pass (5xx), or a question that cannot be right (4xx).
"""

from collections.abc import Iterator
from typing import NamedTuple

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    RateLimited,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.http import Answer

NO_SUCH_RECORD = "NoEntitySatisfiesTheConditionException"
NOT_SET_UP = "PXSetupNotEnteredException"
#: a list cannot be made with details whose view is computed; one record can
NOT_IN_A_LIST = "Optimization cannot be performed"
NO_SESSION_LEFT = "API Login Limit"
NO_RIGHTS = ("insufficient rights", "do not have enough rights", "access denied")


class NotInAList(ConfigurationError):
    """Acumatica gives these details only record by record."""


class Refusal(NamedTuple):
    message: str
    kind: str


def refusal(answer: Answer) -> Refusal:
    """What the answer says, in Acumatica's words; empty where it says nothing."""
    try:
        said = answer.json()
        return Refusal(
            str(said.get("exceptionMessage") or said.get("message") or "").strip(),
            str(said.get("exceptionType") or ""),
        )
    except (ValueError, AttributeError, RecursionError):
        return Refusal("", "")


def meaning(answer: Answer, name: str) -> ErpError | None:
    """The error that an answer stands for; None leaves it to HTTP's own rules."""
    said = refusal(answer)
    detail = f"status {answer.status}: {answer.text}"
    if NO_SESSION_LEFT.lower() in said.message.lower():
        return RateLimited(
            f"All sessions that the licence of {name} allows for programs are in use. It will be "
            f"tried again by itself; License Monitoring Console (SM604000) shows who uses them.",
            detail=detail,
            retry_after=answer.retry_after,
        )
    if answer.status == 401:
        return AuthenticationError(
            f"{name} does not accept the sign-in of the connection any more. An administrator has "
            f"to press “Reconnect” in its settings.",
            detail=detail,
        )
    if answer.status == 403 or any(text in said.message.lower() for text in NO_RIGHTS):
        return AuthenticationError(
            f"{name} does not let the user who connected it read this"
            f"{f': {said.message[:200]}' if said.message else ''}. Give that user the rights that "
            f"the guide lists.".replace("..", "."),
            detail=detail,
        )
    if answer.status == 404:
        return ConfigurationError(
            f"{name} does not know this address. Check the address of the connection, with the "
            f"name of the instance if there is one.",
            detail=detail,
        )
    return _refused_question(said, name, detail) if answer.status == 500 else None


def refusal_of_write(answer: Answer, name: str) -> ErpError | None:
    """The same for a write: what Acumatica says about the record is the record's trouble."""
    known = meaning(answer, name)
    if known is not None and not isinstance(known, RecordNotFound):
        return known
    errors = list(dict.fromkeys(_field_errors(answer)))
    said = refusal(answer)
    if not errors and (answer.status in {400, 422} or said.kind.startswith("PX.")):
        errors = [said.message]
    message = " ".join(errors)[:300] or "it gives no reason."
    if errors or answer.status in {400, 422}:
        return RecordError(
            f"Acumatica refuses it: {message}", detail=f"status {answer.status}: {answer.text}"
        )
    return known


def _field_errors(answer: Answer) -> Iterator[str]:
    """A refused record comes back (422) with an ``error`` in each field that is wrong."""
    try:
        record = answer.json()
        parts = [record, *(record.get("Details") or [])]
        for part in parts:
            for name, value in part.items():
                if isinstance(value, dict) and value.get("error"):
                    yield f"{name}: {value['error']}"
    except (ValueError, AttributeError, TypeError, RecursionError):
        return


def _refused_question(said: Refusal, name: str, detail: str) -> ErpError | None:
    """A 500 that is no failure: asked again, the answer would be the same."""
    if said.kind.endswith(NO_SUCH_RECORD):
        return RecordNotFound(f"{name} does not know this record any more.", detail=detail)
    if said.message.startswith(NOT_IN_A_LIST):
        return NotInAList(f"{name} does not give the details of a list of these.", detail=detail)
    if said.kind.endswith(NOT_SET_UP):
        return ConfigurationError(
            f"Acumatica is not set up for this: {said.message[:200]}", detail=detail
        )
    return None
