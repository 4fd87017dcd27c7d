"""Supplier invoices that this program writes into Tryton.

The key of an export stands in the bill's comment, which Tryton can search and
people can read. Every step looks first and may be repeated: a draft that was
made by a request whose answer was lost is found by its key and finished, a
second one with the same key is deleted before it is posted.
"""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from erp_integrations.providers.contract import BillToExport
from erp_integrations.providers.errors import ProtocolError, RecordError, TransientError
from erp_integrations.providers.tryton.client import TrytonClient
from erp_integrations.providers.tryton.mapper import BILL, Day, Number

KEY_TEXT = "Procore Sync key {key}"
#: bills with one key; more than two were never seen, and all are looked at
MOST = 20
#: how often the bills of a key are looked at again before it is left for later
ROUNDS = 4
POSTED = {"posted", "paid"}
Row = TypeVar("Row")


class WrittenBill(msgspec.Struct):
    """A bill with our key, as far as it tells whether it is the one that is wanted."""

    id: int
    state: str
    reference: str | None
    party: int
    invoice_date: Day | None
    accounting_date: Day | None
    total_amount: Number

    @property
    def is_posted(self) -> bool:
        return self.state in POSTED

    @property
    def is_draft(self) -> bool:
        return self.state == "draft"

    def is_like(self, bill: BillToExport) -> bool:
        return (
            self.reference == bill.number
            and str(self.party) == bill.vendor_ref
            and self.total_amount.decimal == bill.total
            and _day(self.invoice_date) == bill.billing_date
            and _day(self.accounting_date) == bill.accounting_date
        )


class _Company(msgspec.Struct):
    id: int


class _Vendor(msgspec.Struct):
    id: int
    name: str | None
    addresses: list[int]
    account_payable: int | None
    supplier_payment_term: int | None


class _OrderLine(msgspec.Struct):
    id: int
    type: str
    product: int | None
    unit: int | None


class _Order(msgspec.Struct):
    id: int
    party: int
    payment_term: int | None
    lines: list[_OrderLine]


class _Accounts(msgspec.Struct):
    default_account_payable: int | None
    default_category_account_expense: int | None


class _Id(msgspec.Struct):
    id: int


class _State(msgspec.Struct):
    state: str


