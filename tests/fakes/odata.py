"""``$filter`` of OData, parsed and evaluated: what stand-ins do with what they are sent.

Version 3 writes ``substringof('x',Name)``, ``datetimeoffset'…'`` and ``12.5m``;
version 4 ``contains(Name,'x')``, which minds the case, bare moments and plain
numbers. What a version does not know is a ``BadFilter``, and so is a field that
the record does not have.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Record = Mapping[str, Any]
Test = Callable[[Record], Any]

TOKEN = re.compile(
    r"\s*(?:(?P<moment3>datetimeoffset'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<moment4>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))|(?P<day>\d{4}-\d\d-\d\d)"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<number>-?\d+(?:\.\d+)?m?)|(?P<word>[A-Za-z_][\w/]*)|(?P<sign>[(),]))"
)
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: bool(one == other),
    "ne": lambda one, other: bool(one != other),
    "gt": lambda one, other: bool(one > other),
    "ge": lambda one, other: bool(one >= other),
    "lt": lambda one, other: bool(one < other),
    "le": lambda one, other: bool(one <= other),
}


class BadFilter(Exception):
    """The real system would refuse the question."""


def predicate(text: str, fields: set[str], *, version: int) -> Callable[[Record], bool]:
    """Whether a record fits; texts are compared as SQL Server does, without case."""
    if not text:
        return lambda record: True
    reading = _Reading(text, fields, version)
    test = reading.alternatives()
    reading.expect_end()
    return lambda record: bool(test(record))


class _Reading:
    def __init__(self, text: str, fields: set[str], version: int) -> None:
        self.fields, self.version = fields, version
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            if not found or not found.lastgroup:
                raise BadFilter(f"Syntax error at position {at} in '{text}'.")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self.at = 0
        #: fields that the part being read names
        self.named: set[str] = set()

    def expect_end(self) -> None:
        if self.at != len(self.tokens):
            raise BadFilter(f"Unexpected '{self.tokens[self.at][1]}'.")

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self, wanted: str = "") -> tuple[str, str]:
        if self.at >= len(self.tokens) or (wanted and self.peek() != wanted):
            raise BadFilter(f"'{wanted or 'a value'}' expected, not '{self.peek()}'.")
        self.at += 1
        return self.tokens[self.at - 1]

    # ------------------------------------------------------------- the grammar
    def alternatives(self) -> Test:
        """Business Central, which speaks version 4, has them of values of one field only."""
        before, self.named = self.named, set()
        tests = [self.conditions()]
        while self.peek() == "or":
            self.next()
            tests.append(self.conditions())
        if len(tests) > 1 and len(self.named) > 1 and self.version == 4:
            raise BadFilter(
                "The 'OR' operator is not supported on distinct fields on an OData filter."
            )
        is_of_one_field = len(self.named) == 1
        self.named |= before
        if len(tests) == 1:
            return tests[0]
        if is_of_one_field and all(isinstance(test, _Equal) for test in tests):
            return _one_of([test for test in tests if isinstance(test, _Equal)])
        return lambda record: any(test(record) for test in tests)

    def conditions(self) -> Test:
        tests = [self.condition()]
        while self.peek() == "and":
            self.next()
            tests.append(self.condition())
        if len(tests) == 1:
            return tests[0]
        return lambda record: all(test(record) for test in tests)

    def condition(self) -> Test:
        if self.peek() == "(":
            self.next()
            inner = self.alternatives()
            self.next(")")
            return inner
        one = self.value()
        if self.peek() not in COMPARED:
            return one
        compare = COMPARED[self.next()[1]]
        literal = self.peek()[:1] in "'-0123456789"
        other = self.value()
        if literal and isinstance(one, _Field) and compare is COMPARED["eq"]:
            return _Equal(one.name, other({}))
        return lambda record: _fits(compare, one(record), other(record))

    def value(self) -> Test:
        kind, token = self.next()
        if kind == "word" and self.peek() == "(":
            return self.function(token)
        if kind == "word" and token in {"true", "false", "null"}:
            constant = {"true": True, "false": False, "null": None}[token]
            return lambda record: constant
        if kind == "word":
            return self.field(token)
        literal = self.literal(kind, token)
        return lambda record: literal

    def field(self, name: str) -> Test:
        if name not in self.fields:
            raise BadFilter(f"Could not find a property named '{name}'.")
        self.named.add(name)
        return _Field(name)

    def literal(self, kind: str, token: str) -> Any:
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if kind == "moment3" and self.version == 3:
            return dt.datetime.fromisoformat(token[len("datetimeoffset'") : -1])
        if kind == "moment4" and self.version == 4:
            return dt.datetime.fromisoformat(token)
        if kind == "day" and self.version == 4:
            return dt.date.fromisoformat(token)
        if kind == "guid" and self.version == 4:
            return token.lower()
        if kind == "number" and (self.version == 3 or not token.endswith("m")):
            return Decimal(token.rstrip("m"))
        raise BadFilter(f"'{token}' is no literal.")

    def function(self, name: str) -> Test:
        self.next("(")
        one = self.value()
        if name == "tolower" and self.version == 4:
            self.next(")")
            return lambda record: str(one(record) or "").lower()
        self.next(",")
        other = self.value()
        self.next(")")
        if name == "substringof" and self.version == 3:
            return lambda record: _lower(one(record)) in _lower(other(record))
        if name == "contains" and self.version == 4:
            return lambda record: str(other(record)) in str(one(record) or "")
        if name == "startswith":
            return lambda record: _lower(one(record)).startswith(_lower(other(record)))
        raise BadFilter(f"An unknown function with name '{name}' was found.")


@dataclass(frozen=True)
class _Field:
    name: str

    def __call__(self, record: Record, /) -> Any:
        return record.get(self.name)


@dataclass(frozen=True)
class _Equal:
    name: str
    value: Any

    def __call__(self, record: Record, /) -> bool:
        return _fits(COMPARED["eq"], record.get(self.name), self.value)


def _one_of(tests: list[_Equal]) -> Test:
    """Long lists of numbers are looked up, not gone through."""
    name, values = tests[0].name, {_lower_if_text(each.value) for each in tests}

    def test(record: Record) -> bool:
        tests[0](record)  # refuses what cannot be compared
        return _lower_if_text(record.get(name)) in values

    return test


def _lower_if_text(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _fits(compare: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return compare(one.lower(), other.lower())
    if one is None or other is None:
        return compare is COMPARED["eq"] and one is other
    mixed = BadFilter(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{type(one).__name__}' and '{type(other).__name__}'."
    )
    if isinstance(one, str) is not isinstance(other, str):
        raise mixed
    try:
        return compare(one, other)
    except TypeError as error:
        raise mixed from error


def _lower(value: Any) -> str:
    return str(value or "").lower()
