"""The live Tryton that ``dev.py test`` starts, and somebody who keeps its books.

Tests that change or compare whole books do so inside ``alone()``: one after the
other, even where the test runner spreads them over processes. (The mark
``xdist_group`` alone does not do it: pytest-xdist 3.8 forgets groups with
pytest 9.2, pytest-xdist issue 1386.)
"""

import fcntl
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from erp_integrations.providers.tryton.provider import TrytonProvider
from tests.erp_integrations.providers.contract_suite import Bill

BOOKS = Path(__file__).parents[1] / "tryton" / "books.py"
LISTING = json.loads(BOOKS.with_name("books.json").read_text(encoding="utf-8"))


def given(name: str) -> str:
    value = os.environ.get(name)
    assert value, f"{name} is not set: run these tests with `python3 dev.py test`."
    return value


def connect(**options: Any) -> TrytonProvider:
    database = options.pop("database", os.environ.get("TRYTON_DATABASE", "lab"))
    key = options.pop("key", None) or given("TRYTON_KEY")
    settings = {"url": given("TRYTON_URL"), "database": database}
    return TrytonProvider(settings, {"key": key}, allow_private_addresses=True, **options)


@contextmanager
def alone(where: str = "live-books") -> Iterator[None]:
    """Nobody else on this machine acts in the live books (or the broker) meanwhile."""
    folder = os.environ.get("TRYTON_DIR") or tempfile.gettempdir()
    with (Path(folder) / f"{where}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class LiveBooks:
    """An accountant at work: one process that talks to the ERP, one line an act."""

    lacks: ClassVar[Mapping[str, str]] = {}
    #: of bills and checks; shared, because the books keep what earlier accountants entered
    numbers = (f"{os.getpid()}-{count}" for count in itertools.count(1))

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def act(self, *words: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "said" in answer, answer
        return str(answer["said"])

    def bill(self, total: str) -> Bill:
        reference = f"T-{next(self.numbers)}"
        self.act("new-bill", "V-BOLT", reference, total)
        return Bill(bill_ids()[reference], reference)

    def order(self, reference: str, total: str) -> str:
        """A purchase order of the drywaller's; its id."""
        said = self.act("new-order", "V-KEY", reference, total)
        return said.rpartition("(id ")[2].rstrip(").")

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        return self._pay(pays, *(["--pending"] if pending else []))

    def pay_directly(self, bill: Bill, amount: str) -> str:
        return self._pay([(bill, amount)], "--wizard")

    def draft(self, bill: Bill, amount: str) -> str:
        return self._pay([(bill, amount)], "--approved")

    def _pay(self, pays: Any, *options: str) -> str:
        check = f"C-{next(self.numbers)}"
        words = [word for bill, amount in pays for word in (bill.number, amount)]
        self.act("pay", *words, "--check", check, *options)
        return check

    def issue(self, check: str) -> None:
        self.act("issue", check)

    def void(self, check: str) -> None:
        self.act("void", check)

    def unapply(self, check: str) -> None:
        self.act("delete", check)

    def delete(self, check: str) -> None:
        self.act("delete", check)

    def settle(self) -> None:
        time.sleep(2.1)

    def provider(self, **options: Any) -> TrytonProvider:
        return connect(**options)


def bill_ids() -> dict[str, str]:
    return {bill.number: bill.remote_id for bill in connect().bills()}


@contextmanager
def accountant() -> Iterator[LiveBooks]:
    """Somebody at work in the live books."""
    given("TRYTON_URL")
    command = [given("TRYTON_PYTHON"), str(BOOKS), "batch"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield LiveBooks(process)
        assert process.stdin is not None
        process.stdin.close()
