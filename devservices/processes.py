"""Starting, watching and stopping processes so that none is ever left behind.

Three nets, each for what the one before cannot catch: a service is stopped with its whole process
group; it gets a signal from the kernel when ``dev.py`` dies (``PR_SET_PDEATHSIG``, Linux); and the
next start ends whatever still carries the mark of the last one in its environment.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from devservices.console import DevError, Stopped, warn

MARK = "PROCORE_SYNC_DEV"
PR_SET_PDEATHSIG = 1
_prctl: Callable[..., int] | None = getattr(ctypes.CDLL(None), "prctl", None)


def die_with_parent(death_signal: int) -> Callable[[], None]:
    """For ``preexec_fn``: runs in the child, after it has changed its user.

    The kernel sends the signal when the *thread* that forked ends, so services are only ever
    started from the main thread.
    """
    parent = os.getpid()

    def ask_the_kernel() -> None:
        if _prctl is not None:
            _prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it died before we could ask
            os.kill(os.getpid(), death_signal)

    return ask_the_kernel


def run_logged(
    command: Sequence[str | Path],
    log: Path,
    *,
    sentence: str,
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> None:
    """Runs a command to its end, its words going to ``log``; ``sentence`` says what failed."""
    finish(begin_logged(command, log, environment=environment, **options), log, sentence)


def begin_logged(
    command: Sequence[str | Path],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=environment,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
            **options,
        )


def finish(process: subprocess.Popen[bytes], log: Path, sentence: str) -> None:
    try:
        code = process.wait()
    except Stopped:
        end_group(process, signal.SIGTERM, patience=3)
        raise
    if code:
        raise DevError(sentence, log)


def end_group(process: subprocess.Popen[bytes], first: int | None, patience: float) -> None:
    """Asks the process itself (unless it was asked), then makes its whole group go."""
    if first is not None:
        process.send_signal(first)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class Service:
    """One long-running process, its log, and how it likes to be stopped."""

    name: str
    command: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str]
    cwd: Path
    ready: Callable[[], bool] = lambda: True
    before: Callable[[], None] = lambda: None
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGTERM
    patience: float = 8.0
    start_seconds: float = 60.0
    options: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    restart_at: float | None = None

    def start(self) -> None:
        self.before()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=dict(self.environment),
                cwd=self.cwd,
                start_new_session=True,
                preexec_fn=die_with_parent(self.death_signal),
                **self.options,
            )
        self.started_at = time.monotonic()

    def wait_until_ready(self) -> None:
        assert self.process is not None  # noqa: S101 - a mistake in dev.py, not of its user
        while not self.ready():
            if self.process.poll() is not None:
                raise DevError(f"{self.name} stopped while starting.", self.log)
            if time.monotonic() - self.started_at > self.start_seconds:
                raise DevError(
                    f"{self.name} did not answer in {self.start_seconds:.0f} s.", self.log
                )
            time.sleep(0.05)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(self.stop_signal)

    def stop(self) -> None:
        """After ``ask_to_stop``: waits, and insists when it takes too long."""
        if self.process is not None:
            end_group(self.process, None, self.patience)
            self.process = None


class Supervisor:
    """Starts services in order, restarts those that die, stops them in reverse order."""

    def __init__(self) -> None:
        self.batches: list[list[Service]] = []

    def start(self, *services: Service) -> None:
        """Starts them side by side and waits until each is ready."""
        batch: list[Service] = []
        self.batches.append(batch)
        for service in services:
            batch.append(service)
            service.start()
        for service in services:
            service.wait_until_ready()

    def watch(self) -> None:
        """Until a signal arrives (as ``Stopped``)."""
        while True:
            for service in chain.from_iterable(self.batches):
                self.look_after(service)
            time.sleep(0.2)

    def look_after(self, service: Service) -> None:
        if service.is_running():
            return
        now = time.monotonic()
        if service.restart_at is None:
            service.restart_at = now + self.mourn(service)
        if now >= service.restart_at:
            service.restart_at = None
            with contextlib.suppress(DevError, OSError):  # the next round tries again
                service.start()

    def mourn(self, service: Service) -> float:
        """Says what happened and how long to wait: at once, then longer the faster it dies."""
        lived = time.monotonic() - service.started_at
        service.deaths = 1 if lived > 30 else service.deaths + 1
        wait = 0.0 if service.deaths == 1 else min(2.0 ** (service.deaths - 2), 30.0)
        if service.process is not None:
            code = service.process.returncode
            service.stop()  # whatever it forked
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            when = "now" if not wait else f"in {wait:.0f} s"
            warn(f"{service.name} {how}; it is started again {when}. Log: {service.log}")
        return wait

    def stop(self) -> None:
        """In reverse order of start, those that started side by side together."""
        while self.batches:
            for service in self.batches[-1]:
                service.ask_to_stop()
            for service in self.batches[-1]:
                service.stop()
            self.batches.pop()


def end_leftovers(mark: str) -> int:
    """Ends every process that still carries ``mark``; returns how many there were."""
    found = carriers(mark)
    for pid in found:
        _send(pid, signal.SIGTERM)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and any(_carries(pid, mark) for pid in found):
        time.sleep(0.05)
    for pid in found:
        if _carries(pid, mark):
            _send(pid, signal.SIGKILL)
    return len(found)


def carriers(mark: str) -> list[int]:
    """The processes that belong to a data folder (Linux only; elsewhere none are found)."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except FileNotFoundError:
        return []
    return [pid for pid in pids if _carries(pid, mark)]


def _carries(pid: int, mark: str) -> bool:
    if pid == os.getpid():
        return False
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # gone, or somebody else's
        return False
    return f"{MARK}={mark}".encode() in environment.split(b"\0")


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
