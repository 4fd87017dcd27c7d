"""What of Tryton can be linked to: parties, jobs and purchase orders, page by page.

Jobs are analytic accounts of type *normal*. A purchase order does not say
whether it is a subcontract, nor to which job it belongs: standard Tryton has no
field for either.
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
from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.http_provider import HttpProvider
from erp_integrations.providers.tryton import mapper
from erp_integrations.providers.tryton.client import NotPermitted, TrytonClient

#: a draft or a quotation is not ordered yet, a cancelled order not any more
ORDERED = ("confirmed", "processing", "done")

Record = TypeVar("Record")


class Listing(NamedTuple):
    """One kind of record that can be linked to: how to ask for it, and what people search in."""

    model: str
    label: str
    domain: Sequence[Any]
    fields: Sequence[str]
    searched: Sequence[str]


VENDORS = Listing("party.party", "vendors", (), ("code", "name"), ("code", "name"))
JOBS = Listing(
    "analytic_account.account",
    "jobs",
    (("type", "=", "normal"),),
    ("code", "name"),
    ("code", "name"),
)
ORDERS = Listing(
    "purchase.purchase",
    "purchase orders",
    (("state", "in", ORDERED),),
    (
        "number",
        "reference",
        "description",
        "party.name",
        "total_amount",
        "currency.code",
        "purchase_date",
    ),
    ("number", "reference", "description", "party.name", "party.code"),
)


class NamedRow(msgspec.Struct):
    id: int
    code: str | None
    name: str | None


class OrderRow(msgspec.Struct):
    id: int
    number: str | None
    reference: str | None
    description: str | None
    party: mapper.Party
    total_amount: mapper.Number
    currency: mapper.Currency
    purchase_date: mapper.Day | None


class CompanyRow(msgspec.Struct):
    party: mapper.Party


class TrytonDirectory(HttpProvider[TrytonClient]):
    """The part of the provider that lists what records here can be linked to."""

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        """Every active party but the company itself: Tryton does not mark who is a vendor."""
        own = self._own_parties()
        for found in self._records(VENDORS, search, _vendor):
            if found.remote_id not in own:
                yield found

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        yield from self._records(JOBS, search, _job)

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        yield from self._records(ORDERS, search, _commitment)

    def _own_parties(self) -> set[str]:
        rows = self._client.search("company.company", (), ("party.name",), size=self._page_size)
        companies = [msgspec.json.decode(row, type=CompanyRow) for row in rows.rows]
        return {str(company.party.id) for company in companies}

    def _records(
        self, listing: Listing, search: str, mapped: Callable[[msgspec.Raw], Record]
    ) -> Iterator[Record]:
        """All of them by id, a page at a time; a page is asked for when it is wanted.

        Raises ``ProtocolError`` for a record that cannot be read: to leave it
        out would say that it is gone.
        """
        last = 0
        while True:
            rows = self._rows(listing, search, last)
            for row in rows:
                try:
                    yield mapped(row)
                except (ValueError, ArithmeticError) as error:
                    raise self._unreadable(listing, row, error) from error
            if len(rows) < self._page_size:
                return
            last = self._next(last, rows[-1])

    def _rows(self, listing: Listing, search: str, last: int) -> list[msgspec.Raw]:
        domain = (*listing.domain, *_having(search, listing.searched), ("id", ">", last))
        try:
            found = self._client.search(listing.model, domain, listing.fields, size=self._page_size)
        except NotPermitted as error:
            raise ConfigurationError(
                f"{self._client.name} does not let the user of the key read its {listing.label}. "
                f"Give that user read access to {listing.model}; the guide lists all rights.",
                detail=error.detail,
            ) from error
        return found.rows

    def _next(self, last: int, row: msgspec.Raw) -> int:
        reached = msgspec.json.decode(row, type=_Id).id
        if reached <= last:
            raise ProtocolError(f"{self._client.name} does not keep its own order of records.")
        return reached

    def _unreadable(self, listing: Listing, row: msgspec.Raw, error: Exception) -> ProtocolError:
        return ProtocolError(
            f"{self._client.name} sent one of its {listing.label} in a form that cannot be read: "
            f"{error}.",
            detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
        )


class _Id(msgspec.Struct):
    id: int


def _having(search: str, fields: Sequence[str]) -> list[Any]:
    """The part of a domain that wants every word somewhere in one of the fields."""
    return [
        ("OR", *((field, "ilike", f"%{_literal(word)}%") for field in fields))
        for word in search.split()
    ]


def _literal(word: str) -> str:
    """A word without the meaning that % and _ have in a pattern."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _vendor(row: msgspec.Raw) -> RemoteVendor:
    party = msgspec.json.decode(row, type=NamedRow)
    return RemoteVendor(str(party.id), party.code or "", party.name or party.code or "")


def _job(row: msgspec.Raw) -> RemoteJob:
    account = msgspec.json.decode(row, type=NamedRow)
    return RemoteJob(str(account.id), account.code or "", account.name or account.code or "")


def _commitment(row: msgspec.Raw) -> RemoteCommitment:
    order = msgspec.json.decode(row, type=OrderRow)
    total = order.total_amount.decimal
    if not Decimal(total).is_finite():
        raise ValueError(f"{total} is not an amount of money")
    code = order.reference or order.number or str(order.id)
    return RemoteCommitment(
        remote_id=str(order.id),
        code=code,
        title=order.description or f"Purchase order {code}",
        vendor_ref=str(order.party.id),
        vendor_name=order.party.name or "",
        total=total,
        currency=order.currency.code,
        ordered_on=order.purchase_date.value() if order.purchase_date else None,
    )
