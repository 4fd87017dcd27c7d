"""Vendor bills of Odoo: these, or all posted ones, one question a page."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from erp_integrations.providers.contract import RemoteBill
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.odoo import mapper
from erp_integrations.providers.odoo.client import LARGEST_ID, OdooClient, Question
from erp_integrations.providers.odoo.rows import BILL_TYPES, bill_fields

BILL = "account.move"


class Bills:
    """Reads bills of one database.

    Raises ``ProtocolError`` when a bill cannot be read: a comparison of two
    books that skips some of them would be worse than none.
    """

    def __init__(self, client: OdooClient, company: Sequence[Any], page_size: int) -> None:
        """``company``: the part of a domain that keeps to one company."""
        self._client = client
        self._domain = [("move_type", "in", BILL_TYPES), *company]
        self._page_size = page_size

    def all_posted(self) -> Iterator[RemoteBill]:
        last = 0
        while True:
            found = self._read([("state", "=", "posted"), ("id", ">", last)])
            yield from found
            if len(found) < self._page_size:
                return
            after = int(found[-1].remote_id)
            if after <= last:
                raise ProtocolError(f"{self._client.name} does not keep its own order of bills.")
            last = after

    def these(self, remote_ids: Sequence[str]) -> Iterator[RemoteBill]:
        wanted = ids_in(remote_ids)
        for start in range(0, len(wanted), self._page_size):
            yield from self._read([("id", "in", wanted[start : start + self._page_size])])

    def _read(self, clauses: Sequence[Any]) -> list[RemoteBill]:
        domain = [*self._domain, *clauses]
        found = self._client.records(
            lambda session: Question(BILL, domain, bill_fields(session), self._page_size)
        )
        return [self._bill(row) for row in found.rows]

    def _bill(self, row: msgspec.Raw) -> RemoteBill:
        try:
            return mapper.bill(row)
        except (ValueError, ArithmeticError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}.",
                detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error


def ids_in(remote_ids: Sequence[str]) -> list[int]:
    """Those that can be ids of Odoo's, in order; it fails on greater numbers."""
    numbers = {int(each) for each in remote_ids if each.isascii() and each.isdecimal()}
    return sorted(number for number in numbers if 0 < number <= LARGEST_ID)
