"""What of Odoo can be linked to: vendors, jobs and purchase orders, page by page.

Jobs are analytic accounts. A purchase order does not say whether it is a
subcontract, nor to which job it belongs.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from erp_integrations.providers.contract import (
    RemoteCommitment,
    RemoteJob,
    RemoteVendor,
)
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.http_provider import HttpProvider
from erp_integrations.providers.odoo import mapper
from erp_integrations.providers.odoo.books import Books
from erp_integrations.providers.odoo.client import OdooClient, Question
from erp_integrations.providers.odoo.rows import Currency, Named, Text, day, fields, text
from erp_integrations.providers.odoo.search import literal

Record = TypeVar("Record")


class Listing(NamedTuple):
    """One kind of record that can be linked to: how to ask for it, and what people search in."""

    model: str
    label: str
    domain: Sequence[Any]
    specification: dict[str, Any]
    searched: Sequence[str]
    #: records without a company are everybody's
    is_shared: bool = False


VENDORS = Listing(
    "res.partner",
    "vendors",
    # An address of a company is nobody who is paid; Odoo draws the same line for payments.
    [("supplier_rank", ">", 0), "|", ("parent_id", "=", False), ("is_company", "=", True)],
    fields("ref", "name"),
    ("ref", "name"),
    is_shared=True,
)
JOBS = Listing(
    "account.analytic.account", "jobs", [], fields("code", "name"), ("code", "name"), is_shared=True
)
ORDERS = Listing(
    "purchase.order",
    "purchase orders",
    # A request for quotation is not ordered yet, a cancelled order not any more.
    [("state", "in", ("purchase", "done"))],
    fields(
        "name",
        "partner_ref",
        "amount_total",
        "date_approve",
        partner_id=fields("display_name"),
        currency_id=fields("name"),
    ),
    ("name", "partner_ref", "partner_id.name"),
)


class PartnerRow(msgspec.Struct):
    id: int
    name: Text
    ref: Text


class JobRow(msgspec.Struct):
    id: int
    name: Text
    code: Text


class OrderRow(msgspec.Struct):
    id: int
    name: str
    partner_ref: Text
    partner_id: Named
    amount_total: Decimal
    currency_id: Currency
    date_approve: Text


class OdooDirectory(HttpProvider[OdooClient]):
    """The part of the provider that lists what records here can be linked to."""

    _books: Books

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        """Companies and people that a bill of is or was expected (``supplier_rank``)."""
        yield from self._records(VENDORS, search, _vendor)

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        yield from self._records(JOBS, search, _job)

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        yield from self._records(ORDERS, search, _commitment)

    def _records(
        self, listing: Listing, search: str, mapped: Callable[[msgspec.Raw], Record]
    ) -> Iterator[Record]:
        last, company = 0, self._books.shared() if listing.is_shared else self._books.domain
        domain = [*listing.domain, *company, *_having(search, listing.searched)]
        while True:
            question = Question(
                listing.model,
                [*domain, ("id", ">", last)],
                listing.specification,
                self._page_size,
            )
            rows = self._client.ask(question).rows
            for row in rows:
                yield self._readable(listing, row, mapped)
            if len(rows) < self._page_size:
                return
            last = self._next(last, rows)

    def _readable(
        self, listing: Listing, row: msgspec.Raw, mapped: Callable[[msgspec.Raw], Record]
    ) -> Record:
        try:
            return mapped(row)
        except (ValueError, ArithmeticError) as error:
            raise ProtocolError(
                f"{self._client.name} sent one of its {listing.label} in a form that cannot be "
                f"read: {error}.",
                detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error

    def _next(self, last: int, rows: Sequence[msgspec.Raw]) -> int:
        reached = mapper.last_id(rows)
        if reached is None or reached <= last:
            raise ProtocolError(f"{self._client.name} does not keep its own order of records.")
        return reached


def _having(search: str, names: Sequence[str]) -> list[Any]:
    """The part of a domain that wants every word somewhere in one of the fields."""
    clauses: list[Any] = []
    for word in search.split():
        clauses += ["|"] * (len(names) - 1)
        clauses += [(name, "ilike", literal(word)) for name in names]
    return clauses


def _vendor(row: msgspec.Raw) -> RemoteVendor:
    partner = msgspec.json.decode(row, type=PartnerRow)
    name = text(partner.name) or f"Contact {partner.id}"
    return RemoteVendor(str(partner.id), text(partner.ref), name)


def _job(row: msgspec.Raw) -> RemoteJob:
    account = msgspec.json.decode(row, type=JobRow)
    return RemoteJob(str(account.id), text(account.code), text(account.name))


def _commitment(row: msgspec.Raw) -> RemoteCommitment:
    order = msgspec.json.decode(row, type=OrderRow)
    approved = text(order.date_approve)
    return RemoteCommitment(
        remote_id=str(order.id),
        code=text(order.partner_ref) or order.name,
        title=f"Purchase order {order.name}",
        vendor_ref=str(order.partner_id.id),
        vendor_name=text(order.partner_id.display_name),
        total=mapper.finite(order.amount_total),
        currency=order.currency_id.name,
        ordered_on=day(approved[:10]) if approved else None,
    )
