"""Lists as files for a spreadsheet: CSV and Excel, of any length in flat memory."""

import csv
import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify

from projects.models import Project

#: a text cell that starts with one of these would be run as a formula
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
#: by this mark a spreadsheet knows that the file is UTF-8
BYTE_ORDER_MARK = "\ufeff"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: what a cell of Excel can hold
LONGEST_TEXT = 32_767


class _Echo:
    """A file that gives back what is written to it, a line at a time."""

    def write(self, line: str) -> str:
        return line


def cell(value: object) -> object:
    """What stands in the file: numbers stay numbers, text is never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def csv_response(
    *,
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    project: Project | None = None,
) -> StreamingHttpResponse:
    """A download that is written while it is read: its size costs no memory."""

    def lines() -> Iterator[str]:
        sheet = csv.writer(_Echo())
        yield BYTE_ORDER_MARK + sheet.writerow(header)
        for row in rows:
            yield sheet.writerow([cell(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{_filename(name, project)}.csv"'
    return response


def xlsx_response(
    *,
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    project: Project | None = None,
) -> FileResponse:
    """The same as a workbook of Excel: amounts are numbers, dates are dates, text is only text.

    It is written to a file first, because a workbook is only whole at its end.
    Times are shown in the zone they are given in; say which in the heading.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the response closes it
    write_workbook(file, header, rows)
    file.seek(0)
    filename = f"{_filename(name, project)}.xlsx"
    return FileResponse(file, as_attachment=True, filename=filename, content_type=EXCEL)


def _filename(name: str, project: Project | None) -> str:
    parts = [name, slugify(project.number) if project else "", f"{timezone.localdate():%Y-%m-%d}"]
    return "-".join(part for part in parts if part)


def write_workbook(
    file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """One sheet, with a heading that stays in view and a filter on each column."""
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet, formats = book.add_worksheet(), _Formats(book)
        sheet.freeze_panes(1, 0)
        for column, heading in enumerate(header):
            sheet.set_column(column, column, max(12, len(heading) + 4))
            sheet.write_string(0, column, heading, formats.named(bold=True))
        last = 0
        for last, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                _write(sheet, formats, (last, column), value)
        sheet.autofilter(0, 0, last, len(header) - 1)


class _Formats:
    """The formats of one workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def named(self, **properties: Any) -> Any:
        key = tuple(properties.items())
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]

    def amount(self, value: Decimal) -> Any:
        """With as many decimals as the amount was given."""
        decimals = max(-int(value.as_tuple().exponent), 0)
        return self.named(num_format=f"#,##0.{'0' * decimals}" if decimals else "#,##0")


def _write(sheet: Any, formats: _Formats, place: tuple[int, int], value: object) -> None:
    """By its type and never by its looks: a text that looks like a formula stays a text."""
    match value:
        case None | "":
            return
        case bool():
            sheet.write_string(*place, "Yes" if value else "No")
        case Decimal():
            sheet.write_number(*place, value, formats.amount(value))
        case int() | float():
            sheet.write_number(*place, value)
        case dt.datetime():
            naive = value.replace(tzinfo=None)
            sheet.write_datetime(*place, naive, formats.named(num_format="mm/dd/yyyy hh:mm"))
        case dt.date():
            sheet.write_datetime(*place, value, formats.named(num_format="mm/dd/yyyy"))
        case _:
            sheet.write_string(*place, str(value)[:LONGEST_TEXT])
