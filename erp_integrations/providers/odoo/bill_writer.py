"""Vendor bills that this program writes into Odoo.

The key of an export stands in the bill's note (``narration``), which Odoo can
search and people can read. Every step looks first and may be repeated: a draft
that was made by a request whose answer was lost is found by its key and
finished, a second one with the same key is deleted before it is posted.
"""

import contextlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from erp_integrations.providers.contract import BillLine, BillToExport, RemoteBill
from erp_integrations.providers.errors import (
    ConfigurationError,
    ProtocolError,
    RecordError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.odoo.bills import BILL, Bills, ids_in
from erp_integrations.providers.odoo.books import Books
from erp_integrations.providers.odoo.client import OdooClient, Question
from erp_integrations.providers.odoo.directory import OdooDirectory
from erp_integrations.providers.odoo.rows import Text, fields, text
from erp_integrations.providers.odoo.search import literal

KEY_TEXT = "Procore Sync key {key}"
#: bills with one key; more than two were never seen, and all are looked at
MOST = 20
#: how often the bills of a key are looked at again before it is left for later
ROUNDS = 4
NOT_CANCELLED = ("state", "!=", "cancel")
Row = TypeVar("Row")


class WrittenBill(msgspec.Struct):
    """A bill with our key, as far as it tells whether it is the one that is wanted."""

    id: int
    state: str
    ref: Text
    partner_id: int | bool
    invoice_date: Text
    date: Text
    amount_total: Decimal

    @property
    def is_posted(self) -> bool:
        return self.state == "posted"

    @property
    def is_draft(self) -> bool:
        return self.state == "draft"

    def is_like(self, bill: BillToExport) -> bool:
        return (
            self.ref == bill.number
            and str(self.partner_id) == bill.vendor_ref
            and self.amount_total == bill.total
            and text(self.invoice_date) == bill.billing_date.isoformat()
            and text(self.date) == bill.accounting_date.isoformat()
        )


class _Vendor(msgspec.Struct):
    id: int
    property_supplier_payment_term_id: int | bool


class _Order(msgspec.Struct):
    id: int
    name: str
    partner_id: int


class _Id(msgspec.Struct):
    id: int


class BillWriter:
    """Writes bills through one client; holds nothing between two bills."""

    def __init__(self, client: OdooClient, books: Books) -> None:
        self._client = client
        self._books = books

    def write(self, bill: BillToExport) -> int:
        """The id of the one posted bill with this key. See ``Provider.create_bill``."""
        refusal: RecordError | None = None
        context = {"allowed_company_ids": [self._books.company().id]}
        for _ in range(ROUNDS):
            found = self._without_unlike(bill, self.written(bill.key))
            if not found:
                if refusal:
                    raise refusal
                self._client.create(BILL, self._values(bill), context)
                continue
            kept = self._only_one(found)
            if kept.is_posted and len(found) == 1:
                self._require_same(bill, kept)
                return kept.id
            if not kept.is_posted:
                refusal = self._post(kept, context, after=refusal)
        raise TransientError(
            f"{self._client.name} has bill {bill.number} in more than one version, and they are "
            f"being changed there now."
        )

    def written(self, key: str) -> list[WrittenBill]:
        """Bills with this key on which something is owed, the one to keep first."""
        names = ("state", "ref", "partner_id", "invoice_date", "date", "amount_total")
        note = ("narration", "ilike", literal(KEY_TEXT.format(key=key)))
        found = self._records(WrittenBill, BILL, [*self._of_vendors(), note, NOT_CANCELLED], names)
        return sorted(found, key=lambda each: (not each.is_posted, each.id))

    def _of_vendors(self) -> list[Any]:
        return [("move_type", "=", "in_invoice"), *self._books.domain]

    # ------------------------------------------------------------------ steps
    def _without_unlike(
        self, bill: BillToExport, found: Sequence[WrittenBill]
    ) -> list[WrittenBill]:
        """Drafts of an earlier attempt that was entered otherwise are thrown away."""
        unlike = [each for each in found if each.is_draft and not each.is_like(bill)]
        for each in unlike:
            self._delete(each)
        return [each for each in found if each not in unlike]

    def _only_one(self, found: Sequence[WrittenBill]) -> WrittenBill:
        kept, *others = found
        for each in others:
            if each.is_draft:
                self._delete(each)
        return kept

    def _delete(self, draft: WrittenBill) -> None:
        with contextlib.suppress(RecordError):  # posted meanwhile? the next look tells
            self._client.act(BILL, "unlink", draft.id)

    def _post(
        self, draft: WrittenBill, context: dict[str, Any], *, after: RecordError | None
    ) -> RecordError | None:
        """Post it. What Odoo refuses twice it means: then nothing is left of the draft."""
        try:
            self._client.act(BILL, "action_post", draft.id, context)
        except RecordError as error:
            if after is not None:
                self._delete(draft)
            return error
        return None

    def _require_same(self, bill: BillToExport, posted: WrittenBill) -> None:
        if posted.amount_total != bill.total or str(posted.partner_id) != bill.vendor_ref:
            raise RecordError(
                f"Odoo has bill {text(posted.ref)} over {posted.amount_total} already, from an "
                f"earlier export of this invoice whose answer was lost, and the invoice was "
                f"changed since. Cancel that bill in Odoo, then export again."
            )

    # ----------------------------------------------------------------- values
    def _values(self, bill: BillToExport) -> dict[str, Any]:
        """Without taxes: what is billed is what is due, and tax is a line of its own if any."""
        vendor, order = self._vendor(bill), self._order(bill)
        self._require_new_number(bill)
        billed_on = bill.billing_date.isoformat()
        has_terms = bool(vendor.property_supplier_payment_term_id)
        return {
            "move_type": "in_invoice",
            "company_id": self._books.company().id,
            "partner_id": vendor.id,
            "ref": bill.number,
            "invoice_date": billed_on,
            "date": bill.accounting_date.isoformat(),
            # The vendor's terms say when it is due; without any Odoo would say today.
            **({} if has_terms else {"invoice_date_due": billed_on}),
            "currency_id": self._currency(bill),
            "invoice_origin": order.name if order else False,
            "narration": KEY_TEXT.format(key=bill.key),
            "invoice_line_ids": [(0, 0, _line(each, bill)) for each in bill.lines],
        }

    def _vendor(self, bill: BillToExport) -> _Vendor:
        domain = [("id", "in", ids_in([bill.vendor_ref])), *self._books.shared()]
        names = ("property_supplier_payment_term_id",)
        for vendor in self._records(_Vendor, "res.partner", domain, names):
            return vendor
        raise RecordError(
            "Odoo does not know the vendor that the contract company is linked to, or it was "
            "archived. Link the company to another vendor."
        )

    def _order(self, bill: BillToExport) -> _Order | None:
        if not bill.commitment_ref:
            return None
        domain = [("id", "in", ids_in([bill.commitment_ref])), *self._books.domain]
        for order in self._records(_Order, "purchase.order", domain, ("name", "partner_id")):
            if str(order.partner_id) == bill.vendor_ref:
                return order
            raise RecordError(
                f"Purchase order {order.name} is of another vendor in Odoo than the contract "
                f"company is linked to. Link one of them to the right one."
            )
        raise RecordError(
            "Odoo does not know the purchase order that the commitment is linked to. Link the "
            "commitment to another one."
        )

    def _currency(self, bill: BillToExport) -> int:
        domain = [("name", "=", bill.currency)]
        for currency in self._records(_Id, "res.currency", domain, ("name",)):
            return currency.id
        raise RecordError(f"Currency {bill.currency} is not active in Odoo. Activate it there.")

    def _require_new_number(self, bill: BillToExport) -> None:
        """Odoo 19 only warns of the same number of the same vendor; that is how one pays twice."""
        vendor = ids_in([bill.vendor_ref])
        domain = [
            *self._of_vendors(),
            NOT_CANCELLED,
            ("ref", "=", bill.number),
            ("commercial_partner_id", "in", vendor),
        ]
        if self._records(_Id, BILL, domain, ("ref",)):
            raise RecordError(
                f"Odoo has a similar bill already: number {bill.number} of this vendor. Give the "
                f"invoice another ERP ID, or cancel that bill in Odoo."
            )

    def _records(
        self, form: type[Row], model: str, domain: Sequence[Any], names: Sequence[str]
    ) -> list[Row]:
        question = Question(model, domain, fields(*names), MOST)
        rows = self._client.ask(question).rows
        try:
            return [msgspec.json.decode(row, type=form) for row in rows]
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent a record that cannot be read: {error}."
            ) from error


