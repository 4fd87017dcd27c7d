"""The rows of a file that were not used, as a file to mend and drop again."""

import csv
from collections.abc import Iterator

from commitments.exports import BYTE_ORDER_MARK, cell
from erp_integrations.file_drop.mappings import layout_of_file
from erp_integrations.file_drop.tables import NotATable, opened_rows
from erp_integrations.models import DroppedFile, ProblemKind
from erp_integrations.providers.file_drop.columns import OUR_COLUMNS


class _Echo:
    """A file that gives back what is written to it, a line at a time."""

    def write(self, line: str) -> str:
        return line


def problem_rows(file: DroppedFile) -> Iterator[str]:
    """CSV, line by line: the headings and cells of the file, then what is wrong with each row."""
    sheet, header = csv.writer(_Echo()), header_of(file)
    yield BYTE_ORDER_MARK + sheet.writerow([*map(cell, header), *OUR_COLUMNS])
    rows = file.problem_rows.filter(kind=ProblemKind.BAD)
    for each in rows.iterator(chunk_size=2000):
        padded = [*each.cells, *[""] * (len(header) - len(each.cells))]
        said = (each.line, each.column, each.reason)
        yield sheet.writerow([*map(cell, padded[: len(header)]), *map(cell, said)])


def header_of(file: DroppedFile) -> list[str]:
    """The headings of the ERP's own columns; none where the file is not kept any more."""
    try:
        with file.file.open("rb") as content, opened_rows(content, layout_of_file(file)) as rows:
            row = next((row for line, row in rows if line == file.header_line), [])
    except (NotATable, OSError):
        return []
    ours = set(OUR_COLUMNS)
    return [str(each or "") for each in row if str(each) not in ours]
