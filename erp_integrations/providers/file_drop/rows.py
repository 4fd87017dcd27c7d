"""A row of a file as a line of a payment, or every reason why it is none; pure."""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from erp_integrations.providers.contract import RemoteMethod
from erp_integrations.providers.file_drop.amounts import DecimalMark, Unreadable, amount_of
from erp_integrations.providers.file_drop.columns import BY_NAME
from erp_integrations.providers.file_drop.dates import DateOrder, date_of

T = TypeVar("T")
#: stands where a byte could not be read in the encoding that was chosen
LOST = "\ufffd"
LONGEST_PART = 60
#: how many letters a defused cell has more: an apostrophe in front of what a sheet would run
_DEFUSED = re.compile(r"^'(?=[=+\-@\t\r])")

_VOID = {"v", "void", "voided", "yes", "y", "true", "t", "x", "1", "cancelled", "canceled",
         "reversed", "stop", "stopped", "stop payment"}  # fmt: skip
_NOT_VOID = {"", "n", "no", "false", "f", "0", "open", "cleared", "outstanding", "reconciled",
             "printed", "issued", "paid", "posted", "active", "valid", "unreconciled",
             "not cleared", "no void", "none"}  # fmt: skip
_METHODS = {
    RemoteMethod.CHECK: ("check", "cheque", "chk", "ck", "manual", "computer", "c", "hand", "k"),
    RemoteMethod.CREDIT_CARD: ("credit card", "card", "cc", "pcard", "p card", "virtual card"),
    RemoteMethod.ELECTRONIC: (
        *("ach", "eft", "wire", "electronic", "transfer", "e", "direct deposit", "bank transfer"),
        *("epay", "e payment", "electronic payment", "sepa", "bacs", "zelle", "epayment"),
    ),
}
METHOD_OF = {word: method for method, words in _METHODS.items() for word in words}


class Reading(msgspec.Struct, frozen=True):
    """How the rows of a file are read; what a person chose or confirmed."""

    #: index in the row, by ``FileColumn.name``
    places: Mapping[str, int]
    date_order: DateOrder
    decimal_mark: DecimalMark
    currency: str
    method: RemoteMethod = RemoteMethod.CHECK
    #: how many cells the heading has
    width: int = 0


class Line(msgspec.Struct, frozen=True):
    """One row that can be used. ``amount`` is below zero where the row takes a payment back."""

    line: int
    key: str
    digest: bytes
    number: str
    date: dt.date
    vendor_ref: str
    vendor_name: str
    invoice: str
    bill_id: str
    amount: Decimal
    discount: Decimal
    total: Decimal | None
    method: RemoteMethod
    currency: str
    memo: str
    is_void: bool


class Trouble(msgspec.Struct, frozen=True):
    """Why a row cannot be used: the headings of its cells, and a sentence for each.

    ``key``: the payment it belongs to, where that can be told, so that the
    payment does not come without this row.
    """

    columns: tuple[str, ...]
    sentences: tuple[str, ...]
    key: str = ""


def bill_id_of(vendor: str, invoice: str) -> str:
    """What a bill is called here, in every file the same: ``V-100|INV-7``."""
    return f"{_shouted(vendor)}|{_shouted(invoice)}"


def line_of(row: Sequence[object], line: int, reading: Reading) -> Line | Trouble:
    """The row, read. A row with cells beyond the heading is not trusted: a comma moved them."""
    extra = [cell for cell in row[reading.width :] if not _is_empty(cell)]
    if extra:
        count = max(place for place, cell in enumerate(row) if not _is_empty(cell)) + 1
        return Trouble((), (TOO_WIDE.format(count=count, width=reading.width),))
    cells = Cells(row, reading)
    found = Line(
        line=line,
        key="",
        digest=b"",
        number=cells.required("number"),
        date=cells.date(),
        vendor_ref=cells.text("vendor_code"),
        vendor_name=cells.text("vendor_name"),
        invoice=cells.required("invoice"),
        bill_id="",
        amount=cells.amount("amount") or Decimal(0),
        discount=cells.amount("discount") or Decimal(0),
        total=cells.amount("total"),
        method=cells.method(),
        currency=cells.text("currency").upper() or reading.currency,
        memo=cells.text("memo"),
        is_void=cells.is_void(),
    )
    vendor = found.vendor_ref or found.vendor_name
    if not vendor:
        cells.say("vendor_code" if "vendor_code" in reading.places else "vendor_name", NO_VENDOR)
    if not found.amount and not found.is_void and not cells.has_said("amount"):
        cells.say("amount", NOTHING_PAID)
    bank = cells.text("bank_account")
    cells.check_length(found.number, vendor, found.invoice, bank)
    key = _key(bank, found.number, vendor)
    if cells.columns or cells.sentences:
        is_whole = bool(found.number and vendor)
        return Trouble(tuple(cells.columns), tuple(cells.sentences), key if is_whole else "")
    return msgspec.structs.replace(
        found,
        key=key,
        vendor_ref=vendor,
        bill_id=bill_id_of(vendor, found.invoice),
        digest=blake2b(repr([str(each) for each in row]).encode(), digest_size=12).digest(),
    )


