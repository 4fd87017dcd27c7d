"""Business Central as the sync sees it: posted payments in the vendor ledger, and nothing unposted.

Microsoft's own API has no posted payments (its ``vendorPayments`` are lines of a
journal), so API pages of our own are read, whose source is in the folder ``al``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, TypeVar

import msgspec

from erp_integrations.providers import change_order
from erp_integrations.providers.business_central import auth, mapper
from erp_integrations.providers.business_central.changes import Changes
from erp_integrations.providers.business_central.client import (
    APPLIED,
    CALLS_PER_MINUTE,
    DETAILS,
    ENTRIES,
    BusinessCentralClient,
    any_of,
    text,
)
from erp_integrations.providers.business_central.first_reading import (
    FirstReading,
    is_of_a_first_reading,
)
from erp_integrations.providers.change_order import ChangeOrder
from erp_integrations.providers.contract import (
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    PaymentQuestion,
    RemoteBill,
    RemotePayment,
    RemoteVendor,
    Tenant,
)
from erp_integrations.providers.errors import (
    ConfigurationError,
    ProtocolError,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.http_provider import HttpProvider, Transport
from erp_integrations.providers.oauth import Authorization

WHOLE = (DETAILS, APPLIED)
PAYMENTS = f"documentType eq '{mapper.PAYMENT}'"
INVOICES = f"documentType eq '{mapper.INVOICE}'"
#: vendors whose payments a search looks at
VENDORS = 25
Found = TypeVar("Found")


class BusinessCentralProvider(HttpProvider[BusinessCentralClient]):
    """Reads one company of one environment over the API pages of the folder ``al``."""

    code: ClassVar[str] = "business_central"
    label: ClassVar[str] = auth.ERP
    capabilities: ClassVar[Capabilities] = Capabilities(
        # The ledger holds only what is posted.
        pending=False,
        page_size=50,
        time_resolution_seconds=0.001,
        scoped_sync=True,
        payment_search=True,
        vendors=True,
        calls_per_minute=CALLS_PER_MINUTE,
        calls_at_once=100,
    )
    fields: ClassVar[Sequence[ConnectionField]] = auth.FIELDS
    uses_oauth: ClassVar[bool] = True
    tenant_setting: ClassVar[str] = auth.COMPANY.name

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> BusinessCentralClient:
        self._company = auth.COMPANY.entered(settings)
        client = BusinessCentralClient(
            transport, auth.base_of(settings), auth.route_of(settings), self._company
        )
        self._changes = Changes(client, self._page_size)
        return client

    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        return auth.authorization(settings)

    # ------------------------------------------------------------------- check
    def check(self) -> str:
        """Names the company. Asks for all that a sync asks for, so that rights show here."""
        offered = self.tenants()
        named = {each.remote_id.lower(): each.name for each in offered}
        if self._company.lower() not in named:
            known = "; ".join(f"{each.name}: {each.remote_id}" for each in offered)
            raise ConfigurationError(
                f"Enter which company of {self._client.name} is read. The app may open: "
                f"{known or 'none at all'}."
            )
        self._changes.after(None)
        self._client.pages(ENTRIES, expand=WHOLE, top=1)
        next(self.vendors(), None)
        return f"Business Central · company {named[self._company.lower()]}"

    def tenants(self) -> list[Tenant]:
        """The companies of the environment that the app may open."""
        found = self._client.standard("companies", [], in_company=False).rows
        return [self._read(row, mapper.company) for row in found]

    def _require_sight(self) -> None:
        """Proof that an empty answer means empty books, not a filter on what the app sees."""
        if self._client.pages(ENTRIES, select=("entryNumber",), top=1).rows:
            return
        raise ConfigurationError(
            f"The app sees nothing at all in the vendor ledger of {self._client.name}, so what it "
            f"sees says nothing. Give it the permission set PSY READ PAYMENTS without a security "
            f"filter, or post the first invoice."
        )

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract, ``FirstReading``, ``Changes`` and ``ChangeOrder``."""
        if is_of_a_first_reading(cursor):
            found = FirstReading(self._client, self._page_size, self._overlap).pages(cursor)
        else:
            walk = ChangeOrder(
                self._client.name,
                ask=self._changes.after,
                mapped=self._changes.payments,
                key_of=mapper.place_of_change,
                overlap=self._overlap,
            )
            found = walk.pages(cursor, resume=resume)
        nothing = cursor is None
        for page in found:
            nothing = nothing and not page.payments and not page.rejected
            if nothing:
                self._require_sight()
            yield page

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        return None if is_of_a_first_reading(cursor) else change_order.read_until(cursor)

    def cursor_since(self, day: date) -> Cursor:
        return change_order.cursor_at(day)

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract. The invoices name their payments; those are asked for by number."""
        wanted = set(bill_ids)
        for rows in self._invoices(bill_ids):
            payers: set[int] = set()
            for row in rows:
                payers |= mapper.payers_of(self._read(row, mapper.entry))
            found = mapper.payments(self._changes.entries(sorted(payers)))
            touching = [
                each
                for each in found.payments
                if wanted & {applied.bill_id for applied in each.allocations}
            ]
            if touching or found.rejected:
                yield Page(touching, found.rejected, {})

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract. A question for each place where a number may stand, and for vendors."""
        clauses = [PAYMENTS, "originalAmount gt 0"]
        if question.amount is not None:
            clauses[1] = f"originalAmount eq {question.amount:f}"
        if question.vendor:
            named = f"contains(tolower(displayName),{text(question.vendor.lower())})"
            codes = [each.code for each in self._vendors(named, top=VENDORS)]
            if not codes:
                return []
            clauses.append(any_of("vendorNumber", codes))
        numbers = [""]
        if question.number:
            known = text(question.number)
            numbers = [f"documentNumber eq {known}", f"contains(externalDocumentNumber,{known})"]
        found: dict[str, RemotePayment] = {}
        for number in numbers:
            where = " and ".join([*clauses, number] if number else clauses)
            newest = "postingDate desc,entryNumber desc"
            rows = self._client.pages(ENTRIES, where, expand=WHOLE, order=newest, top=limit).rows
            found |= {each.remote_id: each for each in mapper.payments(rows).payments}
        ordered = sorted(found.values(), key=lambda it: (it.date, int(it.remote_id)), reverse=True)
        return ordered[:limit]

    # ----------------------------------------------------------------- one by id
    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract. Raises ``RecordError`` when the entry cannot be read."""
        if not remote_id.isdecimal():
            raise RecordError(f"“{remote_id}” is not the number of a vendor ledger entry.")
        mapped = mapper.payments(self._changes.entries([int(remote_id)]))
        for found in mapped.payments:
            return found
        for rejected in mapped.rejected:
            raise RecordError(rejected.reason, detail=rejected.raw)
        self._require_sight()
        raise RecordNotFound(f"{self._client.name} does not know this payment any more.")

    # ---------------------------------------------------------- bills and vendors
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract. Raises ``ProtocolError`` for an invoice that cannot be read."""
        found = self._all_invoices() if remote_ids is None else self._invoices(remote_ids)
        for rows in found:
            for row in rows:
                yield self._read(row, lambda each: mapper.bill(mapper.entry(each)))

    def _invoices(self, remote_ids: Sequence[str]) -> Iterator[list[msgspec.Raw]]:
        numbers = sorted({int(each) for each in remote_ids if each.isdecimal()})
        for start in range(0, len(numbers), self._page_size):
            some = any_of("entryNumber", numbers[start : start + self._page_size])
            yield self._client.pages(ENTRIES, f"{INVOICES} and {some}", expand=WHOLE).rows

    def _all_invoices(self) -> Iterator[list[msgspec.Raw]]:
        last = 0
        while True:
            where = f"{INVOICES} and entryNumber gt {last}"
            rows = self._client.pages(ENTRIES, where, expand=WHOLE, top=self._page_size).rows
            yield rows
            if len(rows) < self._page_size:
                return
            reached = self._read(rows[-1], mapper.entry).entry_number
            if reached <= last:
                raise ProtocolError(f"{self._client.name} does not keep its own order of entries.")
            last = reached

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        """Every word is looked for in the name; a search of one word also among the numbers."""
        words = [f"contains(tolower(displayName),{text(each.lower())})" for each in search.split()]
        found = {each.code: each for each in self._vendors(" and ".join(words))}
        if len(words) == 1:
            numbered = f"contains(tolower(number),{text(search.strip().lower())})"
            found |= {each.code: each for each in self._vendors(numbered)}
        yield from (found[code] for code in sorted(found))

    def _vendors(self, where: str, top: int | None = None) -> list[RemoteVendor]:
        query = [("$filter", where)] if where else []
        query += [("$select", "number,displayName"), ("$orderby", "number")]
        query += [("$top", str(top))] if top else []
        rows = self._client.standard("vendors", query).rows
        return [self._read(row, mapper.vendor) for row in rows]

    def _read(self, row: msgspec.Raw, read: Callable[[msgspec.Raw], Found]) -> Found:
        """Raises ``ProtocolError``: what is left out would look like something that is gone."""
        try:
            return read(row)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a record that cannot be read: {error}.",
                detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error
