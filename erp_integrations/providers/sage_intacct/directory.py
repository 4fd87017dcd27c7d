"""What of Sage Intacct can be linked to: active vendors and projects, page by page."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from erp_integrations.providers.contract import RemoteJob, RemoteVendor
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.http_provider import HttpProvider
from erp_integrations.providers.sage_intacct import mapper
from erp_integrations.providers.sage_intacct.client import IntacctClient, Kind
from erp_integrations.providers.sage_intacct.kinds import PROJECT, VENDOR
from erp_integrations.providers.sage_intacct.query import Filter, Is, either, every

ACTIVE = Is("$eq", "status", "active")
Record = TypeVar("Record")


class IntacctDirectory(HttpProvider[IntacctClient]):
    """The part of the provider that lists what records here can be linked to."""

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        yield from self._named(VENDOR, search, mapper.vendor)

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        yield from self._named(PROJECT, search, mapper.job)

    def _named(
        self, kind: Kind, search: str, mapped: Callable[[msgspec.Raw], Record]
    ) -> Iterator[Record]:
        """A record that cannot be read stops it: to leave it out would say that it is gone."""
        words: list[Filter] = [
            either(Is("$contains", "id", word), Is("$contains", "name", word))
            for word in search.split()
        ]
        for row in self._client.every(kind, every(ACTIVE, *words), size=self._page_size):
            try:
                yield mapped(row)
            except ValueError as error:
                raise self._unreadable(f"one of its {kind.label}", error) from error

    def _unreadable(self, what: str, error: Exception) -> ProtocolError:
        return ProtocolError(f"{self._client.name} sent {what} that cannot be read: {error}.")
