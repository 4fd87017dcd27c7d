"""The query service of a stand-in for Sage Intacct: evaluates what it is asked, or refuses it."""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

Row = Mapping[str, Any]
MOST, USUAL = 4000, 100
MEMBERS = {
    "object", "fields", "filters", "filterExpression", "filterParameters", "orderBy",
    "start", "size",
}  # fmt: skip
PARAMETERS = {
    "asOfDate", "caseSensitiveComparison", "includeHierarchyFields", "includePrivate",
}  # fmt: skip
TOKEN = re.compile(r"\s*(\d+|and|or|\(|\))")


class Refused(Exception):
    """A question that Intacct answers with 400."""


@cache
def comparable(value: Any) -> Any:
    """Numbers and moments have an order of their own, though all arrive as strings."""
    if isinstance(value, str):
        if re.fullmatch(r"-?\d+(\.\d+)?", value):
            return (0, Decimal(value))
        if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
            return (1, dt.datetime.fromisoformat(value))
        return (2, value)
    return (3, str(value))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(value: Any, wanted: Any) -> bool:
        if value is None or wanted is None:
            return False
        mine, other = comparable(value), comparable(wanted)
        return mine[0] == other[0] and compare(mine, other)

    return test


def _equal(value: Any, wanted: Any) -> bool:
    return bool(comparable(value) == comparable(wanted))


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equal,
    "$ne": lambda value, wanted: not _equal(value, wanted),
    "$gt": _ordered(lambda mine, other: mine > other),
    "$gte": _ordered(lambda mine, other: mine >= other),
    "$lt": _ordered(lambda mine, other: mine < other),
    "$lte": _ordered(lambda mine, other: mine <= other),
    "$in": lambda value, wanted: comparable(value) in wanted,
    "$notIn": lambda value, wanted: comparable(value) not in wanted,
    "$contains": lambda value, wanted: value is not None and wanted in value,
}


def answer(question: Any, rows_of: Callable[[str], Sequence[Row]]) -> dict[str, Any]:
    """The envelope of a result; ``rows_of`` gives the objects of a kind. Raises ``Refused``."""
    if not isinstance(question, dict) or not {"object", "fields"} <= set(question) <= MEMBERS:
        raise Refused("The query needs an object and fields, and has nothing else.")
    rows = list(rows_of(question["object"]))
    parameters = question.get("filterParameters", {})
    if not set(parameters) <= PARAMETERS:
        raise Refused("Unknown filter parameter.")
    is_strict = parameters.get("caseSensitiveComparison", True)
    tests = [_test_of(each, is_strict=is_strict) for each in question.get("filters", [])]
    joined = _joining(question.get("filterExpression", "and"), len(tests))
    rows = [row for row in rows if joined([test(row) for test in tests])]
    for each in reversed(question.get("orderBy", [])):
        ((field, direction),) = each.items()
        rows.sort(key=lambda row: comparable(_of(row, field)), reverse=direction == "desc")
    start, size = question.get("start", 1), min(question.get("size", USUAL), MOST)
    shown = rows[start - 1 : start - 1 + size]
    following = start + size if start - 1 + size < len(rows) else None
    return {
        "ia::result": [{name: _of(row, name) for name in question["fields"]} for row in shown],
        "ia::meta": {
            "totalCount": len(rows),
            "start": start,
            "pageSize": size,
            "next": following,
            "previous": max(1, start - size) if start > 1 else None,
        },
    }


def _of(row: Row, field: str) -> Any:
    if field not in row:
        raise Refused(f"Field {field} does not exist.")
    return row[field]


def _test_of(condition: Any, *, is_strict: bool) -> Callable[[Row], bool]:
    ((operator, pair),) = condition.items()
    ((field, wanted),) = pair.items()
    if operator not in OPERATORS:
        raise Refused(f"Operator {operator} does not exist.")
    wanted = wanted if is_strict else _folded(wanted)
    if isinstance(wanted, list):
        wanted = frozenset(map(comparable, wanted))

    def test(row: Row) -> bool:
        value = _of(row, field)
        return OPERATORS[operator](value if is_strict else _folded(value), wanted)

    return test


def _joining(expression: str, count: int) -> Callable[[Sequence[bool]], bool]:
    if expression == "and":
        return all
    if expression == "or":
        return lambda truths: any(truths) or not truths
    _Expression(expression, [False] * count).value()
    return lambda truths: _Expression(expression, truths).value()


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(each) for each in value]
    is_text = isinstance(value, str) and comparable(value)[0] == 2  # noqa: PLR2004
    return value.lower() if is_text else value


class _Expression:
    """``1 and (2 or 3)`` over the truth of each numbered condition."""

    def __init__(self, text: str, truths: Sequence[bool]) -> None:
        if TOKEN.sub("", text).strip():
            raise Refused(f"The filter expression {text} cannot be read.")
        self.tokens, self.truths = TOKEN.findall(text), truths
        named = {int(each) for each in self.tokens if each.isdecimal()}
        if named != set(range(1, len(truths) + 1)):
            raise Refused("The filter expression has to name every filter.")

    def value(self) -> bool:
        found = self._joined()
        if self.tokens:
            raise Refused("The filter expression has too many brackets.")
        return found

    def _joined(self) -> bool:
        found = self._single()
        while self.tokens and self.tokens[0] in {"and", "or"}:
            word, other = self.tokens.pop(0), self._single()
            found = (found and other) if word == "and" else (found or other)
        return found

    def _single(self) -> bool:
        token = self.tokens.pop(0) if self.tokens else ""
        if token == "(":
            found = self._joined()
            if not self.tokens or self.tokens.pop(0) != ")":
                raise Refused("The filter expression lacks a bracket.")
            return found
        if not token.isdecimal():
            raise Refused("The filter expression cannot be read.")
        return self.truths[int(token) - 1]
