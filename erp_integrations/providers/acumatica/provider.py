"""Acumatica as the sync sees it: documents of *Checks and Payments*, with what they have paid.

A payment is known by its type and its number, because the document that voids
it has another type and the same number.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar

import msgspec

from erp_integrations.providers.acumatica import auth, mapper
from erp_integrations.providers.acumatica.bill_writer import BillWriter
from erp_integrations.providers.acumatica.bills import Bills
from erp_integrations.providers.acumatica.client import ENDPOINT, VERSION, AcumaticaClient, Rows
from erp_integrations.providers.acumatica.orders import Orders
from erp_integrations.providers.acumatica.questions import any_of, moment
from erp_integrations.providers.acumatica.search import DETAILS, PaymentSearch
from erp_integrations.providers.acumatica.vendors import Vendors
from erp_integrations.providers.acumatica.walk import Place, Walk, as_json, place_of
from erp_integrations.providers.contract import (
    BillToExport,
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    PaymentQuestion,
    RemoteBill,
    RemoteCommitment,
    RemoteJob,
    RemotePayment,
    RemoteVendor,
)
from erp_integrations.providers.days import first_moment_of
from erp_integrations.providers.errors import (
    ConfigurationError,
    RecordError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.http_provider import HttpProvider, Transport
from erp_integrations.providers.oauth import Authorization

KINDS = tuple(dict.fromkeys(mapper.PAYMENTS.values()))


class AcumaticaProvider(HttpProvider[AcumaticaClient]):
    """Reads one tenant over the contract-based REST API."""

    code: ClassVar[str] = "acumatica"
    label: ClassVar[str] = auth.ERP
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=50,
        # SQL Server's datetime
        time_resolution_seconds=0.004,
        scoped_sync=True,
        payment_search=True,
        export_bills=True,
        bill_number_length=40,
        vendors=True,
        jobs=True,
        commitments=True,
        bills_need_links=False,
    )
    fields: ClassVar[Sequence[ConnectionField]] = auth.FIELDS
    uses_oauth: ClassVar[bool] = True

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> AcumaticaClient:
        self._tenant = auth.tenant_of(settings)
        client = AcumaticaClient(transport, auth.URL.required(settings, self.label))
        self._vendors = Vendors(client, self.capabilities.page_size)
        self._bills = Bills(client, self._vendors, self._page_size)
        self._orders = Orders(client, self._vendors, self.capabilities.page_size)
        return client

    @classmethod
    def books_besides(cls, settings: Mapping[str, str]) -> dict[str, str]:
        """The client ID may change, its tenant may not."""
        return {"tenant": auth.tenant_of(settings)}

    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        return auth.authorization(settings)

    # ------------------------------------------------------------------- check
    def check(self) -> str:
        """Version and tenant. Asks for all that a sync asks for, so that rights show here."""
        build = self._client.build()
        self._client.with_details("Check", where="", expand=DETAILS, top=1)
        self._client.with_details("Bill", where="", expand="Applications", top=1)
        next(self._vendors.all(at_most=1), None)
        return f"Acumatica {build} · tenant {self._tenant} · endpoint {ENDPOINT} {VERSION}"

    def _require_sight(self) -> None:
        """Proof that an empty answer means empty books, not a user of another branch.

        A user sees the documents of the branches of its roles, payments and
        bills alike. Raises ``ConfigurationError``.
        """
        for entity in ("Bill", "Check"):
            if self._client.entities(entity, select="ReferenceNbr", top=1).rows:
                return
        raise ConfigurationError(
            f"The user who connected {self._client.name} sees neither a bill nor a payment in the "
            f"tenant {self._tenant}, so what it sees says nothing. Give that user access to the "
            f"branches, or enter the first bill."
        )

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract and ``Walk``."""
        walk = Walk(
            self._changed,
            self._payments,
            erp=self._client.name,
            page_size=self._page_size,
            overlap=self._overlap,
        )
        nothing = cursor is None
        for page in walk.pages(cursor, resume=resume):
            nothing = nothing and not page.payments and not page.rejected
            if nothing and place_of(page.cursor).is_done:
                self._require_sight()
            yield page

    def _changed(self, since: datetime | None, top: int, skip: int) -> Rows:
        where = f"LastModifiedDateTime ge {moment(since)}" if since else ""
        return self._client.with_details("Check", where=where, expand=DETAILS, top=top, skip=skip)

    def _payments(self, rows: Sequence[msgspec.Raw]) -> mapper.Mapped:
        return mapper.payments(rows, self._vendors.names)

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        return place_of(cursor).since

    def cursor_since(self, day: date) -> Cursor:
        """See the contract: from where the day begins first."""
        return as_json(Place(first_moment_of(day)))

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract. The bills name their payments; those are asked for by number."""
        wanted = set(bill_ids)
        for numbers in self._bills.payers(bill_ids):
            for where in any_of("ReferenceNbr", numbers, self._page_size):
                rows = self._client.with_details("Check", where=where, expand=DETAILS).rows
                found = self._payments(rows)
                touching = [
                    each
                    for each in found.payments
                    if wanted & {applied.bill_id for applied in each.allocations}
                ]
                yield Page(touching, found.rejected, {})

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract and ``PaymentSearch``."""
        return PaymentSearch(self._client, self._vendors, self._payments).newest(question, limit)

    # ----------------------------------------------------------------- one by id
    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract. Raises ``RecordError`` when Acumatica's record cannot be read."""
        number = mapper.number_in(remote_id, KINDS)
        if not number:
            raise RecordError(f"“{remote_id}” is not the id of a payment in Acumatica.")
        (where,) = any_of("ReferenceNbr", [number], 1)
        rows = self._client.with_details("Check", where=where, expand=DETAILS).rows
        mapped = self._payments(rows)
        for found in mapped.payments:
            if found.remote_id == remote_id:
                return found
        for rejected in mapped.rejected:
            raise RecordError(rejected.reason, detail=rejected.raw)
        self._require_sight()
        raise RecordNotFound(f"{self._client.name} does not know this payment any more.")

    # ---------------------------------------------------------- bills and vendors
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract and ``Bills``."""
        yield from (
            self._bills.all_posted() if remote_ids is None else self._bills.these(remote_ids)
        )

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        yield from self._vendors.all(search)

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        yield from self._orders.projects(search)

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        yield from self._orders.commitments(search)

    # ------------------------------------------------------------ export of bills
    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """See the contract and ``BillWriter``."""
        return self._bill(BillWriter(self._client, self._orders).write(bill))

    def find_bill(self, key: str) -> RemoteBill:
        """See the contract. A voided bill is not found: nothing is owed on it."""
        written = BillWriter(self._client, self._orders).written(key)
        if not written:
            raise RecordNotFound(f"{self._client.name} has no bill with this key.")
        return self._bill(written[0].reference_nbr.value or "")

    def _bill(self, number: str) -> RemoteBill:
        for found in self.bills([f"bill-{number}"]):
            return found
        raise TransientError(f"{self._client.name} does not show a bill that it showed before.")
