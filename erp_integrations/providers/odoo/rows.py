"""The form of Odoo's records on the wire, and what is asked for.

Odoo says ``false`` for everything that is empty, whatever its type.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from erp_integrations.providers.odoo.auth import Session

#: what a vendor sends; a refund is no bill, and an entry is nobody's
BILL_TYPES = ("in_invoice", "in_receipt")
Text = str | bool


class Named(msgspec.Struct):
    id: int
    display_name: Text


class Partner(Named):
    """A contact; who is paid is the company that it belongs to, which may be itself."""

    commercial_partner_id: Named


class Currency(msgspec.Struct):
    id: int
    name: str


class Journal(msgspec.Struct):
    id: int
    type: str


class BillName(msgspec.Struct):
    """An entry of the books, of whatever kind, as far as it may be a bill."""

    id: int
    move_type: str
    name: Text = False
    ref: Text = False

    @property
    def is_bill(self) -> bool:
        return self.move_type in BILL_TYPES

    @property
    def number(self) -> str:
        return text(self.ref) or text(self.name)


class LinkedBill(BillName, kw_only=True):
    amount_total: Decimal
    amount_residual: Decimal
    currency_id: int


class CreditLine(msgspec.Struct):
    id: int
    move_id: BillName


class Applied(msgspec.Struct):
    """``account.partial.reconcile``: a debit and a credit that settle each other."""

    id: int
    debit_amount_currency: Decimal
    credit_move_id: CreditLine


class EntryLine(msgspec.Struct):
    id: int
    matched_credit_ids: list[Applied]
    write_date: str = ""


class Entry(msgspec.Struct):
    id: int
    line_ids: list[EntryLine]
    write_date: str = ""


class PaymentRow(msgspec.Struct):
    id: int
    name: Text
    state: str
    date: str
    amount: Decimal
    currency_id: Currency
    partner_id: Partner | bool
    journal_id: Journal
    company_id: int
    payment_method_code: Text
    payment_reference: Text
    write_date: str
    move_id: Entry | bool
    memo: Text = False
    ref: Text = False
    check_number: Text = False
    invoice_ids: list[LinkedBill] = []


class PaidBy(msgspec.Struct):
    """A payment that settles a part of a bill, with all else that it settles."""

    id: int
    state: str
    amount: Decimal
    move_id: Entry | bool


class DebitLine(msgspec.Struct):
    id: int
    payment_id: PaidBy | bool


class Paid(msgspec.Struct):
    id: int
    credit_amount_currency: Decimal
    debit_move_id: DebitLine


class BillLine(msgspec.Struct):
    id: int
    matched_debit_ids: list[Paid]


class UnbookedPayment(msgspec.Struct):
    """A payment that is listed on a bill; it matters here only if it has no entry."""

    id: int
    state: str
    amount: Decimal
    currency_id: int
    move_id: int | bool
    invoice_ids: list[LinkedBill]


class BillRow(msgspec.Struct):
    id: int
    name: Text
    ref: Text
    state: str
    partner_id: Partner | bool
    currency_id: Currency
    amount_total: Decimal
    line_ids: list[BillLine]
    matched_payment_ids: list[UnbookedPayment] = []


def text(value: Text) -> str:
    """An empty text is ``false``, and the number of a draft is a slash in Odoo 17."""
    return value if isinstance(value, str) and value != "/" else ""


def moment(value: str) -> datetime:
    """Naive UTC in whole seconds on the wire, aware here."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def as_moment(value: datetime) -> str:
    """As a domain wants it."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def day(value: str) -> date:
    return date.fromisoformat(value)


# ------------------------------------------------------------------- what is asked for
def fields(*names: str, **related: dict[str, Any]) -> dict[str, Any]:
    """A specification: these fields, and those with fields of their own."""
    return {name: {} for name in names} | {name: {"fields": it} for name, it in related.items()}


_BILL_NAME = fields("move_type", "name", "ref")
_PARTNER = fields("display_name", commercial_partner_id=fields("display_name"))
_LINKED = _BILL_NAME | fields("amount_total", "amount_residual", "currency_id")


def payment_fields(session: Session) -> dict[str, Any]:
    """A payment with its entry, what its lines settle, and the bills behind those."""
    applied = fields("debit_amount_currency", credit_move_id=fields(move_id=_BILL_NAME))
    lines = fields("write_date", matched_credit_ids=applied)
    asked = fields(
        "name",
        "state",
        "date",
        "amount",
        "company_id",
        "payment_method_code",
        "payment_reference",
        "write_date",
        session.memo,
        currency_id=fields("name"),
        partner_id=_PARTNER,
        journal_id=fields("type"),
        move_id=fields("write_date", line_ids=lines),
    )
    if session.prints_checks:
        asked |= fields("check_number")
    if session.names_its_bills:
        asked |= fields(invoice_ids=_LINKED)
    return asked


def bill_fields(session: Session) -> dict[str, Any]:
    """A bill with what was settled on its lines, and by which payments."""
    applied = fields("debit_amount_currency", credit_move_id=fields(move_id=fields("move_type")))
    entry = fields(line_ids=fields(matched_credit_ids=applied))
    payment = fields("state", "amount", move_id=entry)
    paid = fields("credit_amount_currency", debit_move_id=fields(payment_id=payment))
    asked = fields(
        "name",
        "ref",
        "state",
        "amount_total",
        partner_id=_PARTNER,
        currency_id=fields("name"),
        line_ids=fields(matched_debit_ids=paid),
    )
    if session.names_its_bills:
        unbooked = fields("state", "amount", "currency_id", "move_id", invoice_ids=_LINKED)
        asked |= fields(matched_payment_ids=unbooked)
    return asked
