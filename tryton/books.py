#!/usr/bin/env python3
"""The live Tryton that Procore Sync is developed against: make its books and act in them.

Runs in the virtual environment that Tryton is installed in, and talks to the
running server over the network only. Building or restoring needs no server;
acting in the books needs TRYTON_URL and, if it is not "lab", TRYTON_DATABASE.
"""

import argparse
import contextlib
import gzip
import json
import os
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SNAPSHOT, LISTING = HERE / "books.sqlite.gz", HERE / "books.json"
DATABASE = "lab"
MODULES = (
    *("account_invoice", "account_payment", "account_payment_clearing", "purchase"),
    "analytic_account",
)
NOTICE = (
    "Made by tryton/books.py. The password and the keys open a demonstration Tryton "
    "on the machine of whoever restores it, and nothing else."
)
ADMIN = {"login": "admin", "password": "northstar-demo"}
START_SECONDS = 60


class BooksError(Exception):
    """The sentence that the person at the keyboard reads."""


# ------------------------------------------------------------ making the books
def build(options: argparse.Namespace) -> str:
    """make the books from nothing: initialise Tryton and enter the whole story"""
    directory = options.dir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    if (directory / f"{DATABASE}.sqlite").exists():
        raise BooksError(f"{directory} already has books; choose another folder or remove it.")
    port = _free_port()
    _write_config(directory, port)
    started = time.monotonic()
    _initialise(directory)
    print(f"Tryton's database is initialised ({time.monotonic() - started:.0f} s).", flush=True)
    with _server(directory, port):
        listing = _seed(f"http://127.0.0.1:{port}/{DATABASE}")
    _write_listing(directory / LISTING.name, listing)
    return f"The books are ready in {directory} ({time.monotonic() - started:.0f} s)."


def _initialise(directory: Path) -> None:
    (directory / f"{DATABASE}.sqlite").touch()
    password = directory / "admin-password"
    password.write_text(ADMIN["password"])
    command = [
        _program("trytond-admin"),
        "-c",
        str(directory / "trytond.conf"),
        "-d",
        DATABASE,
        "--all",
        "--email",
        "admin@example.com",
        "--activate-dependencies",
        "-u",
        *MODULES,
    ]
    environment = dict(os.environ, TRYTONPASSFILE=str(password))
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    finally:
        password.unlink()
    if done.returncode:
        (directory / f"{DATABASE}.sqlite").unlink()
        raise BooksError(f"trytond-admin failed: {done.stderr.strip()[-2000:]}")


def _seed(url: str) -> dict[str, Any]:
    import ledger
    import seed

    with ledger.signed_in(url, ADMIN["login"], ADMIN["password"]):
        return {"database": DATABASE, "admin": ADMIN, **seed.write_story()}


def _write_listing(path: Path, listing: dict[str, Any]) -> None:
    path.write_text(json.dumps({"notice": NOTICE, **listing}, indent=2) + "\n")


def snapshot(options: argparse.Namespace) -> str:
    """turn the books in a folder into the two small files that are committed"""
    source = _require_books(options.dir)
    compact = source.with_name("snapshot.sqlite")
    compact.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(source)) as database:
        # Reads through the write-ahead log, which a copy of the file would miss.
        database.execute("VACUUM INTO ?", (str(compact),))
    with contextlib.closing(sqlite3.connect(compact)) as database:
        database.execute("DELETE FROM ir_session")
        database.commit()
        database.execute("VACUUM")
    SNAPSHOT.write_bytes(gzip.compress(compact.read_bytes(), mtime=0))
    compact.unlink()
    shutil.copyfile(source.with_name(LISTING.name), LISTING)
    return f"{SNAPSHOT.name} has {SNAPSHOT.stat().st_size // 1024} kB; {LISTING.name} is beside it."


