"""The walk through ERPNext's records in the order of their changes, page by page.

Payments come as rows joined to their references, so a page is cut between
payments, never inside one. The next page begins at the moment of the last
record, not at an offset: rows move while pages are turned. Frappe's filters
know no "or" inside an "and", so the border is asked for again and left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from erp_integrations.providers.contract import Cursor, Page
from erp_integrations.providers.erpnext import journals, mapper
from erp_integrations.providers.erpnext.client import ErpNextClient, Filter
from erp_integrations.providers.erpnext.mapper import Group
from erp_integrations.providers.erpnext.roads import ENTRY_FILTERS
from erp_integrations.providers.erpnext.site_time import FORM, SiteTime, stamp
from erp_integrations.providers.errors import ConfigurationError, ProtocolError

#: joined rows in a question for each payment of a page: most pay one or two bills
ROWS_A_PAYMENT = 4
#: the Date header has whole seconds
CLOCK_STEP = timedelta(seconds=1)


class Position(NamedTuple):
    """A place in the order of changes, in the site's own time; all before it was read."""

    moment: str
    name: str = ""


#: by stream; None: from the beginning
Positions = dict[str, Position | None]


class Stream(NamedTuple):
    """One kind of record, and how its changes are asked for."""

    name: str
    doctype: str
    filters: Sequence[Filter]
    fields: Sequence[str]
    #: what stamps a change, and what tells records of one moment apart
    moment: str = "modified"
    key: str = "name"
    #: of a child table that is asked for itself
    parent: str = ""
    rows_a_record: int = 1

    @property
    def order(self) -> str:
        table = f"`tab{self.doctype}`."
        return f"{table}{self.moment} asc, {table}{self.key} asc"

    def page_of(self, size: int) -> int:
        """Rows in a question: one more than fit, for the border."""
        return size * self.rows_a_record + 1


PAYMENTS = Stream(
    "payments",
    mapper.ENTRY,
    ENTRY_FILTERS,
    mapper.ENTRY_FIELDS,
    rows_a_record=ROWS_A_PAYMENT,
)
#: a line's moment moves with its entry's, and alone when it is taken off a bill
LINES = Stream(
    "journals",
    journals.LINE,
    (("party_type", "=", mapper.SUPPLIER),),
    ("name", "parent", "modified"),
    key="parent",
    parent=mapper.JOURNAL,
)
TOMBSTONES = Stream(
    "deleted",
    "Deleted Document",
    (("deleted_doctype", "in", [mapper.ENTRY, mapper.JOURNAL]),),
    ("name", "creation", "deleted_name", "deleted_doctype", "data"),
    moment="creation",
)
STREAMS = (PAYMENTS, LINES, TOMBSTONES)

#: what is made of a page's records
Made = Callable[[Sequence[Group], Sequence[msgspec.Raw]], Page]


