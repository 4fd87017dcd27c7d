"""Supplier bills of Tryton: these, or all of them, in as few questions as can be.

REST search is a GET, so the ids that are asked for stand in the address, and
servers cut addresses at 8 KB. Ids that lie close together are asked for as a
range where a list would be too long; what a range brings besides is left out.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from erp_integrations.providers.contract import RemoteBill
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.tryton import mapper
from erp_integrations.providers.tryton.client import TrytonClient
from erp_integrations.providers.tryton.mapper import BILL

#: characters of ids in one question; in the address they take a third more
LONGEST_IDS = 4_200
#: a range costs this many characters more than its two ids
RANGE_COSTS = 26


class Bills:
    """Reads bills of one database.

    Raises ``ProtocolError`` when a bill cannot be read: a comparison of two
    books that skips some of them would be worse than none.
    """

    def __init__(self, client: TrytonClient, page_size: int) -> None:
        self._client = client
        self._page_size = page_size

    def all_posted(self) -> Iterator[RemoteBill]:
        last = 0
        while True:
            domain = (("state", "in", ["posted", "paid"]), ("id", ">", last))
            found = self._read(domain)
            yield from found
            if len(found) < self._page_size:
                return
            last = self._advanced(last, found)

    def these(self, remote_ids: Sequence[str]) -> Iterator[RemoteBill]:
        """A question for each page's worth of ids; one more only where ranges brought too much."""
        wanted = sorted({int(each) for each in remote_ids if each.isdecimal()})
        while wanted:
            some = wanted[: self._page_size]
            known = frozenset(some)
            found = self._read(id_clauses(some))
            yield from (bill for bill in found if int(bill.remote_id) in known)
            reached = some[-1]
            if len(found) == self._page_size:
                reached = min(reached, self._advanced(some[0] - 1, found))
            wanted = [each for each in wanted if each > reached]

    def _advanced(self, before: int, found: Sequence[RemoteBill]) -> int:
        after = int(found[-1].remote_id)
        if after <= before:
            raise ProtocolError(f"{self._client.name} does not keep its own order of bills.")
        return after

    def _read(self, domain: Sequence[Any]) -> list[RemoteBill]:
        supplier = (("type", "=", "in"), *domain)
        rows = self._client.search(BILL, supplier, mapper.BILL_FIELDS, size=self._page_size).rows
        return [self._bill(row) for row in rows]

    def _bill(self, row: msgspec.Raw) -> RemoteBill:
        try:
            return mapper.bill(row)
        except (ValueError, ArithmeticError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}.",
                detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error


def id_clauses(ids: Sequence[int]) -> Sequence[Any]:
    """A domain for these ascending ids: a list, or ranges as soon as a list would be too long."""
    length = sum(len(str(each)) + 1 for each in ids)
    if length <= LONGEST_IDS:
        return (("id", "in", list(ids)),)
    runs = _runs(ids, widest_gap=1)
    gaps = sorted({after[0] - before[1] for before, after in zip(runs, runs[1:], strict=False)})
    for gap in gaps:
        if _length(runs) <= LONGEST_IDS:
            break
        runs = _runs(ids, widest_gap=gap)
    singles = [first for first, last in runs if first == last]
    ranges = [(("id", ">=", first), ("id", "<=", last)) for first, last in runs if first != last]
    return (("OR", *([("id", "in", singles)] if singles else []), *ranges),)


def _runs(ids: Sequence[int], *, widest_gap: int) -> list[tuple[int, int]]:
    """First and last id of each stretch without a gap wider than this."""
    runs = [(ids[0], ids[0])]
    for each in ids[1:]:
        first, last = runs[-1]
        if each - last <= widest_gap:
            runs[-1] = (first, each)
        else:
            runs.append((each, each))
    return runs


def _length(runs: Sequence[tuple[int, int]]) -> int:
    return sum(
        len(str(first)) + 1 + (len(str(last)) + RANGE_COSTS if first != last else 0)
        for first, last in runs
    )
