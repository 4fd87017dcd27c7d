"""One life of ``dev.py up``: start, crash, start again, stop. Slow, so it is one test."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devservices import processes
from devservices.erp import free_port
from devservices.places import ROOT, DataFolder
from devservices.postgres import outside_home
from tests.dev.test_processes import wait_for

GIVEN = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "DJANGO_SETTINGS_MODULE")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in GIVEN}


def dev(folder: DataFolder, *words: str) -> list[str]:
    return [sys.executable, str(ROOT / "dev.py"), "--data", str(folder.path), *words]


@contextmanager
def started(folder: DataFolder, port: int) -> Iterator[tuple["subprocess.Popen[str]", Any]]:
    command = dev(folder, "up", "--no-erp", "--port", str(port), "--json")
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or not lines[-1].startswith("{"):
                lines.append(process.stdout.readline())
                assert lines[-1], f"no Ready: {''.join(lines)}"
            assert any(line == f"Ready: http://127.0.0.1:{port}\n" for line in lines)
            yield process, json.loads(lines[-1])
        finally:
            process.terminate()
            process.wait(120)


def status(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.status)


def worker_of(folder: DataFolder) -> int | None:
    """The oldest of the worker's processes is the one that forked the others."""
    for pid in sorted(processes.carriers(folder.mark)):
        if b"\0worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def is_gone(folder: DataFolder) -> bool:
    homes = (folder.path, outside_home(folder))
    servers = [home for home in homes if (home / "postgres" / "postmaster.pid").exists()]
    return not processes.carriers(folder.mark) and not servers


@pytest.mark.timeout(420)
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes through /proc")
def test_a_life(tmp_path: Path) -> None:
    folder, port = DataFolder.at(tmp_path / "with a space"), free_port()
    try:
        _live(folder, port)
    finally:
        assert subprocess.run(dev(folder, "reset")).returncode == 0
    assert not outside_home(folder).exists()


def _live(folder: DataFolder, port: int) -> None:
    with started(folder, port) as (process, said):
        assert said["url"] == f"http://127.0.0.1:{port}"
        assert said["erp_url"] is None
        assert set(said["sign_ins"]) == {"admin", "accountant", "pm", "viewer", "stranger"}
        assert status(said["url"] + "/accounts/login/") == 200
        assert status(said["url"] + "/readyz") == 200
        second = subprocess.run(dev(folder, "up"), capture_output=True, text=True)
        assert second.returncode == 1
        assert second.stderr == f"`dev.py up` is running already: {said['url']}.\n"
        check = subprocess.run(dev(folder, "manage", "check"), env=ENVIRONMENT)
        assert check.returncode == 0
        _kill_the_worker(folder)
        process.kill()
        process.wait()
    assert wait_for(lambda: is_gone(folder), 15)
    with started(folder, port) as (process, said):
        assert status(said["url"] + "/accounts/login/") == 200
        process.send_signal(signal.SIGINT)
        process.wait(120)
        assert process.returncode == 0
    assert is_gone(folder)


def _kill_the_worker(folder: DataFolder) -> None:
    before = worker_of(folder)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert wait_for(lambda: worker_of(folder) not in (None, before), 20)
