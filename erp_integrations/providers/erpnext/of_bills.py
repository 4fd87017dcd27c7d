"""Payments of some bills only, by both roads, and what bills were paid in all."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from erp_integrations.providers.contract import Page, RemoteBill, RemoteStatus
from erp_integrations.providers.erpnext import journals, mapper
from erp_integrations.providers.erpnext.client import ErpNextClient
from erp_integrations.providers.erpnext.mapper import BILL, ENTRY, JOURNAL, REFERENCE
from erp_integrations.providers.erpnext.roads import (
    ENTRIES_BY_NAME,
    ENTRY_FILTERS,
    Roads,
    page_of,
    with_lost,
)
from erp_integrations.providers.errors import ProtocolError


class _Parent(msgspec.Struct):
    parent: str


class OfBills:
    def __init__(self, client: ErpNextClient, roads: Roads, page_size: int) -> None:
        self._client = client
        self._roads = roads
        self._page_size = page_size

    # ----------------------------------------------------------------- payments
    def payments(self, bills: Sequence[str]) -> Iterator[Page]:
        """One question a road for a page of bills; one more for payments that pay others too."""
        wanted = sorted(set(filter(None, bills)))
        for start in range(0, len(wanted), self._page_size):
            yield from self._of_page(wanted[start : start + self._page_size])

    def _of_page(self, bills: Sequence[str]) -> Iterator[Page]:
        mapped, cut = self._entries(bills)
        if mapped.payments or mapped.rejected:
            yield page_of(mapped)
        for start in range(0, len(cut), self._page_size):
            yield page_of(self._roads.entries_named(cut[start : start + self._page_size]))
        names = self._journals(bills)
        for start in range(0, len(names), self._page_size):
            yield page_of(self._roads.journals_named(names[start : start + self._page_size]))

    def _entries(self, bills: Sequence[str]) -> tuple[mapper.Mapped, list[str]]:
        """Payments of these bills, and names of those of which only a part was seen.

        A filter on references leaves out the other references of the same payment.
        """
        rows = self._client.rows(
            ENTRY,
            mapper.ENTRY_FIELDS,
            [
                *ENTRY_FILTERS,
                *self._roads.of_company,
                (REFERENCE, "reference_doctype", "=", BILL),
                (REFERENCE, "reference_name", "in", list(bills)),
            ],
            order=ENTRIES_BY_NAME,
        ).rows
        groups, lost = mapper.grouped(rows)
        whole = [group for group in groups if mapper.is_whole(group)]
        cut = [group.name for group in groups if not mapper.is_whole(group)]
        return with_lost(self._roads.entries(whole), lost), cut

    def _journals(self, bills: Sequence[str]) -> list[str]:
        lines = self._client.records(
            _Parent,
            journals.LINE,
            [
                ("party_type", "=", mapper.SUPPLIER),
                ("reference_type", "=", BILL),
                ("reference_name", "in", list(bills)),
            ],
            parent=JOURNAL,
        )
        return sorted({line.parent for line in lines})

    # -------------------------------------------------------------------- bills
    def all_posted(self) -> Iterator[RemoteBill]:
        last = ""
        while True:
            filters = [*self._roads.of_company, ("docstatus", "=", 1), ("is_return", "=", 0)]
            after = [("name", ">", last)] if last else []
            rows = self._rows([*filters, *after], self._page_size)
            yield from self._with_paid(rows)
            if len(rows) < self._page_size:
                return
            if rows[-1].name == last:
                raise ProtocolError(f"{self._client.name} does not keep its own order of bills.")
            last = rows[-1].name

    def these(self, names: Sequence[str]) -> Iterator[RemoteBill]:
        wanted = sorted(set(filter(None, names)))
        for start in range(0, len(wanted), self._page_size):
            some = wanted[start : start + self._page_size]
            rows = self._rows([*self._roads.of_company, ("name", "in", some)], len(some))
            yield from self._with_paid(rows)

    def _rows(self, filters: Sequence[Sequence[object]], limit: int) -> list[mapper.BillRow]:
        """A comparison of two books that skips bills would be worse than none."""
        rows = self._client.rows(BILL, mapper.BILL_FIELDS, filters, limit=limit).rows
        try:
            return [mapper.bill_row(row) for row in rows]
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}."
            ) from error

    def _with_paid(self, rows: Sequence[mapper.BillRow]) -> Iterator[RemoteBill]:
        """What is no longer open may be a discount or a credit, so payments themselves are asked.

        Bills of which all is still open are not asked for again.
        """
        touched = [
            row.name
            for row in rows
            if row.docstatus == 1 and row.outstanding_amount != mapper.total_of(row)
        ]
        paid: dict[str, Decimal] = {}
        for page in self.payments(touched):
            for payment in page.payments:
                if payment.status is not RemoteStatus.ISSUED:
                    continue
                for each in payment.allocations:
                    paid[each.bill_id] = paid.get(each.bill_id, Decimal(0)) + each.amount
        try:
            yield from [mapper.bill(row, paid) for row in rows]
        except (ValueError, ArithmeticError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}."
            ) from error
