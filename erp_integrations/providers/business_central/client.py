"""Business Central over OData v4: questions to our own API pages, and pages that it cuts itself.

A condition can be an alternative only of values of one field; so there is no
``a gt x or (a eq x and b gt y)`` here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from erp_integrations.providers.business_central.auth import UNPOSTED
from erp_integrations.providers.business_central.errors import meaning
from erp_integrations.providers.errors import ConfigurationError, ErpError, ProtocolError
from erp_integrations.providers.http import Answer
from erp_integrations.providers.http_provider import ErpClient, Transport
from erp_integrations.providers.pace import Pace

CALLS_PER_MINUTE = 600
ENTRIES, DETAILS, APPLIED = "vendorLedgerEntries", "vendorLedgerDetails", "appliedVendorEntries"
Query = list[tuple[str, str]]


class Rows(msgspec.Struct, frozen=True):
    """The records of one answer, still encoded, and the ERP's clock."""

    rows: list[msgspec.Raw]
    server_time: datetime


class _Listing(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str = msgspec.field(name="@odata.nextLink", default="")


class BusinessCentralClient(ErpClient):
    """One environment. ``base`` is its address, ``route`` leads to our API pages."""

    erp = "Business Central"

    def __init__(self, transport: Transport, base: str, route: str, company: str) -> None:
        self._base, self._route, self._company = base, route, company
        super().__init__(
            transport,
            base,
            # Reading may go to a copy of the database, which is only a moment behind; the sync
            # wants the books themselves, so no Data-Access-Intent is sent.
            pace=Pace(CALLS_PER_MINUTE),
        )

    # ------------------------------------------------------------------ questions
    def pages(
        self,
        entity_set: str,
        where: str = "",
        *,
        expand: Sequence[str] = (),
        select: Sequence[str] = (),
        order: str = "entryNumber",
        top: int | None = None,
    ) -> Rows:
        """Records of our own pages. Raises what ``HttpClient.get`` raises.

        ``ConfigurationError`` when the extension is not there, or when what is
        there are unposted journal lines.
        """
        query: Query = [("$filter", where)] if where else []
        query += [("$expand", ",".join(expand))] if expand else []
        query += [("$select", ",".join(select))] if select else []
        query += [("$orderby", order)]
        query += [("$top", str(top))] if top is not None else []
        found = self._all(f"/api/{self._route}/{self._in_company(entity_set)}", query)
        if found.rows and b'"journalId"' in bytes(found.rows[0]):
            raise ConfigurationError(UNPOSTED)
        return found

    def standard(self, entity_set: str, query: Query, *, in_company: bool = True) -> Rows:
        """Records of Microsoft's own API 2.0."""
        path = self._in_company(entity_set) if in_company else entity_set
        return self._all(f"/api/v2.0/{path}", query)

    def _in_company(self, entity_set: str) -> str:
        if not self._company:
            raise ConfigurationError(
                "The connection to Business Central has no company yet. Testing it names those "
                "that the app may open."
            )
        return f"companies({quote(self._company, safe='-')})/{entity_set}"

    def _all(self, path: str, query: Query) -> Rows:
        """To the last page: Business Central cuts long answers itself."""
        answer = self._http.get_json(path, query, classify=self._meaning)
        listing = self._decoded(answer.body, _Listing)
        found, seen = list(listing.value), {""}
        while listing.next_link not in seen:
            seen.add(listing.next_link)
            path, query = self._own(listing.next_link)
            answer = self._http.get_json(path, query, classify=self._meaning)
            listing = self._decoded(answer.body, _Listing)
            found += listing.value
        if listing.next_link:
            raise ProtocolError(f"{self.name} leads from one page back to the same page.")
        return Rows(found, answer.server_time)

    def _own(self, link: str) -> tuple[str, Query]:
        """A link to the next page, which may only lead to where the question went.

        Raises ``ProtocolError``: a token is never sent to another server.
        """
        base, parts = urlsplit(self._base), urlsplit(link)
        same = (base.scheme, base.netloc.lower()) == (parts.scheme, parts.netloc.lower())
        if not same or not parts.path.lower().startswith(f"{base.path}/".lower()):
            raise ProtocolError(
                f"{self.name} leads to another address for the next page, so it was not followed.",
                detail=link[:300],
            )
        return parts.path[len(base.path) :], parse_qsl(parts.query)

    def _meaning(self, answer: Answer) -> ErpError | None:
        return meaning(answer, self.name)


def moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def any_of(field: str, values: Sequence[Any]) -> str:
    """``field`` is one of the values; at least one is needed."""
    made = (text(each) if isinstance(each, str) else str(each) for each in values)
    return "(" + " or ".join(f"{field} eq {each}" for each in made) + ")"
