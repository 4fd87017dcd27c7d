"""The words of a question to the contract-based REST API: an OData v3 ``$filter``.

Details cannot be filtered by, and there is no ``$orderby``: records come in the
order of their keys.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

#: characters of one list of alternatives, so that an address stays below IIS's 2,048
LONGEST = 1_750


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def moment(value: datetime) -> str:
    stamp = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"datetimeoffset'{stamp}'"


def number(value: Decimal) -> str:
    return f"{value:f}m"


def both(*clauses: str) -> str:
    return " and ".join(f"({each})" if " or " in each else each for each in clauses if each)


def contains(field: str, value: str) -> str:
    return f"substringof({text(value)},{field}) eq true"


def any_of(field: str, values: Sequence[str], at_once: int) -> Iterator[str]:
    """``field`` is one of the values: as few clauses as fit into addresses, and into pages."""
    clause, count = "", 0
    for value in values:
        one = f"{field} eq {text(value)}"
        grown = f"{clause} or {one}" if clause else one
        if clause and (count == at_once or _length(grown) > LONGEST):
            yield clause
            grown, count = one, 0
        clause, count = grown, count + 1
    if clause:
        yield clause


def _length(clause: str) -> int:
    """In an address every quote takes three characters, and others may."""
    return len(clause) + 2 * sum(not (each.isalnum() or each in " -_.") for each in clause)
