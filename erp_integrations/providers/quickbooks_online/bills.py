"""Bills of QuickBooks Online, and what of them was paid with money.

A bill's balance is lowered by vendor credits and by checks that are only to be
printed, so *paid* is added up from the payments that the bill links to. And
payments cannot be asked for by their bill: the way goes through those links.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from erp_integrations.providers.contract import Page, RemoteBill, RemoteStatus
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.quickbooks_online import mapper
from erp_integrations.providers.quickbooks_online.client import QuickBooksClient
from erp_integrations.providers.quickbooks_online.walk import BILL, PAYMENT, Reader, batches


class Bills:
    """Reads bills of one company.

    Raises ``ProtocolError`` when a bill cannot be read: a comparison of two
    books that skips some of them would be worse than none.
    """

    def __init__(self, client: QuickBooksClient, home: mapper.Home) -> None:
        self._client, self._home = client, home

    def all(self, page_size: int) -> Iterator[RemoteBill]:
        """One that changes while they are read is given once, as it was at first."""
        given: set[str] = set()
        for batch in batches(self._client, BILL, None, page_size):
            rows = [row for row in self._decoded(batch.rows) if row.id not in given]
            given.update(row.id for row in rows)
            yield from self._with_payments(rows)

    def these(self, remote_ids: Sequence[str]) -> Iterator[RemoteBill]:
        for found in self._client.by_ids(BILL, remote_ids):
            yield from self._with_payments(self._decoded(found.rows))

    def numbers(self, bill_ids: Sequence[str]) -> dict[str, str]:
        """What the vendors call these bills."""
        found = self._client.by_ids(BILL, bill_ids)
        rows = [row for each in found for row in self._decoded(each.rows)]
        return {row.id: row.doc_number or "" for row in rows}

    def pages_of_payments(self, bill_ids: Sequence[str], mapped: Reader) -> Iterator[Page]:
        """See ``Provider.payments_on``: the bills, their payments, the numbers of other bills."""
        given: set[str] = set()
        for found in self._client.by_ids(BILL, bill_ids):
            linked = {each for row in self._decoded(found.rows) for each in row.payments}
            for payments in self._client.by_ids(PAYMENT, sorted(linked - given)):
                if payments.rows:
                    yield Page(*mapped(payments.rows), {})
            given |= linked

    def _with_payments(self, rows: Sequence[mapper.BillRow]) -> Iterator[RemoteBill]:
        settled = [row for row in rows if row.balance != row.total_amt]
        paid = self._paid({each for row in settled for each in row.payments})
        for row in rows:
            try:
                yield mapper.bill(row, paid.get(row.id, Decimal(0)), self._home)
            except (ValueError, ArithmeticError) as error:
                raise self._unreadable(error) from error

    def _paid(self, payment_ids: Iterable[str]) -> Mapping[str, Decimal]:
        """By bill, what left as money. A payment that cannot be read fails the question."""
        sums: dict[str, Decimal] = {}
        for found in self._client.by_ids(PAYMENT, sorted(payment_ids)):
            payments, rejected = mapper.payments(found.rows, lambda ids: {}, self._home)
            for bad in rejected:
                raise ProtocolError(bad.reason, detail=bad.raw)
            for payment in payments:
                if payment.status is RemoteStatus.ISSUED:
                    for each in payment.allocations:
                        sums[each.bill_id] = sums.get(each.bill_id, Decimal(0)) + each.amount
        return sums

    def _decoded(self, rows: Iterable[msgspec.Raw]) -> list[mapper.BillRow]:
        try:
            return [msgspec.json.decode(raw, type=mapper.BillRow) for raw in rows]
        except ValueError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> ProtocolError:
        return ProtocolError(f"{self._client.name} sent a bill that cannot be read: {error}.")
