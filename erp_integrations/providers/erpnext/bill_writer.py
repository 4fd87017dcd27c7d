"""Purchase Invoices that this program writes into ERPNext.

The key of an export stands in the invoice's remarks, which ERPNext can search
and people can read. Every step looks first and may be repeated: a draft that was
made by a request whose answer was lost is found by its key and submitted, a
second one with the same key is deleted before it is submitted.
"""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from erp_integrations.providers.contract import BillLine, BillToExport
from erp_integrations.providers.erpnext.client import ErpNextClient
from erp_integrations.providers.erpnext.directory import ORDER
from erp_integrations.providers.erpnext.mapper import BILL
from erp_integrations.providers.erpnext.site import Site
from erp_integrations.providers.errors import (
    RecordError,
    RecordNotFound,
    TransientError,
)

KEY_TEXT = "Procore Sync key {key}"
#: bills with one key; more than two were never seen, and all are looked at
MOST = 20
#: how often the bills of a key are looked at again before it is left for later
ROUNDS = 4
UNIT = "Nos"
LONGEST_ITEM_NAME = 140


class WrittenBill(msgspec.Struct):
    """A bill with our key, as far as it tells whether it is the one that is wanted."""

    name: str
    docstatus: int
    supplier: str
    grand_total: Decimal
    bill_no: str | None = None
    bill_date: date | None = None
    posting_date: date | None = None

    @property
    def is_posted(self) -> bool:
        return self.docstatus == 1

    def is_like(self, bill: BillToExport) -> bool:
        return (
            self.bill_no == bill.number
            and self.supplier == bill.vendor_ref
            and self.grand_total == bill.total
            and self.bill_date == bill.billing_date
            and self.posting_date == bill.accounting_date
        )


class _Other(msgspec.Struct):
    name: str
    bill_no: str | None = None


class _Company(msgspec.Struct):
    name: str
    default_expense_account: str | None = None
    cost_center: str | None = None


class _OrderItem(msgspec.Struct):
    name: str
    item_code: str | None = None
    item_name: str | None = None
    uom: str | None = None
    expense_account: str | None = None
    cost_center: str | None = None


class _Order(msgspec.Struct):
    name: str
    supplier: str
    docstatus: int
    items: list[_OrderItem] = []


