"""The books of the demo's ERP, as ``dev.py`` keeps them."""

import shutil
from pathlib import Path

import pytest

from devservices.erp import BOOKS, Tryton
from devservices.places import DataFolder


@pytest.mark.parametrize(("listing", "warned"), [("today's", False), ("last year's", True)])
def test_books_of_an_older_version_are_kept_and_said_to_be_old(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    listing: str,
    warned: bool,
) -> None:
    tryton = Tryton(DataFolder(tmp_path))
    monkeypatch.setattr(tryton, "_run", lambda *words: None)
    tryton.books.mkdir(parents=True)
    shutil.copyfile(BOOKS.with_name("books.json"), tryton.books / "books.json")
    if listing == "last year's":
        (tryton.books / "books.json").write_text("{}")
    tryton.restore_books()
    said = capsys.readouterr()
    assert ("older version" in said.out + said.err) is warned
