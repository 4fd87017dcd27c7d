"""A stand-in for an ERP as a program of its own, with the demo's story in its books.

``python -m tests.fakes.stand_in NAME PORT FILE`` serves until it is stopped, and
writes to FILE what the demo needs to know: the ids that the story's bills have
there, and what a person types to connect. ``python -m tests.fakes.stand_in act
URL bills|pay|void|delete …`` does what an accountant would. The books live in
memory: they begin anew with every start.
"""

import datetime as dt
import json
import signal
import sys
import threading
import urllib.request
from decimal import Decimal, InvalidOperation
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from tests.fakes.desk import Desk, LedgerDesk
from tests.fakes.http_server import HttpServer, Reply, Request

#: where accountants act; no ERP has it
ACTS = "/accountant/acts"
STORY = Path(__file__).resolve().parents[2] / "tryton" / "books.json"
USAGE = "bills | pay BILL AMOUNT [BILL AMOUNT …] --check N | void N | delete N"


def make(name: str) -> Any:
    """The stand-in of a provider, by the provider's code."""
    module = import_module(f"tests.fakes.{name}")
    (kind,) = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, HttpServer)
        and each.__module__ == module.__name__
        and each.__name__.startswith("Fake")
    ]
    return kind()


def desk_of(fake: Any) -> Desk:
    desk: Desk = fake.desk() if hasattr(fake, "desk") else LedgerDesk(fake)
    return desk


def enter_story(desk: Desk) -> dict[str, Any]:
    """The demo's bills and checks; the listing that ``load_demo --erp-books`` reads."""
    story = json.loads(STORY.read_text(encoding="utf-8"))
    for vendor in story["vendors"]:
        vendor["party_id"] = desk.vendor(vendor["code"], vendor["name"])
    for bill in story["bills"]:
        on = dt.date.fromisoformat(bill["date"])
        total, order = Decimal(bill["total"]), bill["purchase_order"]
        bill["id"] = desk.bill(bill["reference"], total, bill["vendor_code"], on, order)
    for check in story["checks"]:
        _enter_check(desk, check)
    kept = ("currency", "vendors", "jobs", "purchase_orders", "bills")
    return {name: story[name] for name in kept}


def _enter_check(desk: Desk, check: dict[str, Any]) -> None:
    pays = [(each["bill"], Decimal(each["amount"])) for each in check["pays"]]
    pending = check["outcome"] == "processing"
    try:
        desk.pay(check["number"], pays, dt.date.fromisoformat(check["date"]), pending=pending)
    except NotImplementedError:
        return  # an ERP in which nothing waits
    if check["outcome"] == "voided":
        desk.void(check["number"])


def act(desk: Desk, words: list[str]) -> str:
    """Do what was typed; a sentence, or the list. Raises ``LookupError`` with a sentence."""
    match words:
        case ["bills"]:
            rows = [
                f"{it.date}  {it.reference:<12} {it.vendor_code:<8} {it.total:>12} paid {it.paid}"
                for it in desk.bills()
            ]
            return "\n".join(rows)
        case ["pay", *pays, "--check", number] if pays and len(pays) % 2 == 0:
            today = dt.datetime.now(dt.UTC).date()
            amounts = [Decimal(amount) for amount in pays[1::2]]
            desk.pay(number, list(zip(pays[::2], amounts, strict=True)), today)
            return f"Check {number} is issued over {sum(amounts)}."
        case ["void", number]:
            desk.void(number)
            return f"Check {number} is voided."
        case ["delete", number]:
            desk.delete(number)
            return f"Check {number} is deleted."
    raise LookupError(f"Say: {USAGE}")


class Served:
    """The stand-in with the accountants' door, on a clock that goes with the real one."""

    def __init__(self, fake: Any) -> None:
        self.fake, self.desk = fake, desk_of(fake)
        self._answer, self._lock = fake.answer, threading.Lock()
        fake.answer = self.answer

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.catch_up()
            if request.path != ACTS:
                reply: Reply = self._answer(request)
                return reply
            try:
                said, status = act(self.desk, json.loads(request.body)), 200
            except (LookupError, InvalidOperation) as error:
                said, status = str(error) or USAGE, 400
            return Reply(status, said.encode(), "text/plain; charset=utf-8")

    def catch_up(self) -> None:
        books = getattr(self.fake, "ledger", self.fake)
        books.now = max(books.now, dt.datetime.now(dt.UTC))


def serve(name: str, port: int, listing: Path) -> None:
    HttpServer.port = port
    served = Served(make(name))
    served.catch_up()
    books = enter_story(served.desk)
    connection = getattr(import_module(f"tests.fakes.{name}"), "connection")  # noqa: B009
    settings, credentials = connection(served.fake)
    books["connection"] = {"settings": settings, "credentials": credentials}
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with served.fake.running():
        listing.write_text(json.dumps(books), encoding="utf-8")
        ended.wait()


def ask(url: str, words: list[str]) -> int:
    request = urllib.request.Request(url + ACTS, json.dumps(words).encode())  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            sys.stdout.write(f"{answer.read().decode()}\n")
            return 0
    except HTTPError as error:
        sys.stderr.write(f"{error.read().decode()}\n")
        return 1


if __name__ == "__main__":
    if sys.argv[1] == "act":
        sys.exit(ask(sys.argv[2], sys.argv[3:]))
    serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
