"""What a person sees: one aligned line for each step, while it happens."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class DevError(Exception):
    """The sentence that the person at the keyboard reads; ``log`` holds the rest."""

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.log = log


class Stopped(BaseException):
    """Somebody pressed Ctrl-C or sent a signal; not an Exception, so that nothing swallows it."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


@dataclass
class Note:
    text: str = "done"


@contextmanager
def step(name: str) -> Iterator[Note]:
    """Prints the name at once and how it went afterwards."""
    started, note = time.monotonic(), Note()
    print(f"  {name:<20} ", end="", flush=True)
    try:
        yield note
    except BaseException as error:
        print("stopped" if isinstance(error, Stopped) else "failed", flush=True)
        raise
    print(f"{note.text:<44} {time.monotonic() - started:5.1f} s", flush=True)


def say(sentence: str = "") -> None:
    print(sentence, flush=True)


def warn(sentence: str) -> None:
    """To stderr, so that the last line of ``up --json`` stays the JSON object."""
    print(sentence, file=sys.stderr, flush=True)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for the message about a step that failed."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
