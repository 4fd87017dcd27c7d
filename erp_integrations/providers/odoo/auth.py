"""How Odoo is signed in to, and what is found out about it on that occasion.

Odoo 19 takes an API key as a bearer token at ``/json/2``. Odoo 17 and 18 know
only ``/jsonrpc``: the login and the key (or the password) give the number of
the user, and every call carries number and key. Which of the two it is, the
user's number and which fields payments have is found out once and kept in the
cursor for a day, so that a sync without changes is a single question.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

#: asked of ``fields_get``: not every Odoo has them
PERHAPS = ("memo", "ref", "invoice_ids", "check_number", "is_internal_transfer")
#: after this an update of Odoo, or of its apps, is noticed
GOOD_FOR = timedelta(days=1)
#: the first version that answers JSON-2
JSON2_SINCE = 19

Api = Literal["json2", "jsonrpc"]


class Session(msgspec.Struct, frozen=True):
    """How this Odoo wants to be asked, and which of ``PERHAPS`` its payments have."""

    api: Api
    fields: tuple[str, ...]
    found: datetime
    #: the user's number, which JSON-RPC wants with every call
    user: int = 0

    @property
    def names_its_bills(self) -> bool:
        """Odoo 18 and newer list the bills on a payment, whether or not it was booked."""
        return {"invoice_ids", "memo"} <= set(self.fields)

    @property
    def memo(self) -> str:
        """What the note of a payment is called: ``ref`` (of its entry) until Odoo 17."""
        return "memo" if "memo" in self.fields else "ref"

    @property
    def prints_checks(self) -> bool:
        """The app that prints checks is installed, and numbers them."""
        return "check_number" in self.fields


def remembered(stored: Any) -> Session | None:
    """The session that a cursor holds, as long as it is fresh enough."""
    if not isinstance(stored, Mapping):
        return None
    try:
        session = msgspec.convert(stored, Session)
        is_fresh = datetime.now(UTC) - session.found < GOOD_FOR
    except (msgspec.ValidationError, TypeError):
        return None
    return session if is_fresh else None


def as_json(session: Session) -> dict[str, Any]:
    stored: dict[str, Any] = msgspec.to_builtins(session)
    return stored
