"""QuickBooks Online's accounting API v3: questions in its own language, and what changed.

Statements go by POST, which has no length of an address to respect. The minor
version is pinned: answers keep their form until somebody changes it here.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec

from erp_integrations.providers.errors import (
    ConfigurationError,
)
from erp_integrations.providers.http import Answer, require_json
from erp_integrations.providers.http_provider import ErpClient, Transport
from erp_integrations.providers.pace import Pace
from erp_integrations.providers.quickbooks_online import errors

MINOR_VERSION = "75"
CALLS_PER_MINUTE = 500
#: records in one answer at the most, whatever is asked for
MOST = 1000
#: ids in one question
IDS_AT_ONCE = 500
#: money leaves as a number, with the digits that it has
_encoder = msgspec.json.Encoder(decimal_format="number")


class Rows(msgspec.Struct, frozen=True):
    """The records of one answer, still encoded, and QuickBooks' clock."""

    rows: list[msgspec.Raw]
    time: datetime


class _Answered(msgspec.Struct):
    found: dict[str, msgspec.Raw] = msgspec.field(name="QueryResponse")
    time: str | int = ""


class _ChangedPart(msgspec.Struct):
    found: list[dict[str, msgspec.Raw]] = msgspec.field(name="QueryResponse", default_factory=list)


class _Changed(msgspec.Struct):
    parts: list[_ChangedPart] = msgspec.field(name="CDCResponse")
    time: str | int = ""


class QuickBooksClient(ErpClient):
    """One company (``realm``), read with the tokens of somebody who may see its books."""

    erp = errors.ERP

    def __init__(self, transport: Transport, url: str, realm: str) -> None:
        self._realm = realm
        super().__init__(transport, url, pace=Pace(CALLS_PER_MINUTE))

    # --------------------------------------------------------------- questions
    def query(
        self,
        entity: str,
        where: Sequence[str] = (),
        *,
        order: str = "",
        start: int = 1,
        size: int = MOST,
    ) -> Rows:
        """At most ``size`` records of an entity that meet all conditions.

        Raises what ``HttpClient.get`` raises; ``ProtocolError`` also when the
        statement is refused.
        """
        statement = f"SELECT * FROM {entity}{_where(where)}"  # noqa: S608  values are quoted
        statement += f" ORDERBY {order}" if order else ""
        return self._rows(entity, f"{statement} STARTPOSITION {start} MAXRESULTS {size}")

    def by_ids(self, entity: str, ids: Sequence[str]) -> Iterator[Rows]:
        """Those of these records that there are; ids that cannot be one are left out."""
        wanted = sorted({each for each in ids if each.isdecimal()}, key=int)
        for at in range(0, len(wanted), IDS_AT_ONCE):
            some = ", ".join(map(quoted, wanted[at : at + IDS_AT_ONCE]))
            yield self.query(entity, (f"Id IN ({some})",), size=IDS_AT_ONCE)

    def count(self, entity: str) -> int:
        statement = f"SELECT COUNT(*) FROM {entity}"  # noqa: S608  names of ours
        found = self._decoded(self._asked(statement).body, _Answered).found
        return self._decoded(found.get("totalCount", b"0"), int)

    def changes(self, entity: str, since: datetime) -> Rows:
        """What was changed or deleted since; of deleted records the id is left.

        QuickBooks names at most ``MOST`` of them, and none older than 30 days.
        """
        query = (("entities", entity), ("changedSince", stamp(since)))
        answer = self._get("/cdc", query)
        changed = self._decoded(answer.body, _Changed)
        parts = [part for each in changed.parts for part in each.found]
        rows = [row for part in parts for row in self._list(part.get(entity))]
        return Rows(rows, _clock(changed.time, answer))

    def record(self, entity: str, record_id: str) -> msgspec.Raw:
        """One record. Raises ``RecordNotFound`` when QuickBooks says that there is none."""
        answer = self._get(f"/{entity.lower()}/{record_id}")
        found = self._decoded(answer.body, dict[str, msgspec.Raw]).get(entity)
        if found is None:
            raise self._unusable(answer.body, f"no {entity}")
        return found

    # ------------------------------------------------------------------ writes
    def create(self, entity: str, values: Mapping[str, Any], *, request_id: str) -> msgspec.Raw:
        """One new record, as QuickBooks has it. Sent once.

        The same ``request_id`` again makes no second record: the answer is the
        first one's. Raises ``RecordError`` when QuickBooks refuses it.
        """
        query = urlencode((("requestid", request_id), ("minorversion", MINOR_VERSION)))
        path = f"{self._path(f'/{entity.lower()}')}?{query}"
        body = msgspec.Raw(_encoder.encode(values))
        answer = self._http.send("POST", path, body, classify=errors.of_write)
        require_json(answer, self.name)
        made = self._decoded(answer.body, dict[str, msgspec.Raw]).get(entity)
        if made is None:
            raise self._unusable(answer.body, f"no {entity}")
        return made

    # ---------------------------------------------------------------- the wire
    def _path(self, path: str) -> str:
        if not self._realm:
            raise ConfigurationError(
                f"{errors.ERP} is not connected to a company yet. An administrator has to press "
                f"“Connect” in the settings of the connection."
            )
        return f"/v3/company/{self._realm}{path}"

    def _get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Answer:
        asked = (*query, ("minorversion", MINOR_VERSION))
        answer = self._http.get(self._path(path), asked, classify=errors.of_question)
        return require_json(answer, self.name)

    def _asked(self, statement: str) -> Answer:
        answer = self._http.ask(
            self._path("/query"),
            statement.encode(),
            (("minorversion", MINOR_VERSION),),
            classify=errors.of_question,
            headers={"Content-Type": "application/text"},
        )
        return require_json(answer, self.name)

    def _rows(self, entity: str, statement: str) -> Rows:
        answer = self._asked(statement)
        found = self._decoded(answer.body, _Answered)
        return Rows(self._list(found.found.get(entity)), _clock(found.time, answer))

    def _list(self, raw: msgspec.Raw | None) -> list[msgspec.Raw]:
        """An entity that has no records is left out of the answer."""
        return [] if raw is None else self._decoded(raw, list[msgspec.Raw])


def quoted(value: str | Decimal) -> str:
    """A value in a statement: everything is text there, numbers too."""
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def like(text: str) -> str:
    """A part of a text. What stands for a wildcard in it finds more, never less."""
    return quoted(f"%{text}%")


def stamp(moment: datetime) -> str:
    """A moment in a statement. QuickBooks has whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _clock(told: str | int, answer: Answer) -> datetime:
    """QuickBooks' own clock in the answer; else that of the gateway before it."""
    try:
        moment = datetime.fromisoformat(str(told))
    except ValueError:
        return answer.server_time
    return moment.astimezone(UTC) if moment.tzinfo else answer.server_time
