"""The names of payment runs, which payments themselves do not tell."""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from erp_integrations.providers.xero import records
from erp_integrations.providers.xero.client import XeroClient
from erp_integrations.providers.xero.records import Batch

RUNS = 'Type=="PAYBATCH"'


class BatchNames:
    """Asks for the runs of the days that a page of payments has runs of, each day once."""

    def __init__(self, client: XeroClient) -> None:
        self._client = client
        self._known: dict[str, str] = {}

    def of(self, batches: Sequence[Batch]) -> Mapping[str, str]:
        """Names by id of the run; a run that nobody named, or that cannot be read, is left out."""
        self._known |= {batch.id: batch.name for batch in batches if batch.name}
        days = [
            records.day(batch.date)
            for batch in batches
            if batch.id not in self._known and batch.date and records.MOMENT.fullmatch(batch.date)
        ]
        if days:
            self._read(min(days), max(days))
        self._known |= {batch.id: "" for batch in batches if batch.id not in self._known}
        return {batch.id: self._known[batch.id] for batch in batches if self._known[batch.id]}

    def _read(self, first: date, last: date) -> None:
        where = f"{RUNS}&&Date>={_date(first)}&&Date<={_date(last)}"
        for row in self._client.rows("BatchPayments", where=where, page=None).rows:
            try:
                batch = msgspec.json.decode(row, type=Batch)
            except ValueError:
                continue
            self._known[batch.id] = batch.name


def _date(day: date) -> str:
    return f"DateTime({day.year},{day.month},{day.day})"
