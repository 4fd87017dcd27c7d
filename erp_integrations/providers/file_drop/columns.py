"""What a column of a file may mean, and which one it means by its heading; pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

#: what we add to a file of rows to be mended; it is no part of the file when that is dropped again
OUR_COLUMNS = ("Line in the file", "Column to mend", "What is wrong")


class FileColumn(msgspec.Struct, frozen=True):
    """One thing that rows say of a payment."""

    name: str
    label: str
    help_text: str
    #: headings by which it is proposed, as ``plain`` writes them
    headings: tuple[str, ...]
    is_required: bool = False


COLUMNS: tuple[FileColumn, ...] = (
    FileColumn(
        "number",
        "Payment number",
        "Check number, or the number of the transfer. Rows with the same number, vendor and bank "
        "account are one payment.",
        ("check number", "check no", "check", "payment number", "payment no", "number",
         "cm reference", "cmref", "trans number", "reference number", "payment ref", "ref no",
         "transaction number"),
        is_required=True,
    ),
    FileColumn(
        "date",
        "Date paid",
        "The day on the check.",
        ("payment date", "check date", "date paid", "paid date", "paiddate", "date",
         "transaction date", "cm date"),
        is_required=True,
    ),
    FileColumn(
        "vendor_code",
        "Vendor number",
        "What the ERP calls the vendor. Without it the name is the vendor.",
        ("vendor id", "vendor number", "vendor no", "vendor code", "vendor", "vendor key"),
    ),
    FileColumn(
        "vendor_name", "Vendor name", "", ("vendor name", "payee", "payee name", "name", "pay to"),
    ),
    FileColumn(
        "invoice",
        "Invoice number",
        "The vendor's invoice that is paid.",
        ("invoice number", "invoice no", "invoice", "ap ref", "apref", "bill number",
         "ap invoice number", "invoice id"),
        is_required=True,
    ),
    FileColumn(
        "amount",
        "Amount paid on the invoice",
        "Without the discount. Below zero: the payment is voided.",
        ("amount paid", "paid amount", "payment amount", "net paid", "net amount", "amount",
         "total amount", "paid", "net"),
        is_required=True,
    ),
    FileColumn(
        "discount", "Discount taken", "",
        ("discount taken", "discount", "discount taken amount", "disc taken", "discount amount"),
    ),
    FileColumn(
        "total",
        "Total of the payment",
        "The whole check, in each of its rows; its rows may not add up to more.",
        ("check amount", "check total", "payment total", "total of payment"),
    ),
    FileColumn(
        "bank_account",
        "Bank account",
        "Where several accounts use the same check numbers.",
        ("bank account", "bank account id", "cash account", "bank", "cm account", "account"),
    ),
    FileColumn(
        "method", "Payment method", "",
        ("payment method", "method", "pay method", "payment type", "check type"),
    ),
    FileColumn(
        "void",
        "Voided",
        "Yes and no, a state such as “Void”, or the day it was voided on.",
        ("void", "voided", "void flag", "void date", "voidyn", "status", "check status",
         "payment status"),
    ),
    FileColumn(
        "currency", "Currency", "Such as USD. Without it the connection's currency.",
        ("currency", "currency code"),
    ),
    FileColumn("memo", "Memo", "", ("memo", "description", "notes", "note")),
)  # fmt: skip
BY_NAME = {each.name: each for each in COLUMNS}


def plain(heading: object) -> str:
    """A heading without case, punctuation and double spaces: ``Check No.`` is ``check no``."""
    return " ".join(re.sub(r"[^\w]+|_", " ", str(heading or "").lower()).split())


def places(columns: Mapping[str, str], header: Sequence[object]) -> dict[str, int]:
    """``{name: index in the row}`` for columns given by their headings; without the absent."""
    found: dict[str, int] = {}
    index = {heading: place for place, heading in reversed(list(enumerate(map(plain, header))))}
    for name, heading in columns.items():
        if plain(heading) and plain(heading) in index:
            found[name] = index[plain(heading)]
    return found


def proposed(header: Sequence[object]) -> dict[str, str]:
    """``{name: heading}`` by what the headings say; each heading once."""
    by_plain = {plain(each): str(each) for each in reversed(header) if plain(each)}
    chosen: dict[str, str] = {}
    for column in COLUMNS:
        free = (each for each in column.headings if each in by_plain)
        heading = next((each for each in free if by_plain[each] not in chosen.values()), None)
        if heading is not None:
            chosen[column.name] = by_plain[heading]
    return chosen


def without_ours(header: Iterable[object]) -> list[str]:
    """The headings of the ERP itself, plain."""
    ours = set(map(plain, OUR_COLUMNS))
    kept = [plain(each) for each in header if plain(each) not in ours]
    while kept and not kept[-1]:
        kept.pop()
    return kept
