"""Dates in any order. Which order a file means is asked; only what cannot be otherwise is proposed.

``05/07/2026`` is May 7 in one country and July 5 in another: nothing here
chooses. Dates of Excel, names of months and a year in front say it themselves.
"""

import datetime as dt
import re
from collections.abc import Iterable
from enum import StrEnum

from erp_integrations.providers.file_drop.amounts import Unreadable


class DateOrder(StrEnum):
    MONTH_FIRST = "mdy"
    DAY_FIRST = "dmy"
    YEAR_FIRST = "ymd"


WORDS = {
    DateOrder.MONTH_FIRST: "month, day, year",
    DateOrder.DAY_FIRST: "day, month, year",
    DateOrder.YEAR_FIRST: "year, month, day",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS = re.compile(r"(\d{1,4})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{1,4})")
_COMPACT = re.compile(r"\d{8}")
_TIME = re.compile(
    r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?(Z|[+-]\d{2}:?\d{2})?$"
)
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-\s./,]*([A-Za-z]{3,9})\.?[-\s./,]*(\d{2,4})")
_MONTH_DAY = re.compile(r"([A-Za-z]{3,9})\.?[-\s./,]*(\d{1,2})(?:st|nd|rd|th)?[-\s./,]+(\d{2,4})")
#: a year of two digits belongs to this century up to here
_LAST_OF_CENTURY = 79


def date_of(cell: object, order: DateOrder) -> dt.date:
    """The day in a cell, read in this order. Raises ``Unreadable``."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, int | float):
        raise Unreadable(f"holds the number {cell}; give the column the format of a date in Excel")
    text = _TIME.sub("", str(cell).strip())
    if not text:
        raise Unreadable("is empty; it needs a date")
    found = _written_out(text) or _in_digits(text, order)
    if found is None:
        raise Unreadable(f"“{text[:40]}” is not a date in the order {WORDS[order]}")
    return found


def fitting_orders(cells: Iterable[object]) -> set[DateOrder]:
    """The orders in which every date of a column can be read; all where none tells them apart."""
    texts = _readable(cells)
    return {order for order in DateOrder if all(_reads(text, order) for text in texts)}


def are_told_apart(cells: Iterable[object]) -> bool:
    """False where several orders read every date, and some of them differently."""
    texts = _readable(cells)
    orders = fitting_orders(texts)
    return all(len({date_of(text, order) for order in orders}) == 1 for text in texts)


def _readable(cells: Iterable[object]) -> list[str]:
    """Texts that are dates at all; a row that is wrong anyway says nothing of the others."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    return [text for text in texts if any(_reads(text, order) for order in DateOrder)]


def _reads(text: str, order: DateOrder) -> bool:
    try:
        date_of(text, order)
    except Unreadable:
        return False
    return True


def _written_out(text: str) -> dt.date | None:
    """``5-Jul-2026`` or ``July 5, 2026``: the same in every order."""
    if found := _DAY_MONTH.fullmatch(text):
        day, month, year = found.groups()
    elif found := _MONTH_DAY.fullmatch(text):
        month, day, year = found.groups()
    else:
        return None
    name = month[:3].lower()
    return _day(year, str(_MONTHS.index(name) + 1), day) if name in _MONTHS else None


def _in_digits(text: str, order: DateOrder) -> dt.date | None:
    if _COMPACT.fullmatch(text):
        year_first = order is DateOrder.YEAR_FIRST
        parts = (text[:4], text[4:6], text[6:]) if year_first else (text[:2], text[2:4], text[4:])
    elif found := _PARTS.fullmatch(text):
        parts = found.groups()  # type: ignore[assignment]  # the pattern has three groups
    else:
        return None
    if len(parts[0]) == 4:  # nobody writes a year in front of anything but month and day
        order = DateOrder.YEAR_FIRST
    named = dict(zip(order.value, parts, strict=True))
    return _day(named["y"], named["m"], named["d"])


def _day(year: str, month: str, day: str) -> dt.date | None:
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2:
        return None
    number = int(year)
    if len(year) == 2:
        number += 2000 if number <= _LAST_OF_CENTURY else 1900
    try:
        return dt.date(number, int(month), int(day))
    except ValueError:
        return None
