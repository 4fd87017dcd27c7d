"""Pages of long lists, cut where the last one ended and not by counting rows from the start.

``keyset_page`` gives fifty rows before or after a place in the list. The place
travels in the address (``after``, ``before``) as a signed text: nobody can make
one up, and one that is damaged or too old for the list is the first page. The
cost of a page does not depend on how far down it is, and a count stops at
``COUNTED``, so that neither grows with the table. The template
``projects/_pages.html`` draws what is below the table.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.core.exceptions import EmptyResultSet, ValidationError
from django.core.signing import BadSignature, Signer
from django.db import connection
from django.db.models import F, Field, Func, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan
from django.http import HttpRequest, QueryDict

PER_PAGE = 50
#: rows are counted up to here; a person needs to know no more than "10,000+"
COUNTED = 10_000

Rows: TypeAlias = QuerySet[Any, Any]


@dataclass(frozen=True)
class BoundedCount:
    """How many rows there are; ``10,000+`` where somebody stopped counting."""

    number: int
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{self.number:,}" if self.is_exact else f"{self.number:,}+"


@dataclass(frozen=True)
class Edge:
    """A place in a list: next to the row with these values, in either direction."""

    values: tuple[Any, ...]
    is_after: bool
    #: how many rows stood before the place when the link was made
    position: int


@dataclass(frozen=True)
class KeysetPage:
    """Some rows of a list, and where its neighbours begin (empty: there is no such page)."""

    rows: list[Any]
    total: BoundedCount
    #: how many rows stand before the first one of this page
    position: int
    after: str
    before: str
    #: what the page was asked for with
    address: QueryDict
    prefix: str = ""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def has_other_pages(self) -> bool:
        return bool(self.after or self.before)

    @property
    def start_index(self) -> int:
        return self.position + 1

    @property
    def end_index(self) -> int:
        return self.position + len(self.rows)

    @property
    def first_url(self) -> str:
        """The address of the first page; like the others it keeps the filters."""
        return self._url()

    @property
    def next_url(self) -> str:
        return self._url(after=self.after)

    @property
    def previous_url(self) -> str:
        return self._url(before=self.before)

    def _url(self, **edge: str) -> str:
        query = self.address.copy()
        for name in ("page", f"{self.prefix}after", f"{self.prefix}before"):
            query.pop(name, None)
        query.update({f"{self.prefix}{name}": token for name, token in edge.items()})
        return f"?{query.urlencode()}"


class _Row(Func):
    """Several values that the database compares as one, so that one index answers."""

    template = "ROW(%(expressions)s)"
    output_field = Field()


@dataclass(frozen=True)
class Keyset:
    """The order of a list, as ``("-date", "-pk")``: the last name makes it unique.

    All names run the same way, and none of them may be empty in a row. ``sources``
    are merged in this order; ``values_of`` says what a row has under the names.
    """

    sources: Sequence[Rows]
    order: Sequence[str]
    values_of: Callable[[Any], Sequence[Any]]

    @property
    def names(self) -> list[str]:
        return [name.removeprefix("-") for name in self.order]

    @property
    def _descends(self) -> bool:
        ways = {name.startswith("-") for name in self.order}
        if len(ways) != 1:
            raise ValueError("All names of a keyset run the same way.")
        return ways.pop()

    @property
    def _signer(self) -> Signer:
        return Signer(salt=f"projects.paging:{','.join(self.order)}")

    def token(self, row: Any, position: int) -> str:
        """The place beside the row, as it stands in an address."""
        values = [str(value) for value in self.values_of(row)]
        return self._signer.sign_object([position, *values])

    def edge(self, request: HttpRequest, prefix: str) -> Edge | None:
        """The place that the address names; None where it names none that makes sense."""
        for name in ("after", "before"):
            if token := request.GET.get(f"{prefix}{name}"):
                return self._read(token, is_after=name == "after")
        return None

    def _read(self, token: str, *, is_after: bool) -> Edge | None:
        try:
            position, *texts = self._signer.unsign_object(token)
            pairs = zip(self._fields, texts, strict=True)
            values = tuple(field.to_python(text) for field, text in pairs)
            return Edge(values, is_after, int(position))
        except (BadSignature, ValidationError, ValueError, TypeError):
            return None

    @property
    def _fields(self) -> list[Any]:
        query = self.sources[0].query.chain()
        return [query.resolve_ref(name).output_field for name in self.names]

    def beside(self, edge: Edge | None, number: int) -> list[Any]:
        """The next ``number`` rows from there, in the list's order."""
        backwards = edge is not None and not edge.is_after
        order = self._reversed if backwards else list(self.order)
        parts = [self._beyond(rows, edge).order_by(*order)[:number] for rows in self.sources]
        first, *others = parts
        found = first.union(*others, all=True).order_by(*order)[:number] if others else first
        rows = list(found)
        return rows[::-1] if backwards else rows

    @property
    def _reversed(self) -> list[str]:
        return [name[1:] if name.startswith("-") else f"-{name}" for name in self.order]

    def _beyond(self, rows: Rows, edge: Edge | None) -> Rows:
        if edge is None:
            return rows
        here = _Row(*(F(name) for name in self.names))
        pairs = zip(edge.values, self._fields, strict=True)
        there = _Row(*(Value(value, output_field=field) for value, field in pairs))
        compared = LessThan if self._descends == edge.is_after else GreaterThan
        return rows.filter(compared(here, there))


