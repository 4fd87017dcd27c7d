"""The first reading of a ledger, entry by entry in the order of their numbers.

Not in the order of changes: entries that are older than version 17 have no
moment of their last change, so they are in no order of changes at all.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from erp_integrations.providers.business_central import mapper
from erp_integrations.providers.business_central.client import (
    APPLIED,
    DETAILS,
    ENTRIES,
    BusinessCentralClient,
)
from erp_integrations.providers.change_order import CLOCK_STEP, Place, as_cursor, place_of
from erp_integrations.providers.contract import Cursor, Page
from erp_integrations.providers.errors import ConfigurationError, ProtocolError

NEVER = Place(datetime.min.replace(tzinfo=UTC))


class Stand(NamedTuple):
    """How far it has come: the last entry, the latest change among them, and when it began."""

    entry: int = 0
    latest: Place = NEVER
    started: datetime | None = None


class FirstReading:
    def __init__(self, client: BusinessCentralClient, page_size: int, overlap: timedelta) -> None:
        self._client, self._page_size, self._overlap = client, page_size, overlap

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """From the cursor of a first reading to the end; what changed meanwhile is the next run's.

        The last page's cursor is one of the order of changes.
        """
        stand, is_over = stand_of(cursor), False
        while not is_over:
            where = f"documentType eq '{mapper.PAYMENT}' and entryNumber gt {stand.entry}"
            found = self._client.pages(
                ENTRIES, where, expand=(DETAILS, APPLIED), top=self._page_size
            )
            is_over = len(found.rows) < self._page_size
            numbers = [each for each in map(mapper.number_of, found.rows) if each is not None]
            latest = [each for each in map(mapper.last_change, found.rows) if each]
            if not is_over and max(numbers, default=0) <= stand.entry:
                raise ProtocolError(f"{self._client.name} does not keep its own order of entries.")
            stand = Stand(
                max([stand.entry, *numbers]),
                max([stand.latest, *latest]),
                stand.started or found.server_time,
            )
            payments, rejected = mapper.payments(found.rows)
            yield Page(payments, rejected, self._end(stand) if is_over else as_stored(stand))

    def _end(self, stand: Stand) -> Cursor:
        """Where the order of changes goes on: not past the ERP's clock when this began."""
        began = stand.started or datetime.now(UTC)
        reached = max(stand.latest, Place(began - self._overlap))
        return as_cursor(min(reached, Place(began + CLOCK_STEP)))


def is_of_a_first_reading(cursor: Cursor | None) -> bool:
    return cursor is None or "entry" in cursor


def as_stored(stand: Stand) -> Cursor:
    began = stand.started.isoformat() if stand.started else None
    return {"entry": stand.entry, "started": began, **as_cursor(stand.latest)}


def stand_of(cursor: Cursor | None) -> Stand:
    """Raises ``ConfigurationError`` for a cursor that cannot be read."""
    stored: Mapping[str, Any] = cursor or {}
    if not stored:
        return Stand()
    latest = place_of(cursor) or NEVER
    try:
        started = datetime.fromisoformat(stored["started"]).astimezone(UTC)
        return Stand(int(stored["entry"]), latest, started)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error
