"""What the columns of a file mean: found by its headings, or proposed for a person to confirm."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import IO

from erp_integrations.file_drop.sniffing import FIRST_ROWS
from erp_integrations.file_drop.tables import Broken, Layout, Row, opened_rows
from erp_integrations.models import DroppedFile, FileMapping
from erp_integrations.providers.contract import RemoteMethod
from erp_integrations.providers.file_drop import amounts, dates
from erp_integrations.providers.file_drop.amounts import DecimalMark
from erp_integrations.providers.file_drop.columns import places, plain, without_ours
from erp_integrations.providers.file_drop.dates import DateOrder
from erp_integrations.providers.file_drop.rows import Reading, undefused

#: rows by which orders of dates and marks of decimals are told apart
LOOKED_AT = 5000
DATES, AMOUNTS = ("date",), ("amount", "discount", "total")


@dataclass(frozen=True)
class Sample:
    """The headings of a file and its first rows below them."""

    header: Row
    rows: list[tuple[int, Row]] = field(default_factory=list)

    def cells(self, columns: Mapping[str, str], names: Iterable[str]) -> list[object]:
        """What stands in these columns."""
        found = places(columns, self.header)
        wanted = [found[name] for name in names if name in found]
        return [undefused(row[i]) for _, row in self.rows for i in wanted if i < len(row)]


@dataclass(frozen=True)
class Told:
    """What the cells themselves say of dates and amounts; None: a person has to say it."""

    date_order: DateOrder | None
    decimal_mark: DecimalMark | None


def signature(header: Iterable[object]) -> str:
    """A digest of the headings, without what we add to a file of rows to be mended."""
    return blake2b("\x1f".join(without_ours(header)).encode(), digest_size=16).hexdigest()


def sample_of(file: IO[bytes], layout: Layout, header_line: int, count: int = LOOKED_AT) -> Sample:
    """Raises ``NotATable``."""
    header: Row = []
    kept: list[tuple[int, Row]] = []
    with opened_rows(file, layout) as rows:
        for line, row in islice(rows, count + header_line):
            if line == header_line:
                header = row
            elif line > header_line and not (row and isinstance(row[0], Broken)):
                kept.append((line, row))
    return Sample([] if header and isinstance(header[0], Broken) else header, kept)


def told_by(sample: Sample, columns: Mapping[str, str]) -> Told:
    """The order and the mark, where no other one fits or all mean the same."""
    of_dates = sample.cells(columns, DATES)
    of_amounts = sample.cells(columns, AMOUNTS)
    orders, marks = dates.fitting_orders(of_dates), amounts.fitting_marks(of_amounts)
    order = sorted(orders)[0] if orders and dates.are_told_apart(of_dates) else None
    # where every order means the same, any of them is right
    mark = sorted(marks, reverse=True)[0] if marks and amounts.are_told_apart(of_amounts) else None
    return Told(order, mark)


def find_mapping(
    connection_id: int, rows: Sequence[tuple[int, Row]]
) -> tuple[FileMapping, int] | None:
    """A saved mapping for headings among the first rows, and their line."""
    by_signature = {
        signature(row): line
        for line, row in reversed(rows[:FIRST_ROWS])
        if any(isinstance(cell, str) and plain(cell) for cell in row)
    }
    saved = FileMapping.objects.filter(connection=connection_id, signature__in=by_signature)
    found = [(by_signature[each.signature], each) for each in saved]
    if not found:
        return None
    line, mapping = min(found, key=lambda it: it[0])
    return mapping, line


def fits(mapping: FileMapping, sample: Sample) -> bool:
    """Whether dates and amounts are written as the mapping says, as far as can be told.

    A file with another order of dates is asked about anew; single cells that
    cannot be read are rows to be mended.
    """
    order, mark = DateOrder(mapping.date_order), DecimalMark(mapping.decimal_mark)
    orders = dates.fitting_orders(sample.cells(mapping.columns, DATES))
    marks = amounts.fitting_marks(sample.cells(mapping.columns, AMOUNTS))
    return (order in orders or not orders) and (mark in marks or not marks)


def reading_of(mapping: FileMapping, header: Row, *, currency: str) -> Reading:
    """How the rows of a file are read; ``currency`` of those that name none."""
    return Reading(
        places=places(mapping.columns, header),
        date_order=DateOrder(mapping.date_order),
        decimal_mark=DecimalMark(mapping.decimal_mark),
        currency=currency,
        method=RemoteMethod(mapping.method),
        width=len(header),
    )


def layout_of_file(file: DroppedFile) -> Layout:
    return Layout(file.content_type, file.encoding, file.delimiter, file.sheet)