def _line(line: BillLine, bill: BillToExport) -> dict[str, Any]:
    """Retainage is a line below zero. The amount goes as it is written, not as a float."""
    name = " ".join(part for part in (line.cost_code, line.description) if part)
    return {
        "name": name or bill.description or bill.number,
        "quantity": 1,
        "price_unit": msgspec.Raw(f"{line.amount:f}".encode()),
        "tax_ids": [(6, 0, [])],
    }


class OdooBillExport(OdooDirectory):
    """The part of the provider that writes into Odoo."""

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """See the contract."""
        try:
            return self._bill_with(BillWriter(self._client, self._books).write(bill))
        except ConfigurationError as error:
            if "purchase.order" not in error.detail:
                raise
            raise RecordError(
                "The commitment is linked to a purchase order, and the Purchase app is not "
                "installed in Odoo any more.",
                detail=error.detail,
            ) from error

    def find_bill(self, key: str) -> RemoteBill:
        """See the contract. A cancelled bill is not found: nothing is owed on it."""
        written = BillWriter(self._client, self._books).written(key)
        if not written:
            raise RecordNotFound(f"{self._client.name} has no bill with this key.")
        return self._bill_with(written[0].id)

    def _bill_with(self, number: int) -> RemoteBill:
        for found in Bills(self._client, self._books.domain, 1).these([str(number)]):
            return found
        raise TransientError(f"{self._client.name} does not show a bill that it showed before.")
