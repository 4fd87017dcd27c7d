"""ERPNext's Payment Entries and bills → the types of the contract. Pure: no network, no clock.

A payment arrives as rows that are joined to its references, or as one document;
both end in the same ``Entry``. What does not have the promised form becomes a
``RejectedRecord`` of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from erp_integrations.providers.contract import (
    RejectedRecord,
    RemoteAllocation,
    RemoteBill,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
)
from erp_integrations.providers.erpnext.client import of_child
from erp_integrations.providers.erpnext.site_time import moment
from projects.money import is_currency, minor_units

ENTRY, REFERENCE, BILL = "Payment Entry", "Payment Entry Reference", "Purchase Invoice"
JOURNAL = "Journal Entry"
SUPPLIER = "Supplier"
RAW_SIZE = 4000
ZERO = Decimal(0)

HEADER_FIELDS = (
    "name",
    "creation",
    "modified",
    "docstatus",
    "payment_type",
    "party_type",
    "party",
    "party_name",
    "company",
    "posting_date",
    "received_amount",
    "paid_to_account_currency",
    "total_allocated_amount",
    "unallocated_amount",
    "reference_no",
    "mode_of_payment",
    "custom_remarks",
    "remarks",
)
REFERENCE_FIELDS = of_child(
    REFERENCE, "reference_doctype", "reference_name", "bill_no", "allocated_amount", "idx"
)
ENTRY_FIELDS = (*HEADER_FIELDS, *REFERENCE_FIELDS)
BILL_FIELDS = (
    "name",
    "bill_no",
    "supplier",
    "supplier_name",
    "docstatus",
    "is_return",
    "currency",
    "party_account_currency",
    "grand_total",
    "rounded_total",
    "base_grand_total",
    "base_rounded_total",
    "outstanding_amount",
)

#: a draft waits for somebody to submit it; amounts say nothing about any of the three
STATUSES = {0: RemoteStatus.PENDING, 1: RemoteStatus.ISSUED, 2: RemoteStatus.VOIDED}
CARD_WORDS = ("card",)
ELECTRONIC_WORDS = ("wire", "transfer", "ach", "eft", "sepa", "neft", "rtgs", "online", "electr")

Row = TypeVar("Row")
#: a moment of the site → aware UTC
Utc = Callable[[str], datetime]
#: which road a payment came by; the beginning of its id
Kind = Literal["payment", "journal"]


class Mapped(NamedTuple):
    payments: list[RemotePayment]
    rejected: list[RejectedRecord]


class Key(msgspec.Struct):
    """What a record is known by: names are given again after a deletion, moments are not."""

    name: str
    creation: str


class Reference(msgspec.Struct):
    reference_doctype: str | None = None
    reference_name: str | None = None
    bill_no: str | None = None
    allocated_amount: Decimal | None = None


class Header(msgspec.Struct):
    """In documents ERPNext leaves out what is null; in lists it says so."""

    name: str
    creation: str
    modified: str
    docstatus: Literal[0, 1, 2]
    payment_type: str
    party_type: str
    party: str
    company: str
    posting_date: date
    received_amount: Decimal
    paid_to_account_currency: str
    total_allocated_amount: Decimal
    unallocated_amount: Decimal
    party_name: str | None = None
    reference_no: str | None = None
    mode_of_payment: str | None = None
    custom_remarks: int | None = None
    remarks: str | None = None


class Document(Header):
    references: list[Reference] = []


class BillRow(msgspec.Struct):
    name: str
    supplier: str
    docstatus: Literal[0, 1, 2]
    currency: str
    grand_total: Decimal
    base_grand_total: Decimal
    outstanding_amount: Decimal
    bill_no: str | None = None
    supplier_name: str | None = None
    is_return: int = 0
    party_account_currency: str | None = None
    rounded_total: Decimal | None = None
    base_rounded_total: Decimal | None = None


class _Name(msgspec.Struct):
    name: str


class Group(NamedTuple):
    """The joined rows of one record."""

    name: str
    rows: list[msgspec.Raw]
    #: of its last change, as it was sent
    moment: Any = None


# ------------------------------------------------------------------ identity
def remote_id(kind: Kind, name: str, creation: str) -> str:
    """``payment-ACC-PAY-2026-00005-20261122032228889601``."""
    return f"{kind}-{name}-{moment(creation):%Y%m%d%H%M%S%f}"


def name_in(remote_id: str) -> str:
    """The name in an id that was made by ``remote_id``; empty for any other text."""
    _, _, rest = remote_id.partition("-")
    name, _, creation = rest.rpartition("-")
    return name if len(creation) == 20 and creation.isdecimal() else ""


def party_mark(party: str, currency: str) -> str:
    """Short and the same for ever; a journal entry may pay several suppliers."""
    return blake2b(f"{party}\n{currency}".encode(), digest_size=4).hexdigest()


# ------------------------------------------------------------------ payments
def grouped(
    rows: Iterable[msgspec.Raw], key: str = "name", moment: str = "modified"
) -> tuple[list[Group], list[msgspec.Raw]]:
    """Rows of one record, which stand together; besides, rows that do not say whose they are."""
    groups: list[Group] = []
    lost = []
    for raw in rows:
        try:
            record = msgspec.json.decode(raw, type=dict[str, Any])
        except (ValueError, RecursionError):
            record = {}
        name, changed = record.get(key), record.get(moment)
        if not isinstance(name, str):
            lost.append(raw)
        elif groups and (groups[-1].name, groups[-1].moment) == (name, changed):
            groups[-1].rows.append(raw)
        else:
            groups.append(Group(name, [raw], changed))
    return groups, lost


def entries(groups: Iterable[Group], utc: Utc) -> Mapped:
    """Payment Entries from their joined rows."""
    mapped = Mapped([], [])
    for group in groups:
        try:
            mapped.payments.append(_joined(group, utc))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(rejected("payment", group.rows[0], error))
    return mapped


def entry(raw: msgspec.Raw, utc: Utc) -> RemotePayment:
    """One Payment Entry from its document. Raises ``ValueError``."""
    found = msgspec.json.decode(raw, type=Document)
    return _payment(found, found.references, utc)


def is_to_supplier(raw: msgspec.Raw, company: str) -> bool:
    """Whether a document is one that the lists would show."""
    found = msgspec.json.decode(raw, type=Header)
    ours = found.company == company or not company
    return found.payment_type == "Pay" and found.party_type == SUPPLIER and ours


def is_whole(group: Group) -> bool:
    """Whether these rows are all references of the payment; rows of other bills may be missing."""
    try:
        header = msgspec.json.decode(group.rows[0], type=Header)
        rows = [msgspec.json.decode(row, type=Reference) for row in group.rows]
    except ValueError:
        return False
    return header.total_allocated_amount == sum((r.allocated_amount or ZERO for r in rows), ZERO)


def _joined(group: Group, utc: Utc) -> RemotePayment:
    header = msgspec.json.decode(group.rows[0], type=Header)
    rows = [msgspec.json.decode(row, type=Reference) for row in group.rows]
    return _payment(header, rows, utc)


def _payment(row: Header, references: Sequence[Reference], utc: Utc) -> RemotePayment:
    """Everything in the currency of the supplier's account: ERPNext allocates in that one."""
    total = finite(row.received_amount)
    return RemotePayment(
        remote_id=remote_id("payment", row.name, row.creation),
        number=row.name,
        status=STATUSES[row.docstatus],
        method=method_of(row.mode_of_payment),
        date=row.posting_date,
        currency=row.paid_to_account_currency,
        total=total,
        modified_at=utc(row.modified),
        allocations=_allocations(row, references, total),
        check_number=row.reference_no or "",
        vendor_ref=row.party,
        vendor_name=row.party_name or row.party,
        memo=(row.remarks or "") if row.custom_remarks else "",
    )


