"""The skeleton of a provider works from its first minute, and the guide shows what is in it."""

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from erp_integrations.management.commands import new_provider

ROOT = Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs" / "writing-a-provider.md"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    call_command("new_provider", "great_books", "--dir", str(tmp_path), stdout=StringIO())
    return tmp_path / "great_books"


def test_it_passes_the_contract_as_it_is(made: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    plugin = ["-p", "tests.erp_integrations.providers.conftest"]
    done = subprocess.run(
        [*command, *plugin, str(made / "test_great_books.py")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{made.parent}"},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 50


def test_another_package_gets_its_line_for_pyproject(tmp_path: Path) -> None:
    said = StringIO()
    call_command("new_provider", "great_books", "--dir", str(tmp_path), stdout=said)
    assert 'great_books = "great_books.provider:GreatBooksProvider"' in said.getvalue()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("Great Books", "lower case"), ("tryton", "already"), ("xx-y", "Python name")],
)
def test_a_name_that_cannot_be_is_refused(name: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("new_provider", name, "--dir", str(tmp_path))


def test_it_never_writes_over_anything(made: Path) -> None:
    with pytest.raises(CommandError, match="exists already"):
        call_command("new_provider", "great_books", "--dir", str(made.parent))


def test_the_guide_shows_the_skeleton_as_it_is() -> None:
    """Every Python block of the guide stands in one of the files that the command writes."""
    words = {"name": "great_books", "label": "Great Books", "class": "GreatBooks",
             "package": "erp_integrations.providers.great_books"}  # fmt: skip
    files = [
        new_provider._filled(each.read_text(encoding="utf-8"), words)
        for each in [*new_provider.SKELETON.glob("*-tpl"), ROOT / "tests/fakes/example_erp.py"]
    ]
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        assert any(block.strip() in text for text in files), block
