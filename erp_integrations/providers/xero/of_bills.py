"""Xero's payments of some bills only, and the advances that were allocated to them."""

from collections.abc import Iterator, Sequence

from erp_integrations.providers.contract import Page
from erp_integrations.providers.xero.batches import BatchNames
from erp_integrations.providers.xero.bills import BILLS
from erp_integrations.providers.xero.client import (
    FILTERED_IDS_AT_ONCE,
    LARGEST_PAGE,
    XeroClient,
    any_of,
    is_guid,
)
from erp_integrations.providers.xero.records import BillRow
from erp_integrations.providers.xero.walk import STREAMS, Stream, mapped

PAYMENTS, PREPAYMENTS, OVERPAYMENTS = STREAMS
ID_OF = {"payments": "PaymentID", "prepayments": "PrepaymentID", "overpayments": "OverpaymentID"}


def pages_of_bills(client: XeroClient, bill_ids: Sequence[str], page_size: int) -> Iterator[Page]:
    """Two questions for ``FILTERED_IDS_AT_ONCE`` bills, and one for each page besides the first.

    A bill names its advances but not its deleted payments, a payment its bill:
    so payments are asked for by bill, and advances by what the bills say.
    """
    names = BatchNames(client)
    wanted = [each for each in dict.fromkeys(bill_ids) if is_guid(each)]
    #: one advance can pay bills of several questions
    known: set[str] = set()
    for start in range(0, len(wanted), FILTERED_IDS_AT_ONCE):
        some = wanted[start : start + FILTERED_IDS_AT_ONCE]
        yield from _found(client, PAYMENTS, any_of("Invoice.InvoiceID", some), page_size, names)
        advances = _advances(client, some)
        for stream in (PREPAYMENTS, OVERPAYMENTS):
            new = sorted(each for each in advances[stream.name] - known if is_guid(each))
            known |= advances[stream.name]
            for at in range(0, len(new), FILTERED_IDS_AT_ONCE):
                where = any_of(ID_OF[stream.name], new[at : at + FILTERED_IDS_AT_ONCE])
                yield from _found(client, stream, where, page_size, names)


def _found(
    client: XeroClient, stream: Stream, where: str, page_size: int, names: BatchNames
) -> Iterator[Page]:
    """All that fits, in the order of ids, which no change moves."""
    size, page = min(page_size, LARGEST_PAGE), 1
    while True:
        order = f"{ID_OF[stream.name]} ASC"
        found = client.rows(stream.list, where=where, order=order, page=page, size=size)
        if found.rows:
            yield Page(*mapped(stream, found.rows, names), {})
        if page >= found.pages or not found.rows:
            return
        page += 1


def _advances(client: XeroClient, bills: Sequence[str]) -> dict[str, set[str]]:
    rows = client.rows(
        "Invoices", where=BILLS, filters={"IDs": ",".join(bills)}, size=len(bills)
    ).rows
    found: dict[str, set[str]] = {PREPAYMENTS.name: set(), OVERPAYMENTS.name: set()}
    for row in rows:
        bill = client.decoded(row, BillRow)
        found[PREPAYMENTS.name] |= {each.prepayment_id for each in bill.prepayments}
        found[OVERPAYMENTS.name] |= {each.overpayment_id for each in bill.overpayments}
    return found
