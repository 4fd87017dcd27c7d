"""Tryton's payments of some bills only, by both roads."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from erp_integrations.providers.contract import Page
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.tryton import mapper
from erp_integrations.providers.tryton.client import TrytonClient
from erp_integrations.providers.tryton.walk import BILL, PAYMENT, STREAMS

#: ids in one question, so that its address stays short enough for any proxy
IDS_AT_ONCE = 200


def pages_of_bills(
    client: TrytonClient,
    bill_ids: Sequence[str],
    page_size: int,
    mapped: Callable[[Sequence[msgspec.Raw]], mapper.Mapped],
) -> Iterator[Page]:
    """One question a road for ``IDS_AT_ONCE`` bills, and one more for each further page.

    ``mapped`` reads rows of payments; those of bills are read by the mapper.
    """
    wanted = sorted({int(each) for each in bill_ids if each.isdecimal()})
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = wanted[start : start + IDS_AT_ONCE]
        for rows in _payment_rows(client, some, page_size):
            yield Page(*mapped(rows), {})
        if rows := _bill_rows(client, some):
            yield Page(*mapper.bill_payments(rows), {})


def _payment_rows(
    client: TrytonClient, bills: Sequence[int], page_size: int
) -> Iterator[list[msgspec.Raw]]:
    stream, last = STREAMS[0], 0
    while True:
        applied = ("line.move.origin.id", "in", bills, BILL)
        domain = (*stream.domain, applied, ("id", ">", last))
        rows = client.search(PAYMENT, domain, stream.fields, size=page_size).rows
        if rows:
            yield rows
        if len(rows) < page_size:
            return
        last = _after(client, last, rows)


def _after(client: TrytonClient, last: int, rows: Sequence[msgspec.Raw]) -> int:
    key = mapper.last_key(rows)
    if key is None or key[1] <= last:
        raise ProtocolError(f"{client.name} does not keep its own order of payments.")
    return key[1]


def _bill_rows(client: TrytonClient, bills: Sequence[int]) -> list[msgspec.Raw]:
    stream = STREAMS[1]
    domain = (*stream.domain, ("id", "in", bills))
    return client.search(BILL, domain, stream.fields, size=len(bills)).rows
