"""The walk through QuickBooks' records in the order of their changes, page by page.

``LastUpdatedTime`` has whole seconds, and several records share one. So the
next page begins at the second where the last one ended, and what of that second
was read already is known by its ids: nothing is lost when records move to the
end of the order meanwhile, and nothing comes twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from erp_integrations.providers.contract import Cursor, Page
from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.quickbooks_online import mapper
from erp_integrations.providers.quickbooks_online.client import (
    MOST,
    QuickBooksClient,
    Rows,
    quoted,
    stamp,
)
from erp_integrations.providers.quickbooks_online.errors import Refused

PAYMENT, BILL = "BillPayment", "Bill"
CHANGED = "MetaData.LastUpdatedTime"
#: what QuickBooks remembers of deletions
REMEMBERED = timedelta(days=30)
#: records of one second that are read again at a page's border at the most
WINDOW = 500
Reader = Callable[[Sequence[msgspec.Raw]], mapper.Mapped]


class Place(NamedTuple):
    """Everything before ``at`` was read, and the records ``ids`` of that very second."""

    at: datetime
    ids: tuple[str, ...] = ()


class Batch(NamedTuple):
    rows: list[msgspec.Raw]
    place: Place | None
    is_last: bool
    time: datetime


def batches(
    client: QuickBooksClient, entity: str, place: Place | None, size: int
) -> Iterator[Batch]:
    """All records of an entity that changed at ``place`` or later; the last batch may be empty."""
    while True:
        window = min(len(place.ids), WINDOW) if place else 0
        limit = min(size + window, MOST)
        found = client.query(
            entity,
            (f"{CHANGED} >= {quoted(stamp(place.at))}",) if place else (),
            order=CHANGED,
            start=1 + (len(place.ids) - window if place else 0),
            size=limit,
        )
        new, reached = _after(client, found.rows, place)
        is_last = len(found.rows) < limit
        if not is_last and reached == place:
            raise _disordered(client)
        place = reached
        yield Batch(new, place, is_last, found.time)
        if is_last:
            return


def _after(
    client: QuickBooksClient, rows: Sequence[msgspec.Raw], place: Place | None
) -> tuple[list[msgspec.Raw], Place | None]:
    """The rows that were not read yet, and the place behind them."""
    new: list[msgspec.Raw] = []
    for raw in rows:
        key = mapper.key_of(raw)
        if key is None:  # it will be rejected; the rows around it hold the place
            new.append(raw)
            continue
        moment, record_id = key
        if place and moment < place.at:
            raise _disordered(client)
        if place and moment == place.at:
            if record_id in place.ids:
                continue
            place = Place(moment, (*place.ids, record_id))
        else:
            place = Place(moment, (record_id,))
        new.append(raw)
    return new, place


def _disordered(client: QuickBooksClient) -> ProtocolError:
    return ProtocolError(
        f"{client.name} does not keep its own order of changes, so it cannot be read without a "
        f"risk of losing some."
    )


class Position(NamedTuple):
    """What a cursor holds: how far changes were read, and how far deletions are known."""

    place: Place
    deleted: datetime

    def as_json(self) -> Cursor:
        at, ids = self.place
        return {
            "modified": at.isoformat(),
            "ids": list(ids),
            "deleted": self.deleted.isoformat(),
        }


def position_of(cursor: Cursor | None) -> Position | None:
    """Raises ``ConfigurationError`` for a cursor that this provider did not make."""
    if cursor is None:
        return None
    try:
        place = Place(_moment(cursor, "modified"), tuple(map(str, cursor["ids"])))
        return Position(place, _moment(cursor, "deleted"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error


def _moment(cursor: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(cursor[name]).astimezone(UTC)


class Walk:
    """One reading of the payments: by the list of changes where that is whole, else by question."""

    def __init__(
        self, client: QuickBooksClient, mapped: Reader, *, size: int, overlap: timedelta
    ) -> None:
        self._client, self._mapped = client, mapped
        self._size, self._overlap = size, overlap

    def everything(self) -> Iterator[Page]:
        """All payments. What is not among them was deleted, so nothing else is asked."""
        pages = self._questions(None, reached=None, known=None)
        first = next(pages)
        if not first.payments and not first.rejected:
            self._require_sight()
        yield first
        yield from pages

    def _require_sight(self) -> None:
        """Proof that an empty answer means that nobody was paid yet: no books without accounts."""
        if not self._client.query("Account", size=1).rows:
            raise ConfigurationError(
                f"{self._client.name} shows no accounts to the person who signed in, so that it "
                f"shows no payments says nothing. An administrator of the company has to sign in."
            )

    def after(self, position: Position) -> Iterator[Page]:
        """Exactly what a stored page's cursor has not seen."""
        place, known = position
        yield from self._questions(place, reached=place, known=known)

    def since(self, position: Position) -> Iterator[Page]:
        """What changed or was deleted, with the overlap: one answer, if it holds everything.

        QuickBooks lists at most ``MOST`` changes and forgets after ``REMEMBERED``.
        Where that was not enough payments are asked for instead, and the first
        page says that deletions were missed.
        """
        began = min(position.place.at, position.deleted) - self._overlap
        changed = self._changes(began)
        if changed and len(changed.rows) < MOST and changed.time - began <= REMEMBERED:
            yield self._list_of_changes(changed, position)
            return
        place = Place(position.place.at - self._overlap)
        known = changed.time if changed else None
        pages = self._questions(place, reached=position.place, known=known)
        deleted = _deleted(changed.rows if changed else ())
        yield msgspec.structs.replace(next(pages), deleted=deleted, misses_deletions=True)
        yield from pages

    def _changes(self, since: datetime) -> Rows | None:
        try:
            return self._client.changes(PAYMENT, since)
        except Refused:  # further back than it remembers
            return None

    def _list_of_changes(self, changed: Rows, position: Position) -> Page:
        deleted = set(_deleted(changed.rows))
        keyed = [(mapper.key_of(raw), raw) for raw in changed.rows]
        living = [(key, raw) for key, raw in keyed if key is None or key[1] not in deleted]
        last = max((key[0] for key, _ in living if key), default=None)
        ids = tuple(key[1] for key, _ in living if key and key[0] == last)
        place = self._settled(Place(last, ids) if last else None, position.place, changed.time)
        payments, rejected = self._read([raw for _, raw in living])
        payments.sort(key=lambda each: each.modified_at)
        cursor = Position(place, changed.time).as_json()
        return Page(payments, rejected, cursor, sorted(deleted))

    def _questions(
        self, place: Place | None, *, reached: Place | None, known: datetime | None
    ) -> Iterator[Page]:
        """``known``: until when deletions are known; None: until this reading began."""
        clock = None
        for batch in batches(self._client, PAYMENT, place, self._size):
            clock = clock or batch.time
            here = batch.place or Place(clock - self._overlap)
            if batch.is_last:
                here = self._settled(batch.place, reached, clock)
            if batch.rows or batch.is_last:
                payments, rejected = self._read(batch.rows)
                cursor = Position(_not_past(here, clock), known or clock).as_json()
                yield Page(payments, rejected, cursor)

    def _read(self, rows: Sequence[msgspec.Raw]) -> mapper.Mapped:
        return self._mapped(rows) if rows else mapper.Mapped([], [])

    def _settled(self, here: Place | None, reached: Place | None, clock: datetime) -> Place:
        """At the end everything is read up to now, less the time that records may be late."""
        ends = [here, reached, Place(clock - self._overlap)]
        return _not_past(max((end for end in ends if end), key=lambda end: end.at), clock)


def _deleted(rows: Sequence[msgspec.Raw]) -> list[str]:
    return [gone for raw in rows if (gone := mapper.deleted_id(raw))]


def _not_past(place: Place, clock: datetime) -> Place:
    return place if place.at <= clock else Place(clock)
