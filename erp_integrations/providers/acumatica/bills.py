"""Bills of Acumatica, and the payments that touch them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from erp_integrations.providers.acumatica import mapper
from erp_integrations.providers.acumatica.client import AcumaticaClient
from erp_integrations.providers.acumatica.questions import any_of, both, text
from erp_integrations.providers.acumatica.vendors import Vendors
from erp_integrations.providers.contract import RemoteBill
from erp_integrations.providers.errors import ProtocolError

APPLICATIONS = "Applications"
Found = TypeVar("Found")
POSTED = " or ".join(f"Status eq {text(each)}" for each in sorted(mapper.RELEASED_BILL))


class Bills:
    """Reads bills and credit adjustments.

    Raises ``ProtocolError`` when one cannot be read: a comparison of two books
    that skips some of them would be worse than none.
    """

    def __init__(self, client: AcumaticaClient, vendors: Vendors, page_size: int) -> None:
        self._client, self._vendors, self._page_size = client, vendors, page_size

    def all_posted(self) -> Iterator[RemoteBill]:
        """By number, one type after the other: the number is the key only within its type."""
        for type_ in mapper.BILLS:
            last = ""
            while True:
                after = f"ReferenceNbr gt {text(last)}" if last else ""
                where = both(f"Type eq {text(type_)}", POSTED, after)
                rows = self._with_applications(where, top=self._page_size)
                codes = {self._read(row, mapper.vendor_of) for row in rows}
                yield from self._mapped(rows, self._vendors.names(sorted(codes)))
                if len(rows) < self._page_size:
                    break
                last = self._after(last, rows[-1])

    def these(self, remote_ids: Sequence[str]) -> Iterator[RemoteBill]:
        """No question is asked for vendors' names: a name that is not known yet is the code."""
        wanted = set(remote_ids)
        for rows in self._rows_of(remote_ids):
            mapped = self._mapped(rows, self._vendors.known)
            yield from (each for each in mapped if each.remote_id in wanted)

    def payers(self, remote_ids: Sequence[str]) -> Iterator[list[str]]:
        """Numbers of the payments of these bills, a list for each question that was asked."""
        wanted = set(remote_ids)
        for rows in self._rows_of(remote_ids):
            numbers: set[str] = set()
            for row in rows:
                numbers |= self._read(row, lambda each: self._payers(each, wanted))
            yield sorted(numbers)

    def _rows_of(self, remote_ids: Sequence[str]) -> Iterator[list[msgspec.Raw]]:
        kinds = mapper.BILLS.values()
        numbers = sorted({mapper.number_in(each, kinds) for each in remote_ids} - {""})
        for where in any_of("ReferenceNbr", numbers, self._page_size):
            yield self._with_applications(where)

    def _with_applications(self, where: str, top: int | None = None) -> list[msgspec.Raw]:
        return self._client.with_details("Bill", where=where, expand=APPLICATIONS, top=top).rows

    def _payers(self, row: msgspec.Raw, wanted: set[str]) -> set[str]:
        return (
            set(mapper.payers_of(row)) if mapper.bill_id(*mapper.key_of(row)) in wanted else set()
        )

    def _mapped(
        self, rows: Sequence[msgspec.Raw], names: Mapping[str, str]
    ) -> Iterator[RemoteBill]:
        for row in rows:
            if self._read(row, mapper.key_of)[0] in mapper.BILLS:
                yield self._read(row, lambda each: mapper.bill(each, names))

    def _after(self, last: str, row: msgspec.Raw) -> str:
        number = self._read(row, mapper.key_of)[1]
        if number <= last:
            raise ProtocolError(f"{self._client.name} does not keep its own order of bills.")
        return number

    def _read(self, row: msgspec.Raw, read: Callable[[msgspec.Raw], Found]) -> Found:
        try:
            return read(row)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}.",
                detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error
