"""Journal Entries that pay bills: the other road to the same money.

A journal entry is a payment if it takes money from a bank, cash or card account
and gives it to a supplier. Entries that only write off, or set a credit against
a bill, move no money and are left out. One entry may pay several suppliers;
each of them is a payment of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from erp_integrations.providers.contract import RemoteAllocation, RemoteMethod, RemotePayment
from erp_integrations.providers.erpnext.client import of_child
from erp_integrations.providers.erpnext.mapper import (
    BILL,
    STATUSES,
    SUPPLIER,
    ZERO,
    Group,
    Mapped,
    Utc,
    finite,
    method_of,
    party_mark,
    places_of,
    rejected,
    remote_id,
    shares,
)

LINE = "Journal Entry Account"
HEADER_FIELDS = (
    "name",
    "creation",
    "docstatus",
    "company",
    "voucher_type",
    "posting_date",
    "cheque_no",
    "user_remark",
)
LINE_FIELDS = of_child(
    LINE,
    "idx",
    "modified",
    "account",
    "account_type",
    "account_currency",
    "party_type",
    "party",
    "debit",
    "credit",
    "debit_in_account_currency",
    "credit_in_account_currency",
    "reference_type",
    "reference_name",
)
FIELDS = (*HEADER_FIELDS, *LINE_FIELDS)
MONEY_ACCOUNTS = {"Bank", "Cash"}
MONEY_VOUCHERS = {"Bank Entry", "Cash Entry", "Credit Card Entry"}
CARD_VOUCHER = "Credit Card Entry"


class Line(msgspec.Struct):
    modified: str
    account: str
    debit: Decimal
    credit: Decimal
    debit_in_account_currency: Decimal
    credit_in_account_currency: Decimal
    account_currency: str
    account_type: str | None = None
    party_type: str | None = None
    party: str | None = None
    reference_type: str | None = None
    reference_name: str | None = None

    @property
    def given(self) -> Decimal:
        """In the account's own currency."""
        return finite(self.debit_in_account_currency) - finite(self.credit_in_account_currency)

    @property
    def given_in_company_currency(self) -> Decimal:
        return finite(self.debit) - finite(self.credit)


class Header(msgspec.Struct):
    name: str
    creation: str
    docstatus: Literal[0, 1, 2]
    company: str
    voucher_type: str
    posting_date: date
    cheque_no: str | None = None
    user_remark: str | None = None


class Document(Header):
    accounts: list[Line] = []


class Entry(NamedTuple):
    header: Header
    lines: Sequence[Line]
    raw: msgspec.Raw


class Payee(NamedTuple):
    party: str
    currency: str


def read(groups: Iterable[Group]) -> tuple[list[Entry], Mapped]:
    """The entries that can be read, and those that cannot."""
    found, mapped = [], Mapped([], [])
    for group in groups:
        try:
            header = msgspec.json.decode(group.rows[0], type=Header)
            lines = [msgspec.json.decode(row, type=Line) for row in group.rows]
            found.append(Entry(header, lines, group.rows[0]))
        except ValueError as error:
            mapped.rejected.append(rejected("journal", group.rows[0], error))
    return found, mapped


def document(raw: msgspec.Raw) -> Entry:
    """Raises ``ValueError``."""
    found = msgspec.json.decode(raw, type=Document)
    return Entry(found, found.accounts, raw)


def bills_of(entries: Iterable[Entry]) -> list[str]:
    names = {line.reference_name for each in entries for line in each.lines if _is_of_bill(line)}
    return sorted(name for name in names if name)


def doubtful_accounts(entries: Iterable[Entry]) -> set[str]:
    """Accounts that gave something and do not say on the line of what type they are."""
    return {
        line.account
        for each in entries
        if each.header.voucher_type not in MONEY_VOUCHERS
        for line in each.lines
        if line.credit > 0 and not line.party and not line.account_type
    }


