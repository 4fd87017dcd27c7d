"""What a file is, told from its content: encoding, delimiter, and the row with the headings.

What is found here is proposed and shown; a person can change all of it.
"""

import codecs
import csv
import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import IO

import filetype
from charset_normalizer import from_bytes

from erp_integrations.file_drop.tables import (
    CSV,
    DELIMITERS,
    EXCEL,
    Broken,
    Layout,
    NotATable,
    Row,
    opened_rows,
    sheets_of,
)
from erp_integrations.providers.file_drop.columns import plain, proposed

SAMPLE = 256 * 1024
#: rows in which a heading is looked for; reports have a title above it
FIRST_ROWS = 30
#: what is guessed among; the first is taken where nothing speaks for another
GUESSED = ("cp1252", "cp1250", "cp1251", "cp850", "mac_roman")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def layout_of(file: IO[bytes], *, otherwise: str = "") -> Layout:
    """How the file is taken apart. ``otherwise``: the encoding of one that shows none.

    Raises ``NotATable`` for what is neither a workbook nor text.
    """
    file.seek(0)
    head = file.read(SAMPLE)
    if not head.strip(b"\x00 \t\r\n"):
        raise NotATable(EMPTY)
    if head.startswith(b"PK"):
        _require_workbook(file)
        return Layout(EXCEL, sheet=_first_sheet(file))
    encoding = encoding_of(head, otherwise=otherwise)
    text = _decoded(head, encoding)
    if not _is_text(text) or not has_mark(head) and _is_of_a_known_kind(head):
        raise NotATable(OTHER_KIND)
    if text.lstrip("\ufeff \t\r\n").startswith(("<", "#!", "%!", "{\\rtf")):
        raise NotATable(WEB_PAGE)
    return Layout(CSV, encoding, delimiter_of(text))


def encoding_of(head: bytes, *, otherwise: str = "") -> str:
    """By the mark in front, else UTF-8 where the bytes are that, else a guess."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if wide := _wide(head):
        return wide
    if _is_utf8(head):
        return "utf-8-sig"
    if otherwise and not otherwise.startswith("utf"):
        return otherwise
    best = from_bytes(head[: SAMPLE // 8], cp_isolation=list(GUESSED)).best()
    if best is None or GUESSED[0] in best.could_be_from_charset:
        return GUESSED[0]
    return best.encoding if best.encoding in GUESSED else GUESSED[0]


def has_mark(head: bytes) -> bool:
    """Whether it begins with the mark of an encoding."""
    return any(head.startswith(mark) for mark, _ in _MARKS)


def delimiter_of(text: str) -> str:
    """The one that cuts the first rows into the same number of cells, and into the most."""
    lines = text.splitlines(keepends=True)[: FIRST_ROWS * 2]
    complete = lines[:-1] or lines

    def rank(delimiter: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(complete, delimiter=delimiter) if row)
        except csv.Error:
            return 0, 0
        width, often = max(widths.items(), key=lambda it: (it[0] > 1, it[1], it[0]), default=(0, 0))
        return (often if width > 1 else 0), width

    return max(DELIMITERS, key=rank)


def first_rows(file: IO[bytes], layout: Layout, count: int) -> list[tuple[int, Row]]:
    """Raises ``NotATable``."""
    with opened_rows(file, layout) as rows:
        return list(islice(rows, count))


def header_line_of(rows: Sequence[tuple[int, Row]]) -> int:
    """The line of the headings: where most cells are names of columns that we know."""

    def rank(entry: tuple[int, Row]) -> tuple[int, int, int]:
        line, row = entry
        if any(isinstance(cell, Broken) for cell in row):
            return 0, 0, -line
        words = [plain(cell) for cell in row if isinstance(cell, str) and plain(cell)]
        named = len({word for word in words if not word.replace(" ", "").isdigit()})
        return len(proposed(row)), named, -line

    return max(rows, key=rank)[0] if rows else 1


def _is_of_a_known_kind(head: bytes) -> bool:
    """A picture, a PDF, a program … Two letters are enough for a bitmap, so that one is let by."""
    return filetype.guess_mime(head) not in (None, "image/bmp")


def _decoded(head: bytes, encoding: str) -> str:
    return io.TextIOWrapper(io.BytesIO(head), encoding, errors="replace", newline="").read()


def _is_utf8(head: bytes) -> bool:
    """A letter may be cut in two at the end of the sample."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < SAMPLE)
    except UnicodeDecodeError:
        return False
    return b"\x00" not in head


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: every other byte of Western text is zero."""
    zeros = [head[start::2].count(0) for start in (0, 1)]
    half = len(head) / 2
    if zeros[1] > half * 0.4 and zeros[0] < half * 0.1:
        return "utf-16-le"
    if zeros[0] > half * 0.4 and zeros[1] < half * 0.1:
        return "utf-16-be"
    return ""


def _is_text(text: str) -> bool:
    return not any(ord(each) < 32 and each not in "\t\n\r\f" for each in text)


def _require_workbook(file: IO[bytes]) -> None:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise NotATable(OTHER_KIND) from error
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= parts:
        raise NotATable(OTHER_KIND)


def _first_sheet(file: IO[bytes]) -> str:
    names = sheets_of(file)
    return names[0][:100] if names else ""


EMPTY = "The file is empty."
OTHER_KIND = (
    "This is neither an Excel file (.xlsx) nor a text file with columns (CSV). Older Excel files "
    "(.xls) and PDFs have to be saved or exported as one of these."
)
WEB_PAGE = (
    "This is a web page or a program, whatever its name says. Export the list as CSV or .xlsx."
)
