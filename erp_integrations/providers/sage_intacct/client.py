"""Sage Intacct's query service: one address, and the object stands in the question.

Single records are never fetched: the query service answers with all the fields
that are named, the plain collections only with keys.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.http import Answer, require_json
from erp_integrations.providers.http_provider import ErpClient, Transport
from erp_integrations.providers.sage_intacct.errors import meaning, refusal
from erp_integrations.providers.sage_intacct.query import Filter, Is, every, written

QUERY, OBJECTS = "/services/core/query", "/objects"
#: a company with several entities shows one of them, or all without this header
ENTITY = "X-IA-API-Param-Entity"
#: rows in one answer, whatever is asked for
MOST_ROWS = 4000


class Kind(NamedTuple):
    """One kind of object: its name in the API, what people call it, the fields that are read."""

    name: str
    label: str
    fields: tuple[str, ...]


class Found(NamedTuple):
    """One answer: its records, still encoded, how many there are in all, and Intacct's clock."""

    rows: list[msgspec.Raw]
    total: int
    is_last: bool
    server_time: datetime


class _Meta(msgspec.Struct):
    total: int = msgspec.field(name="totalCount")
    next: int | None = None


class _Envelope(msgspec.Struct):
    result: list[msgspec.Raw] = msgspec.field(name="ia::result")
    meta: _Meta = msgspec.field(name="ia::meta")


class _Key(msgspec.Struct):
    key: str


class IntacctClient(ErpClient):
    """One company, or one entity of it, read with the tokens of one sign-in."""

    erp = "Sage Intacct"

    def __init__(self, transport: Transport, url: str, *, entity: str = "") -> None:
        super().__init__(transport, url, headers={ENTITY: entity} if entity else None)

    def query(
        self,
        kind: Kind,
        wanted: Filter | None = None,
        *,
        order: Sequence[tuple[str, Literal["asc", "desc"]]] = (("key", "asc"),),
        size: int,
    ) -> Found:
        """The first ``size`` objects of a kind, in this order.

        Upper and lower case are the same. Raises what ``HttpClient.ask`` raises,
        and ``ProtocolError`` for an answer that is no result of a query.
        """
        question: dict[str, Any] = {
            "object": kind.name,
            "fields": list(kind.fields),
            **(written(wanted) if wanted else {}),
            "filterParameters": {"caseSensitiveComparison": False},
            "orderBy": [{field: direction} for field, direction in order],
            "start": 1,
            "size": min(size, MOST_ROWS),
        }
        answer = self._http.ask(
            QUERY, question, classify=lambda answer: meaning(answer, self.name, kind.label)
        )
        return self._found(answer)

    def create(self, kind: Kind, values: dict[str, Any]) -> None:
        """One new object. Which one it is has to be looked up: the answer may never arrive.

        Sent once. Raises ``RecordError`` when Intacct refuses it, in its words,
        and what ``HttpClient.send`` raises.
        """
        self._write("POST", f"{OBJECTS}/{kind.name}", kind, values)

    def delete(self, kind: Kind, key: str) -> None:
        """Raises as ``create`` does."""
        self._write("DELETE", f"{OBJECTS}/{kind.name}/{key}", kind)

    def _write(
        self, method: Literal["POST", "DELETE"], path: str, kind: Kind, values: Any = None
    ) -> None:
        answer = self._http.send(
            method, path, values, classify=lambda answer: refusal(answer, self.name, kind.label)
        )
        self._require_done(answer)

    def every(self, kind: Kind, wanted: Filter, *, size: int) -> Iterator[msgspec.Raw]:
        """All objects that fit, by key; one question for each ``size`` of them."""
        last = 0
        while True:
            after = every(wanted, Is("$gt", "key", str(last))) if last else wanted
            found = self.query(kind, after, size=size)
            yield from found.rows
            if found.is_last:
                return
            last = self._after(last, found.rows)

    def _after(self, last: int, rows: Sequence[msgspec.Raw]) -> int:
        try:
            reached = int(msgspec.json.decode(rows[-1], type=_Key).key)
        except (IndexError, ValueError) as error:
            raise self._disorder() from error
        if reached <= last:
            raise self._disorder()
        return reached

    def _disorder(self) -> ProtocolError:
        return ProtocolError(f"{self.name} does not keep its own order of records.")

    def _found(self, answer: Answer) -> Found:
        envelope = self._decoded(require_json(answer, self.name).body, _Envelope)
        is_last = envelope.meta.next is None
        return Found(envelope.result, envelope.meta.total, is_last, answer.server_time)