def restore(options: argparse.Namespace) -> str:
    """put the committed books into a folder, unless it already has some"""
    directory = options.dir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{DATABASE}.sqlite"
    if target.exists():
        return f"{directory} already has books; they are left as they are."
    shutil.copyfile(LISTING, directory / LISTING.name)
    # Written beside and moved, so that an interrupted restore is not mistaken for books.
    partial = target.with_suffix(".part")
    partial.write_bytes(gzip.decompress(SNAPSHOT.read_bytes()))
    partial.replace(target)
    return f"The books of {_listing(directory)['company']} are restored in {directory}."


def serve_config(options: argparse.Namespace) -> str:
    """write trytond.conf for a server on 127.0.0.1"""
    _require_books(options.dir)
    path = _write_config(options.dir.resolve(), options.port)
    return f"Start it with: trytond -c {path} -d {DATABASE}"


def _write_config(directory: Path, port: int) -> Path:
    path = directory / "trytond.conf"
    path.write_text(
        f"[database]\nuri = sqlite://\npath = {directory}\n"
        f"[web]\nlisten = 127.0.0.1:{port}\n"
        "[session]\nauthentications = password\n[password]\nlength = 8\n"
    )
    return path


def _require_books(directory: Path) -> Path:
    books = directory.resolve() / f"{DATABASE}.sqlite"
    if not books.exists():
        raise BooksError(f"There are no books in {directory}; run build or restore first.")
    return books


