"""Xero as the sync sees it: payments of bills, and advances that were allocated to bills.

*Payments* pay one bill each; the payments of one run (*BatchPayment*) carry its
reference as their check number. *Prepayments* and *Overpayments* are money that
a vendor got before; their allocations say which bills it paid.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

import msgspec

from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS, RemoteMethod
from erp_integrations.providers.contract import (
    NOTIFICATION_SECRET,
    BillToExport,
    Capabilities,
    ConnectionField,
    Cursor,
    Notice,
    Page,
    PaymentQuestion,
    RemoteBill,
    RemotePayment,
)
from erp_integrations.providers.days import first_moment_of
from erp_integrations.providers.errors import RecordError, RecordNotFound
from erp_integrations.providers.http_provider import Transport
from erp_integrations.providers.oauth import (
    CLIENT_ID,
    CLIENT_SECRET,
    Authorization,
)
from erp_integrations.providers.xero import auth
from erp_integrations.providers.xero.batches import BatchNames
from erp_integrations.providers.xero.bill_writer import BillWriter
from erp_integrations.providers.xero.bills import Bills
from erp_integrations.providers.xero.budget import PER_DAY, PER_MINUTE
from erp_integrations.providers.xero.client import XeroClient, guid, is_guid
from erp_integrations.providers.xero.directory import XeroDirectory
from erp_integrations.providers.xero.notifications import notices
from erp_integrations.providers.xero.of_bills import ID_OF, pages_of_bills
from erp_integrations.providers.xero.search import PaymentSearch
from erp_integrations.providers.xero.walk import (
    STREAMS,
    Place,
    Places,
    Walk,
    as_json,
    mapped,
    places,
)


class XeroProvider(XeroDirectory):
    """Reads one company's books in Xero, and writes bills into them."""

    code: ClassVar[str] = "xero"
    label: ClassVar[str] = "Xero"
    uses_oauth: ClassVar[bool] = True
    tenant_setting: ClassVar[str] = "tenant_id"
    capabilities: ClassVar[Capabilities] = Capabilities(
        methods=(RemoteMethod.CHECK, RemoteMethod.ELECTRONIC),
        pending=False,
        # The hundred that is missing to Xero's page is for rows that come again.
        page_size=900,
        time_resolution_seconds=1,
        scoped_sync=True,
        payment_search=True,
        export_bills=True,
        bill_number_length=255,
        vendors=True,
        commitments=True,
        bills_need_links=False,
        notifications=True,
        calls_per_minute=PER_MINUTE,
        calls_per_day=PER_DAY,
        calls_at_once=5,
    )
    ways: ClassVar[frozenset[str]] = frozenset({"expense_account", "retainage_account"})
    fields: ClassVar[Sequence[ConnectionField]] = (
        CLIENT_ID,
        CLIENT_SECRET,
        ConnectionField(
            "expense_account",
            "Account of exported bills",
            "Code of the account for vendors that have none of their own in Xero, e.g. 500.",
            is_required=False,
        ),
        ConnectionField(
            "retainage_account",
            "Account of retainage",
            "Code of the account that retainage of exported bills is held back on. Empty: the "
            "account of the bill.",
            is_required=False,
        ),
        NOTIFICATION_SECRET,
        VENDORS_OWN_ADDRESS,
    )

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> XeroClient:
        CLIENT_ID.required(settings, self.label)
        client = XeroClient(
            transport,
            auth.api_address(settings),
            tenant=self._entered(settings, self.tenant_setting),
        )
        self._writer = BillWriter(
            client,
            expense_account=self._entered(settings, "expense_account"),
            retainage_account=self._entered(settings, "retainage_account"),
        )
        return client

    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        """See the contract."""
        return auth.authorization(settings)

    # ------------------------------------------------------------------- check
    def check(self) -> str:
        """Says the company's name and how much is readable; see the contract.

        Asks every list that a sync will ask, so that a right that was not
        given shows here and not in the first run.
        """
        company = self._client.rows("Organisation", page=None).rows
        name = _text(company, "Name")
        count = 0
        for stream in STREAMS:
            count += self._client.rows(stream.list, where=stream.where, size=1).count
        for each in ("Invoices", "Contacts"):
            self._client.rows(each, size=1)
        payments = "1 payment" if count == 1 else f"{count:,} payments"
        return f"Xero · company {name} · {payments} readable"

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract. Payments first, then prepayments and overpayments."""
        reached = places(cursor)
        here: Places = dict(reached)
        if not resume:
            here = {name: self._before(place) for name, place in reached.items()}
        walk = Walk(self._client, self._page_size, self._overlap, reached, here)
        for stream in STREAMS:
            yield from walk.pages(stream, is_last=stream is STREAMS[-1])

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        """The list that is furthest behind; None before each was read to its end once."""
        reached = list(places(cursor).values())
        known = [each.modified for each in reached if each]
        return min(known) if len(known) == len(reached) else None

    def _before(self, place: Place | None) -> Place | None:
        if place is None or not self._overlap:
            return place
        return Place(place.modified - self._overlap)

    def cursor_since(self, day: date) -> Cursor:
        """See the contract. Xero's moments are in UTC: the day began where it begins first."""
        began = first_moment_of(day)
        return {stream.name: as_json(Place(began)) for stream in STREAMS}

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract and ``pages_of_bills``."""
        yield from pages_of_bills(self._client, bill_ids, self._page_size)

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract. A number has to be the whole reference."""
        return PaymentSearch(self._client).newest(question, limit)

    # ----------------------------------------------------------------- one by id
    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract. Raises ``RecordError`` when Xero's record cannot be read."""
        kind, _, number = remote_id.partition("-")
        streams = {stream.name.removesuffix("s"): stream for stream in STREAMS}
        if kind not in streams or not is_guid(number):
            raise RecordError(f"“{remote_id}” is not the id of a payment in Xero.")
        stream = streams[kind]
        where = f"{ID_OF[stream.name]}=={guid(number)}"
        rows = self._client.rows(stream.list, where=where, size=1).rows
        read = mapped(stream, rows, BatchNames(self._client))
        for found in read.payments:
            if found.remote_id.lower() == remote_id.lower():
                return found
        for rejected in read.rejected:
            raise RecordError(rejected.reason, detail=rejected.raw)
        raise RecordNotFound(f"{self._client.name} does not know this payment.")

    # -------------------------------------------------------------------- bills
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract and ``Bills``."""
        bills = Bills(self._client, self._page_size)
        yield from bills.all_posted() if remote_ids is None else bills.these(remote_ids)

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """See the contract and ``BillWriter``."""
        return self._writer.write(bill)

    def find_bill(self, key: str) -> RemoteBill:
        """See the contract. A voided bill is not found: nothing is owed on it."""
        return self._writer.find(key)

    # ------------------------------------------------------------ notifications
    @classmethod
    def read_notification(
        cls, headers: Mapping[str, str], body: bytes, secret: str
    ) -> list[Notice]:
        """See the contract and ``notices``."""
        return notices(headers, body, secret)


def _text(rows: Sequence[msgspec.Raw], name: str) -> str:
    """A text to show, from the first record; empty when it is not there."""
    record: Any = msgspec.json.decode(rows[0]) if rows else None
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, str) else ""
