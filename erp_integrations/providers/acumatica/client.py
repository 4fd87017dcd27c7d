"""Acumatica's contract-based REST API: what is asked, and what an answer has to look like.

The endpoint is pinned: a newer one renames fields, and an instance keeps the
older ones. Only collections are asked, except for details that Acumatica gives
record by record.
"""

import contextlib
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import msgspec

from erp_integrations.providers.acumatica.errors import NotInAList, meaning, refusal_of_write
from erp_integrations.providers.acumatica.mapper import Key
from erp_integrations.providers.errors import (
    ConfigurationError,
    ErpError,
    ProtocolError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.http import Answer
from erp_integrations.providers.http_provider import ErpClient, Transport

ENDPOINT, VERSION = "Default", "24.200.001"
#: how often, and how many seconds apart, an action that takes longer is looked at
LOOKS, PAUSE = 40, 0.5


class Rows(msgspec.Struct, frozen=True):
    """The records of one answer, still encoded, and the ERP's clock."""

    rows: list[msgspec.Raw]
    server_time: datetime


class AcumaticaClient(ErpClient):
    """One tenant of one instance."""

    erp = "Acumatica"

    def __init__(self, transport: Transport, url: str) -> None:
        super().__init__(transport, url)
        self._has_session = False
        #: kinds of records whose details are in no list
        self._one_by_one: set[str] = set()

    def close(self) -> None:
        """Signs out first: a session that is left open counts against the licence."""
        if self._has_session:
            with contextlib.suppress(ErpError):
                self._http.send("POST", "/entity/auth/logout", classify=self._meaning)
        self._http.close()

    def build(self) -> str:
        """The version of the instance. Raises ``ConfigurationError`` without our endpoint."""
        answer = self._http.get_json("/entity", classify=self._meaning)
        try:
            said: Mapping[str, Any] = answer.json()
            endpoints = [(each["name"], each["version"]) for each in said["endpoints"]]
            build = str(said["version"]["acumaticaBuildVersion"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ProtocolError(
                f"{self.name} does not list its endpoints as Acumatica does. Is the address right?",
                detail=answer.text,
            ) from error
        if (ENDPOINT, VERSION) not in endpoints:
            known = ", ".join(sorted(version for name, version in endpoints if name == ENDPOINT))
            raise ConfigurationError(
                f"{self.name} (build {build}) has no endpoint {ENDPOINT}/{VERSION}, which this "
                f"connection reads; it has {known or 'none of that name'}. Acumatica 2024 R2 or "
                f"newer has it."
            )
        return build

    def entities(
        self,
        entity: str,
        *,
        where: str = "",
        expand: str = "",
        select: str = "",
        top: int | None = None,
        skip: int = 0,
    ) -> Rows:
        """Records of one kind, by key. Raises what ``HttpClient.get`` raises, and ``NotInAList``.

        Without ``top`` all that fit ``where``.
        """
        given = {"$filter": where, "$expand": expand, "$select": select}
        query = [(name, value) for name, value in given.items() if value]
        query += [("$top", str(top))] if top is not None else []
        query += [("$skip", str(skip))] if skip else []
        answer = self._get(entity, query)
        return Rows(self._decoded(answer.body, list[msgspec.Raw]), answer.server_time)

    def with_details(
        self,
        entity: str,
        *,
        where: str,
        expand: str,
        top: int | None = None,
        skip: int = 0,
    ) -> Rows:
        """The same with details, record by record where Acumatica gives them no other way.

        Whether it does hangs on the build and on customizations of the form; it
        is tried once. Raises what ``entities`` raises.
        """
        if entity not in self._one_by_one:
            with contextlib.suppress(NotInAList):
                return self.entities(entity, where=where, expand=expand, top=top, skip=skip)
            self._one_by_one.add(entity)
        bare = self.entities(entity, where=where, top=top, skip=skip)
        rows = [self._whole(entity, row, expand) for row in bare.rows]
        return Rows([row for row in rows if row is not None], bare.server_time)

    def _whole(self, entity: str, row: msgspec.Raw, expand: str) -> msgspec.Raw | None:
        try:
            key = msgspec.json.decode(row, type=Key)
            return self._entity(entity, key.type.value or "", key.reference_nbr.value or "", expand)
        except RecordNotFound:
            # deleted since the list was made
            return None
        except (ValueError, RecursionError):
            return row

    def _entity(self, entity: str, type_: str, number: str, expand: str) -> msgspec.Raw:
        """One record by its key. Raises ``RecordNotFound``, and what ``entities`` raises."""
        path = f"{entity}/{quote(type_, safe='')}/{quote(number, safe='')}"
        return self._decoded(self._get(path, [("$expand", expand)]).body, msgspec.Raw)

    # -------------------------------------------------------------------- writes
    def put(self, entity: str, values: Mapping[str, Any]) -> None:
        """One new record; which one it is has to be looked up: the answer may never arrive.

        Sent once. Raises ``RecordError`` when Acumatica refuses it, in its words,
        and what ``HttpClient.send`` raises.
        """
        self._write("PUT", entity, values)

    def delete(self, entity: str, *key: str) -> None:
        """Raises as ``put`` does; a record that is gone already is no error."""
        with contextlib.suppress(RecordNotFound):
            self._write("DELETE", "/".join([entity, *(quote(part, safe="") for part in key)]))

    def act(self, entity: str, action: str, key: Mapping[str, str]) -> None:
        """Do what a button does, and wait for its end: Acumatica answers 202 while it works.

        Raises as ``put`` does; ``TransientError`` when it takes too long.
        """
        record = {name: {"value": value} for name, value in key.items()}
        answer = self._write("POST", f"{entity}/{action}", {"entity": record})
        place = urlsplit(answer.headers.get("location", "")).path
        for _ in range(LOOKS):
            if answer.status != 202:
                return
            at = place.find(f"/entity/{ENDPOINT}/")
            if at < 0:
                break
            time.sleep(PAUSE)
            answer = self._http.get(place[at:], classify=self._refusal)
        raise TransientError(
            f"{self.name} is still at work on what it was asked for. It will be looked at again."
        )

    def _write(
        self, method: Literal["PUT", "POST", "DELETE"], path: str, body: Any = None
    ) -> Answer:
        self._has_session = True
        target = f"/entity/{ENDPOINT}/{VERSION}/{path}"
        return self._http.send(method, target, body, classify=self._refusal)

    def _refusal(self, answer: Answer) -> ErpError | None:
        return refusal_of_write(answer, self.name)

    def _get(self, path: str, query: list[tuple[str, str]]) -> Answer:
        self._has_session = True
        return self._http.get_json(
            f"/entity/{ENDPOINT}/{VERSION}/{path}", query, classify=self._meaning
        )

    def _meaning(self, answer: Answer) -> ErpError | None:
        return meaning(answer, self.name)
