"""The query language of QuickBooks Online, as far as it goes: one entity, ``AND``, no ``OR``."""

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

Record = dict[str, Any]
MOST = 1000
TOKEN = re.compile(r"\s*('(?:\\.|[^'\\])*'|[A-Za-z][\w.]*|\d+(?:\.\d+)?|<=|>=|[=<>(),*%])")
META = {"MetaData.LastUpdatedTime": "time", "MetaData.CreateTime": "time"}
TRANSACTION = {
    **META, "Id": "id", "TxnDate": "date", "DocNumber": "text", "TotalAmt": "money",
    "VendorRef": "ref", "PrivateNote": "text", "CurrencyRef": "ref",
}  # fmt: skip
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
#: what can be asked for and ordered by; everything else is refused
FIELDS: dict[str, dict[str, str]] = {
    "BillPayment": TRANSACTION,
    "Bill": {**TRANSACTION, "Balance": "money", "DueDate": "date"},
    "PurchaseOrder": {**TRANSACTION, "POStatus": "text"},
    "Vendor": {**META, "Id": "id", "DisplayName": "text", "Active": "flag"},
    "Account": {**META, "Id": "id", "Name": "text", "Active": "flag"},
    "Customer": {**META, "Id": "id", "DisplayName": "text", "Active": "flag", "Job": "flag"},
    "CompanyInfo": {**META, "Id": "id"},
    "Preferences": {**META, "Id": "id"},
}


class Refusal(Exception):
    """A fault with which a request is answered."""

    def __init__(self, code: str, message: str, detail: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.detail, self.status = code, message, detail, status


class QueryParserError(Refusal):
    def __init__(self, detail: str) -> None:
        super().__init__("4000", "Error parsing query", f"QueryParserError: {detail}")


class QueryValidationError(Refusal):
    def __init__(self, detail: str) -> None:
        super().__init__("4001", "Invalid query", f"QueryValidationError: {detail}")


@dataclass
class Condition:
    name: str
    operator: str
    values: list[str]

    def __post_init__(self) -> None:
        by_id = self.name == "Id" and self.operator in {"=", "IN"}
        #: the only ids that can meet it, where it is about ids
        self.ids = frozenset(self.values) if by_id else frozenset()


@dataclass
class Query:
    entity: str
    counts: bool = False
    conditions: list[Condition] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    start: int = 1
    size: int = 100

    def may_have(self, record_id: int) -> bool:
        """Whether its conditions on ids leave this one in; a look before the record is made."""
        return all(str(record_id) in each.ids for each in self.conditions if each.ids)


class _Words:
    """The words of a statement, one after the other."""

    def __init__(self, statement: str) -> None:
        self.words = list(_split(statement.strip()))
        self.place = 0

    def next(self) -> str:
        if self.place >= len(self.words):
            raise QueryParserError("Encountered <EOF>")
        self.place += 1
        return self.words[self.place - 1]

    def has(self, *words: str) -> bool:
        """Goes past these words, if they come next."""
        coming = [word.upper() for word in self.words[self.place : self.place + len(words)]]
        if coming != list(words):
            return False
        self.place += len(words)
        return True

    def expect(self, *words: str) -> None:
        for word in words:
            if (got := self.next()).upper() != word:
                raise QueryParserError(f'Encountered "{got}", expected "{word}"')

    @property
    def is_over(self) -> bool:
        return self.place == len(self.words)


def _split(statement: str) -> Iterator[str]:
    at = 0
    while at < len(statement):
        found = TOKEN.match(statement, at)
        if found is None:
            raise QueryParserError(f'Encountered "{statement[at : at + 20]}"')
        yield found[1]
        at = found.end()


def parsed(statement: str) -> Query:
    words = _Words(statement)
    words.expect("SELECT")
    counts = words.has("COUNT", "(", "*", ")")
    if not counts:
        words.expect("*")
    words.expect("FROM")
    query = Query(words.next(), counts)
    if query.entity not in FIELDS:
        raise QueryValidationError(f"invalid entity {query.entity}")
    if words.has("WHERE"):
        query.conditions.append(_condition(words))
        while words.has("AND"):
            query.conditions.append(_condition(words))
    if words.has("ORDERBY") or words.has("ORDER", "BY"):
        query.order.append(_order(words))
        while words.has(","):
            query.order.append(_order(words))
    if words.has("STARTPOSITION"):
        query.start = int(words.next())
    if words.has("MAXRESULTS"):
        query.size = int(words.next())
    if not words.is_over:
        raise QueryParserError(f'Encountered "{words.next()}"')
    return _valid(query)


def _valid(query: Query) -> Query:
    names = [each.name for each in query.conditions] + [name for name, _ in query.order]
    for name in names:
        if name not in FIELDS[query.entity]:
            raise QueryValidationError(f"Property {name} not found for Entity {query.entity}")
    if query.start < 1 or not 1 <= query.size <= MOST:
        raise QueryValidationError("STARTPOSITION or MAXRESULTS out of range")
    return query


def _condition(words: _Words) -> Condition:
    name, sign = words.next(), words.next().upper()
    if sign not in {*COMPARISONS, "LIKE", "IN"}:
        raise QueryParserError(f'Encountered "{sign}"')
    if sign != "IN":
        return Condition(name, sign, [_value(words.next())])
    words.expect("(")
    values = [_value(words.next())]
    while words.has(","):
        values.append(_value(words.next()))
    words.expect(")")
    return Condition(name, sign, values)


def _value(word: str) -> str:
    if word.startswith("'"):
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    if word.lower() in {"true", "false"} or word[0].isdecimal():
        return word.lower()
    raise QueryParserError(f'Encountered "{word}"')


def _order(words: _Words) -> tuple[str, bool]:
    name = words.next()
    is_down = words.has("DESC")
    if not is_down:
        words.has("ASC")
    return name, is_down


# ---------------------------------------------------------------- evaluation
def selected(query: Query, records: Sequence[Record]) -> list[Record]:
    """All records that meet the query, in its order; the newest first without one."""
    kinds = FIELDS[query.entity]
    wanted = [_test(condition, kinds[condition.name]) for condition in query.conditions]
    found = [each for each in records if all(meets(each) for meets in wanted)]
    found.sort(key=lambda each: int(each["Id"]), reverse=not query.order)
    for name, is_down in reversed(query.order):
        found.sort(key=lambda each: _read(each, name, kinds[name]), reverse=is_down)
    return found


def _test(condition: Condition, kind: str) -> Callable[[Record], bool]:
    name = condition.name
    if condition.operator == "LIKE":
        words = re.escape(condition.values[0]).replace("%", ".*")
        pattern = re.compile(words, re.IGNORECASE | re.DOTALL)
        return lambda record: pattern.fullmatch(str(_read(record, name, kind))) is not None
    theirs = [_typed(value, kind) for value in condition.values]
    if condition.operator == "IN":
        several = set(theirs)
        return lambda record: _read(record, name, kind) in several
    compare = COMPARISONS[condition.operator]
    return lambda record: bool(compare(_read(record, name, kind), theirs[0]))


def _read(record: Record, name: str, kind: str) -> Any:
    value: Any = record
    for part in name.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    if kind == "ref":
        return value["value"] if value else ""
    return _typed(str(value), kind)


def _typed(text: str, kind: str) -> Any:
    try:
        match kind:
            case "time":
                moment = dt.datetime.fromisoformat(text)
                return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            case "money":
                return Decimal(text or "0")
            case "id":
                return int(text or "0")
            case "flag":
                return text.lower() == "true"
    except (ValueError, InvalidOperation) as error:
        raise QueryValidationError(f"value {text} is not valid") from error
    return text
