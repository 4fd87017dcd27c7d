"""The requirement files are current, pinned by hash, and name no address."""

import re
import subprocess

import pytest

from devservices import pins
from devservices.checks import GROUPS
from devservices.places import ROOT


def test_they_say_what_pyproject_asks_for() -> None:
    assert list(pins.problems()) == []


def test_each_group_has_a_file_and_each_file_a_group() -> None:
    files = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert files == set(GROUPS) == set(pins.wanted())


@pytest.mark.parametrize("group", GROUPS)
def test_every_line_is_pinned_by_hash(group: str) -> None:
    assert pins.pinned(ROOT / "requirements" / f"{group}.txt")


def test_shared_packages_have_one_version() -> None:
    """Installed into one environment, one after the other."""
    versions: dict[str, set[str]] = {}
    for group in ("runtime", "embedded", "test", "e2e", "lint"):
        for name, version in pins.pinned(ROOT / "requirements" / f"{group}.txt").items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text().split("[tool.uv]")[0]
    lines = [line for line in text.splitlines() if re.match(r"\s+\"[\w\[\]-]+[<>=~]?", line)]
    assert len(lines) > 30
    assert [line for line in lines if "# " not in line] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git knows which files are ours")
def test_no_address_of_a_package_index_in_the_tree() -> None:
    pattern = "pypi[.]org|python[h]osted|registry[.]npm|deb[.]debian|index-url *[=:]"
    git = ["git", "-c", "safe.directory=*", "grep", "-nIE", "--untracked"]
    command = [*git, pattern, "--", ".", ":!tests/dev"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (1, ""), found.stderr