class BillWriter:
    """Writes bills through one client; holds nothing between two bills."""

    def __init__(self, client: ErpNextClient, site: Site) -> None:
        self._client = client
        self._site = site

    def write(self, bill: BillToExport) -> str:
        """The name of the one submitted bill with this key. See ``Provider.create_bill``."""
        refusal: RecordError | None = None
        for _ in range(ROUNDS):
            found = self._without_unlike(bill, self.written(bill.key))
            if not found:
                if refusal:
                    raise refusal
                self._require_new_number(bill)
                self._client.insert(BILL, self._values(bill))
                continue
            kept = self._only_one(found)
            if kept.is_posted and len(found) == 1:
                self._require_same(bill, kept)
                return kept.name
            if not kept.is_posted:
                refusal = self._submit(kept)
        raise TransientError(
            f"{self._client.name} has bill {bill.number} in more than one version, and they are "
            f"being changed there now."
        )

    def written(self, key: str) -> list[WrittenBill]:
        """Bills with this key on which something is owed, the one to keep first."""
        text = KEY_TEXT.format(key=key)
        filters = [("remarks", "like", f"%{text}%"), ("docstatus", "<", 2)]
        found = self._client.records(WrittenBill, BILL, filters, limit=MOST)
        return sorted(found, key=lambda each: (not each.is_posted, each.name))

    # ------------------------------------------------------------------ steps
    def _without_unlike(
        self, bill: BillToExport, found: Sequence[WrittenBill]
    ) -> list[WrittenBill]:
        """Drafts of an earlier attempt that was entered otherwise are thrown away."""
        unlike = [each for each in found if not each.is_posted and not each.is_like(bill)]
        for each in unlike:
            self._delete(each)
        return [each for each in found if each not in unlike]

    def _only_one(self, found: Sequence[WrittenBill]) -> WrittenBill:
        kept, *others = found
        for each in others:
            if not each.is_posted:
                self._delete(each)
        return kept

    def _delete(self, draft: WrittenBill) -> None:
        with contextlib.suppress(RecordError):  # submitted meanwhile? the next look tells
            self._client.delete(BILL, draft.name)

    def _submit(self, draft: WrittenBill) -> RecordError | None:
        """What ERPNext refuses leaves no draft behind, unless it was submitted after all."""
        try:
            self._client.submit(BILL, draft.name)
        except RecordError as error:
            self._delete(draft)
            return error
        return None

    def _require_same(self, bill: BillToExport, posted: WrittenBill) -> None:
        if posted.grand_total != bill.total or posted.supplier != bill.vendor_ref:
            raise RecordError(
                f"ERPNext has bill {posted.bill_no} over {posted.grand_total} already, from an "
                f"earlier export of this invoice whose answer was lost, and the invoice was "
                f"changed since. Cancel that bill in ERPNext, then export again."
            )

    def _require_new_number(self, bill: BillToExport) -> None:
        """ERPNext looks for this only where *Accounts Settings* say so, so it is done here."""
        filters = [
            ("supplier", "=", bill.vendor_ref),
            ("bill_no", "=", bill.number),
            ("docstatus", "<", 2),
        ]
        for other in self._client.records(_Other, BILL, filters, limit=1):
            raise RecordError(
                f"ERPNext has a similar bill already: {other.name} of the same supplier with "
                f"the number {bill.number}. Cancel that one, or give the invoice another ERP ID."
            )

    # ----------------------------------------------------------------- values
    def _values(self, bill: BillToExport) -> dict[str, Any]:
        company = self._company()
        order = self._order(bill)
        text = "\n".join(filter(None, (KEY_TEXT.format(key=bill.key), bill.description)))
        common = {"cost_center": company.cost_center, "project": bill.project_ref or None}
        common |= {"expense_account": company.default_expense_account}
        return {
            "supplier": bill.vendor_ref,
            "company": company.name,
            "currency": bill.currency,
            "bill_no": bill.number,
            "bill_date": bill.billing_date.isoformat(),
            "posting_date": bill.accounting_date.isoformat(),
            "set_posting_time": 1,
            "update_stock": 0,
            "disable_rounded_total": 1,
            "ignore_pricing_rule": 1,
            "project": bill.project_ref or None,
            "remarks": text,
            "items": [_item(line, order, common) for line in bill.lines],
        }

    def _company(self) -> _Company:
        name = self._site.company or self._only_company()
        found = self._client.read(self._client.document("Company", name), _Company)
        if not found.default_expense_account:
            raise RecordError(
                f"Company {name} has no default expense account in ERPNext. Choose one there, on "
                f"the company's page."
            )
        return found

    def _only_company(self) -> str:
        seen = self._site.require_sight()
        if len(seen) > 1:
            raise RecordError(
                "ERPNext has several companies. Type the one of this connection in its settings."
            )
        return seen[0].name

    def _order(self, bill: BillToExport) -> _Order | None:
        if not bill.commitment_ref:
            return None
        try:
            raw = self._client.document(ORDER, bill.commitment_ref)
        except RecordNotFound as error:
            raise RecordError(
                "ERPNext does not know the purchase order that the commitment is linked to. Link "
                "the commitment to another one."
            ) from error
        order = self._client.read(raw, _Order)
        if order.supplier != bill.vendor_ref:
            raise RecordError(
                "The purchase order that the commitment is linked to belongs to another supplier "
                "in ERPNext. Link the commitment or the company to the right one."
            )
        return order


def _item(line: BillLine, order: _Order | None, common: Mapping[str, str | None]) -> dict[str, Any]:
    """Work stands on the order's first line, so that the order knows what was billed on it."""
    ordered = order.items[0] if order and order.items and not line.is_retainage else None
    made: dict[str, Any] = {
        **common,
        "item_name": line.description[:LONGEST_ITEM_NAME],
        "description": line.description,
        "qty": 1,
        "uom": UNIT,
        "conversion_factor": 1,
        "rate": msgspec.Raw(str(line.amount).encode()),
    }
    if order and ordered:
        made |= {
            "purchase_order": order.name,
            "po_detail": ordered.name,
            "item_code": ordered.item_code,
            "item_name": ordered.item_name or made["item_name"],
            "uom": ordered.uom or UNIT,
            "expense_account": ordered.expense_account or common["expense_account"],
            "cost_center": ordered.cost_center or common["cost_center"],
        }
    return {name: value for name, value in made.items() if value is not None}
