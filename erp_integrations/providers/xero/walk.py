"""The walk through Xero's lists in the order of their changes, page by page.

Xero pages by number, and what changes while pages are turned moves to the end,
so that what lay behind it slips onto a page that was read already. So no page
after the first is asked for: the next question begins at the second where this
one ended, and takes in as many rows more as are known to come again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from erp_integrations.providers.contract import Cursor, Page
from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.xero import mapper, records
from erp_integrations.providers.xero.batches import BatchNames
from erp_integrations.providers.xero.client import LARGEST_PAGE, Rows, XeroClient

CHANGE_ORDER = "UpdatedDateUTC ASC"
#: the header of the question and the clock of the answer have whole seconds
SECOND = timedelta(seconds=1)


class Stream(NamedTuple):
    """One list of Xero that holds payments, and which of it are payments to vendors."""

    name: str
    list: str
    where: str


STREAMS = (
    Stream("payments", "Payments", f'PaymentType=="{mapper.BILL_PAYMENT}"'),
    Stream("prepayments", "Prepayments", 'Type=="SPEND-PREPAYMENT"'),
    Stream("overpayments", "Overpayments", 'Type=="SPEND-OVERPAYMENT"'),
)


class Place(NamedTuple):
    """Up to which change a list was read. ``seen`` are the rows that the next question repeats.

    A row is known by id and change, so that one that changes again is new.
    """

    modified: datetime
    seen: frozenset[tuple[str, int]] = frozenset()

    @property
    def since(self) -> datetime:
        """A second too early, in case Xero leaves out the very second that it is asked for."""
        return self.modified.replace(microsecond=0) - SECOND

    def at(self, modified: datetime) -> "Place":
        """The same later, without the rows that will not come again."""
        first = _milliseconds(Place(modified).since)
        return Place(modified, frozenset(each for each in self.seen if each[1] >= first))


#: by stream; None: from the beginning
Places = dict[str, Place | None]


class Walk:
    """One walk through the lists: where it is, and what may be stored of that."""

    def __init__(
        self,
        client: XeroClient,
        page_size: int,
        overlap: timedelta,
        reached: Places,
        here: Places,
    ) -> None:
        self._client = client
        self._page_size = page_size
        self._overlap = overlap
        #: where earlier runs ended; never given up for an earlier place
        self._reached = reached
        self._here = here
        self._clock: datetime | None = None

    def pages(self, stream: Stream, *, is_last: bool = False) -> Iterator[Page]:
        """The list from here to its end; the last list always gives a page."""
        names = BatchNames(self._client)
        while True:
            rows, left = self._next_rows(stream)
            is_done = left == 0
            if is_done:
                self._settle(stream.name)
            if rows or (is_done and is_last):
                yield Page(*mapped(stream, rows, names), self._cursor())
            if is_done:
                return
            self._client.pace.plan(-(-left // self._page_size))

    def _next_rows(self, stream: Stream) -> tuple[list[msgspec.Raw], int]:
        """Rows that were not read yet, and how many there are after them."""
        place = self._here[stream.name]
        seen = place.seen if place else frozenset()
        size = min(self._page_size + len(seen), LARGEST_PAGE)
        # Only where more rows share a second than a page holds is this not the first page, and
        # then it is the one before the next, in case some rows have slipped back onto it.
        page = max(1, len(seen) // size) - 1
        while True:
            page += 1
            found = self._ask(stream, place, page, size)
            keys = self._keys(found, place)
            new = [row for row, key in zip(found.rows, keys, strict=True) if key not in seen]
            is_last = page >= found.pages or not found.rows
            if new or is_last:
                break
        if keys:
            last = _moment(keys[-1][1])
            read = Place(last, seen | frozenset(keys))
            self._here[stream.name] = read.at(max(last, place.modified) if place else last)
        return new, 0 if is_last else max(found.count - page * size, 1)

    def _ask(self, stream: Stream, place: Place | None, page: int, size: int) -> Rows:
        found = self._client.rows(
            stream.list,
            where=stream.where,
            order=CHANGE_ORDER,
            since=place.since if place else None,
            page=page,
            size=size,
        )
        self._clock = self._clock or found.server_time
        return found

    def _keys(self, found: Rows, place: Place | None) -> list[tuple[str, int]]:
        """Id and change of every row, in ascending order of change.

        A row without either is put where the one before it is: it is rejected
        later, and must not stop the walk. Raises ``ProtocolError``.
        """
        keys: list[tuple[str, int]] = []
        last = _milliseconds(place.since) if place else 0
        for row in found.rows:
            try:
                key = msgspec.json.decode(row, type=records.Key)
                name, change = key.id, _milliseconds(records.moment(key.updated))
            except ValueError:
                name, change = f"#{_hash_of(row)}", last
            if change < last:
                raise ProtocolError(
                    f"{self._client.name} does not keep its own order of changes, so it cannot be "
                    f"read without a risk of losing some."
                )
            last = change
            keys.append((name, change))
        return keys

    def _settle(self, name: str) -> None:
        """At its end a list is read up to now, less the time that rows may be late."""
        here = self._here[name] or Place(records.EPOCH)
        ends = [here, self._reached[name], Place(self._now() - self._overlap)]
        self._here[name] = here.at(max(end.modified for end in ends if end is not None))

    def _now(self) -> datetime:
        if self._clock is None:
            raise AssertionError("the clock is known from the first answer on")
        return self._clock

    def _cursor(self) -> Cursor:
        """What may be stored: nothing past Xero's clock at the start."""
        latest = self._now() + SECOND
        return {
            name: place and as_json(place._replace(modified=min(place.modified, latest)))
            for name, place in self._here.items()
        }


def mapped(stream: Stream, rows: Sequence[msgspec.Raw], names: BatchNames) -> mapper.Mapped:
    if stream.name == "payments":
        return mapper.payments(rows, names.of)
    by_list: Mapping[str, Callable[[Sequence[msgspec.Raw]], mapper.Mapped]] = {
        "prepayments": mapper.prepayments,
        "overpayments": mapper.overpayments,
    }
    return by_list[stream.name](rows)


def places(cursor: Cursor | None) -> Places:
    """Raises ``ConfigurationError`` for a cursor that this provider did not make."""
    try:
        return {stream.name: _place((cursor or {}).get(stream.name)) for stream in STREAMS}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error


def as_json(place: Place) -> dict[str, Any]:
    seen = [[name, change] for name, change in sorted(place.seen)]
    return {"modified": place.modified.isoformat(), "seen": seen}


def _hash_of(row: msgspec.Raw) -> str:
    return sha256(bytes(row)).hexdigest()[:16]


def _place(stored: Mapping[str, Any] | None) -> Place | None:
    if stored is None:
        return None
    modified = datetime.fromisoformat(stored["modified"]).astimezone(UTC)
    return Place(modified, frozenset((str(name), int(change)) for name, change in stored["seen"]))


def _milliseconds(moment: datetime) -> int:
    return (moment - records.EPOCH) // timedelta(milliseconds=1)


def _moment(milliseconds: int) -> datetime:
    return records.EPOCH + timedelta(milliseconds=milliseconds)
