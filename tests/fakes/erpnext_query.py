"""Frappe's lists: fields, filters, joined child tables, order and limit over records in memory."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

Record = dict[str, Any]
#: what every document has
STANDARD = ("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx")
OF_A_CHILD = ("parent", "parenttype", "parentfield")
QUALIFIED = re.compile(r"^`tab([^`]+)`\.`?(\w+)`?$")
DEFAULT_LIMIT = 20


class Refused(Exception):
    """Becomes an error answer: status, ``exc_type`` and message."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


class Tables:
    """``documents`` by doctype; ``children``: a child doctype's parent and field there.

    ``fields``: what each doctype has besides what every one has.
    """

    def __init__(
        self,
        documents: dict[str, list[Record]],
        children: dict[str, tuple[str, str]],
        fields: Mapping[str, Sequence[str]],
    ) -> None:
        self.documents, self.children, self.fields = documents, children, fields

    def rows(self, doctype: str, asked: dict[str, Any]) -> list[Record]:
        """What ``frappe.client.get_list`` answers."""
        fields = _decoded(asked.get("fields")) or ["name"]
        filters, any_of = _decoded(asked.get("filters")), _decoded(asked.get("or_filters"))
        order = str(asked.get("order_by") or "modified desc")
        columns = [self._column(doctype, field) for field in fields]
        wanted = [self._filter(doctype, each) for each in filters]
        either = [self._filter(doctype, each) for each in any_of]
        sorting = [self._sorting(doctype, part) for part in order.split(",")]
        used = {table for table, _ in columns} | {table for table, *_ in (*wanted, *either)}
        joined = [table for table in used if table != doctype]
        if joined and any(not by for _, _, by, _ in sorting):
            raise Refused(500, "OperationalError", "Column in order clause is ambiguous")
        rows = [row for row in self._joined(doctype, joined) if _fits(row, wanted, either)]
        for table, field, _, backwards in reversed(sorting):
            rows.sort(key=lambda row: _sortable(row[table].get(field)), reverse=backwards)  # noqa: B023
        start = int(asked.get("limit_start") or 0)
        given = asked.get("limit_page_length", asked.get("limit"))
        limit = DEFAULT_LIMIT if given in (None, "") else int(given)
        rows = rows[start : start + limit] if limit else rows[start:]
        return [{field: row[table].get(field) for table, field in columns} for row in rows]

    def _joined(self, doctype: str, tables: Sequence[str]) -> Iterable[dict[str, Record]]:
        for document in self._all(doctype):
            rows: list[dict[str, Record]] = [{doctype: document}]
            for table in tables:
                lines = document.get(self.children[table][1]) or [{}]
                rows = [{**row, table: line} for row in rows for line in lines]
            yield from rows

    def _all(self, doctype: str) -> list[Record]:
        if doctype in self.children:
            parent, field = self.children[doctype]
            return [line for each in self._all(parent) for line in each.get(field) or []]
        return self.documents[doctype]

    # -------------------------------------------------------------- what is asked
    def _column(self, doctype: str, field: str) -> tuple[str, str]:
        found = QUALIFIED.match(field)
        table, name = (found[1], found[2]) if found else (doctype, field)
        if not self._has(doctype, table, name):
            raise Refused(417, "DataError", f"Field not permitted in query: {name}")
        return table, name

    def _filter(self, doctype: str, given: Sequence[Any]) -> tuple[str, str, str, Any]:
        table, name, operator, value = (doctype, *given) if len(given) == 3 else given
        if not self._has(doctype, table, name) or operator not in OPERATORS:
            raise Refused(417, "DataError", f"Invalid filter: {name} {operator}")
        if operator in {"in", "not in"}:
            value = {_sortable(each) for each in value}
        return table, name, operator, value

    def _sorting(self, doctype: str, part: str) -> tuple[str, str, bool, bool]:
        field, _, direction = part.strip().rpartition(" ")
        found = QUALIFIED.match(field)
        table, name = (found[1], found[2]) if found else (doctype, field)
        if direction not in {"asc", "desc"} or not self._has(doctype, table, name):
            raise Refused(417, "DataError", f"Invalid order: {part}")
        return table, name, bool(found), direction == "desc"

    def _has(self, doctype: str, table: str, name: str) -> bool:
        if table != doctype and self.children.get(table, ("",))[0] != doctype:
            return False
        besides = (*STANDARD, *(OF_A_CHILD if table in self.children else ()))
        return name in besides or name in self.fields.get(table, ())


def _decoded(given: Any) -> list[Any]:
    found = json.loads(given) if isinstance(given, str) and given else given or []
    return list(found)


def _fits(
    row: dict[str, Record],
    wanted: Sequence[tuple[str, str, str, Any]],
    either: Sequence[tuple[str, str, str, Any]],
) -> bool:
    def holds(each: tuple[str, str, str, Any]) -> bool:
        table, name, operator, value = each
        return bool(OPERATORS[operator](row[table].get(name), value))

    return all(map(holds, wanted)) and (not either or any(map(holds, either)))


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    """Numbers as numbers, moments with all their digits, texts as MariaDB compares them."""
    if isinstance(left, int | float):
        try:
            return Decimal(str(left)), Decimal(str(right))
        except InvalidOperation:
            return Decimal(str(left)), Decimal(0)
    return _sortable(left), _sortable("" if right is None else right)


def _sortable(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value):
        return f"{value}.000000"
    return value.lower() if isinstance(value, str) else value


def _like(left: Any, pattern: Any) -> bool:
    """% and _ stand for anything; Frappe doubles backslashes, so nothing escapes them."""
    expression = "".join(
        ".*" if each == "%" else "." if each == "_" else re.escape(each) for each in str(pattern)
    )
    return re.fullmatch(expression, str(left or ""), re.IGNORECASE | re.DOTALL) is not None


def _compared(test: Any) -> Any:
    def comparison(left: Any, right: Any) -> bool:
        return bool(test(*_comparable(left, right)))

    return comparison


def _in(left: Any, right: Any) -> bool:
    return left is not None and _sortable(left) in right


OPERATORS: dict[str, Any] = {
    "=": _compared(lambda left, right: left == right),
    "!=": _compared(lambda left, right: left != right),
    ">": _compared(lambda left, right: left > right),
    ">=": _compared(lambda left, right: left >= right),
    "<": _compared(lambda left, right: left < right),
    "<=": _compared(lambda left, right: left <= right),
    "in": _in,
    "not in": lambda left, right: not _in(left, right),
    "like": _like,
}
