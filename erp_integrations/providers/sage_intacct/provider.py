"""Sage Intacct as the sync sees it.

A payment's allocations are kept apart from it, one for each line of a bill, so
a page of payments is two questions: the payments, and their details.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import ClassVar

import msgspec

from erp_integrations.providers import change_order
from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS
from erp_integrations.providers.change_order import Batch, ChangeOrder, Mapped, Place
from erp_integrations.providers.contract import (
    BillToExport,
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    PaymentQuestion,
    RemoteBill,
    RemotePayment,
)
from erp_integrations.providers.errors import (
    ConfigurationError,
    RecordError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.http_provider import Transport
from erp_integrations.providers.oauth import (
    CLIENT_ID,
    CLIENT_SECRET,
    Authorization,
)
from erp_integrations.providers.sage_intacct import auth, mapper
from erp_integrations.providers.sage_intacct.bill_writer import BillWriter
from erp_integrations.providers.sage_intacct.client import MOST_ROWS, IntacctClient
from erp_integrations.providers.sage_intacct.directory import IntacctDirectory
from erp_integrations.providers.sage_intacct.kinds import BILL, DETAIL, MODIFIED, PAYMENT, VENDOR
from erp_integrations.providers.sage_intacct.query import (
    Filter,
    Is,
    either,
    every,
    is_in,
)

ACCOUNTS = (
    ConnectionField(
        "expense_account",
        "Account for expenses",
        "Number of the GL account on which exported invoices are booked, e.g. 5100.",
        is_required=False,
    ),
    ConnectionField(
        "retainage_account",
        "Account for retainage",
        "Number of the GL account of retainage payable.",
        is_required=False,
    ),
    ConnectionField(
        "location",
        "Location",
        "ID of the location on the lines of exported bills, where the company wants one.",
        is_required=False,
    ),
)


class SageIntacctProvider(IntacctDirectory):
    """Reads one company of Sage Intacct, or one entity of it, over its REST API."""

    code: ClassVar[str] = "sage_intacct"
    label: ClassVar[str] = "Sage Intacct"
    uses_oauth: ClassVar[bool] = True
    capabilities: ClassVar[Capabilities] = Capabilities(
        bill_lines=True,
        time_resolution_seconds=1,
        scoped_sync=True,
        payment_search=True,
        vendors=True,
        jobs=True,
        export_bills=True,
        bills_need_links=False,
        bill_number_length=45,
    )
    fields: ClassVar[Sequence[ConnectionField]] = (
        CLIENT_ID,
        CLIENT_SECRET,
        auth.USERNAME,
        ConnectionField(
            "entity",
            "Entity",
            "The ID of the one entity to read. Leave empty to read all that the user may see.",
            is_required=False,
        ),
        *ACCOUNTS,
        VENDORS_OWN_ADDRESS,
    )

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> IntacctClient:
        CLIENT_ID.required(settings, self.label)
        self._entity = self._entered(settings, "entity")
        client = IntacctClient(transport, auth.api_address(settings), entity=self._entity)
        expense, retainage, location = (f.entered(settings) for f in ACCOUNTS)
        self._writer = BillWriter(client, expense=expense, retainage=retainage, location=location)
        return client

    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        return auth.authorization(settings)

    # ------------------------------------------------------------------- check
    def check(self) -> str:
        """See the contract. Asks for every field that a sync will ask for."""
        found = self._client.query(PAYMENT, size=1)
        for kind in (DETAIL, BILL, VENDOR):
            self._client.query(kind, size=1)
        where = f"entity {self._entity}" if self._entity else "all entities that the user sees"
        count = "1 payment" if found.total == 1 else f"{found.total:,} payments"
        return f"{self.label} · {where} · {count} readable"

    def _require_sight(self) -> None:
        """Proof that an empty answer means no such payment, not a user who sees no books."""
        if not any(self._client.query(kind, size=1).total for kind in (PAYMENT, BILL, VENDOR)):
            raise ConfigurationError(
                f"The user of the connection sees no payments, bills or vendors at all in "
                f"{self._client.name}, so what it sees says nothing. Give that user the entity "
                f"and the permissions that the guide lists."
            )

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract."""
        walk = ChangeOrder(
            self._client.name,
            ask=self._changed_after,
            mapped=self._payments,
            key_of=mapper.place,
            overlap=self._overlap,
        )
        is_empty = cursor is None
        for page in walk.pages(cursor, resume=resume):
            if is_empty and not page.payments and not page.rejected:
                self._require_sight()
            is_empty = False
            yield page

    def _changed_after(self, place: Place | None) -> Batch:
        found = self._client.query(
            PAYMENT,
            _after(place) if place else None,
            order=((MODIFIED, "asc"), ("key", "asc")),
            size=self._page_size,
        )
        return Batch(found.rows, found.server_time, found.is_last)

    def _payments(self, rows: Sequence[msgspec.Raw]) -> Mapped:
        """Payments with their details, which are as many as the bill lines that they paid."""
        found = mapper.keys(rows)
        details = self._details(is_in("apPayment.key", found)) if found else []
        try:
            return mapper.payments(rows, mapper.Details(details))
        except ValueError as error:
            raise self._unreadable("a detail of a payment", error) from error

    def _details(self, wanted: Filter) -> list[msgspec.Raw]:
        return list(self._client.every(DETAIL, wanted, size=MOST_ROWS))

    def cursor_since(self, day: date) -> Cursor:
        """See the contract."""
        return change_order.cursor_at(day)

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        return change_order.read_until(cursor)

    # ----------------------------------------------------- some payments only
    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract. Three questions a page: the bills' details, their payments, whole."""
        for some in self._in_pages(bill_ids):
            try:
                paying = mapper.payments_of(self._details(is_in("bill.key", some)))
            except ValueError as error:
                raise self._unreadable("a detail of a payment", error) from error
            for keys in self._in_pages(paying):
                rows = self._client.query(PAYMENT, is_in("key", keys), size=len(keys)).rows
                yield Page(*self._payments(rows), {})

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract. Two questions: the payments, and their details."""
        wanted = _fitting(question)
        found = self._client.query(PAYMENT, wanted, order=(("key", "desc"),), size=limit)
        return self._payments(found.rows).payments

    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract."""
        if not remote_id.isdecimal():
            raise RecordError(f"“{remote_id}” is not the key of a payment in Sage Intacct.")
        rows = self._client.query(PAYMENT, Is("$eq", "key", remote_id), size=1).rows
        mapped = self._payments(rows)
        for found in mapped.payments:
            if found.remote_id == remote_id:
                return found
        for rejected in mapped.rejected:
            raise RecordError(rejected.reason, detail=rejected.raw)
        self._require_sight()
        raise RecordNotFound(f"{self._client.name} does not know this payment any more.")

    # -------------------------------------------------------------------- bills
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract. A page with paid bills is a second question: credits are no money."""
        if remote_ids is not None:
            for some in self._in_pages(remote_ids):
                yield from self._with_money(
                    self._client.every(BILL, is_in("key", some), size=self._page_size)
                )
            return
        posted = Is("$notIn", "state", sorted(mapper.NOT_POSTED))
        page: list[msgspec.Raw] = []
        for row in self._client.every(BILL, posted, size=self._page_size):
            page.append(row)
            if len(page) == self._page_size:
                yield from self._with_money(page)
                page = []
        yield from self._with_money(page)

    def _with_money(self, rows: Iterator[msgspec.Raw] | list[msgspec.Raw]) -> list[RemoteBill]:
        try:
            found = [msgspec.json.decode(row, type=mapper.BillRow) for row in rows]
            settled = [row.key for row in found if row.settled]
            money = mapper.paid(self._details(is_in("bill.key", settled))) if settled else {}
            return [mapper.bill(row, money) for row in found]
        except ValueError as error:
            raise self._unreadable("a bill", error) from error

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """See the contract and ``BillWriter``."""
        return mapper.bill(self._writer.write(bill), {})

    def find_bill(self, key: str) -> RemoteBill:
        """See the contract. A reversed bill is not found: nothing is owed on it."""
        written = self._writer.written(key)
        if not written:
            raise RecordNotFound(f"{self._client.name} has no bill with this key.")
        for found in self.bills([written[0].key]):
            return found
        raise TransientError(f"{self._client.name} does not show a bill that it showed before.")

    def _in_pages(self, ids: Sequence[str]) -> Iterator[list[str]]:
        """Keys in Intacct are numbers; anything else is the key of nothing."""
        known = sorted({each for each in ids if each.isdecimal()}, key=int)
        for start in range(0, len(known), self._page_size):
            yield known[start : start + self._page_size]


def _after(place: Place) -> Filter:
    moment = f"{place.modified.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    same = every(Is("$eq", MODIFIED, moment), Is("$gt", "key", str(place.number)))
    return either(Is("$gt", MODIFIED, moment), same)


def _fitting(question: PaymentQuestion) -> Filter:
    parts: list[Filter] = []
    if question.number:
        numbers: list[Filter] = [Is("$contains", "documentNumber", question.number)]
        if question.number.isdecimal():
            numbers.append(Is("$eq", "key", question.number))
        parts.append(either(*numbers))
    if question.amount is not None:
        parts.append(Is("$eq", "txnCurrency.totalAmount", str(question.amount)))
    if question.vendor:
        parts.append(Is("$contains", "vendor.name", question.vendor))
    return every(*parts)
