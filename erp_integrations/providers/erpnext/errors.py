"""What ERPNext says when it says no; everything unknown is left to the HTTP client's own rules.

Frappe answers errors as JSON with ``exc_type``, the name of a Python exception,
and ``_server_messages``, a JSON list of JSON objects in the user's language. The
first decides, the second is shown.
"""

import html
import re
from typing import Any

import msgspec

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    RecordError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.http import Answer

TAG = re.compile(r"<[^>]+>")
LONGEST_MESSAGE = 300
RIGHTS = "Give that user the rights that the guide lists."
#: others work on the same records; the next attempt finds them free
BUSY = {
    "TimestampMismatchError",
    "QueryDeadlockError",
    "QueryTimeoutError",
    "DocumentLockedError",
    "InReadOnlyMode",
    "SessionBootFailed",
}


class NotPermitted(AuthenticationError):
    """The key is good, but its user may not read or write this."""


class Refusal(msgspec.Struct, frozen=True):
    """What an answer says of the error in it; empty where it is not Frappe's."""

    kind: str = ""
    message: str = ""


def refusal_of(answer: Answer) -> Refusal:
    try:
        body = answer.json() if answer.is_json else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return Refusal()
    messages = _messages(body.get("_server_messages"))
    texts = messages or [str(body.get("_error_message") or body.get("exception") or "")]
    kind = str(body.get("exc_type") or str(body.get("exception") or "").split(":")[0])
    return Refusal(kind.rpartition(".")[2], " ".join(texts)[:LONGEST_MESSAGE])


def _messages(encoded: Any) -> list[str]:
    try:
        found = [msgspec.json.decode(each) for each in msgspec.json.decode(encoded or "[]")]
        texts = [each["message"] if isinstance(each, dict) else str(each) for each in found]
    except (ValueError, TypeError, KeyError):
        return []
    return [_plain(text) for text in texts if text]


def _plain(text: str) -> str:
    return " ".join(html.unescape(TAG.sub(" ", text)).split())


def of_question(answer: Answer, name: str, doctype: str) -> ErpError | None:
    """What a refused question means; ``None`` leaves it to what its status means everywhere."""
    said, detail = refusal_of(answer), f"status {answer.status}: {answer.text}"
    if answer.status == 404:
        return ConfigurationError(
            f"There is no ERPNext at this address, or it has no {doctype}: {name}. "
            f"Check the connection's settings.",
            detail=detail,
        )
    if answer.status == 403 and said.kind == "PermissionError":
        return not_permitted(name, doctype, "read", detail)
    if answer.status == 417 and said.kind in BUSY:
        return _busy(name, detail)
    if answer.status == 417:
        return ConfigurationError(
            f"{name} does not understand the question for {doctype}, so its version cannot be "
            f"read: {said.message or 'it gives no reason'}.",
            detail=detail,
        )
    return None


def of_document(answer: Answer, name: str, doctype: str) -> ErpError | None:
    """The same for one document: ERPNext tells one that is not there from one that is withheld."""
    said = refusal_of(answer)
    if answer.status == 404 and said.kind == "DoesNotExistError":
        return RecordNotFound(f"{name} does not know this {doctype.lower()} any more.")
    return of_question(answer, name, doctype)


def of_write(answer: Answer, name: str, doctype: str) -> ErpError | None:
    """What ERPNext says to a write that it does not do."""
    said, detail = refusal_of(answer), f"status {answer.status}: {answer.text}"
    if not said.kind:
        return None
    if answer.status == 403:
        return not_permitted(name, doctype, "write", detail)
    if said.kind in BUSY:
        return _busy(name, detail)
    if answer.status in {404, 409, 417}:
        reason = said.message or "it gives no reason."
        return RecordError(f"ERPNext refuses it: {reason}", detail=detail)
    return None


def not_permitted(name: str, doctype: str, what: str, detail: str = "") -> NotPermitted:
    return NotPermitted(
        f"{name} does not let the user of the key {what} {doctype}. {RIGHTS}", detail=detail
    )


def _busy(name: str, detail: str) -> TransientError:
    return TransientError(
        f"{name} is working on the same records right now. It will be tried again by itself.",
        detail=detail,
    )
