"""What dev.py understands and how it says no."""

import ast
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dev
from devservices import commands
from devservices.application import cache_beside
from devservices.places import ROOT


def run_dev(*words: str | Path, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "dev.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def test_help_has_one_line_for_each_command() -> None:
    said = run_dev("--help").stdout
    for name, function in dev.COMMANDS.items():
        assert re.search(rf"^    {name} +{re.escape(function.__doc__ or '-')}$", said, re.M)


def test_no_command_is_an_error() -> None:
    assert run_dev().returncode == 2


def test_an_old_python_can_at_least_read_the_sentence() -> None:
    source = (ROOT / "dev.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    before_imports = source.split("import argparse")[0]
    assert "sys.version_info < (3, 11)" in before_imports


def test_a_taken_port_is_one_sentence_before_anything_slow(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        started = time.monotonic()
        done = run_dev("up", "--port", str(port), "--data", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == f"Port {port} is taken; choose another with --port N."
    assert not done.stdout
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none(port: str, tmp_path: Path) -> None:
    done = run_dev("up", f"--port={port}", "--data", tmp_path)
    assert done.returncode == 2
    assert "--port" in done.stderr


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_dev("up", "--data", tmp_path / "file" / "below")
    assert done.returncode == 1
    assert "cannot be used as the data folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_erp_says_to_start_first(tmp_path: Path) -> None:
    done = run_dev("--data", tmp_path, "erp", "bills")
    assert done.returncode == 1
    assert done.stderr.strip() == "The ERP is not running; start it with `python3 dev.py up`."


@pytest.mark.parametrize(
    ("words", "command", "arguments"),
    [
        (["test", "-x", "--help"], "test", ["-x", "--help"]),
        (["erp", "pay", "B-1", "10", "--check", "7"], "erp", ["pay", "B-1", "10", "--check", "7"]),
        (["--data", "test", "manage", "migrate"], "manage", ["migrate"]),
        (["shell"], "shell", []),
    ],
)
def test_words_for_another_program_pass_untouched(
    words: list[str], command: str, arguments: list[str]
) -> None:
    options = dev.read(words)
    assert (options.command, options.arguments) == (command, arguments)


def test_data_may_stand_on_either_side() -> None:
    assert dev.read(["--data", "here", "up"]).data == Path("here")
    assert dev.read(["up", "--data", "here"]).data == Path("here")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["-n", "2", "--dist", "loadgroup", "-m", "not browser"]),
        (["-m", "browser"], ["-n", "2", "--dist", "loadgroup", "-m", "browser"]),
        (["-n0", "-mbrowser"], ["-n0", "-mbrowser"]),
        (["--pdb", "-m", "slow"], ["--pdb", "-m", "slow"]),
        (["--showlocals"], ["-n", "2", "--dist", "loadgroup", "-m", "not browser", "--showlocals"]),
    ],
)
def test_pytest_words(given: list[str], expected: list[str]) -> None:
    assert commands.pytest_words(given) == expected


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["-m", "browser"], True),
        (["-mbrowser"], True),
        (["-m", "not browser"], False),
        (["-m", "live_erp"], False),
        ([], False),
    ],
)
def test_browser_packages_only_when_asked_for(words: list[str], wanted: bool) -> None:
    assert commands.wants_browser(words) is wanted


def test_the_cache_goes_beside_a_redis_broker_only() -> None:
    assert cache_beside("redis://:pw@broker:6379/0") == "redis://:pw@broker:6379/1"
    assert cache_beside("amqp://broker//") is None
