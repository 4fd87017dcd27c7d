"""The walk through what changed, by id, page by page.

Odoo has no one moment that moves with every change of a payment, so a page
cannot be asked for in the order of changes. What changed is asked for by four
moments, and read in the order of ids: rows that share a second at a page's
border, and rows that change while pages are turned, are neither lost nor read
twice. The place of the next run is Odoo's clock when this one began.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from erp_integrations.providers.contract import Cursor, Page
from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.odoo import mapper
from erp_integrations.providers.odoo.auth import Session, as_json, remembered
from erp_integrations.providers.odoo.client import PAYMENT, OdooClient, Question
from erp_integrations.providers.odoo.rows import as_moment, payment_fields

#: what moves when a payment, its entry, or what its lines settle is changed
MOMENTS = ("write_date", "move_id.write_date", "move_id.line_ids.write_date")


class Place(msgspec.Struct, frozen=True):
    """How far was read. ``until`` is there as long as a walk is not at its end."""

    #: everything that changed before this was read
    since: datetime | None = None
    #: where this walk began to look, an overlap earlier
    begin: datetime | None = None
    #: Odoo's clock when this walk began
    until: datetime | None = None
    #: the last payment of this walk
    after: int = 0


Mapper = Callable[[Sequence[msgspec.Raw]], mapper.Mapped]


class Walk:
    """Payments of some books that changed since a place."""

    def __init__(self, client: OdooClient, domain: Callable[[Session], Sequence[Any]]) -> None:
        """``domain``: which payments there are at all."""
        self._client = client
        self._domain = domain

    def pages(self, place: Place, size: int, mapped: Mapper) -> Iterator[Page]:
        """From the place to the end; the last page is there even if it is empty."""
        while True:
            rows = self._rows(place, size)
            until = place.until or rows.server_time.replace(microsecond=0)
            is_done = len(rows.rows) < size
            reached = self._reached(place, rows.rows) if rows.rows else place.after
            payments, rejected, _ = mapped(rows.rows)
            if is_done:
                place = Place(since=max(until, place.since or until))
            else:
                place = msgspec.structs.replace(place, until=until, after=reached)
            yield Page(payments, rejected, cursor_of(place, self._client.session))
            if is_done:
                return

    def _rows(self, place: Place, size: int) -> Any:
        def asked(session: Session) -> Question:
            domain = [*self._domain(session), *_changed(place.begin), *_after(place.after)]
            return Question(PAYMENT, domain, payment_fields(session), size)

        return self._client.records(asked)

    def _reached(self, place: Place, rows: Sequence[msgspec.Raw]) -> int:
        last = mapper.last_id(rows)
        if last is None or last <= place.after:
            raise ProtocolError(
                f"{self._client.name} does not keep its own order of payments, so it cannot be "
                f"read without a risk of losing some."
            )
        return last


def _after(number: int) -> list[Any]:
    return [("id", ">", number)] if number else []


def _changed(since: datetime | None) -> list[Any]:
    if since is None:
        return []
    return ["|"] * (len(MOMENTS) - 1) + [(name, ">=", as_moment(since)) for name in MOMENTS]


def begun(cursor: Cursor | None, overlap: timedelta, *, resume: bool) -> Place:
    """Where a walk begins, or goes on. Raises ``ConfigurationError`` for a foreign cursor."""
    place = place_of(cursor)
    if resume:
        return place if place.until else msgspec.structs.replace(place, begin=place.since)
    return Place(since=place.since, begin=place.since and place.since - overlap)


def place_of(cursor: Cursor | None) -> Place:
    stored = {name: value for name, value in (cursor or {}).items() if name != "odoo"}
    try:
        place = msgspec.convert(stored, Place)
        moments = [each for each in (place.since, place.begin, place.until) if each]
        if any(each.tzinfo is None for each in moments):
            raise ValueError("a moment without a zone")
    except (msgspec.ValidationError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error
    return place


def session_of(cursor: Cursor | None) -> Session | None:
    return remembered((cursor or {}).get("odoo")) if isinstance(cursor, Mapping) else None


def cursor_of(place: Place, session: Session | None = None) -> Cursor:
    stored = {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in msgspec.structs.asdict(place).items()
        if value
    }
    return stored | ({"odoo": as_json(session)} if session else {})
