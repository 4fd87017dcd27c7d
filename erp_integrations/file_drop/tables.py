"""The rows of a CSV or Excel file, one after the other, whatever its size."""

import codecs
import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeAlias

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml import DEFUSEDXML

CSV, EXCEL = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: a row as the file has it: texts, or what Excel keeps in a cell
Row: TypeAlias = list[object]
#: a cell of more letters is a quotation mark that nobody closed
LONGEST_CELL = 131_072
#: a workbook's table of texts is held in memory whole
LARGEST_TEXTS = 64 * 1024 * 1024
#: all of a workbook, unpacked
LARGEST_WORKBOOK = 2 * 1024 * 1024 * 1024
MOST_CELLS = 500
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252 (Western Europe, Americas)",
    "utf-16": "UTF-16 (Unicode text of Excel)",
    "utf-16-le": "UTF-16 without a mark, little-endian",
    "utf-16-be": "UTF-16 without a mark, big-endian",
    "iso8859_15": "ISO 8859-15 (Western Europe)",
    "cp850": "Code page 850 (DOS, Western Europe)",
    "cp437": "Code page 437 (DOS, United States)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "mac_roman": "Mac Roman",
}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}


class NotATable(Exception):
    """The file cannot be read at all; ``str`` says why and what to do."""


@dataclass(frozen=True)
class Layout:
    """How a file is taken apart. Excel files need no encoding and no delimiter."""

    content_type: str
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    sheet: str = ""


@contextmanager
def opened_rows(file: IO[bytes], layout: Layout) -> Iterator[Iterator[tuple[int, Row]]]:
    """``(line, cells)`` of every row that has any. A line is where the row begins in the file.

    A row that the format itself breaks is ``(line, [Broken])``. Raises ``NotATable``.
    """
    file.seek(0)
    if layout.content_type == EXCEL:
        with _opened_book(file) as book:
            yield _rows_of_sheet(book, layout.sheet)
        return
    text = io.TextIOWrapper(file, layout.encoding, errors="replace", newline="")
    try:
        yield _rows_of_text(text, layout.delimiter)
    finally:
        text.detach()


@dataclass(frozen=True)
class Broken:
    """Stands in the place of a row that is none."""

    reason: str


def sheets_of(file: IO[bytes]) -> list[str]:
    """The names of a workbook's visible sheets. Raises ``NotATable``."""
    file.seek(0)
    with _opened_book(file) as book:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


def is_known_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return name in ENCODINGS


def _rows_of_text(text: io.TextIOBase, delimiter: str) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(text, delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, [Broken(OPEN_QUOTE)]
            continue
        if len(row) > MOST_CELLS:
            yield line, [Broken(TOO_MANY_CELLS)]
        elif any(cell.strip() for cell in row):
            yield line, list[object](row)


@contextmanager
def _opened_book(file: IO[bytes]) -> Iterator[Any]:
    """A workbook that is read row by row: its formulas' last results, and nothing of the web."""
    if not DEFUSEDXML:
        raise RuntimeError("openpyxl would read XML without defusedxml")
    _check_size(file)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise NotATable(BAD_BOOK) from error
    try:
        yield book
    finally:
        book.close()


def _check_size(file: IO[bytes]) -> None:
    """A small file may unpack to one that fills the machine."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise NotATable(BAD_BOOK) from error
    texts = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    if texts > LARGEST_TEXTS or sum(part.file_size for part in parts) > LARGEST_WORKBOOK:
        raise NotATable(LARGE_BOOK)
    file.seek(0)


def _rows_of_sheet(book: Any, name: str) -> Iterator[tuple[int, Row]]:
    found = [sheet for sheet in book.worksheets if sheet.title == name] or book.worksheets
    if not found:
        raise NotATable(BAD_BOOK)
    sheet = found[0]
    # what the file says of its own size may be wrong, and then rows would be left out
    sheet.reset_dimensions()
    for line, cells in enumerate(sheet.iter_rows(max_col=MOST_CELLS, values_only=True), start=1):
        row = _without_tail(list(cells))
        if row:
            yield line, row


def _without_tail(cells: Row) -> Row:
    while cells and (cells[-1] is None or cells[-1] == ""):
        cells.pop()
    return cells


OPEN_QUOTE = (
    "A quotation mark is opened in this row and not closed, so it cannot be told where the row "
    "ends."
)
TOO_MANY_CELLS = f"The row has more than {MOST_CELLS} cells."
BAD_BOOK = "This Excel file is damaged or protected. Save it anew as .xlsx or CSV without password."
LARGE_BOOK = (
    "This Excel file holds more text than can be read at once. Save it as CSV, which may be of any "
    "length."
)
