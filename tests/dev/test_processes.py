"""Services are restarted when they die, and none outlives dev.py."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devservices import processes
from devservices.console import DevError
from devservices.places import ROOT
from devservices.processes import MARK, Service, Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def wait_for(condition: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def service(tmp_path: Path, command: list[str], **options: object) -> Service:
    environment = dict(os.environ, **{MARK: tmp_path.name})
    log = tmp_path / "service.log"
    return Service("the service", command, log, environment, tmp_path, **options)  # type: ignore[arg-type]


def test_a_service_that_is_killed_starts_again_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor, sleeper = Supervisor(), service(tmp_path, SLEEPER)
    supervisor.start(sleeper)
    assert sleeper.process is not None
    first = sleeper.process.pid
    os.kill(first, signal.SIGKILL)
    sleeper.process.wait()
    supervisor.look_after(sleeper)
    assert sleeper.is_running()
    assert sleeper.process.pid != first
    assert "the service was killed by signal 9; it is started again now" in capsys.readouterr().err
    supervisor.stop()
    assert not sleeper.is_running()


def test_a_service_that_keeps_dying_waits_longer_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = service(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"])
    supervisor, waits = Supervisor(), []
    for _ in range(7):
        failing.start()
        assert failing.process is not None
        failing.process.wait()
        waits.append(supervisor.mourn(failing))
    assert waits == [0, 1, 2, 4, 8, 16, 30]
    assert "ended with exit code 3; it is started again in 4 s" in capsys.readouterr().err


def test_a_service_that_never_starts_is_one_sentence(tmp_path: Path) -> None:
    failing = service(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"], ready=lambda: False)
    with pytest.raises(DevError, match="the service stopped while starting"):
        Supervisor().start(failing)


def test_what_a_service_forked_goes_with_it(tmp_path: Path) -> None:
    forks = f"import subprocess; subprocess.run({SLEEPER})"
    parent = service(tmp_path, [sys.executable, "-c", forks])
    supervisor = Supervisor()
    supervisor.start(parent)
    assert wait_for(lambda: len(processes.carriers(tmp_path.name)) == 2)
    supervisor.stop()
    assert wait_for(lambda: not processes.carriers(tmp_path.name))


DEV = """
import os, sys, time
from pathlib import Path
from devservices.processes import MARK, Service, Supervisor
environment = dict(os.environ, **{MARK: sys.argv[1]})
sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
Supervisor().start(Service("s", sleeper, Path(os.devnull), environment, Path("/")))
print("started", flush=True)
time.sleep(60)
"""


def test_a_service_dies_with_the_dev_py_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DEV, tmp_path.name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as dev:
        assert dev.stdout is not None
        assert dev.stdout.readline() == b"started\n"
        assert len(processes.carriers(tmp_path.name)) == 1
        dev.kill()
    assert wait_for(lambda: not processes.carriers(tmp_path.name))


def test_leftovers_of_one_folder_go_and_others_stay(tmp_path: Path) -> None:
    def start(mark: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(SLEEPER, env={**os.environ, MARK: mark})

    ours, other = start(tmp_path.name), start(f"{tmp_path.name}-other")
    try:
        assert wait_for(lambda: len(processes.carriers(tmp_path.name)) == 1)
        assert processes.end_leftovers(tmp_path.name) == 1
        assert ours.wait(5) == -signal.SIGTERM
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
