"""The walk through an ERP's payments in the order of their changes, page by page.

For ERPs that can be asked for everything after a key of a moment and a number.
A page is never asked for by an offset: rows share moments, and move while pages
are turned.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from erp_integrations.providers.contract import Cursor, Page, RejectedRecord, RemotePayment
from erp_integrations.providers.days import first_moment_of
from erp_integrations.providers.errors import ConfigurationError, ProtocolError

#: the Date header has whole seconds
CLOCK_STEP = timedelta(seconds=1)


class Place(NamedTuple):
    """A place in the order of changes; everything up to and including it was read."""

    modified: datetime
    number: int = 0


class Batch(NamedTuple):
    """The next records after a place, still encoded, and the ERP's clock."""

    rows: Sequence[msgspec.Raw]
    server_time: datetime
    is_last: bool


class Mapped(NamedTuple):
    payments: list[RemotePayment]
    rejected: list[RejectedRecord]


class ChangeOrder:
    """One kind of record: how its next batch is asked for, mapped, and placed.

    ``key_of`` gives the place of a record, or None for one that cannot be read.
    ``erp`` is what people call the system.
    """

    def __init__(
        self,
        erp: str,
        *,
        ask: Callable[[Place | None], Batch],
        mapped: Callable[[Sequence[msgspec.Raw]], Mapped],
        key_of: Callable[[msgspec.Raw], Place | None],
        overlap: timedelta,
    ) -> None:
        self._erp, self._ask, self._mapped, self._key_of = erp, ask, mapped, key_of
        self._overlap = overlap

    def pages(self, cursor: Cursor | None, *, resume: bool) -> Iterator[Page]:
        """See ``Provider.pages``. Ends with a page, whose cursor lies at the ERP's own clock."""
        reached = place_of(cursor)
        here = reached
        if here and not resume:
            here = Place(here.modified - self._overlap)
        clock: datetime | None = None
        while True:
            batch = self._ask(here)
            clock = clock or batch.server_time
            here = self._moved(here, batch)
            payments, rejected = self._mapped(batch.rows) if batch.rows else Mapped([], [])
            if batch.is_last:
                # A big import is not read again every hour, and late rows are not lost.
                ends = (here, reached, Place(clock - self._overlap))
                here = max(end for end in ends if end is not None)
            if batch.rows or batch.is_last:
                yield Page(payments, rejected, self._stored(here, clock))
            if batch.is_last:
                return

    def _moved(self, here: Place | None, batch: Batch) -> Place | None:
        keys = (self._key_of(row) for row in reversed(batch.rows))
        last = next((key for key in keys if key is not None), None)
        if last is not None and (here is None or last > here):
            return last
        if batch.is_last:
            return here
        raise ProtocolError(
            f"{self._erp} does not keep its own order of changes, so it cannot be read without "
            f"a risk of losing some."
        )

    def _stored(self, here: Place | None, clock: datetime) -> Cursor:
        """What may be stored: nothing past the ERP's clock at the start."""
        return as_cursor(min(here, Place(clock + CLOCK_STEP))) if here else {"place": None}


def place_of(cursor: Cursor | None) -> Place | None:
    """Raises ``ConfigurationError`` for a cursor that no ``ChangeOrder`` made."""
    try:
        stored: Mapping[str, Any] | None = cursor["place"] if cursor else None
        if stored is None:
            return None
        moment = datetime.fromisoformat(stored["modified"])
        return Place(moment.astimezone(UTC), int(stored["number"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error


def as_cursor(place: Place) -> Cursor:
    return {"place": {"modified": place.modified.isoformat(), "number": place.number}}


def cursor_at(day: date) -> Cursor:
    """Where a day begins, which is where it begins first on Earth."""
    return as_cursor(Place(first_moment_of(day)))


def read_until(cursor: Cursor) -> datetime | None:
    """See ``Provider.read_until``."""
    place = place_of(cursor)
    return place.modified if place else None
