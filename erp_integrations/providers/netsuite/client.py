"""NetSuite's REST web services: SuiteQL for everything, records for what SuiteQL cannot say."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from erp_integrations.providers.errors import RecordNotFound
from erp_integrations.providers.http import Answer, require_json
from erp_integrations.providers.http_provider import ErpClient
from erp_integrations.providers.netsuite.errors import NO_SUCH_ID, error_codes, meaning, refusal

SUITEQL = "/services/rest/query/v1/suiteql"
RECORD = "/services/rest/record/v1"
#: NetSuite refuses SuiteQL without it
TRANSIENT = {"Prefer": "transient"}
#: rows in one answer, and ids in one list of a query
MOST_ROWS = 1000


class Found(NamedTuple):
    """One answer: its rows, still encoded, how many there are in all, and NetSuite's clock."""

    rows: list[msgspec.Raw]
    total: int
    is_last: bool
    server_time: datetime


class _Collection(msgspec.Struct):
    items: list[msgspec.Raw]
    has_more: bool = msgspec.field(name="hasMore")
    total: int = msgspec.field(name="totalResults")


class NetSuiteClient(ErpClient):
    """One account, read with the tokens of one sign-in."""

    erp = "NetSuite"

    def suiteql(self, query: str, what: str, *, size: int, offset: int = 0) -> Found:
        """The rows of a query; ``what`` it asks for, in the words of people.

        Raises what ``HttpClient.ask`` raises, and ``ProtocolError`` for an
        answer that is no collection.
        """
        answer = self._http.ask(
            SUITEQL,
            {"q": query},
            [("limit", str(min(size, MOST_ROWS))), ("offset", str(offset))],
            headers=TRANSIENT,
            classify=lambda answer: meaning(answer, self.name, what),
        )
        return self._found(answer)

    def every(self, query: str, what: str) -> Iterator[msgspec.Raw]:
        """All rows of a query whose rows are few and whose order is strict."""
        offset = 0
        while True:
            found = self.suiteql(query, what, size=MOST_ROWS, offset=offset)
            yield from found.rows
            if found.is_last or not found.rows:
                return
            offset += len(found.rows)

    def record(self, kind: str, record_id: str) -> bytes:
        """One record with its sublists, encoded.

        Raises ``RecordNotFound`` only when NetSuite says that this id does not exist.
        """
        answer = self._http.get(
            f"{RECORD}/{kind}/{record_id}",
            [("expandSubResources", "true")],
            classify=lambda answer: self._missing(answer) or meaning(answer, self.name, kind),
        )
        return require_json(answer, self.name).body

    def create(self, kind: str, values: Any) -> None:
        """One new record. Which one it is has to be looked up: the answer may never arrive.

        Sent once. Raises ``RecordError`` when NetSuite refuses it, in its words,
        and what ``HttpClient.send`` raises.
        """
        answer = self._http.send(
            "POST",
            f"{RECORD}/{kind}",
            values,
            classify=lambda answer: refusal(answer, self.name, kind),
        )
        self._require_done(answer)

    def _missing(self, answer: Answer) -> RecordNotFound | None:
        if answer.status == 404 and NO_SUCH_ID in error_codes(answer):
            return RecordNotFound(f"{self.name} does not know this record any more.")
        return None

    def _found(self, answer: Answer) -> Found:
        found = self._decoded(require_json(answer, self.name).body, _Collection)
        return Found(found.items, found.total, not found.has_more, answer.server_time)
