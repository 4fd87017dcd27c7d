"""Bills of subcontractor invoices that this program writes into Xero.

A bill is made and authorised in one request, so nothing half done is ever left.
Its key stands in the reference, which Xero searches, and in a line without an
amount: Xero's guide promises references for sales invoices only. Besides, Xero
gets the key as the request's idempotency key, and for some minutes makes a
second bill for it impossible.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from erp_integrations.providers.contract import BillToExport, RemoteBill
from erp_integrations.providers.errors import (
    ProtocolError,
    RecordError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.xero import mapper
from erp_integrations.providers.xero.bills import BILLS
from erp_integrations.providers.xero.client import XeroClient, is_guid
from erp_integrations.providers.xero.due_date import Terms, due_date
from erp_integrations.providers.xero.records import BillRow

KEY_TEXT = "Procore Sync key {key}"
LONGEST_DESCRIPTION = 4_000
NEWEST_FIRST = "UpdatedDateUTC DESC"


class _Terms(msgspec.Struct, rename={"bills": "Bills"}):
    bills: Terms | None = None


class _Vendor(
    msgspec.Struct,
    rename={
        "id": "ContactID",
        "name": "Name",
        "account": "PurchasesDefaultAccountCode",
        "terms": "PaymentTerms",
    },
):
    id: str
    name: str = ""
    account: str | None = None
    terms: _Terms | None = None


class _Order(
    msgspec.Struct,
    rename={"id": "PurchaseOrderID", "number": "PurchaseOrderNumber", "contact": "Contact"},
):
    id: str
    contact: _Vendor
    number: str | None = None


class _Written(msgspec.Struct, frozen=True):
    """A bill as it was read, and as it came."""

    row: BillRow
    bill: RemoteBill

    def has(self, key: str) -> bool:
        text = KEY_TEXT.format(key=key)
        texts = [self.row.reference, *(line.description for line in self.row.lines)]
        return any(text in (each or "") for each in texts)


class BillWriter:
    """Writes bills through one client. ``accounts`` are codes of the chart of accounts."""

    def __init__(
        self, client: XeroClient, *, expense_account: str = "", retainage_account: str = ""
    ) -> None:
        self._client = client
        self._expense, self._retainage = expense_account, retainage_account

    def write(self, bill: BillToExport) -> RemoteBill:
        """The one authorised bill with this key. See ``Provider.create_bill``."""
        vendor = self._vendor(bill)
        order = self._order(bill)
        same_number = list(self._having(bill.number, vendor=vendor.id))
        with_key = [each for each in same_number if each.has(bill.key)]
        with_key = with_key or [e for e in self._having(bill.key) if e.has(bill.key)]
        living = [each.bill for each in with_key if not each.bill.is_cancelled]
        if living:
            return self._the_same(bill, living[0])
        for each in same_number:
            if each.bill.number == bill.number and not each.bill.is_cancelled:
                raise RecordError(
                    f"Xero has a similar bill of {vendor.name} already, with the same number "
                    f"{bill.number}. Export with another number, or void that bill in Xero."
                )
        return self._make(bill, self._values(bill, vendor, order), cancelled=len(with_key))

    def find(self, key: str) -> RemoteBill:
        """Where Xero does not search references, it is among the bills that this program made."""
        for each in self._having(key):
            if each.has(key) and not each.bill.is_cancelled:
                return each.bill
        for each in self._read({"createdByMyApp": "true"}):
            if each.has(key) and not each.bill.is_cancelled:
                return each.bill
        raise RecordNotFound(f"{self._client.name} has no bill with this key.")

    # ------------------------------------------------------------------ looking
    def _having(self, text: str, *, vendor: str = "") -> Iterator[_Written]:
        yield from self._read({"searchTerm": text} | ({"ContactIDs": vendor} if vendor else {}))

    def _read(self, filters: Mapping[str, str]) -> Iterator[_Written]:
        page = 1
        while True:
            found = self._client.rows(
                "Invoices", where=BILLS, order=NEWEST_FIRST, page=page, filters=filters
            )
            yield from map(self._written, found.rows)
            if page >= found.pages or not found.rows:
                return
            page += 1

    def _written(self, raw: msgspec.Raw) -> _Written:
        try:
            return _Written(msgspec.json.decode(raw, type=BillRow), mapper.bill(raw))
        except (ValueError, ArithmeticError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}.",
                detail=bytes(raw)[:500].decode(errors="replace"),
            ) from error

    def _vendor(self, bill: BillToExport) -> _Vendor:
        if is_guid(bill.vendor_ref):
            rows = self._client.rows("Contacts", filters={"IDs": bill.vendor_ref}, size=1).rows
            for row in rows:
                return self._client.decoded(row, _Vendor)
        raise RecordError(
            "Xero does not know the vendor that the contract company is linked to. Link the "
            "company to another vendor."
        )

    def _order(self, bill: BillToExport) -> _Order | None:
        if not bill.commitment_ref:
            return None
        row = self._client.single("PurchaseOrders", bill.commitment_ref)
        if row is None:
            raise RecordError(
                "Xero does not know the purchase order that the commitment is linked to. Link the "
                "commitment to another one."
            )
        order = self._client.decoded(row, _Order)
        if order.contact.id != bill.vendor_ref:
            raise RecordError(
                "The purchase order that the commitment is linked to belongs to another vendor in "
                "Xero. Link the commitment or the company to the right one."
            )
        return order

    def _the_same(self, bill: BillToExport, made: RemoteBill) -> RemoteBill:
        if made.total != bill.total or made.vendor_ref != bill.vendor_ref:
            raise RecordError(
                f"Xero has bill {made.number} over {made.total} already, from an earlier export of "
                f"this invoice whose answer was lost, and the invoice was changed since. Void that "
                f"bill in Xero, then export again."
            )
        return made

    # ------------------------------------------------------------------- making
    def _make(self, bill: BillToExport, values: Mapping[str, Any], *, cancelled: int) -> RemoteBill:
        """``cancelled``: bills with this key that were voided, after which a new one is wanted."""
        try:
            made = self._client.make("Invoices", values, idempotency_key=f"{bill.key}-{cancelled}")
        except RecordError as error:
            if "idempotency" not in f"{error} {error.detail}".lower():
                raise
            raise TransientError(
                "Xero still holds an earlier attempt at this bill. It will be tried again by "
                "itself in some minutes.",
                detail=error.detail,
                retry_after=600,
            ) from error
        return self._written(made).bill

    def _values(self, bill: BillToExport, vendor: _Vendor, order: _Order | None) -> dict[str, Any]:
        terms = vendor.terms.bills if vendor.terms else None
        due = due_date(bill.billing_date, terms)
        key = KEY_TEXT.format(key=bill.key)
        told = [f"Billed on {bill.billing_date:%m/%d/%Y}.", f"{key}."]
        if order and order.number:
            told.insert(0, f"Purchase order {order.number}.")
        return {
            "Type": "ACCPAY",
            "Status": "AUTHORISED",
            "Contact": {"ContactID": vendor.id},
            "InvoiceNumber": bill.number,
            "Reference": key,
            "Date": bill.accounting_date.isoformat(),
            "DueDate": max(due, bill.accounting_date).isoformat(),
            "CurrencyCode": bill.currency,
            "LineAmountTypes": "NoTax",
            "LineItems": [*self._lines(bill, vendor), {"Description": " ".join(told)}],
        }

    def _lines(self, bill: BillToExport, vendor: _Vendor) -> Sequence[Mapping[str, Any]]:
        expense = vendor.account or self._expense
        if not expense:
            raise RecordError(
                f"No account is known for bills of {vendor.name}. Enter its default account for "
                f"purchases in Xero, or an account for all bills in the settings of the connection."
            )
        return [
            {
                "Description": (line.description or bill.description or bill.number)[
                    :LONGEST_DESCRIPTION
                ],
                "Quantity": 1,
                "UnitAmount": msgspec.Raw(f"{line.amount:f}".encode()),
                "AccountCode": (self._retainage if line.is_retainage else "") or expense,
                "TaxType": "NONE",
            }
            for line in bill.lines
        ]
