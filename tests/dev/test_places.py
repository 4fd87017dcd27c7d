"""The data folder: private, lockable, and with sockets that any URL can name."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devservices.application import kept_secrets, variables
from devservices.commands import reset
from devservices.console import DevError
from devservices.places import ROOT, DataFolder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path / "data")
    first = kept_secrets(folder)
    assert kept_secrets(folder) == first
    assert mode(folder.path / "secrets.json") == 0o600
    assert len(set(first.values())) == len(first)


def test_broken_secrets_are_one_sentence(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(DevError, match="dev.py reset"):
        kept_secrets(folder)


@pytest.mark.parametrize("name", ["with a space", "ä", "x" * 120, "100%"])
def test_sockets_go_where_the_path_is_short_and_plain(tmp_path: Path, name: str) -> None:
    folder = DataFolder.at(tmp_path / name)
    sockets = folder.sockets()
    try:
        assert len(str(sockets)) < 90
        assert str(sockets).isascii()
        assert " " not in str(sockets)
        assert mode(sockets) == 0o711
        assert folder.sockets() == sockets
    finally:
        sockets.rmdir()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    ask = (
        "import sys; from pathlib import Path; from devservices.places import DataFolder\n"
        "with DataFolder(Path(sys.argv[1])).locked() as free: print(free)"
    )
    command = [sys.executable, "-c", ask, str(tmp_path)]

    def other_process() -> str:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()

    with folder.locked() as free:
        assert free
        assert other_process() == "False"
    assert other_process() == "True"


def test_the_application_is_told_everything_and_no_two_folders_share_a_secret(
    tmp_path: Path,
) -> None:
    one = variables(DataFolder.at(tmp_path / "1"), {}, 8000)
    two = variables(DataFolder.at(tmp_path / "2"), {}, 8000)
    assert one["SECRET_KEY"] != two["SECRET_KEY"]
    assert one["CREDENTIAL_KEYS"] != two["CREDENTIAL_KEYS"]
    assert one["SECURE_COOKIES"] == "false"
    assert one["DEBUG"] == "false"


def test_reset_takes_only_what_dev_py_made(tmp_path: Path) -> None:
    import argparse

    folder = DataFolder.at(tmp_path)
    kept_secrets(folder)
    (tmp_path / "postgres").mkdir()
    (tmp_path / "mine.txt").write_text("keep")
    assert reset(argparse.Namespace(data=tmp_path)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
