"""What of QuickBooks Online can be linked to: vendors, projects and purchase orders.

Projects are customers below a customer. A purchase order does not say whether
it is a subcontract.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from erp_integrations.providers.contract import (
    RemoteCommitment,
    RemoteJob,
    RemoteVendor,
)
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.http_provider import HttpProvider
from erp_integrations.providers.quickbooks_online import mapper
from erp_integrations.providers.quickbooks_online.client import MOST, QuickBooksClient, like

Record = TypeVar("Record", RemoteVendor, RemoteJob, RemoteCommitment)


class Directory:
    """Lists of one company. Raises ``ProtocolError`` for a record that cannot be read.

    To leave it out would say that it is gone. What is searched for is looked
    for here once more: ``%`` and ``_`` have no other meaning in it.
    """

    def __init__(self, client: QuickBooksClient, home: mapper.Home) -> None:
        self._client, self._home = client, home

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        for each in self._records("Vendor", mapper.vendor, search):
            if search.lower() in f"{each.name}\n{each.code}".lower():
                yield each

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        for each in self._records("Customer", mapper.job, search):
            if search.lower() in each.name.lower():
                yield each

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        """Orders cannot be searched by vendor or title, so all are read."""
        found = self._records("PurchaseOrder", lambda raw: mapper.commitment(raw, self._home))
        for each in found:
            if search.lower() in f"{each.code}\n{each.title}\n{each.vendor_name}".lower():
                yield each

    def _records(
        self, entity: str, mapped: Callable[[msgspec.Raw], Record | None], search: str = ""
    ) -> Iterator[Record]:
        """Each once, a page at a time; QuickBooks lists active records only."""
        where = (f"DisplayName LIKE {like(search)}",) if search else ()
        start, given = 1, set[str]()
        while True:
            rows = self._client.query(entity, where, order="Id", start=start).rows
            for raw in rows:
                found = self._mapped(entity, mapped, raw)
                if found and found.remote_id not in given:
                    given.add(found.remote_id)
                    yield found
            if len(rows) < MOST:
                return
            # one again, so that a record that goes meanwhile hides no other
            start += MOST - 1

    def _mapped(
        self, entity: str, mapped: Callable[[msgspec.Raw], Record | None], raw: msgspec.Raw
    ) -> Record | None:
        try:
            return mapped(raw)
        except (ValueError, ArithmeticError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a {entity} in a form that cannot be read: {error}.",
                detail=bytes(raw)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error


class QuickBooksDirectory(HttpProvider[QuickBooksClient]):
    """The part of the provider that lists what records here can be linked to."""

    def _home_currency(self) -> str:
        raise NotImplementedError

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        yield from self._directory.vendors(search)

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        yield from self._directory.jobs(search)

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        yield from self._directory.commitments(search)

    @property
    def _directory(self) -> Directory:
        return Directory(self._client, self._home_currency)