def _allocations(
    row: Header, references: Sequence[Reference], total: Decimal
) -> tuple[RemoteAllocation, ...]:
    """What of the money went to each bill, without what discounts and credits paid of it.

    ERPNext keeps discounts (*deductions*) and credits (references below zero)
    for the payment as a whole: each takes its share of every reference.
    """
    parts = _by_target(references)
    positive = {target: amount for target, amount in parts.items() if amount > 0}
    credits = -sum((amount for amount in parts.values() if amount < 0), ZERO)
    applied = sum(positive.values(), ZERO)
    discount = max(ZERO, applied - credits + finite(row.unallocated_amount) - total)
    places = places_of(row.paid_to_account_currency)
    credited = shares(list(positive.values()), credits, places)
    left = [amount - part for amount, part in zip(positive.values(), credited, strict=True)]
    discounts = shares(left, discount, places)
    numbers = {(r.reference_doctype, r.reference_name): r.bill_no or "" for r in references}
    return tuple(
        RemoteAllocation(
            bill_id=target[1], bill_number=numbers[target], amount=amount - off, discount=off
        )
        for target, amount, off in zip(positive, left, discounts, strict=True)
        if target[0] == BILL and amount - off > 0
    )


def _by_target(references: Iterable[Reference]) -> dict[tuple[str, str], Decimal]:
    """A bill stands on a payment once for each of its payment terms."""
    found: dict[tuple[str, str], Decimal] = {}
    for each in references:
        if each.reference_doctype and each.reference_name:
            target = (each.reference_doctype, each.reference_name)
            amount = finite(each.allocated_amount or ZERO)
            found[target] = found.get(target, ZERO) + amount
    return found


