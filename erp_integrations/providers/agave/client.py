"""The unified API's collections: numbered pages, filters that may not be obeyed, no order."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from erp_integrations.providers.agave import auth, errors
from erp_integrations.providers.http_provider import ErpClient, Transport

#: records whose ids fit into one address
IDS_AT_ONCE = 100
ADDRESS = "https://api.agaveapi.com"


class Part(msgspec.Struct, frozen=True):
    """One page, and whether there may be another one."""

    rows: list[msgspec.Raw]
    has_more: bool
    server_time: datetime


class _Meta(msgspec.Struct):
    has_more_results: bool | None = None


class _Envelope(msgspec.Struct):
    data: list[msgspec.Raw]
    meta: _Meta = msgspec.field(default_factory=_Meta)


class AgaveClient(ErpClient):
    """One linked account."""

    erp = "Agave"

    def __init__(
        self, transport: Transport, url: str, credentials: Mapping[str, str], company: str
    ) -> None:
        super().__init__(transport, url or ADDRESS, headers=auth.headers(credentials, company))
        #: the server's clock at the last answer
        self.server_time = datetime.now(UTC)

    def part(
        self, collection: str, page: int, size: int, filters: Sequence[Mapping[str, Any]] = ()
    ) -> Part:
        """One numbered page.

        Some systems say ``null`` for whether there are more; that is not the
        end, an empty page is. Raises what ``HttpClient.get`` raises, and
        ``NotFilterable`` where the system behind takes no filter.
        """
        query = [("page", str(page)), ("per_page", str(size))]
        if filters:
            query.append(("filters", msgspec.json.encode(filters).decode()))
        answer = self._http.get_json(
            f"/{collection}", query, classify=lambda it: errors.of_question(it, self.name)
        )
        self.server_time = answer.server_time
        found = self._decoded(answer.body, _Envelope)
        more = found.meta.has_more_results
        return Part(found.data, bool(found.data) and more is not False, answer.server_time)

    def all(
        self, collection: str, size: int, filters: Sequence[Mapping[str, Any]] = ()
    ) -> Iterator[msgspec.Raw]:
        page, has_more = 1, True
        while has_more:
            part = self.part(collection, page, size, filters)
            yield from part.rows
            page, has_more = page + 1, part.has_more

    def these(self, collection: str, ids: Sequence[str], size: int) -> Iterator[msgspec.Raw]:
        """Records with these ids; other records may come besides, where filters are ignored."""
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = list(ids[start : start + IDS_AT_ONCE])
            yield from self.all(collection, size, [filter_of("id", "IN", some)])

    def record(self, collection: str, record_id: str) -> msgspec.Raw:
        """One record. Raises ``RecordNotFound`` only if the API says so."""
        answer = self._http.get_json(
            f"/{collection}/{quote(record_id, safe='')}",
            classify=lambda it: errors.of_record(it, self.name),
        )
        self.server_time = answer.server_time
        if self._decoded(answer.body, dict[str, Any]).get("id") != record_id:
            raise self._unusable(answer.body, "not the record that was asked for")
        return msgspec.Raw(answer.body)


def filter_of(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}
