"""The walk through what changed, page by page, where the ERP gives no order but that of its keys.

A page is ``$skip`` and ``$top``. Books change meanwhile, so every page but the
first begins with the last record of the page before: is it not where it was, a
draft before it was deleted, and the walk steps back until it finds it again.
New records in front of it only push known ones onto the next page.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from erp_integrations.providers.acumatica import mapper
from erp_integrations.providers.acumatica.client import Rows
from erp_integrations.providers.contract import Cursor, Page
from erp_integrations.providers.errors import ConfigurationError, ProtocolError

#: asks for what changed since a moment: since, how many, after how many
Ask = Callable[[datetime | None, int, int], Rows]


class Place(NamedTuple):
    """How far a walk has come. ``since`` is where the next one begins when this one is over."""

    since: datetime | None = None
    #: records of this walk that were read, and Acumatica's id of the last one
    read: int = 0
    last: str = ""
    #: the ERP's clock when it began; None: it has not
    started: datetime | None = None
    is_done: bool = False


class Walk:
    """One or two walks: one that was broken off, and then what changed since that one began."""

    def __init__(
        self,
        ask: Ask,
        mapped: Callable[[Sequence[msgspec.Raw]], mapper.Mapped],
        *,
        erp: str,
        page_size: int,
        overlap: timedelta,
    ) -> None:
        self._ask, self._mapped, self._erp = ask, mapped, erp
        self._page_size, self._overlap = page_size, overlap

    def pages(self, cursor: Cursor | None, *, resume: bool) -> Iterator[Page]:
        """See the contract."""
        place = place_of(cursor)
        if resume and place.is_done:
            yield Page((), (), as_json(place))
            return
        if resume or place.started:
            yield from self._walk(place)
            if resume:
                return
            place = Place(place.started or place.since)
        before = place.since and place.since - self._overlap
        yield from self._walk(Place(before))

    def _walk(self, place: Place) -> Iterator[Page]:
        while not place.is_done:
            rows, place = self._next(place)
            yield Page(*self._mapped(rows), as_json(place))

    def _next(self, place: Place) -> tuple[list[msgspec.Raw], Place]:
        """The next records, without those that were read already."""
        skip = max(place.read - 1, 0) if place.last else place.read
        while True:
            top = self._page_size + (1 if place.last else 0)
            found = self._ask(place.since, top, skip)
            place = place._replace(started=place.started or found.server_time)
            known = _index(found.rows, place.last)
            if known is not None:
                break
            if not skip:
                # The very record that the walk had come to is gone: from the start, then.
                place = place._replace(read=0, last="")
                known = -1
                break
            skip = max(skip - self._page_size, 0)
        return self._reached(place, found.rows, known, skip, is_done=len(found.rows) < top)

    def _reached(
        self, place: Place, rows: list[msgspec.Raw], known: int, skip: int, *, is_done: bool
    ) -> tuple[list[msgspec.Raw], Place]:
        new = rows[known + 1 :]
        if not new and not is_done:
            raise ProtocolError(
                f"{self._erp} gives the same page again and again, so it cannot be read without a "
                f"risk of losing some."
            )
        if is_done:
            # Nothing past the clock at the start: what was read since may have changed since.
            began = place.started or datetime.now(UTC)
            return new, Place(max(began, place.since or began), is_done=True)
        marks = [mapper.id_of(row) for row in rows]
        last = next((at for at in range(len(marks) - 1, -1, -1) if marks[at]), None)
        if last is None or last <= known:
            return new, place._replace(read=skip + len(rows), last="")
        return rows[known + 1 : last + 1], place._replace(read=skip + last + 1, last=marks[last])


def _index(rows: Sequence[msgspec.Raw], last: str) -> int | None:
    """Where the record is; -1 where none is looked for."""
    if not last:
        return -1
    return next((at for at, row in enumerate(rows) if mapper.id_of(row) == last), None)


def place_of(cursor: Cursor | None) -> Place:
    """Raises ``ConfigurationError`` for a cursor that this provider did not make."""
    stored: Mapping[str, Any] = cursor or {}
    try:
        return Place(
            since=_moment(stored.get("since")),
            read=int(stored.get("read") or 0),
            last=str(stored.get("last") or ""),
            started=_moment(stored.get("started")),
            is_done=bool(stored.get("is_done")),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error


def _moment(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored).astimezone(UTC) if stored else None


def as_json(place: Place) -> Cursor:
    """Only what says something."""
    moments = {
        name: value.isoformat()
        for name, value in (("since", place.since), ("started", place.started))
        if value
    }
    read = {"read": place.read, "last": place.last} if place.started else {}
    return {**moments, **read, **({"is_done": True} if place.is_done else {})}