def shares(amounts: Sequence[Decimal], taken: Decimal, places: Decimal) -> list[Decimal]:
    """``taken`` split in proportion to the amounts, to the cent; the largest bear the rest."""
    whole = sum(amounts, ZERO)
    if not taken or not whole:
        return [ZERO for _ in amounts]
    parts = [(taken * each / whole).quantize(places, ROUND_DOWN) for each in amounts]
    rest = taken - sum(parts, ZERO)
    for place in sorted(range(len(amounts)), key=lambda each: -amounts[each]):
        step = min(rest, max(places, ZERO), amounts[place] - parts[place])
        parts[place] += step
        rest -= step
    if rest:
        parts[max(range(len(amounts)), key=amounts.__getitem__)] += rest
    return parts


def places_of(currency: str) -> Decimal:
    return Decimal(1).scaleb(-minor_units(currency) if is_currency(currency) else -2)


def method_of(mode: str | None) -> RemoteMethod:
    """Modes of payment are names that people make up; what says nothing else is a check."""
    words = (mode or "").lower()
    if any(word in words for word in CARD_WORDS):
        return RemoteMethod.CREDIT_CARD
    if any(word in words for word in ELECTRONIC_WORDS):
        return RemoteMethod.ELECTRONIC
    return RemoteMethod.CHECK


# --------------------------------------------------------------------- bills
def bill_row(raw: msgspec.Raw) -> BillRow:
    return msgspec.json.decode(raw, type=BillRow)


def bill(row: BillRow, paid: Mapping[str, Decimal]) -> RemoteBill:
    """A Purchase Invoice in the currency of the supplier's account, in which it is paid."""
    return RemoteBill(
        remote_id=row.name,
        number=row.bill_no or row.name,
        vendor_ref=row.supplier,
        vendor_name=row.supplier_name or row.supplier,
        currency=row.party_account_currency or row.currency,
        total=total_of(row),
        paid=paid.get(row.name, ZERO),
        is_posted=row.docstatus == 1,
        is_cancelled=row.docstatus == 2,
    )


def total_of(row: BillRow) -> Decimal:
    if row.party_account_currency in {None, "", row.currency}:
        return finite(row.rounded_total or row.grand_total)
    return finite(row.base_rounded_total or row.base_grand_total)


def finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    return amount


def rejected(kind: Kind, raw: msgspec.Raw, error: Exception) -> RejectedRecord:
    known = ""
    try:
        key = msgspec.json.decode(raw, type=Key)
        known = remote_id(kind, key.name, key.creation)
    except ValueError:
        pass
    what = {"payment": "a payment", "journal": "a journal entry"}[kind]
    return RejectedRecord(
        remote_id=known,
        reason=f"ERPNext sent {what} that cannot be read: {error}.",
        raw=bytes(raw)[:RAW_SIZE].decode(errors="replace"),
    )
