"""Lists as CSV files for a spreadsheet."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify

from projects.models import Project

#: a text cell that starts with one of these would be run as a formula
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
#: by this mark a spreadsheet knows that the file is UTF-8
BYTE_ORDER_MARK = "\ufeff"


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
    *, name: str, project: Project, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """A download that is written while it is read: its size costs no memory."""

    def lines() -> Iterator[str]:
        sheet = csv.writer(_Echo())
        yield BYTE_ORDER_MARK + sheet.writerow(header)
        for row in rows:
            yield sheet.writerow([cell(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    filename = f"{name}-{slugify(project.number)}-{timezone.localdate():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