# ------------------------------------------------------------------ the server
def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _server(directory: Path, port: int) -> Iterator[None]:
    command = [_program("trytond"), "-c", str(directory / "trytond.conf"), "-d", DATABASE]
    with (directory / "trytond.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise BooksError("Tryton did not start; trytond.log in the books' folder says why.")


# ------------------------------------------------------------ acting in the books
def bills(options: argparse.Namespace) -> str:
    """list the bills: total, paid, open"""
    import ledger

    lines = [f"{'BILL':<12} {'VENDOR':<24} {'TOTAL':>12} {'PAID':>12} {'OPEN':>12}  STATE"]
    lines += [
        f"{row['reference'] or '':<12} {row['vendor']:<24} {row['total']:>12,.2f} "
        f"{row['paid']:>12,.2f} {row['open']:>12,.2f}  {row['state']}"
        for row in ledger.bill_rows()
    ]
    return "\n".join(lines)


def pay(options: argparse.Namespace) -> str:
    """pay bills: BILL AMOUNT, several pairs make one check run"""
    import ledger

    pays = _pairs(options.pays)
    check = options.check or ledger.next_check_number()
    if options.wizard:
        for reference, amount in pays:
            ledger.pay_with_wizard(reference, amount, check=check)
    else:
        ledger.pay(pays, check=check, until=options.until)
    said = {"issued": "is issued", "processing": "is sent but not issued yet"}
    paid = " and ".join(f"{amount} on {reference}" for reference, amount in pays)
    return f"{check} {said.get(options.until, 'is approved but not sent yet')}: {paid}."


def void(options: argparse.Namespace) -> str:
    """void a check that was issued; the payment stays, as failed"""
    import ledger

    return f"{options.check} is voided ({_counted(ledger.void(options.check))})."


def delete(options: argparse.Namespace) -> str:
    """make a payment vanish: CHECK, payment id, or line-N of a "Pay" wizard payment"""
    import ledger

    return ledger.delete(options.check)


def issue(options: argparse.Namespace) -> str:
    """issue a check that is still being processed"""
    import ledger

    return f"{options.check} is issued ({_counted(len(ledger.issue_check(options.check)))})."


def new_bill(options: argparse.Namespace) -> str:
    """enter a bill: VENDOR REFERENCE AMOUNT"""
    import ledger

    bill = ledger.new_bill(options.vendor, options.reference, _amount(options.amount))
    return f"{bill.reference} of {bill.party.name} is posted: {bill.total_amount}."


def new_order(options: argparse.Namespace) -> str:
    """enter a purchase order: VENDOR REFERENCE AMOUNT"""
    import ledger

    order = ledger.new_order(options.vendor, options.reference, _amount(options.amount))
    return f"{order.reference} of {order.party.name} is confirmed (id {order.id})."


def batch(options: argparse.Namespace) -> str:
    """read acts from standard input, one a line; answer each with one line of JSON"""
    import ledger

    parser = _parser()
    for line in sys.stdin:
        try:
            act = parser.parse_args(shlex.split(line))
            if not act.live:
                raise BooksError(f"{act.command} is not an act in the books.")
            said = {"said": act.function(act)}
        except (BooksError, ledger.LedgerError, SystemExit) as error:
            said = {"refused": str(error)}
        except xmlrpc.client.Fault as fault:
            said = {"refused": ledger.refusal(fault)}
        print(json.dumps(said), flush=True)
    return ""


def _counted(payments: int) -> str:
    return "1 payment" if payments == 1 else f"{payments} payments"


def _pairs(words: list[str]) -> list[tuple[str, Decimal]]:
    if len(words) % 2:
        raise BooksError("Give each bill an amount: BILL AMOUNT [BILL AMOUNT …].")
    return [(bill, _amount(amount)) for bill, amount in zip(words[::2], words[1::2], strict=True)]


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != round(amount, 2):
        raise BooksError(f"{text} is not an amount of money; write it like 1250.50.")
    return round(amount, 2)


# --------------------------------------------------------------- command line
def _listing(directory: Path | None = None) -> dict[str, Any]:
    path = LISTING if directory is None else directory / LISTING.name
    listing: dict[str, Any] = json.loads(path.read_text())
    return listing


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="books.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(function: Any, *, live: bool) -> argparse.ArgumentParser:
        name = function.__name__.replace("_", "-")
        made = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        made.set_defaults(function=function, live=live)
        if not live:
            made.add_argument("--dir", type=Path, required=True, help="folder of the books")
        return made

    for function in (build, snapshot, restore):
        command(function, live=False)
    command(serve_config, live=False).add_argument("--port", type=int, required=True)
    command(bills, live=True)
    command(batch, live=True)
    _pay_arguments(command(pay, live=True))
    for function in (void, delete, issue):
        command(function, live=True).add_argument("check", metavar="CHECK")
    for function in (new_bill, new_order):
        entering = command(function, live=True)
        for name in ("vendor", "reference", "amount"):
            entering.add_argument(name, metavar=name.upper())
    return parser


def _pay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pays", nargs="+", metavar="BILL AMOUNT")
    parser.add_argument("--check", metavar="N", help="check number (default: the next free one)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--pending",
        dest="until",
        action="store_const",
        const="processing",
        default="issued",
        help="send it without issuing it",
    )
    how.add_argument(
        "--approved",
        dest="until",
        action="store_const",
        const="approved",
        default="issued",
        help="approve it without sending it, so that it can still be deleted",
    )
    how.add_argument("--wizard", action="store_true", help='use the bill\'s own "Pay" button')


def _act(options: argparse.Namespace) -> str:
    if not options.live and options.function is not build:
        return str(options.function(options))
    import ledger

    try:
        if not options.live:
            return str(options.function(options))
        url = os.environ.get("TRYTON_URL", "")
        if not url:
            raise BooksError("Say where Tryton runs: TRYTON_URL=http://127.0.0.1:8269.")
        database = os.environ.get("TRYTON_DATABASE", DATABASE)
        admin = _listing()["admin"]
        with ledger.signed_in(f"{url}/{database}", admin["login"], admin["password"]):
            return str(options.function(options))
    except ledger.LedgerError as error:
        raise BooksError(str(error)) from error


if __name__ == "__main__":
    try:
        if said := _act(_parser().parse_args()):
            print(said)
    except BooksError as error:
        sys.exit(str(error))