def payments(
    entries: Iterable[Entry], utc: Utc, numbers: Mapping[str, str], money: Iterable[str]
) -> Mapped:
    """``numbers``: the vendors' numbers of bills; ``money``: accounts known to hold money."""
    mapped, money = Mapped([], []), frozenset(money)
    for each in entries:
        try:
            mapped.payments.extend(_payments(each, utc, numbers, money))
        except (ValueError, ArithmeticError) as error:
            mapped.rejected.append(rejected("journal", each.raw, error))
    return mapped


def ids_in(raw: msgspec.Raw) -> list[str]:
    """Ids of all payments that a journal entry ever was, from its document."""
    entry = document(raw)
    return [_id(entry.header, payee) for payee in _payees(entry.lines)]


def _payments(
    entry: Entry, utc: Utc, numbers: Mapping[str, str], money: frozenset[str]
) -> list[RemotePayment]:
    payees = _payees(entry.lines)
    given = {payee: sum((line.given for line in lines), ZERO) for payee, lines in payees.items()}
    base = sum(
        (line.given_in_company_currency for lines in payees.values() for line in lines), ZERO
    )
    left = _money_left(entry, money)
    if left <= 0 or base <= 0:
        return []
    share = min(left / base, Decimal(1))
    made = []
    for payee, lines in payees.items():
        if given[payee] <= 0:
            continue
        places = places_of(payee.currency)
        discount = given[payee] - (given[payee] * share).quantize(places)
        made.append(_payment(entry, payee, lines, given[payee], discount, numbers, utc))
    return made


def _money_left(entry: Entry, money: frozenset[str]) -> Decimal:
    """What bank, cash and card accounts gave, in the company's currency."""
    others = [line for line in entry.lines if not line.party]
    held = [line for line in others if line.account_type in MONEY_ACCOUNTS or line.account in money]
    if not held and entry.header.voucher_type in MONEY_VOUCHERS:
        held = [line for line in others if line.credit > 0]
    return -sum((line.given_in_company_currency for line in held), ZERO)


def _payees(lines: Iterable[Line]) -> dict[Payee, list[Line]]:
    found: dict[Payee, list[Line]] = {}
    for line in lines:
        if line.party_type == SUPPLIER and line.party:
            found.setdefault(Payee(line.party, line.account_currency), []).append(line)
    return found


def _payment(
    entry: Entry,
    payee: Payee,
    lines: Sequence[Line],
    given: Decimal,
    discount: Decimal,
    numbers: Mapping[str, str],
    utc: Utc,
) -> RemotePayment:
    header = entry.header
    card = header.voucher_type == CARD_VOUCHER
    return RemotePayment(
        remote_id=_id(header, payee),
        number=header.name,
        status=STATUSES[header.docstatus],
        method=RemoteMethod.CREDIT_CARD if card else method_of(None),
        date=header.posting_date,
        currency=payee.currency,
        total=given - discount,
        # taking a bill off an entry moves the line's moment, not the entry's
        modified_at=max(utc(line.modified) for line in entry.lines),
        allocations=_allocations(lines, discount, numbers, places_of(payee.currency)),
        check_number=header.cheque_no or "",
        vendor_ref=payee.party,
        vendor_name=payee.party,
        memo=header.user_remark or "",
    )


def _allocations(
    lines: Sequence[Line], discount: Decimal, numbers: Mapping[str, str], places: Decimal
) -> tuple[RemoteAllocation, ...]:
    parts: dict[str, Decimal] = {}
    for line in lines:
        if line.given > 0:
            # what is for no bill bears its share of the discount too
            target = line.reference_name if _is_of_bill(line) and line.reference_name else ""
            parts[target] = parts.get(target, ZERO) + line.given
    off = shares(list(parts.values()), discount, places)
    return tuple(
        RemoteAllocation(
            bill_id=bill, bill_number=numbers.get(bill, ""), amount=amount - part, discount=part
        )
        for (bill, amount), part in zip(parts.items(), off, strict=True)
        if bill and amount > part
    )


def _is_of_bill(line: Line) -> bool:
    return line.reference_type == BILL and line.party_type == SUPPLIER


def _id(header: Header, payee: Payee) -> str:
    made = remote_id("journal", header.name, header.creation)
    return f"{made}-{party_mark(*payee)}"
