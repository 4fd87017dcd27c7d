"""A unified construction API of Agave's shape: many systems behind one neutral form."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

import msgspec

from erp_integrations.providers.agave import mapper
from erp_integrations.providers.agave.client import AgaveClient, Part, filter_of
from erp_integrations.providers.agave.errors import NotFilterable
from erp_integrations.providers.agave.mapper import Known, PaymentRow
from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS
from erp_integrations.providers.contract import (
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    RemoteBill,
    RemotePayment,
    RemoteStatus,
    RemoteVendor,
)
from erp_integrations.providers.days import first_moment_of
from erp_integrations.providers.errors import ConfigurationError, ProtocolError, RecordError
from erp_integrations.providers.http_provider import HttpProvider, Transport

PAYMENTS, INVOICES, VENDORS = "ap-payments", "ap-invoices", "vendors"
#: what the API allows; and how many records are worth asking for one by one
LARGEST_PAGE, MOST_BY_ID = 1_000, 500
#: readings are begun anew when records changed, and so moved, while pages were turned
READINGS = 3


class Place(NamedTuple):
    """How far a reading has got; ``size`` 0: none is under way."""

    since: datetime | None = None
    page: int = 1
    size: int = 0
    began: datetime | None = None

    def after(self, part: Part) -> "Place":
        return Place(self.since, self.page + 1, self.size, self.began or part.server_time)

    def as_cursor(self) -> Cursor:
        return {
            "since": self.since and self.since.isoformat(),
            "page": self.page,
            "size": self.size,
            "began": self.began and self.began.isoformat(),
        }


class AgaveProvider(HttpProvider[AgaveClient]):
    """Reads the payables of one linked account."""

    code: ClassVar[str] = "agave"
    label: ClassVar[str] = "Agave"
    capabilities: ClassVar[Capabilities] = Capabilities(
        voids=False, pending=False, vendors=True, calls_per_minute=150
    )
    fields: ClassVar[Sequence[ConnectionField]] = (
        ConnectionField("client_id", "Client ID", "Given by the vendor of the API.", secret=True),
        ConnectionField("client_secret", "Client secret", "Given with the ID.", secret=True),
        ConnectionField(
            "account_token", "Account token", "Of the linked accounting system.", secret=True
        ),
        ConnectionField(
            "currency", "Currency of the books", "For example USD; the API does not say it."
        ),
        ConnectionField(
            "company_id", "Company ID", "Only if the account has several.", is_required=False
        ),
        VENDORS_OWN_ADDRESS,
    )

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> AgaveClient:
        secrets = {
            name: self._required(credentials, name)
            for name in ("client_id", "client_secret", "account_token")
        }
        self._currency = self._required(settings, "currency").upper()
        client = AgaveClient(
            transport,
            VENDORS_OWN_ADDRESS.entered(settings),
            secrets,
            self._entered(settings, "company_id"),
        )
        self._can_filter = True
        #: collections of systems that cannot be asked for a part of them
        self._whole: dict[str, list[msgspec.Raw]] = {}
        return client

    def check(self) -> str:
        """See the contract. Asks for each collection that a sync asks for."""
        for collection in (INVOICES, VENDORS):
            self._client.part(collection, 1, 1)
        part = self._client.part(PAYMENTS, 1, self._page_size)
        more = " or more" if part.has_more else ""
        return f"Agave · {len(part.rows):,}{more} payments readable · in {self._currency}"

    # -------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract. The API has no order, so the place moves only at a reading's end.

        Until then a cursor says which page comes next, and when the reading began.
        """
        place = _place(cursor)
        if not resume or place.size == 0:
            since = place.since and place.since - (timedelta(0) if resume else self._overlap)
            place = Place(since, 1, self._page_size)
        for reading in range(1, READINGS + 1):
            is_first_page = place.page == 1
            while (part := self._part(place)).has_more:
                place = place.after(part)
                yield self._page(part, place)
                is_first_page = False
            began = place.began or part.server_time
            if is_first_page or reading == READINGS or not self._has_changed_since(began):
                yield self._page(part, place, Place(began))
                return
            place = Place(place.since, 1, place.size, began)
            yield self._page(part, place)

    def _part(self, place: Place) -> Part:
        if place.since is not None and self._can_filter:
            stamp = place.since.isoformat().replace("+00:00", "Z")
            try:
                filters = [filter_of("source_update_time", ">=", stamp)]
                return self._client.part(PAYMENTS, place.page, place.size, filters)
            except NotFilterable:
                self._can_filter = False
        return self._client.part(PAYMENTS, place.page, place.size)

    def _changed(self, rows: Sequence[msgspec.Raw], since: datetime | None) -> list[msgspec.Raw]:
        """Systems that ignore filters send everything; what says no moment may have changed."""
        if since is None:
            return list(rows)
        kept = []
        for raw in rows:
            found = mapper.readable([raw], PaymentRow)
            moment = mapper.changed_at(found[0]) if found else None
            if moment is None or moment >= since:
                kept.append(raw)
        return kept

    def _has_changed_since(self, began: datetime) -> bool:
        """Whether a record may have moved to another page while they were turned."""
        later = Place(began + timedelta(seconds=1), 1, self._page_size)
        return bool(self._changed(self._part(later).rows, later.since))

    def _page(self, part: Part, place: Place, reached: Place | None = None) -> Page:
        rows = self._changed(part.rows, place.since)
        mapped = mapper.payments(rows, self._known(mapper.readable(rows, PaymentRow)))
        return Page(mapped.payments, mapped.rejected, (reached or place).as_cursor())

    def _known(self, rows: Iterable[PaymentRow]) -> Known:
        rows = list(rows)
        bills = {line.ap_invoice_id for row in rows for line in row.line_items}
        numbers = {
            row.id: row.number or ""
            for row in mapper.readable(self._these(INVOICES, bills), mapper.InvoiceRow)
        }
        return self._named(numbers, {row.vendor_id for row in rows})

    def _named(self, numbers: Mapping[str, str], vendors: Iterable[str | None]) -> Known:
        names = {
            row.id: row.name or row.code or row.id
            for row in mapper.readable(self._these(VENDORS, vendors), mapper.VendorRow)
        }
        return Known(numbers, names, self._currency, self._client.server_time)

    def _these(self, collection: str, ids: Iterable[str | None]) -> list[msgspec.Raw]:
        """By their ids; all of them, once, where there are many or no filter is taken."""
        wanted = sorted(filter(None, set(ids)))
        if collection not in self._whole and len(wanted) <= MOST_BY_ID:
            try:
                return list(self._client.these(collection, wanted, LARGEST_PAGE))
            except NotFilterable:
                pass
        if collection not in self._whole:
            self._whole[collection] = list(self._client.all(collection, LARGEST_PAGE))
        return self._whole[collection]

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        return _place(cursor).since

    def cursor_since(self, day: date) -> Cursor:
        """See the contract. Its systems are in many zones: the day began where it begins first."""
        return Place(first_moment_of(day)).as_cursor()

    # --------------------------------------------------------------- one by id
    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract."""
        raw = self._client.record(PAYMENTS, remote_id)
        try:
            row = msgspec.json.decode(raw, type=PaymentRow)
            return mapper.payment(raw, self._known([row]))
        except (ValueError, ArithmeticError) as error:
            rejected = mapper.rejected(raw, error)
            raise RecordError(rejected.reason, detail=rejected.raw) from error

    # -------------------------------------------------------------------- bills
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract. What was paid is only in the payments, so all of them are read once."""
        if remote_ids is None:
            found = list(self._client.all(INVOICES, self._page_size))
        else:
            found = self._these(INVOICES, remote_ids)
        rows = [self._invoice(raw) for raw in found]
        if remote_ids is not None:
            rows = [row for row in rows if row.id in set(remote_ids)]
        if not rows:
            return
        known, paid = self._named({}, {row.vendor_id for row in rows}), self._paid()
        for row in rows:
            made = mapper.bill(row, paid.get(row.id, Decimal(0)), known)
            if remote_ids is not None or made.is_posted:
                yield made

    def _invoice(self, raw: msgspec.Raw) -> mapper.InvoiceRow:
        try:
            return msgspec.json.decode(raw, type=mapper.InvoiceRow)
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent an invoice that cannot be read: {error}."
            ) from error

    def _paid(self) -> dict[str, Decimal]:
        nothing = Known({}, {}, self._currency, self._client.server_time)
        rows = self._client.all(PAYMENTS, LARGEST_PAGE)
        paid: dict[str, Decimal] = {}
        for each in mapper.payments(rows, nothing).payments:
            for part in each.allocations if each.status is RemoteStatus.ISSUED else ():
                paid[part.bill_id] = paid.get(part.bill_id, Decimal(0)) + part.amount
        return paid

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        words = search.lower().split()
        for raw in self._client.all(VENDORS, self._page_size):
            for row in mapper.readable([raw], mapper.VendorRow):
                found = mapper.vendor(row)
                if all(word in f"{found.code} {found.name}".lower() for word in words):
                    yield found


def _place(cursor: Cursor | None) -> Place:
    """Raises ``ConfigurationError`` for a cursor that this provider did not make."""
    if cursor is None:
        return Place()
    try:
        since, began = _moment(cursor["since"]), _moment(cursor["began"])
        return Place(since, int(cursor["page"]), int(cursor["size"]), began)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