def keyset_page(
    request: HttpRequest,
    rows: Rows,
    order: Sequence[str],
    *,
    also: Sequence[Rows] = (),
    values_of: Callable[[Any], Sequence[Any]] | None = None,
    per_page: int = PER_PAGE,
    prefix: str = "",
    counted: Rows | None = None,
    total: BoundedCount | None = None,
) -> KeysetPage:
    """One page, in two queries; in one where the caller knows the ``total`` already.

    ``also`` are further sources that the database merges with ``rows``;
    ``counted`` is the same list without annotations, where those make counting
    dear. With a ``prefix`` several lists can share one address.
    """
    names = [name.removeprefix("-") for name in order]
    getter = values_of or (lambda row: [getattr(row, name) for name in names])
    keyset = Keyset([rows, *also], order, getter)
    edge = keyset.edge(request, prefix)
    found = keyset.beside(edge, per_page + 1)
    if edge and len(found) < (1 if edge.is_after else per_page):
        # Nothing is left there, or less than a page in front of it: that is the first page.
        edge, found = None, keyset.beside(None, per_page + 1)
    if total is None:
        total = bounded_count(*([rows, *also] if counted is None else [counted]))
    return KeysetPage(
        **_cut(keyset, edge, found, per_page),
        total=total,
        address=request.GET,
        prefix=prefix,
    )


def _cut(keyset: Keyset, edge: Edge | None, found: list[Any], per_page: int) -> dict[str, Any]:
    """The rows of the page without the one that only says that there are more, and its edges."""
    has_more = len(found) > per_page
    backwards = edge is not None and not edge.is_after
    rows = (found[-per_page:] if backwards else found[:per_page]) if has_more else found
    position = edge.position if edge else 0
    if backwards:
        position = max(position - len(rows), 0)
    has_next = backwards or has_more
    has_previous = has_more if backwards else edge is not None
    return {
        "rows": rows,
        "position": position,
        "after": keyset.token(rows[-1], position + len(rows)) if has_next else "",
        "before": keyset.token(rows[0], position) if has_previous else "",
    }


def bounded_count(*sources: Rows) -> BoundedCount:
    """How many rows the sources have together, in one query that stops at ``COUNTED`` each."""
    found = bounded_counts({str(number): rows for number, rows in enumerate(sources)})
    number = sum(each.number for each in found.values())
    is_exact = all(each.is_exact for each in found.values()) and number <= COUNTED
    return BoundedCount(min(number, COUNTED), is_exact)


def bounded_counts(sources: dict[str, Rows]) -> dict[str, BoundedCount]:
    """The same for several lists, each by itself, in one query."""
    parts: list[str] = []
    params: list[Any] = []
    for rows in sources.values():
        try:
            sql, values = _one_column(rows).query.sql_with_params()
        except EmptyResultSet:
            sql, values = "SELECT 1 WHERE FALSE", ()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS counted)")  # noqa: S608  # compiled by Django
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        numbers = cursor.fetchone()
    return {
        name: BoundedCount(min(number, COUNTED), number <= COUNTED)
        for name, number in zip(sources, numbers, strict=True)
    }


def _one_column(rows: Rows) -> Rows:
    return rows.order_by().values_list("pk")[: COUNTED + 1]