class Cells:
    """The cells of one row by what they mean, and everything that is wrong with them."""

    def __init__(self, row: Sequence[object], reading: Reading) -> None:
        self._row, self._reading = row, reading
        self.columns: list[str] = []
        self.sentences: list[str] = []

    def raw(self, name: str) -> object:
        place = self._reading.places.get(name)
        return "" if place is None or place >= len(self._row) else undefused(self._row[place])

    def text(self, name: str) -> str:
        if name not in self._reading.places:
            return ""
        text = " ".join(_as_text(self.raw(name)).split())
        if LOST in text or "\x00" in text:
            self.say(name, f"“{text[:40]}” has a letter that the file's encoding does not have")
        return text

    def required(self, name: str) -> str:
        text = self.text(name)
        if not text:
            self.say(name, "is empty")
        return text

    def date(self) -> dt.date:
        return self._try("date", dt.date.min, lambda it: date_of(it, self._reading.date_order))

    def amount(self, name: str) -> Decimal | None:
        cell = self.raw(name)
        if _is_empty(cell) and name != "amount":
            return None
        if _is_empty(cell) and self.is_void():
            return Decimal(0)
        return self._try(name, Decimal(0), lambda it: amount_of(it, self._reading.decimal_mark))

    def method(self) -> RemoteMethod:
        if "method" not in self._reading.places:
            return self._reading.method
        words = re.sub(r"[^a-z]+", " ", _as_text(self.raw("method")).lower()).strip()
        if not words:
            return self._reading.method
        found = METHOD_OF.get(words) or METHOD_OF.get(words.split()[0])
        if found is None:
            self.say("method", f"“{words[:40]}” is no way of paying: check, ACH, EFT, wire or card")
        return found or self._reading.method

    def is_void(self) -> bool:
        if "void" not in self._reading.places:
            return False
        cell = self.raw("void")
        words = re.sub(r"[\s_-]+", " ", _as_text(cell)).strip().lower()
        if isinstance(cell, dt.date) or words in _VOID:
            return True
        if words in _NOT_VOID:
            return False
        try:
            date_of(cell, self._reading.date_order)
        except Unreadable:
            if not self.has_said("void"):
                self.say(
                    "void", f"“{words[:40]}” says neither that it is voided nor that it is not"
                )
            return False
        return True

    def check_length(self, *texts: str) -> None:
        if any(len(text) > LONGEST_PART for text in texts):
            self.say(
                "number", f"has, or its vendor or invoice has, more than {LONGEST_PART} letters"
            )

    def has_said(self, name: str) -> bool:
        return BY_NAME[name].label in self.columns

    def say(self, name: str, what: str) -> None:
        label = BY_NAME[name].label
        self.columns.append(label)
        self.sentences.append(f"{label} {what}.")

    def _try(self, name: str, otherwise: T, read: Callable[[object], T]) -> T:
        try:
            return read(self.raw(name))
        except Unreadable as problem:
            self.say(name, str(problem))
            return otherwise


def undefused(cell: object) -> object:
    """Without the apostrophe that our own files put in front of what a sheet would run."""
    if isinstance(cell, str) and cell.startswith("'"):
        return _DEFUSED.sub("", cell)
    return cell


def _as_text(cell: Any) -> str:
    """Numbers of Excel without the ``.0`` that nobody typed."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _is_empty(cell: object) -> bool:
    return cell is None or isinstance(cell, str) and not cell.strip()


def _key(*parts: str) -> str:
    """The payment's id for ever: bank account, number, vendor."""
    return "|".join(_shouted(part) for part in parts)


def _shouted(text: str) -> str:
    return text.replace("|", "/").upper()


TOO_WIDE = (
    "The row has {count} cells, but the heading has {width}. A comma in an amount or a name has "
    "moved them: put that cell into quotation marks."
)
NO_VENDOR = "is empty; the row names no vendor"
NOTHING_PAID = "is zero, so nothing was paid"
