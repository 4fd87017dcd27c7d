"""What of ERPNext can be linked to: suppliers, projects and purchase orders, page by page.

A purchase order does not say whether it is a subcontract in the construction
sense: ERPNext's *is subcontracted* is about work on a manufacturer's own goods.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from erp_integrations.providers.contract import (
    RemoteCommitment,
    RemoteJob,
    RemoteVendor,
)
from erp_integrations.providers.erpnext import mapper
from erp_integrations.providers.erpnext.client import ErpNextClient, Filter
from erp_integrations.providers.erpnext.errors import NotPermitted
from erp_integrations.providers.erpnext.site import Site
from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.http_provider import HttpProvider

ORDER = "Purchase Order"


class _Named(msgspec.Struct):
    name: str


class _Supplier(_Named):
    supplier_name: str | None = None


class _Project(_Named):
    project_name: str | None = None


class _Order(_Named):
    supplier: str
    currency: str
    grand_total: Decimal
    order_confirmation_no: str | None = None
    supplier_name: str | None = None
    transaction_date: date | None = None
    project: str | None = None


Record = TypeVar("Record", bound=_Named)
Shown = TypeVar("Shown", RemoteVendor, RemoteJob, RemoteCommitment)


class Listing(NamedTuple):
    """One kind of record that can be linked to: how to ask for it, and what people search in."""

    doctype: str
    label: str
    form: type[Any]
    filters: Sequence[Filter]
    searched: Sequence[str]
    is_of_company: bool = True


VENDORS = Listing(
    "Supplier",
    "suppliers",
    _Supplier,
    [("disabled", "=", 0)],
    ("name", "supplier_name"),
    is_of_company=False,
)
JOBS = Listing(
    "Project",
    "projects",
    _Project,
    [("status", "!=", "Cancelled")],
    ("name", "project_name"),
)
ORDERS = Listing(
    ORDER,
    "purchase orders",
    _Order,
    [("docstatus", "=", 1)],
    ("name", "order_confirmation_no", "supplier", "supplier_name"),
)


class ErpNextDirectory(HttpProvider[ErpNextClient]):
    """The part of the provider that lists what records here can be linked to."""

    _site: Site

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        return self._listed(VENDORS, search, _vendor)

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        return self._listed(JOBS, search, _job)

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        return self._listed(ORDERS, search, _commitment)

    def _listed(
        self, listing: Listing, search: str, shown: Callable[[Any], Shown]
    ) -> Iterator[Shown]:
        """All of them by name, a page at a time; a page is asked for when it is wanted."""
        words, last = search.lower().split(), ""
        while True:
            found = self._page(listing, words, last)
            for each in found:
                if _has(each, listing.searched, words):
                    yield self._shown(listing, each, shown)
            if len(found) < self._page_size:
                return
            if found[-1].name == last:
                raise ProtocolError(f"{self._client.name} does not keep its own order of records.")
            last = found[-1].name

    def _page(self, listing: Listing, words: Sequence[str], last: str) -> Sequence[_Named]:
        """Frappe has one "or" in a question, so all words but the longest are looked at here."""
        longest = max(words, key=len, default="")
        either = [(name, "like", f"%{longest}%") for name in listing.searched] if longest else []
        filters = [*listing.filters, *([("name", ">", last)] if last else [])]
        if listing.is_of_company and self._site.company:
            filters.append(("company", "=", self._site.company))
        try:
            return self._client.records(
                listing.form, listing.doctype, filters, or_filters=either, limit=self._page_size
            )
        except NotPermitted as error:
            raise ConfigurationError(
                f"{self._client.name} does not let the user of the key read its {listing.label}. "
                f"Give that user read access to {listing.doctype}; the guide lists all rights.",
                detail=error.detail,
            ) from error

    def _shown(self, listing: Listing, record: _Named, shown: Callable[[Any], Shown]) -> Shown:
        """Raises ``ProtocolError``: to leave a record out would say that it is gone."""
        try:
            return shown(record)
        except (ValueError, ArithmeticError) as error:
            raise ProtocolError(
                f"{self._client.name} sent one of its {listing.label} in a form that cannot be "
                f"read: {error}."
            ) from error


def _has(record: _Named, fields: Sequence[str], words: Sequence[str]) -> bool:
    """Every word somewhere; % and _ mean themselves here, which Frappe cannot be told."""
    text = "\n".join(str(getattr(record, field) or "") for field in fields).lower()
    return all(word in text for word in words)


def _vendor(supplier: _Supplier) -> RemoteVendor:
    return RemoteVendor(supplier.name, supplier.name, supplier.supplier_name or supplier.name)


def _job(project: _Project) -> RemoteJob:
    return RemoteJob(project.name, project.name, project.project_name or project.name)


def _commitment(order: _Order) -> RemoteCommitment:
    """The vendor's own number of an order is what people call a subcontract by."""
    code = order.order_confirmation_no or order.name
    return RemoteCommitment(
        remote_id=order.name,
        code=code,
        title=f"Purchase order {code}",
        vendor_ref=order.supplier,
        vendor_name=order.supplier_name or order.supplier,
        total=mapper.finite(order.grand_total),
        currency=order.currency,
        ordered_on=order.transaction_date,
        project_ref=order.project or "",
    )
