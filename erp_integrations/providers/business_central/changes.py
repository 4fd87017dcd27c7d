"""Payments in the order of the changes of the ledger.

What happens to a payment (posting, applying, unapplying, reversing) writes or
marks one of its details; the entry itself may stay as it was. So the details
are asked for what changed, and the entries that they belong to are read whole.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from erp_integrations.providers.business_central import mapper
from erp_integrations.providers.business_central.client import (
    APPLIED,
    DETAILS,
    ENTRIES,
    BusinessCentralClient,
    any_of,
    moment,
)
from erp_integrations.providers.change_order import Batch, Mapped, Place

ORDER = "lastModifiedDateTime,entryNumber"
KEYS = ("entryNumber", "vendorLedgerEntryNumber", "lastModifiedDateTime")
ON_PAYMENTS = f"initialDocumentType eq '{mapper.PAYMENT}'"
#: details that are looked at for each payment of a page: it is posted, and applied to a bill or two
A_PAYMENT = 3
FIRST = Place(datetime.min.replace(tzinfo=UTC))


class Changes:
    def __init__(self, client: BusinessCentralClient, page_size: int) -> None:
        self._client, self._size = client, page_size * A_PAYMENT

    def after(self, place: Place | None) -> Batch:
        """The next details after a place: one question, and two more when a moment fills a page.

        An alternative of two fields is refused, so the rest of a moment and what
        came later cannot be asked for at once; what was read is left out here.
        """
        if place is None:
            return self._batch("")
        new = self._batch(f"lastModifiedDateTime ge {moment(place.modified)}")
        rows = [row for row in new.rows if _is_after(row, place)]
        if rows or new.is_last:
            return new._replace(rows=rows)
        same = f"lastModifiedDateTime eq {moment(place.modified)} and entryNumber gt {place.number}"
        rest = self._batch(same)
        if not rest.is_last:
            return rest._replace(is_last=False)
        later = self._batch(f"lastModifiedDateTime gt {moment(place.modified)}")
        return later._replace(rows=[*rest.rows, *later.rows])

    def payments(self, rows: Sequence[msgspec.Raw]) -> Mapped:
        """The payments whose latest change is among these; the others come with theirs.

        A change that cannot be read is rejected by itself: which payment it belongs
        to is not known, and nobody would look for it again.
        """
        changes = [(row, mapper.change(row)) for row in rows]
        numbers = sorted({each.vendor_ledger_entry_number for _, each in changes if each})
        reached = max((mapper.place_of_change(row) or FIRST for row in rows), default=FIRST)
        whole = [
            raw for raw in self.entries(numbers) if (mapper.last_change(raw) or FIRST) <= reached
        ]
        payments, rejected = mapper.payments(whole)
        unreadable = [mapper.rejected_change(row) for row, each in changes if each is None]
        return Mapped(payments, [*rejected, *unreadable])

    def entries(self, numbers: Sequence[int]) -> list[msgspec.Raw]:
        """These entries of the ledger, whole."""
        if not numbers:
            return []
        where = any_of("entryNumber", numbers)
        return self._client.pages(ENTRIES, where, expand=(DETAILS, APPLIED)).rows

    def _batch(self, when: str) -> Batch:
        where = f"{ON_PAYMENTS} and {when}" if when else ON_PAYMENTS
        found = self._client.pages(DETAILS, where, select=KEYS, order=ORDER, top=self._size)
        return Batch(found.rows, found.server_time, is_last=len(found.rows) < self._size)


def _is_after(row: msgspec.Raw, place: Place) -> bool:
    found = mapper.place_of_change(row)
    return found is None or found > place
