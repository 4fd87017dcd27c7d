"""Questions in the language of Intacct's query service.

Conditions stand in a numbered list, and an expression says how the numbers are
joined: ``"1 and (2 or (3 and 4))"``.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple


class Is(NamedTuple):
    """One condition, e.g. ``Is("$gte", "txnDate", "2026-11-22")``."""

    operator: str
    field: str
    value: Any


class Joined(NamedTuple):
    word: Literal["and", "or"]
    parts: "tuple[Filter, ...]"


Filter = Is | Joined


def every(*parts: Filter) -> Filter:
    return Joined("and", parts)


def either(*parts: Filter) -> Filter:
    return Joined("or", parts)


def is_in(field: str, values: Sequence[str]) -> Filter:
    return Is("$in", field, list(values))


def written(wanted: Filter) -> dict[str, Any]:
    """The members ``filters`` and ``filterExpression`` of a query."""
    filters: list[dict[str, Any]] = []
    expression = _expression(wanted, filters)
    return {
        "filters": filters,
        "filterExpression": expression.removeprefix("(").removesuffix(")")
        if isinstance(wanted, Joined)
        else expression,
    }


def _expression(wanted: Filter, filters: list[dict[str, Any]]) -> str:
    if isinstance(wanted, Is):
        filters.append({wanted.operator: {wanted.field: wanted.value}})
        return str(len(filters))
    parts = [_expression(part, filters) for part in wanted.parts]
    return parts[0] if len(parts) == 1 else f"({f' {wanted.word} '.join(parts)})"