class Walk:
    """One walk through the streams: where it is, and what may be stored of that."""

    def __init__(
        self,
        client: ErpNextClient,
        site: SiteTime,
        page_size: int,
        overlap: timedelta,
        here: Positions,
    ) -> None:
        self._client = client
        self._site = site
        self._page_size = page_size
        self._overlap = overlap
        self._here = here
        self._clock: datetime | None = None

    def pages(
        self, stream: Stream, filters: Sequence[Filter], made: Made, *, is_last: bool = False
    ) -> Iterator[Page]:
        """The stream from here to its end; the last stream always gives a page."""
        while True:
            groups, lost, is_done = self._next(stream, filters)
            self._move(stream, groups, is_done=is_done)
            page = made(groups, lost) if groups or lost else Page((), (), {})
            if is_done:
                self.settle(stream)
            if groups or lost or (is_done and is_last):
                yield msgspec.structs.replace(page, cursor=self.cursor())
            if is_done:
                return

    def _move(self, stream: Stream, groups: Sequence[Group], *, is_done: bool) -> None:
        places = [place for group in groups if (place := _place(group))]
        if places:
            self._here[stream.name] = places[-1]
        elif not is_done:
            raise ProtocolError(
                f"{self._client.name} sent a page of {stream.doctype} without the moments of "
                f"their changes, so it cannot be gone on after it."
            )

    def settle(self, stream: Stream) -> None:
        """At its end a stream is read up to now, less the time that rows may be late."""
        here, end = self._here[stream.name], Position(self._site.floor(self.now - self._overlap))
        self._here[stream.name] = max(here, end) if here else end

    @property
    def now(self) -> datetime:
        """The ERP's clock when the walk began."""
        if self._clock is None:
            raise AssertionError("the clock is known from the first answer on")
        return self._clock

    def cursor(self) -> Cursor:
        """What may be stored: nothing past what the ERP's clock could stamp from its start on."""
        latest = Position(self._site.floor(self.now + CLOCK_STEP))
        places = {
            name: position and as_json(min(position, latest))
            for name, position in self._here.items()
        }
        return {"zone": self._site.zone.key, **places}

    # --------------------------------------------------------------- one question
    def _next(
        self, stream: Stream, filters: Sequence[Filter]
    ) -> tuple[list[Group], list[msgspec.Raw], bool]:
        """The records after this place, those without a name, and whether that is the end."""
        here = self._here[stream.name]
        if here is None:
            groups, lost, is_full = self._asked(stream, filters)
            return groups, lost, not is_full
        moment, key = stream.moment, stream.key
        for after in (
            ((moment, ">=", here.moment),),
            ((moment, "=", here.moment), (key, ">", here.name)),
            ((moment, ">", here.moment),),
        ):
            groups, lost, is_full = self._asked(stream, (*filters, *after))
            fresh = _after(here, groups)
            is_end = not is_full and len(after) == 1
            if fresh or is_end:
                return fresh, lost, is_end
        raise ProtocolError(
            f"{self._client.name} does not keep its own order of changes, so it cannot be read "
            f"without a risk of losing some."
        )

    def _asked(
        self, stream: Stream, filters: Sequence[Filter]
    ) -> tuple[list[Group], list[msgspec.Raw], bool]:
        """Whole records: one that the end of the answer may have cut waits for the next."""
        limit = stream.page_of(self._page_size)
        rows = self._rows(stream, filters, limit)
        groups, lost = mapper.grouped(rows, stream.key, stream.moment)
        is_full = len(rows) >= limit
        if is_full and len(groups) > 1:
            groups.pop()
        elif is_full and groups and stream.rows_a_record > 1:
            whole = self._rows(stream, ((stream.key, "=", groups[0].name),), 0)
            groups = mapper.grouped(whole, stream.key, stream.moment)[0]
        return groups, lost, is_full

    def _rows(self, stream: Stream, filters: Sequence[Filter], limit: int) -> list[msgspec.Raw]:
        found = self._client.rows(
            stream.doctype,
            stream.fields,
            [*stream.filters, *filters],
            order=stream.order,
            limit=limit,
            parent=stream.parent,
        )
        self._clock = self._clock or found.server_time
        return found.rows


def _place(group: Group) -> Position | None:
    """None for a record without a moment; the mapper will reject it."""
    try:
        return Position(stamp(group.moment), group.name)
    except (ValueError, TypeError):
        return None


def _after(here: Position, groups: Sequence[Group]) -> list[Group]:
    """Those behind the border; the ERP's order of names is its own, so it is asked first."""
    places = [_place(group) for group in groups]
    if here in places:
        return list(groups[places.index(here) + 1 :])
    return [
        group for group, place in zip(groups, places, strict=True) if place is None or place > here
    ]


# -------------------------------------------------------------------- cursors
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
    return Position(stamp(stored["moment"]), str(stored["name"])) if stored else None


def as_json(position: Position) -> dict[str, Any]:
    return {"moment": position.moment, "name": position.name}


def earlier(position: Position | None, by: timedelta) -> Position | None:
    return position and Position((datetime.fromisoformat(position.moment) - by).strftime(FORM))


def zone_of(cursor: Cursor | None) -> ZoneInfo | None:
    name = (cursor or {}).get("zone")
    return ZoneInfo(name) if name else None
