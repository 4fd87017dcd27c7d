"""The walk through Tryton's records in the order of their changes, page by page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from erp_integrations.providers.contract import Cursor, Page
from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.tryton import mapper
from erp_integrations.providers.tryton.client import TrytonClient, timestamp

PAYMENT, BILL = "account.payment", "account.invoice"
CHANGE_ORDER = (("last_modified_at", "ASC"), ("id", "ASC"))
#: a draft is a thought; everything after it is at least on its way
STATES = sorted(set(mapper.STATUSES) - {"draft"})
#: the Date header has whole seconds
CLOCK_STEP = timedelta(seconds=1)


class Position(NamedTuple):
    """A place in the order of changes; everything up to and including it was read."""

    modified: datetime
    id: int = 0


#: by stream; None: from the beginning
Positions = dict[str, Position | None]


class Stream(NamedTuple):
    """One kind of record that holds payments, and how to read it."""

    name: str
    model: str
    domain: Sequence[Any]
    fields: Sequence[str]


STREAMS = (
    Stream(
        "payments",
        PAYMENT,
        (("kind", "=", "payable"), ("state", "in", STATES)),
        mapper.PAYMENT_FIELDS,
    ),
    Stream(
        "bills",
        BILL,
        (("type", "=", "in"), ("payment_lines", "!=", None)),
        mapper.BILL_PAYMENT_FIELDS,
    ),
)


class Walk:
    """One walk through the streams: where it is, and what may be stored of that."""

    def __init__(
        self,
        client: TrytonClient,
        page_size: int,
        overlap: timedelta,
        reached: Positions,
        here: Positions,
    ) -> None:
        self._client = client
        self._page_size = page_size
        self._overlap = overlap
        #: where earlier runs ended; never given up for an earlier place
        self._reached = reached
        self._here = here
        self._clock: datetime | None = None

    def pages(
        self,
        stream: Stream,
        mapped: Callable[[Sequence[msgspec.Raw]], mapper.Mapped],
        *,
        is_last: bool = False,
    ) -> Iterator[Page]:
        """The stream from here to its end; the last stream always gives a page."""
        while True:
            rows = self._next_rows(stream)
            is_done = len(rows) < self._page_size
            self._move(stream.name, rows, is_done=is_done)
            payments, rejected = mapped(rows) if rows else mapper.Mapped([], [])
            if is_done:
                self._settle(stream.name)
            if rows or (is_done and is_last):
                yield Page(payments, rejected, self._cursor())
            if is_done:
                return

    def _next_rows(self, stream: Stream) -> list[msgspec.Raw]:
        found = self._client.search(
            stream.model,
            (*stream.domain, *_after(self._here[stream.name])),
            stream.fields,
            size=self._page_size,
            order=CHANGE_ORDER,
        )
        self._clock = self._clock or found.server_time
        return found.rows

    def _move(self, name: str, rows: Sequence[msgspec.Raw], *, is_done: bool) -> None:
        key = mapper.last_key(rows)
        before = self._here[name]
        if key is not None and (before is None or Position(*key) > before):
            self._here[name] = Position(*key)
        elif not is_done:
            raise ProtocolError(
                f"{self._client.name} does not keep its own order of changes, so it cannot be read "
                f"without a risk of losing some."
            )

    def _settle(self, name: str) -> None:
        """At its end a stream is read up to now, less the time that rows may be late."""
        ends = [self._here[name], self._reached[name], Position(self._now() - self._overlap)]
        self._here[name] = max(end for end in ends if end is not None)

    def _now(self) -> datetime:
        if self._clock is None:
            raise AssertionError("the clock is known from the first answer on")
        return self._clock

    def _cursor(self) -> Cursor:
        """What may be stored: nothing past the ERP's clock at the start."""
        latest = Position(self._now() + CLOCK_STEP)
        return {
            name: position and as_json(min(position, latest))
            for name, position in self._here.items()
        }


def _after(position: Position | None) -> Sequence[Any]:
    """The part of a domain that leaves out what was read: a key, not an offset.

    Several records share a moment, and rows move while pages are turned.
    """
    if position is None:
        return ()
    moment = timestamp(position.modified)
    later = (("last_modified_at", ">", moment),)
    same = (("last_modified_at", "=", moment), ("id", ">", position.id))
    return (("OR", later, same),)


def positions(cursor: Cursor | None) -> Positions:
    """Raises ``ConfigurationError`` for a cursor that this provider did not make."""
    try:
        return {stream.name: _position((cursor or {}).get(stream.name)) for stream in STREAMS}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error


def _position(stored: Mapping[str, Any] | None) -> Position | None:
    if stored is None:
        return None
    return Position(datetime.fromisoformat(stored["modified"]).astimezone(UTC), int(stored["id"]))


def as_json(position: Position) -> dict[str, Any]:
    return {"modified": position.modified.isoformat(), "id": position.id}
