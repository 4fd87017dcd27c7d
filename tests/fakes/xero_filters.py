"""Xero's filters and orders, read and evaluated: ``Type=="ACCPAY"&&Date>=DateTime(2026,11,1)``.

Only comparisons joined by ``&&``, ``||`` and brackets. A comparison of two
kinds of value is refused, as Xero refuses it: a GUID is not a text.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
TOKENS = re.compile(
    r"""\s*(?:(?P<text>"[^"]*")|(?P<guid>Guid\("[^"]*"\))|(?P<date>DateTime\([\d,\s]+\))
    |(?P<op>==|!=|>=|<=|>|<|&&|\|\||\(|\))|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_.]+))""",
    re.VERBOSE,
)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">=": lambda a, b: a is not None and a >= b,
    "<=": lambda a, b: a is not None and a <= b,
    ">": lambda a, b: a is not None and a > b,
    "<": lambda a, b: a is not None and a < b,
}


class CannotParse(Exception):
    """A filter that Xero answers with a QueryParseException."""


def parsed(text: str) -> Test:
    if not text:
        return lambda row: True
    reader = _Reader(list(_tokens(text)))
    test = reader.either()
    if reader.rest:
        raise CannotParse(f"Syntax error at {reader.rest[0][1]}")
    return test


def in_order(rows: list[Row], order: str) -> list[Row]:
    """Sorted by one field; rows that are alike in it come in an order that nobody promised."""
    rows = sorted(rows, key=lambda row: str(next(iter(row.values())))[::-1])
    if not order:
        return rows
    field, _, direction = order.partition(" ")
    if direction not in {"", "ASC", "DESC"} or any(field not in row for row in rows):
        raise CannotParse(f"No property or field '{field}' exists")
    return sorted(rows, key=lambda row: row[field], reverse=direction == "DESC")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        found = TOKENS.match(text, at)
        if not found or found.lastgroup is None:
            raise CannotParse(f"Syntax error at character {at}")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.rest = tokens

    def either(self) -> Test:
        test = self.both()
        while self._takes("||"):
            test = _or(test, self.both())
        return test

    def both(self) -> Test:
        test = self.single()
        while self._takes("&&"):
            test = _and(test, self.single())
        return test

    def single(self) -> Test:
        if self._takes("("):
            test = self.either()
            if not self._takes(")"):
                raise CannotParse("')' expected")
            return test
        if len(self.rest) < 3:
            raise CannotParse("Expression expected")
        (kind, path), (_, operator), (value_kind, value) = self.rest[:3]
        if kind != "name" or operator not in COMPARISONS:
            raise CannotParse(f"Syntax error at {path}")
        del self.rest[:3]
        return _comparison(path, operator, _value(value_kind, value))

    def _takes(self, token: str) -> bool:
        if self.rest and self.rest[0] == ("op", token):
            del self.rest[0]
            return True
        return False


def _and(one: Test, two: Test) -> Test:
    return lambda row: one(row) and two(row)


def _or(one: Test, two: Test) -> Test:
    return lambda row: one(row) or two(row)


def _comparison(path: str, operator: str, wanted: Any) -> Test:
    def test(row: Row) -> bool:
        value: Any = row
        for part in path.split("."):
            if value is not None and part not in value:
                raise CannotParse(f"No property or field '{part}' exists in type")
            value = value[part] if value is not None else None
        if value is not None and wanted is not None and type(value) is not type(wanted):
            raise CannotParse(
                f"Operator '{operator}' incompatible with operand types "
                f"'{type(value).__name__}' and '{type(wanted).__name__}'"
            )
        return COMPARISONS[operator](value, wanted)

    return test


def _value(kind: str, text: str) -> Any:
    try:
        match kind:
            case "text":
                return text[1:-1]
            case "guid":
                return uuid.UUID(text[6:-2])
            case "date":
                year, month, day = (int(part) for part in text[9:-1].split(","))
                return dt.date(year, month, day)
            case "number":
                return Decimal(text)
            case "name" if text in {"true", "false", "null"}:
                return {"true": True, "false": False, "null": None}[text]
    except ValueError as error:
        raise CannotParse(str(error)) from error
    raise CannotParse(f"Syntax error at {text}")
