"""SuiteQL for a stand-in for NetSuite: an SQLite with Oracle's functions, and NetSuite's limits."""

import contextlib
import datetime as dt
import re
import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

Rows = Sequence[Mapping[str, Any]]
TEXT = re.compile(r"('(?:[^']|'')*')")
DISPLAY = re.compile(r"BUILTIN\.DF\(\s*(\w+)\.(\w+)\s*\)", re.IGNORECASE)
#: what SuiteQL does not have, or not for others than reporting
UNKNOWN = re.compile(r"\b(limit|offset|insert|update|delete|create|drop|fetch|pragma)\b", re.I)
#: the time zone of the role that asks, in which moments are shown by themselves
ZONE = ZoneInfo("America/Los_Angeles")
FORMATS = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "YYYY-MM-DD HH24:MI:SS": "%Y-%m-%d %H:%M:%S",
}


#: the tables that are kept here, with some of the columns that they have
COLUMNS = {
    "transaction": (
        "id type tranid transactionnumber trandate status approvalstatus voided foreigntotal"
        " currency entity memo lastmodifieddate externalid"
    ),
    "transactionline": "transaction mainline subsidiary",
    "previoustransactionlinelink": (
        "linktype nextdoc nextline nexttype previousdoc previousline foreignamount"
    ),
    "account": "id acctnumber",
    "currency": "id symbol",
    "vendor": "id entityid companyname isinactive",
    "job": "id entityid companyname isinactive",
}


class Refused(Exception):
    """A query that NetSuite answers with 400."""


def run(query: str, tables: Mapping[str, Rows], *, limit: int, offset: int) -> dict[str, Any]:
    """The collection that NetSuite answers with. Raises ``Refused``."""
    bare = "".join(part for part in TEXT.split(query) if not part.startswith("'"))
    if found := UNKNOWN.search(bare) or re.match(r"\s*(?!select\b)", bare, re.I):
        raise Refused(f"Invalid or unsupported search. Unexpected: {found[0] or bare[:20]}")
    asked = {name: rows for name, rows in tables.items() if re.search(rf"\b{name}\b", bare, re.I)}
    with contextlib.closing(_database(asked)) as base:
        try:
            found_rows = [dict(row) for row in base.execute(_translated(query))]
        except sqlite3.Error as error:
            missing = re.search(r"no such table: (\w+)", str(error))
            name = f"Record '{missing[1]}' was not found." if missing else str(error)
            raise Refused(f"Invalid search query. {name}") from error
    shown = found_rows[offset : offset + limit]
    return {
        "links": [],
        "count": len(shown),
        "hasMore": offset + limit < len(found_rows),
        "items": [{"links": [], **_item(row)} for row in shown],
        "offset": offset,
        "totalResults": len(found_rows),
    }


@cache
def local(moment: dt.datetime) -> str:
    """A moment as the database keeps it here."""
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _item(row: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case, values as texts, and nothing for what is empty."""
    return {name.lower(): _shown(value) for name, value in row.items() if value is not None}


def _shown(value: Any) -> str:
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _translated(query: str) -> str:
    """``transaction`` is a word of SQLite's own, and BUILTIN.DF no name there."""
    parts = TEXT.split(DISPLAY.sub(r"BUILTIN_DF('\2', \1.\2, \1.type)", query))
    return "".join(
        part if part.startswith("'") else re.sub(r"\btransaction\b", '"transaction"', part)
        for part in parts
    )


def _database(tables: Mapping[str, Rows]) -> sqlite3.Connection:
    base = sqlite3.connect(":memory:")
    base.row_factory = sqlite3.Row
    base.create_function("TO_CHAR", 2, _to_char, deterministic=True)
    base.create_function("TO_TIMESTAMP", 2, _to_timestamp, deterministic=True)
    base.create_function("SYS_EXTRACT_UTC", 1, _in_utc, deterministic=True)
    base.create_function("BUILTIN_DF", 3, _displayed, deterministic=True)
    base.create_aggregate("SUM", 1, _Sum)  # type: ignore[arg-type]
    for name, rows in tables.items():
        columns = COLUMNS[name].split()
        quoted = ", ".join(f'"{column}"' for column in columns)
        base.execute(f'CREATE TABLE "{name}" ({quoted})')
        marks = ", ".join("?" for _ in columns)
        values = [[row[column] for column in columns] for row in rows]
        base.executemany(f'INSERT INTO "{name}" VALUES ({marks})', values)  # noqa: S608
        for column in {"id", "transaction", "nextdoc", "previousdoc"} & set(columns):
            base.execute(f'CREATE INDEX "{name}_{column}" ON "{name}" ("{column}")')
    return base


@cache
def _to_char(value: str | None, form: str) -> str | None:
    return value and dt.datetime.fromisoformat(value).strftime(FORMATS[form])


def _to_timestamp(text: str, form: str) -> str:
    return dt.datetime.strptime(text, FORMATS[form]).strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ007


@cache
def _in_utc(value: str | None) -> str | None:
    if value is None:
        return None
    moment = dt.datetime.fromisoformat(value).replace(tzinfo=ZONE)
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


NAMES = {
    ("VendPymt", "A"): "Bill Payment : In-Transit",
    ("VendPymt", "D"): "Bill Payment : Pending Approval",
    ("VendPymt", "E"): "Bill Payment : Rejected",
    ("VendPymt", "F"): "Bill Payment : Approved",
    ("VendPymt", "V"): "Bill Payment : Voided",
    ("VendPymt", "Z"): "Bill Payment : Online Bill Pay Pending Accounting Approval",
    ("VendBill", "A"): "Bill : Open",
    ("VendBill", "B"): "Bill : Paid In Full",
    ("VendBill", "C"): "Bill : Cancelled",
    ("VendBill", "D"): "Bill : Pending Approval",
}


def _displayed(column: str, value: str | None, kind: str) -> str | None:
    if column != "status":
        return value
    return NAMES.get((kind, value or ""), f"Bill Payment : {value or 'Undefined'}")


class _Sum:
    """Without the noise of binary fractions."""

    def __init__(self) -> None:
        self.total = Decimal(0)

    def step(self, value: float | None) -> None:
        self.total += Decimal(str(value or 0))

    def finalize(self) -> str:
        return f"{self.total:f}"
