"""What Odoo means when it says no; whatever it does not say in so many words is not trusted.

JSON-2 (19 and newer) answers ``{name, message, arguments, context, debug}`` with
a status of 401, 403, 404, 422 or 500; JSON-RPC answers 200 with the same inside
``error.data``. ``debug`` is a traceback and never kept.
"""

import msgspec

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    ProtocolError,
    RecordError,
    TransientError,
)
from erp_integrations.providers.exchanges import DETAIL, Answer
from erp_integrations.providers.http import AGAIN

EXPIRED = (
    "API keys of Odoo expire: if this one worked before, make a new one in Odoo, in the "
    "preferences of that user under Account Security, and enter it here."
)
#: Odoo's own exceptions for what a person entered
REFUSED = {"UserError", "ValidationError", "RedirectWarning", "MissingError"}
#: the database was busy with the same rows, or is being restarted
BUSY = {
    "ConcurrencyError",
    "SerializationFailure",
    "DeadlockDetected",
    "LockNotAvailable",
    "QueryCanceled",
    "OperationalError",
    "InterfaceError",
    "MemoryError",
}


class Refusal(msgspec.Struct, frozen=True):
    """``name`` is the Python class of the exception, with its module."""

    name: str
    message: str = ""

    @property
    def kind(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def first_line(self) -> str:
        text = self.message.strip().partition("\n")[0].rstrip(".")
        return text[:DETAIL] or self.kind


class NotPermitted(AuthenticationError):
    """The key is good, but its user may not read or write this."""


class NoSuchApi(ConfigurationError):
    """Nothing answers at this address of the API: another version, or another database."""


def refusal_in(answer: Answer) -> Refusal | None:
    """The refusal that a JSON-2 answer holds; None where Odoo did not get to say anything."""
    try:
        return msgspec.json.decode(answer.body, type=Refusal)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def meaning_of_answer(answer: Answer, erp: str, *, is_write: bool = False) -> ErpError | None:
    """What an answer of JSON-2 that is no success stands for; None leaves it to the status."""
    refusal = refusal_in(answer)
    if refusal is not None:
        return meaning(refusal, erp, is_write=is_write)
    if answer.status in {400, 404, 405, 415}:
        return NoSuchApi(
            f"{erp} has no such database, or is older than Odoo 19. Check the address and the "
            f"database; Odoo 17 and 18 also need the login of the user.",
            detail=f"status {answer.status}: {answer.text}",
        )
    return None


def meaning(refusal: Refusal, erp: str, *, is_write: bool = False) -> ErpError:
    """The error class for one refusal, by the name of Odoo's exception."""
    kind, detail = refusal.kind, f"{refusal.name}: {refusal.message}"[:DETAIL]
    if kind in {"Unauthorized", "AccessDenied", "SessionExpiredException"}:
        return AuthenticationError(f"{erp} does not accept the key. {EXPIRED}", detail=detail)
    if kind in {"AccessError", "Forbidden"}:
        return NotPermitted(f"{erp} says: {refusal.first_line}.", detail=detail)
    if "does not exist" in refusal.message and kind == "OperationalError":
        return ConfigurationError(f"{erp} has no such database.", detail=detail)
    if kind in BUSY:
        return TransientError(f"{erp} is busy. {AGAIN}", detail=detail)
    if is_write and kind in REFUSED:
        return RecordError(f"Odoo says: {refusal.first_line}.", detail=detail)
    if kind == "MissingError":
        return TransientError(
            f"Something was deleted in {erp} while it was read. {AGAIN}", detail=detail
        )
    return _unexpected(refusal, erp, detail)


def _unexpected(refusal: Refusal, erp: str, detail: str) -> ErpError:
    """A question that this Odoo cannot answer stays wrong, however often it is asked."""
    if "Invalid field" in refusal.message:
        return ConfigurationError(
            f"{erp} lacks a field that the sync reads ({refusal.first_line}). It is made for "
            f"Odoo 17 to 19 with the Invoicing or Accounting app.",
            detail=detail,
        )
    if refusal.kind == "NotFound" or refusal.message.endswith(("does not exist", "doesn't exist")):
        return ConfigurationError(
            f"{erp} says: {refusal.first_line}. Is the app that this belongs to installed?",
            detail=detail,
        )
    if refusal.kind in REFUSED or refusal.name.startswith("builtins."):
        return ConfigurationError(
            f"{erp} cannot answer a question of the sync: {refusal.first_line}.", detail=detail
        )
    return ProtocolError(
        f"{erp} failed in a way that is not known ({refusal.kind}).", detail=detail
    )
