"""Looking for payments in Xero by what somebody knows of them."""

from collections.abc import Iterator, Sequence

import msgspec

from erp_integrations.providers.contract import PaymentQuestion, RemotePayment
from erp_integrations.providers.xero.batches import RUNS, BatchNames
from erp_integrations.providers.xero.client import (
    FILTERED_IDS_AT_ONCE,
    XeroClient,
    any_of,
    guid,
    is_guid,
    quoted,
)
from erp_integrations.providers.xero.of_bills import ID_OF, PAYMENTS
from erp_integrations.providers.xero.walk import STREAMS, Stream, mapped

NEWEST_FIRST = "Date DESC"
#: pages of each list that are looked through for a vendor's name, which Xero cannot filter by
MOST_PAGES = 3
AMOUNT_OF = {"payments": "Amount", "prepayments": "Total", "overpayments": "Total"}


class _Paid(msgspec.Struct, rename={"id": "PaymentID"}):
    id: str


class _Run(msgspec.Struct, rename={"payments": "Payments"}):
    payments: list[_Paid] = []


class PaymentSearch:
    """A question a list; what cannot be read is left out: a search is no sync."""

    def __init__(self, client: XeroClient) -> None:
        self._client = client
        self._names = BatchNames(client)

    def newest(self, question: PaymentQuestion, limit: int) -> list[RemotePayment]:
        found: dict[str, RemotePayment] = {}
        for stream in STREAMS:
            for where in self._filters(stream, question):
                for payment in self._fitting(stream, where, question, limit):
                    found[payment.remote_id] = payment
        newest = sorted(found.values(), key=lambda each: (each.date, each.remote_id), reverse=True)
        return newest[:limit]

    def _fitting(
        self, stream: Stream, where: str, question: PaymentQuestion, limit: int
    ) -> list[RemotePayment]:
        fitting: list[RemotePayment] = []
        for page in range(1, MOST_PAGES + 1):
            size = 1000 if question.vendor else limit
            found = self._client.rows(
                stream.list, where=where, order=NEWEST_FIRST, page=page, size=size
            )
            read = mapped(stream, found.rows, self._names).payments
            fitting += [each for each in read if _fits(each, question)]
            if len(fitting) >= limit or page >= found.pages or not found.rows:
                break
        return fitting[:limit]

    def _filters(self, stream: Stream, question: PaymentQuestion) -> Iterator[str]:
        """By its own reference or id, and then by the reference of its run."""
        clauses = [stream.where]
        if question.amount is not None:
            clauses.append(f"{AMOUNT_OF[stream.name]}=={question.amount:f}")
        if not question.number:
            yield "&&".join(clauses)
            return
        own = f"Reference=={quoted(question.number)}"
        if is_guid(question.number):
            own = f"{ID_OF[stream.name]}=={guid(question.number)}"
        yield "&&".join([*clauses, own])
        if stream is PAYMENTS:
            paid = self._paid_in_runs(question.number)
            for at in range(0, len(paid), FILTERED_IDS_AT_ONCE):
                yield any_of("PaymentID", paid[at : at + FILTERED_IDS_AT_ONCE])

    def _paid_in_runs(self, name: str) -> Sequence[str]:
        where = f"{RUNS}&&Reference=={quoted(name)}"
        rows = self._client.rows("BatchPayments", where=where, page=None).rows
        paid: list[str] = []
        for row in rows:
            try:
                run = msgspec.json.decode(row, type=_Run)
            except ValueError:
                continue
            paid += [each.id for each in run.payments if is_guid(each.id)]
        return paid


def _fits(payment: RemotePayment, question: PaymentQuestion) -> bool:
    return (question.amount is None or question.amount == payment.total) and (
        question.vendor.lower() in payment.vendor_name.lower()
    )
