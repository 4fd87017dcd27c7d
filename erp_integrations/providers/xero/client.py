"""Xero's Accounting API: its lists, with their filters, orders and pages.

Only lists are asked, also for one record: they answer 200 with nothing in it
for what does not exist, and 404 is what any wrong address answers too.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.http import Answer, require_json
from erp_integrations.providers.http_provider import ErpClient, Transport
from erp_integrations.providers.xero import errors
from erp_integrations.providers.xero.budget import XeroPace

ROOT = "/api.xro/2.0"
CONNECTIONS = "/connections"
LARGEST_PAGE = 1_000
#: ids in one question, so that its address stays far below 8 KB
IDS_AT_ONCE, FILTERED_IDS_AT_ONCE = 100, 40
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
Form = TypeVar("Form")
#: the one list whose name is not its address
LIST_AT = {"Organisation": "Organisations"}


class Rows(msgspec.Struct, frozen=True):
    """The records of one page, still encoded, and Xero's clock."""

    rows: list[msgspec.Raw]
    #: how many there are on all pages together
    count: int
    #: how many pages that makes; Xero's page may be smaller than what was asked for
    pages: int
    server_time: datetime


class _Pagination(msgspec.Struct, rename={"items": "itemCount", "pages": "pageCount"}):
    items: int
    pages: int


class XeroClient(ErpClient):
    """One company's books; ``tenant`` is Xero's id of that company."""

    erp = "Xero"

    def __init__(self, transport: Transport, url: str, *, tenant: str) -> None:
        self._tenant = tenant
        self.pace = XeroPace()
        super().__init__(transport, url, pace=self.pace)

    def hurry(self) -> None:
        self._http.hurry()
        self.pace.hurry()

    def rows(
        self,
        name: str,
        *,
        where: str = "",
        order: str = "",
        since: datetime | None = None,
        page: int | None = 1,
        size: int = LARGEST_PAGE,
        filters: Mapping[str, str] | None = None,
    ) -> Rows:
        """One page of the list ``name``; None: it has no pages and is answered whole.

        ``filters`` are those that Xero has parameters of their own for.
        ``since`` is cut to whole seconds; whether Xero counts that very second
        in is nowhere said, so callers take an earlier one. Raises what
        ``HttpClient.get`` raises.
        """
        given = {"where": where, "order": order, **(filters or {})}
        query = [(key, value) for key, value in given.items() if value]
        if page is not None:
            query += [("page", str(page)), ("pageSize", str(size))]
        headers = self._company()
        if since is not None:
            headers["If-Modified-Since"] = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        answer = self._http.get_json(
            f"{ROOT}/{name}", query, classify=errors.of_reading, headers=headers
        )
        return self._rows(answer, LIST_AT.get(name, name))

    def single(self, name: str, remote_id: str) -> msgspec.Raw | None:
        """One record by its address; None where there is none.

        Not for payments: 404 says nothing certain about what exists.
        """
        if not is_guid(remote_id):
            return None
        answer = self._http.get(
            f"{ROOT}/{name}/{remote_id}", classify=errors.of_reading, headers=self._company()
        )
        if answer.status == 404:
            return None
        require_json(answer, self.name)
        return next(iter(self._rows(answer, name).rows), None)

    def connections(self) -> list[msgspec.Raw]:
        """Whose books the sign-in can open; asked before a company was chosen."""
        answer = self._http.get_json(CONNECTIONS, classify=errors.of_reading)
        return self._decoded(answer.body, list[msgspec.Raw])

    def make(self, name: str, record: Mapping[str, Any], *, idempotency_key: str) -> msgspec.Raw:
        """A new record, as Xero made it; all of it or nothing. Sent once, like every write.

        Raises ``RecordError`` with Xero's reasons when it refuses.
        """
        answer = self._http.send(
            "PUT",
            f"{ROOT}/{name}",
            {name: [record]},
            classify=errors.of_writing,
            headers={**self._company(), "Idempotency-Key": idempotency_key},
        )
        self._require_done(answer)
        made = self._rows(answer, name).rows
        if len(made) != 1:
            raise ProtocolError(f"{self.name} made something else than was asked for.")
        return made[0]

    # ------------------------------------------------------------------ answers
    def decoded(self, row: msgspec.Raw, form: type[Form]) -> Form:
        """One record that has to be readable. Raises ``ProtocolError``."""
        try:
            return msgspec.json.decode(row, type=form)
        except ValueError as error:
            raise ProtocolError(
                f"{self.name} sent a record that cannot be read: {error}.",
                detail=bytes(row)[:500].decode(errors="replace"),
            ) from error

    def _company(self) -> dict[str, str]:
        if not self._tenant:
            raise ConfigurationError(
                "Nobody has chosen yet which company's books are read in Xero. An administrator "
                "chooses it in the settings of the connection."
            )
        return {"Xero-tenant-id": self._tenant}

    def _rows(self, answer: Answer, name: str) -> Rows:
        parts = self._decoded(answer.body, dict[str, msgspec.Raw])
        if name not in parts:
            raise ProtocolError(
                f"{self.name} answered without the {name} that were asked for.", detail=answer.text
            )
        rows = self._decoded(parts[name], list[msgspec.Raw])
        all_of_it = _Pagination(items=len(rows), pages=1)
        if "pagination" in parts:
            all_of_it = self._decoded(parts["pagination"], _Pagination)
        return Rows(rows, all_of_it.items, all_of_it.pages, answer.server_time)


def is_guid(text: str) -> bool:
    return bool(GUID.fullmatch(text))


def guid(text: str) -> str:
    """An id as filters want it; ``text`` has to be one."""
    return f'Guid("{text}")'


def quoted(text: str) -> str:
    """A text as filters want it. Xero knows no escapes in it, so what would end it is left out."""
    return '"' + text.replace("\\", "").replace('"', "") + '"'


def any_of(field: str, ids: Sequence[str]) -> str:
    return "||".join(f"{field}=={guid(each)}" for each in ids)
