"""Looking for payments by what somebody knows of them.

QuickBooks' language has ``AND`` but no ``OR``, knows only ``%`` as a wildcard,
and cannot look into the names of references. So it is asked for what it can
tell apart, and the rest is sorted out here.
"""

from collections.abc import Iterator, Sequence

import msgspec

from erp_integrations.providers.contract import PaymentQuestion, RemotePayment
from erp_integrations.providers.quickbooks_online.client import (
    MOST,
    QuickBooksClient,
    like,
    quoted,
)
from erp_integrations.providers.quickbooks_online.directory import Directory
from erp_integrations.providers.quickbooks_online.walk import PAYMENT, Reader

NEWEST_FIRST = "TxnDate DESC"
#: vendors of a name in a search for payments
VENDORS = 20


class Search:
    """What cannot be read is left out: a search is no sync."""

    def __init__(self, client: QuickBooksClient, mapped: Reader, directory: Directory) -> None:
        self._client, self._mapped, self._directory = client, mapped, directory

    def newest(self, question: PaymentQuestion, limit: int) -> list[RemotePayment]:
        rows: dict[bytes, msgspec.Raw] = {}
        size = MOST if question.vendor else min(limit, MOST)
        for where in self._questions(question):
            found = self._client.query(PAYMENT, where, order=NEWEST_FIRST, size=size).rows
            rows |= {bytes(row): row for row in found}
        if not rows:
            return []
        fitting = [
            each for each in self._mapped(list(rows.values())).payments if _fits(each, question)
        ]
        return sorted(
            fitting, key=lambda each: (each.date, each.remote_id.zfill(20)), reverse=True
        )[:limit]

    def _questions(self, question: PaymentQuestion) -> Iterator[Sequence[str]]:
        """Statements' conditions; together they find everything that can fit."""
        where = [] if question.amount is None else [f"TotalAmt = {quoted(question.amount)}"]
        if question.number:
            yield (*where, f"DocNumber LIKE {like(question.number)}")
            if question.number.isdecimal():
                yield (*where, f"Id = {quoted(question.number)}")
        elif where or not question.vendor:
            yield where
        else:
            for vendor in list(self._directory.vendors(question.vendor))[:VENDORS]:
                yield (f"VendorRef = {quoted(vendor.remote_id)}",)


def _fits(payment: RemotePayment, question: PaymentQuestion) -> bool:
    number, vendor = question.number.lower(), question.vendor.lower()
    return (
        (number in payment.check_number.lower() or question.number == payment.remote_id)
        and (question.amount is None or question.amount == payment.total)
        and vendor in payment.vendor_name.lower()
    )
