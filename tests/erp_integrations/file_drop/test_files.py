"""What a file is, told from its content and not from its name."""

import io
import zipfile

import pytest

from erp_integrations.file_drop.sniffing import header_line_of, layout_of
from erp_integrations.file_drop.tables import EXCEL, NotATable, opened_rows, sheets_of
from tests.erp_integrations.file_drop.conftest import content_of, first_rows, workbook

ROW = "5001,07/06/2026,V-1,Bétons Gagné,INV-1,1250.00"


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8-sig"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_it_reads_the_letters_of_every_encoding(encoding: str, told: str) -> None:
    content = content_of(ROW, ROW).decode().encode(encoding)
    assert layout_of(io.BytesIO(content)).encoding == told
    assert first_rows(content)[1][1][3] == "Bétons Gagné"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_it_finds_the_delimiter(delimiter: str) -> None:
    content = content_of(ROW, ROW).replace(b",", delimiter.encode())
    assert layout_of(io.BytesIO(content)).delimiter == delimiter
    assert len(first_rows(content)[1][1]) == 6


def test_it_finds_the_headings_below_the_title_of_a_report() -> None:
    rows = first_rows(b"Check Register\r\nNorthstar Builders,07/31/2026\r\n\r\n" + content_of(ROW))
    assert header_line_of(rows) == 4
    assert rows[-1][0] == 5


def test_a_cell_may_have_several_lines_and_the_next_row_keeps_its_number() -> None:
    rows = first_rows(content_of('5001,07/06/2026,V-1,"Acme\nConcrete",INV-1,1.00', ROW))
    assert [line for line, _ in rows] == [1, 2, 4]


def test_a_quotation_mark_that_is_never_closed_takes_only_what_is_behind_it() -> None:
    open_quote = '5002,07/06/2026,"V-1,Acme,INV-2,' + "x" * 140_000
    with opened_rows(
        io.BytesIO(content_of(ROW, open_quote)), layout_of(io.BytesIO(content_of(ROW)))
    ) as rows:
        found = list(rows)
    assert found[1][1][0] == "5001"
    assert "quotation mark" in found[2][1][0].reason  # type: ignore[attr-defined]


def test_it_reads_a_workbook_with_the_numbers_of_its_rows() -> None:
    content = workbook(("Check No", "Amount Paid"), (5001, 12.5), (None, None), (5002, 7))
    assert layout_of(io.BytesIO(content)).content_type == EXCEL
    assert [line for line, _ in first_rows(content)] == [1, 2, 4]
    assert sheets_of(io.BytesIO(content)) == ["Sheet"]


def pdf() -> bytes:
    return b"%PDF-1.7\n" + b"x" * 300


def archive(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x00",
        pdf(),
        b"MZ\x90\x00\x03" + b"\x00" * 60,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
        b"<html><table><tr><td>5001</td></tr></table></html>",
        b"#!/bin/sh\necho no\n",
        archive("word/document.xml"),
        b"PK\x03\x04 no archive",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        b"a,b\x07,c\n" * 50,
    ],
)
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(NotATable):
        layout_of(io.BytesIO(content))


def test_a_workbook_that_unpacks_to_more_than_the_machine_holds_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "x")
        made.writestr("xl/workbook.xml", "x")
        made.writestr("xl/sharedStrings.xml", b"0" * (65 * 1024 * 1024))
    with pytest.raises(NotATable, match="more text than can be read"):
        layout_of(file)


def test_a_workbook_with_entities_is_refused() -> None:
    content = workbook(("Check No", "Amount Paid"), (1, 2))
    file = io.BytesIO()
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><workbook>&a;</workbook>'
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as made:
        for part in old.namelist():
            made.writestr(part, bomb if part == "xl/workbook.xml" else old.read(part))
    with pytest.raises(NotATable):
        layout_of(file)
