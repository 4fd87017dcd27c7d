"""What of NetSuite can be linked to: active vendors and projects, page by page."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from erp_integrations.providers.contract import RemoteJob, RemoteVendor
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.http_provider import HttpProvider
from erp_integrations.providers.netsuite import mapper, sql
from erp_integrations.providers.netsuite.client import NetSuiteClient

Record = TypeVar("Record", RemoteJob, RemoteVendor)


class NetSuiteDirectory(HttpProvider[NetSuiteClient]):
    """The part of the provider that lists what records here can be linked to."""

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        yield from self._named("vendors", sql.vendors, search, mapper.vendor)

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        yield from self._named("projects", sql.jobs, search, mapper.job)

    def _named(
        self,
        what: str,
        query: Callable[[int, Sequence[str]], str],
        search: str,
        mapped: Callable[[msgspec.Raw], Record],
    ) -> Iterator[Record]:
        """A record that cannot be read stops it: to leave it out would say that it is gone."""
        last, words = 0, search.split()
        while True:
            found = self._client.suiteql(query(last, words), what, size=self._page_size)
            try:
                page = [mapped(row) for row in found.rows]
                reached = int(page[-1].remote_id) if page else last
            except ValueError as error:
                raise self._unreadable(f"one of its {what}", error) from error
            yield from page
            if found.is_last:
                return
            if reached <= last:
                raise ProtocolError(f"{self._client.name} does not keep its own order of {what}.")
            last = reached

    def _unreadable(self, what: str, error: Exception) -> ProtocolError:
        return ProtocolError(f"{self._client.name} sent {what} that cannot be read: {error}.")
