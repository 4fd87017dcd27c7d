"""Bills of Xero (invoices of type ACCPAY): these, or all of them, in as few questions as can be."""

from collections.abc import Iterator, Mapping, Sequence

from erp_integrations.providers.contract import RemoteBill
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.xero import mapper
from erp_integrations.providers.xero.client import (
    IDS_AT_ONCE,
    LARGEST_PAGE,
    Rows,
    XeroClient,
    is_guid,
)

BILLS = 'Type=="ACCPAY"'
#: ids do not change, so what is turned over by number in their order does not move
BY_ID = "InvoiceID ASC"


class Bills:
    """Reads bills of one company.

    Raises ``ProtocolError`` when a bill cannot be read: a comparison of two
    books that skips some of them would be worse than none.
    """

    def __init__(self, client: XeroClient, page_size: int) -> None:
        self._client = client
        self._page_size = min(page_size, LARGEST_PAGE)

    def all_posted(self) -> Iterator[RemoteBill]:
        page = 1
        while True:
            found = self._page(page, filters={"Statuses": "AUTHORISED,PAID"})
            yield from self._bills(found)
            if page >= found.pages or not found.rows:
                return
            page += 1

    def these(self, remote_ids: Sequence[str]) -> Iterator[RemoteBill]:
        """By their ids, or out of the list of all where that takes fewer questions.

        ``IDS_AT_ONCE`` ids in a question: more would make its address too long.
        """
        wanted = dict.fromkeys(each.lower() for each in remote_ids if is_guid(each))
        if len(wanted) > IDS_AT_ONCE:
            yield from self._out_of_all(wanted)
        if wanted:
            yield from self._by_id(list(wanted))

    def _by_id(self, ids: Sequence[str]) -> Iterator[RemoteBill]:
        size = min(self._page_size, IDS_AT_ONCE)
        for start in range(0, len(ids), size):
            some = ",".join(ids[start : start + size])
            yield from self._bills(self._page(1, size=size, filters={"IDs": some}))

    def _out_of_all(self, wanted: dict[str, None]) -> Iterator[RemoteBill]:
        """Takes out of ``wanted`` what was looked for, until asking by id costs less."""
        page = 1
        while True:
            found = self._page(page)
            for bill in self._bills(found):
                if bill.remote_id.lower() in wanted:
                    del wanted[bill.remote_id.lower()]
                    yield bill
            left = found.pages - page
            if left <= 0 or not found.rows:
                wanted.clear()
                return
            if left >= -(-len(wanted) // min(self._page_size, IDS_AT_ONCE)):
                return
            page += 1

    def _page(self, page: int, *, size: int = 0, filters: Mapping[str, str] | None = None) -> Rows:
        return self._client.rows(
            "Invoices",
            where=BILLS,
            order=BY_ID,
            page=page,
            size=size or self._page_size,
            filters=filters,
        )

    def _bills(self, found: Rows) -> Iterator[RemoteBill]:
        for row in found.rows:
            try:
                yield mapper.bill(row)
            except (ValueError, ArithmeticError) as error:
                raise ProtocolError(
                    f"{self._client.name} sent a bill that cannot be read: {error}.",
                    detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
                ) from error
