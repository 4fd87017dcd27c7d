"""ERPNext as the sync sees it: Payment Entries and Journal Entries to suppliers, as one list."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import ClassVar

import msgspec

from erp_integrations.providers.contract import (
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    PaymentQuestion,
    RemoteBill,
    RemotePayment,
)
from erp_integrations.providers.erpnext import mapper, walk
from erp_integrations.providers.erpnext.bill_export import ErpNextBillExport
from erp_integrations.providers.erpnext.client import ErpNextClient
from erp_integrations.providers.erpnext.errors import NotPermitted
from erp_integrations.providers.erpnext.mapper import ENTRY, Group
from erp_integrations.providers.erpnext.of_bills import OfBills
from erp_integrations.providers.erpnext.roads import ENTRY_FILTERS, Roads, page_of, with_lost
from erp_integrations.providers.erpnext.search import PaymentSearch
from erp_integrations.providers.erpnext.site import Site
from erp_integrations.providers.erpnext.site_time import FORM, SiteTime
from erp_integrations.providers.erpnext.walk import LINES, PAYMENTS, STREAMS, TOMBSTONES, Walk
from erp_integrations.providers.errors import (
    ConfigurationError,
    RecordError,
)
from erp_integrations.providers.http_provider import Transport

#: a day has begun somewhere on Earth this long before it begins in the last zone
FIRST_ZONE = timedelta(hours=26)
NO_TOMBSTONES = "deleted payments are found by the nightly comparison only"


class ErpNextProvider(ErpNextBillExport):
    """Reads one ERPNext site over Frappe's REST API, and writes bills into it."""

    code: ClassVar[str] = "erpnext"
    label: ClassVar[str] = "ERPNext"
    capabilities: ClassVar[Capabilities] = Capabilities(
        scoped_sync=True,
        payment_search=True,
        tombstones=True,
        export_bills=True,
        bill_number_length=140,
        vendors=True,
        jobs=True,
        commitments=True,
        bills_need_links=False,
    )
    ways: ClassVar[frozenset[str]] = frozenset({"api_key", "time_zone"})
    fields: ClassVar[Sequence[ConnectionField]] = (
        ConnectionField("url", "Address", "Where ERPNext answers, e.g. https://erp.example.com"),
        ConnectionField("api_key", "API key", "Made in ERPNext, on the page of the sync's user."),
        ConnectionField(
            "api_secret", "API secret", "Shown once, when the key was made.", secret=True
        ),
        ConnectionField(
            "company",
            "Company",
            "As ERPNext names it. Leave empty if the site has one company.",
            is_required=False,
        ),
        ConnectionField(
            "time_zone",
            "Time zone of the site",
            "Leave empty; only for sites that do not say it, e.g. America/Chicago.",
            is_required=False,
        ),
    )

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> ErpNextClient:
        client = ErpNextClient(
            transport,
            self._required(settings, "url"),
            self._required(settings, "api_key"),
            self._required(credentials, "api_secret"),
        )
        company = self._entered(settings, "company")
        self._site = Site(client, company, self._entered(settings, "time_zone"))
        self._roads = Roads(client, self._site)
        self._of_bills = OfBills(client, self._roads, self._page_size)
        return client

    # ------------------------------------------------------------------- check
    def check(self) -> str:
        """Says company, zone and how much is readable; see the contract.

        Asks for every field that a sync will ask for, so that a missing right
        shows here and not in the first run.
        """
        seen = self._site.require_sight()
        if len(seen) > 1 and not self._site.company:
            names = ", ".join(each.name for each in seen)
            raise ConfigurationError(
                f"{self._client.name} has several companies. Type the one of this connection "
                f"in its settings: {names}."
            )
        zone = self._site.time().zone.key
        for stream in (PAYMENTS, LINES):
            self._one_row(stream)
        list(self._of_bills.these(["no such bill"]))
        company = self._site.company or seen[0].name
        words = [f"ERPNext · company {company} · {self._count()} readable · time zone {zone}"]
        return " · ".join(words if self._has_tombstones() else [*words, NO_TOMBSTONES])

    def _one_row(self, stream: walk.Stream) -> None:
        self._client.rows(
            stream.doctype,
            stream.fields,
            stream.filters,
            order=stream.order,
            limit=1,
            parent=stream.parent,
        )

    def _has_tombstones(self) -> bool:
        try:
            self._one_row(TOMBSTONES)
        except NotPermitted:
            return False
        return True

    def _count(self) -> str:
        filters = msgspec.json.encode([*ENTRY_FILTERS, *self._roads.of_company]).decode()
        answer = self._client.call("frappe.client.get_count", ENTRY, doctype=ENTRY, filters=filters)
        found = int(bytes(answer)) if bytes(answer).isdigit() else 0
        return "1 payment" if found == 1 else f"{found:,} payments"

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract. Payments, then journal entries, then what was deleted."""
        here = walk.positions(cursor)
        if not resume:
            here = {name: walk.earlier(place, self._overlap) for name, place in here.items()}
        site = self._site.time(walk.zone_of(cursor))
        if cursor is None:
            self._site.require_sight()
        reading = Walk(self._client, site, self._page_size, self._overlap, here)
        yield from reading.pages(PAYMENTS, self._roads.of_company, self._entries)
        if is_new := here[TOMBSTONES.name] is None:
            reading.settle(TOMBSTONES)
        yield from reading.pages(LINES, (), self._journals, is_last=is_new)
        if not is_new:
            yield from self._tombstones(reading)

    def _entries(self, groups: Sequence[Group], lost: Sequence[msgspec.Raw]) -> Page:
        return page_of(with_lost(self._roads.entries(groups), lost))

    def _journals(self, groups: Sequence[Group], lost: Sequence[msgspec.Raw]) -> Page:
        names = sorted({group.name for group in groups})
        mapped = self._roads.journals_named(names) if names else mapper.Mapped([], [])
        return page_of(with_lost(mapped, lost))

    def _tombstones(self, reading: Walk) -> Iterator[Page]:
        """Without the right to read them, what was deleted is left to the sweep."""
        try:
            yield from reading.pages(TOMBSTONES, (), self._deleted, is_last=True)
        except NotPermitted:
            reading.settle(TOMBSTONES)
            yield Page((), (), reading.cursor())

    def _deleted(self, groups: Sequence[Group], lost: Sequence[msgspec.Raw]) -> Page:
        return Page((), (), {}, deleted=self._roads.deleted(groups))

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        """The stream that is furthest behind; None before each was read to its end once."""
        places, zone = walk.positions(cursor), walk.zone_of(cursor)
        known = [place for name in (PAYMENTS.name, LINES.name) if (place := places[name])]
        if zone is None or len(known) < 2:
            return None
        earliest = datetime.fromisoformat(min(known).moment).replace(tzinfo=zone)
        return SiteTime(zone).utc(min(known).moment, earliest)

    def cursor_since(self, day: date) -> Cursor:
        """See the contract. The site's zone is not known here: it began where it begins first."""
        began = walk.Position((datetime.combine(day, time.min) - FIRST_ZONE).strftime(FORM))
        return {stream.name: walk.as_json(began) for stream in STREAMS}

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract and ``OfBills``."""
        yield from self._of_bills.payments(bill_ids)

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract and ``PaymentSearch``. At most two questions a road."""
        return PaymentSearch(self._client, self._roads).newest(question, limit)

    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract. Raises ``RecordError`` when ERPNext's record cannot be read."""
        kind, _, rest = remote_id.partition("-")
        if kind == "payment" and mapper.name_in(remote_id):
            return self._roads.entry(remote_id)
        if kind == "journal" and mapper.name_in(remote_id.rpartition("-")[0]):
            return self._roads.journal(remote_id)
        raise RecordError(f"“{remote_id}” is not the id of a payment in ERPNext.")

    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract and ``OfBills``."""
        if remote_ids is None:
            yield from self._of_bills.all_posted()
        else:
            yield from self._of_bills.these(remote_ids)
