"""Vendors of Acumatica. Documents name only their code, so names are asked for, each once."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from erp_integrations.providers.acumatica import mapper
from erp_integrations.providers.acumatica.client import AcumaticaClient
from erp_integrations.providers.acumatica.questions import any_of, both, contains, text
from erp_integrations.providers.contract import RemoteVendor
from erp_integrations.providers.errors import ProtocolError

FIELDS = "VendorID,VendorName"


class Vendors:
    def __init__(self, client: AcumaticaClient, page_size: int) -> None:
        self._client, self._page_size = client, page_size
        self.known: dict[str, str] = {}

    def names(self, codes: Sequence[str]) -> Mapping[str, str]:
        """At least these; a code that Acumatica does not know stands for itself."""
        unknown = [code for code in codes if code not in self.known]
        for where in any_of("VendorID", unknown, self._page_size):
            for row in self._client.entities("Vendor", where=where, select=FIELDS).rows:
                found = self._vendor(row)
                self.known[found.code] = found.name
        return self.known

    def all(self, search: str = "", *, at_most: int | None = None) -> Iterator[RemoteVendor]:
        """By code; every word of the search stands in the code or in the name."""
        words = [
            f"({contains('VendorID', word)} or {contains('VendorName', word)})"
            for word in search.split()
        ]
        last, top = "", at_most or self._page_size
        while True:
            where = both(f"VendorID gt {text(last)}" if last else "", *words)
            rows = self._client.entities("Vendor", where=where, select=FIELDS, top=top).rows
            for row in rows:
                yield self._vendor(row)
            if len(rows) < top or at_most:
                return
            last = self._after(last, rows[-1])

    def _after(self, last: str, row: msgspec.Raw) -> str:
        code = self._vendor(row).code
        if code <= last:
            raise ProtocolError(f"{self._client.name} does not keep its own order of vendors.")
        return code

    def _vendor(self, row: msgspec.Raw) -> RemoteVendor:
        try:
            return mapper.vendor(row)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a vendor that cannot be read: {error}.",
                detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error
