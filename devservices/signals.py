"""Ctrl-C and SIGTERM, and programs that share the terminal with us."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from devservices.console import Stopped
from devservices.places import ROOT
from devservices.processes import die_with_parent

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen() -> None:
    """From now on, being told to stop is the exception ``Stopped`` in the main thread."""
    for number in STOPPING:
        signal.signal(number, _raise_stopped)


def ignore() -> None:
    """While everything is being stopped: a second Ctrl-C must not leave half of it running."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def _raise_stopped(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)


def foreground(command: Sequence[str | Path], environment: Mapping[str, str]) -> int:
    """Runs a program in our terminal and returns its exit code."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        cwd=ROOT,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    while True:
        try:
            code = process.wait()
        except Stopped as stopped:
            _pass_on(process, stopped.signal_number)
        else:
            return code if code >= 0 else 128 - code


def _pass_on(process: "subprocess.Popen[bytes]", number: int) -> None:
    """Ctrl-C in a terminal reaches the program by itself; anything else came to us alone."""
    if number != signal.SIGINT or not sys.stdin.isatty():
        process.send_signal(number)