class BillWriter:
    """Writes bills through one client; holds nothing between two bills."""

    def __init__(self, client: TrytonClient) -> None:
        self._client = client

    def write(self, bill: BillToExport) -> int:
        """The id of the one posted bill with this key. See ``Provider.create_bill``."""
        refusal: RecordError | None = None
        for _ in range(ROUNDS):
            found = self._without_unlike(bill, self.written(bill.key))
            if not found:
                if refusal:
                    raise refusal
                self._client.create(BILL, self._values(bill))
                continue
            kept = self._only_one(found)
            if kept.is_posted and len(found) == 1:
                self._require_same(bill, kept)
                return kept.id
            if not kept.is_posted:
                refusal = self._post(kept, after=refusal)
        raise TransientError(
            f"{self._client.name} has bill {bill.number} in more than one version, and they are "
            f"being changed there now."
        )

    def written(self, key: str) -> list[WrittenBill]:
        """Bills with this key on which something is owed, the one to keep first."""
        fields = ("state", "reference", "party", "invoice_date", "accounting_date", "total_amount")
        text = KEY_TEXT.format(key=key)
        domain = (("type", "=", "in"), ("comment", "ilike", f"%{text}%"))
        rows = self._client.search(BILL, domain, fields, size=MOST).rows
        found = [self._decoded(row, WrittenBill) for row in rows]
        living = [each for each in found if each.state != "cancelled"]
        return sorted(living, key=lambda each: (not each.is_posted, each.id))

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
            self._client.delete(BILL, draft.id)

    def _post(self, draft: WrittenBill, *, after: RecordError | None) -> RecordError | None:
        """Post it. What Tryton refuses twice it means: then nothing is left of the draft."""
        again = after is not None and self._is_only_like_cancelled(draft)
        try:
            self._client.press(BILL, draft.id, "post", without_warnings=again)
        except RecordError as error:
            if after is not None:
                self._delete(draft)
            return error
        return None

    def _is_only_like_cancelled(self, draft: WrittenBill) -> bool:
        """Whether all other bills of this vendor and number are cancelled.

        Tryton warns of them too, though a bill that was cancelled is meant to be made again.
        """
        domain = (
            ("type", "=", "in"),
            ("party", "=", draft.party),
            ("reference", "=", draft.reference),
            ("id", "!=", draft.id),
        )
        rows = self._client.search(BILL, domain, ("state",), size=MOST).rows
        states = {self._decoded(row, _State).state for row in rows}
        return states == {"cancelled"}

    def _require_same(self, bill: BillToExport, posted: WrittenBill) -> None:
        if posted.total_amount.decimal != bill.total or str(posted.party) != bill.vendor_ref:
            raise RecordError(
                f"Tryton has bill {posted.reference} over {posted.total_amount.decimal} already, "
                f"from an earlier export of this invoice whose answer was lost, and the invoice "
                f"was changed since. Cancel that bill in Tryton, then export again."
            )

    # ----------------------------------------------------------------- values
    def _values(self, bill: BillToExport) -> dict[str, Any]:
        company = self._one(_Company, "company.company", (), ())
        vendor = self._vendor(bill, company.id)
        order = self._order(bill, company.id)
        accounts = self._one(
            _Accounts,
            "account.configuration",
            (),
            ("default_account_payable", "default_category_account_expense"),
            company=company.id,
        )
        payable = vendor.account_payable or accounts.default_account_payable
        expense = accounts.default_category_account_expense
        if not payable or not expense:
            raise RecordError(
                "Tryton has no default account for payables or for expenses. Choose both in "
                "Tryton, in the configuration of Accounting."
            )
        common = {"company": company.id, "currency": self._currency(bill), "account": expense}
        return {
            "type": "in",
            "company": company.id,
            "currency": common["currency"],
            "party": vendor.id,
            "invoice_address": vendor.addresses[0],
            "account": payable,
            "journal": self._journal(),
            "payment_term": (order and order.payment_term) or vendor.supplier_payment_term,
            "invoice_date": _date(bill.billing_date),
            "accounting_date": _date(bill.accounting_date),
            "reference": bill.number,
            "description": bill.description or None,
            "comment": KEY_TEXT.format(key=bill.key),
            "lines": [["create", _lines(bill, order, common)]],
        }

    def _vendor(self, bill: BillToExport, company: int) -> _Vendor:
        vendor = self._first(
            _Vendor,
            "party.party",
            (("id", "=", _number(bill.vendor_ref)),),
            ("name", "addresses", "account_payable", "supplier_payment_term"),
            company=company,
        )
        if vendor is None:
            raise RecordError(
                "Tryton does not know the vendor that the contract company is linked to. Link "
                "the company to another vendor."
            )
        if not vendor.addresses:
            raise RecordError(f"Vendor {vendor.name} has no address in Tryton. Enter one there.")
        return vendor

    def _order(self, bill: BillToExport, company: int) -> _Order | None:
        if not bill.commitment_ref:
            return None
        order = self._first(
            _Order,
            "purchase.purchase",
            (("id", "=", _number(bill.commitment_ref)),),
            ("party", "payment_term", "lines.type", "lines.product", "lines.unit"),
            company=company,
        )
        if order is None:
            raise RecordError(
                "Tryton does not know the purchase order that the commitment is linked to. Link "
                "the commitment to another one."
            )
        if str(order.party) != bill.vendor_ref:
            raise RecordError(
                "The purchase order that the commitment is linked to belongs to another vendor "
                "in Tryton. Link the commitment or the company to the right one."
            )
        return order

    def _currency(self, bill: BillToExport) -> int:
        found = self._first(_Id, "currency.currency", (("code", "=", bill.currency),), ())
        if found is None:
            raise RecordError(f"Tryton has no currency {bill.currency}. Enter it there.")
        return found.id

    def _journal(self) -> int:
        found = self._first(_Id, "account.journal", (("type", "=", "expense"),), ())
        if found is None:
            raise RecordError("Tryton has no journal for expenses. Enter one there.")
        return found.id

    # -------------------------------------------------------------- questions
    def _one(
        self,
        form: type[Row],
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        company: int | None = None,
    ) -> Row:
        found = self._first(form, model, domain, fields, company)
        if found is None:
            raise RecordError(f"Tryton shows no {model} to the user of the key.")
        return found

    def _first(
        self,
        form: type[Row],
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        company: int | None = None,
    ) -> Row | None:
        asked = fields or ("id",)
        rows = self._client.search(model, domain, asked, size=1, company=company).rows
        return self._decoded(rows[0], form) if rows else None

    def _decoded(self, row: msgspec.Raw, form: type[Row]) -> Row:
        try:
            return msgspec.json.decode(row, type=form)
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent a record that cannot be read: {error}.",
                detail=bytes(row)[:500].decode(errors="replace"),
            ) from error


def _lines(
    bill: BillToExport, order: _Order | None, common: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Work stands on the order's first line, so that the order knows what was billed on it."""
    ordered = next((line for line in order.lines if line.type == "line"), None) if order else None
    made = []
    for line in bill.lines:
        values: dict[str, Any] = {
            **common,
            "type": "line",
            "invoice_type": "in",
            "description": line.description,
            "quantity": 1.0,
            "unit_price": _decimal(line.amount),
        }
        if ordered and not line.is_retainage:
            values["origin"] = f"purchase.line,{ordered.id}"
            values |= {"product": ordered.product, "unit": ordered.unit}
        made.append(values)
    return made


def _number(ref: str) -> int:
    """Ids in Tryton are numbers; anything else is the id of nothing."""
    return int(ref) if ref.isdecimal() else 0


def _day(day: Day | None) -> date | None:
    return day.value() if day else None


def _date(day: date) -> dict[str, Any]:
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}


def _decimal(amount: Decimal) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": str(amount)}
