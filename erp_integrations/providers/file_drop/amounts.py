"""Amounts as people and programs write them in files; pure, and never through a float's binary."""

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum


class DecimalMark(StrEnum):
    """What stands before the cents. Which one a file means is asked wherever both would fit."""

    POINT = "."
    COMMA = ","


class Unreadable(ValueError):
    """A cell that does not hold what its column should; ``str`` says so to a person."""


#: thousands may be set apart by these whatever the decimal mark is
_SPACES = re.compile("[\\s\u00a0\u2007\u2009\u202f'\u2019]")
_CURRENCY = re.compile(r"(?:[$€£¥]|\b[A-Z]{3}\b|\b[A-Z]{2}\$|\bkr\b)")
_MINUS = "-\u2212\u2013"
#: groups of three; of two and a last one of three as in India
_WHOLE = {
    mark: re.compile(rf"(?:\d+|\d{{1,3}}(?:{other}\d{{2,3}})*{other}\d{{3}})(?:{dot}\d*)?|{dot}\d+")
    for mark, dot, other in ((DecimalMark.POINT, r"\.", ","), (DecimalMark.COMMA, ",", r"\."))
}
#: Excel keeps a number in binary; so many digits of it are what somebody typed
_TYPED_DIGITS = 15


def amount_of(cell: object, mark: DecimalMark) -> Decimal:
    """``(1,234.56)``, ``1.234,56-``, ``$ -5`` or a number of Excel. Raises ``Unreadable``."""
    if isinstance(cell, bool):
        raise Unreadable("holds yes or no, not an amount")
    if isinstance(cell, int):
        return Decimal(cell)
    if isinstance(cell, float):
        return _of_float(cell)
    if isinstance(cell, Decimal):
        return cell
    text = str(cell).strip()
    if not text:
        raise Unreadable("is empty; it needs an amount")
    digits, is_negative = _without_sign(text)
    if not _WHOLE[mark].fullmatch(digits):
        raise Unreadable(f"“{text[:40]}” is not an amount with “{mark}” before the cents")
    thousands = "," if mark is DecimalMark.POINT else "."
    value = Decimal(digits.replace(thousands, "").replace(mark, "."))
    return -value if is_negative else value


def fitting_marks(cells: Iterable[object]) -> set[DecimalMark]:
    """The marks by which every amount can be read; both where no cell tells them apart."""
    texts = _readable(cells)
    return {mark for mark in DecimalMark if all(_reads(text, mark) for text in texts)}


def are_told_apart(cells: Iterable[object]) -> bool:
    """False where both marks read every amount, and some of them differently."""
    texts = _readable(cells)
    if len(fitting_marks(texts)) < len(DecimalMark):
        return True
    return all(len({amount_of(text, mark) for mark in DecimalMark}) == 1 for text in texts)


def _readable(cells: Iterable[object]) -> list[str]:
    """Texts that are amounts at all; a row that is wrong anyway says nothing of the others."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    return [text for text in texts if any(_reads(text, mark) for mark in DecimalMark)]


def _reads(text: str, mark: DecimalMark) -> bool:
    try:
        amount_of(text, mark)
    except Unreadable:
        return False
    return True


def _of_float(number: float) -> Decimal:
    value = Decimal(format(number, f".{_TYPED_DIGITS}g"))
    if not value.is_finite():
        raise Unreadable("is not a number")
    return value


def _without_sign(text: str) -> tuple[str, bool]:
    """Parentheses, a minus in front, behind or after the currency all mean below zero, once."""
    in_brackets = text.startswith("(") and text.endswith(")")
    bare = _CURRENCY.sub("", text[1:-1] if in_brackets else text)
    bare = _SPACES.sub("", bare)
    in_front, behind = bare[:1] in _MINUS and bool(bare), bare[-1:] in _MINUS and bool(bare)
    bare = bare[1:] if in_front else bare
    bare = bare[:-1] if behind and not in_front else bare
    if in_brackets and (in_front or behind):
        return "", True  # two signs: nobody knows what was meant
    return bare, in_brackets or in_front or behind
