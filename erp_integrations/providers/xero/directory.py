"""What of Xero can be linked to, and whose books the sign-in can open."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from erp_integrations.providers.contract import RemoteCommitment, RemoteVendor, Tenant
from erp_integrations.providers.http_provider import HttpProvider
from erp_integrations.providers.xero import records
from erp_integrations.providers.xero.client import LARGEST_PAGE, XeroClient
from erp_integrations.providers.xero.records import Contact

#: a draft is not ordered yet
ORDERED = {"AUTHORISED", "BILLED"}


class ContactRow(
    msgspec.Struct,
    rename={
        "id": "ContactID",
        "name": "Name",
        "account_number": "AccountNumber",
        "contact_number": "ContactNumber",
    },
):
    id: str
    name: str = ""
    #: what people enter; the other one is written by programs
    account_number: str | None = None
    contact_number: str | None = None


class ConnectionRow(
    msgspec.Struct, rename={"id": "tenantId", "kind": "tenantType", "name": "tenantName"}
):
    id: str
    kind: str = ""
    name: str | None = None


class OrderRow(
    msgspec.Struct,
    rename={
        "id": "PurchaseOrderID",
        "number": "PurchaseOrderNumber",
        "reference": "Reference",
        "status": "Status",
        "contact": "Contact",
        "total": "Total",
        "currency": "CurrencyCode",
        "date": "Date",
    },
):
    id: str
    status: str
    contact: Contact
    total: Decimal
    currency: str
    number: str | None = None
    reference: str | None = None
    date: str | None = None

    def fits(self, search: str) -> bool:
        """Xero cannot search its orders, so every word is looked for here."""
        text = f"{self.number} {self.reference} {self.contact.name}".lower()
        return all(word in text for word in search.lower().split())


class XeroDirectory(HttpProvider[XeroClient]):
    """The part of the provider that lists companies and vendors."""

    def tenants(self) -> list[Tenant]:
        """See the contract. Of Xero's two kinds only organisations keep books."""
        rows = [self._client.decoded(row, ConnectionRow) for row in self._client.connections()]
        return [
            Tenant(row.id, row.name or row.id) for row in rows if row.kind in {"", "ORGANISATION"}
        ]

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        """Every active contact: one becomes a supplier in Xero with its first bill only."""
        size, page = min(self._page_size, LARGEST_PAGE), 1
        while True:
            found = self._client.rows(
                "Contacts",
                where='ContactStatus=="ACTIVE"',
                order="ContactID ASC",
                page=page,
                size=size,
                filters={"searchTerm": search.strip()},
            )
            for row in found.rows:
                contact = self._client.decoded(row, ContactRow)
                code = contact.account_number or contact.contact_number or ""
                yield RemoteVendor(contact.id, code, contact.name)
            if page >= found.pages or not found.rows:
                return
            page += 1

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        """See the contract. Xero's purchase orders know neither kind nor project."""
        page = 1
        while True:
            found = self._client.rows("PurchaseOrders", order="PurchaseOrderNumber ASC", page=page)
            for row in found.rows:
                order = self._client.decoded(row, OrderRow)
                if order.status in ORDERED and order.fits(search):
                    yield self._commitment(order)
            if page >= found.pages or not found.rows:
                return
            page += 1

    def _commitment(self, order: OrderRow) -> RemoteCommitment:
        try:
            day = records.day(order.date) if order.date else None
        except ValueError:
            day = None
        code = order.number or order.id
        return RemoteCommitment(
            remote_id=order.id,
            code=code,
            title=order.reference or f"Purchase order {code}",
            vendor_ref=order.contact.id,
            vendor_name=order.contact.name,
            total=order.total,
            currency=order.currency,
            ordered_on=day,
        )
