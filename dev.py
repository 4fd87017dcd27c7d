#!/usr/bin/env python3
"""Everything a developer does, with nothing installed but Python 3.11 or newer.

python3 dev.py up      the application, its database, its queue, a real ERP, a demo company
python3 dev.py test    the tests on the same engines
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - for whoever runs an older one
    sys.exit("Procore Sync needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")

import argparse
from pathlib import Path

from devservices import checks, commands, demo, signals
from devservices.console import DevError, Stopped, tail, warn
from devservices.places import ROOT

DATA_HELP = "folder of everything that is kept (default: .dev in the checkout)"
ERP_HELP = (
    "tryton, or the stand-in of a provider: xero, odoo, quickbooks_online, … (default: tryton)"
)
COMMANDS = {
    "up": demo.up,
    **commands.COMMANDS,
    "lint": checks.lint,
    "format": checks.format_code,
    "pin": checks.pin,
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--data", type=Path, default=ROOT / ".dev", metavar="DIR", help=DATA_HELP)
    words = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        own = words.add_parser(name, help=function.__doc__, description=function.__doc__)
        if name not in PASS_ON:
            inherited = argparse.SUPPRESS
            own.add_argument("--data", type=Path, default=inherited, metavar="DIR", help=DATA_HELP)
        if name == "up":
            _add_up_options(own)
    return made


#: the words after these belong to another program
PASS_ON = ("test", "manage", "shell", "erp", "bench")


def _add_up_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("--port", type=_port, default=8000, metavar="N", help="default: 8000")
    own.add_argument("--erp", default="tryton", metavar="NAME", help=ERP_HELP)
    own.add_argument("--no-erp", action="store_true", help="without the demo's ERP")
    own.add_argument("--json", action="store_true", help="a JSON object as the last line")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port; choose one from 1 to 65535")
    return int(text)


def read(words: list[str]) -> argparse.Namespace:
    """What follows ``test``, ``manage`` … goes to the other program untouched."""
    first = 0
    while first < len(words) and words[first].startswith("-"):
        first += 2 if words[first] == "--data" else 1
    if first < len(words) and words[first] in PASS_ON:
        options = parser().parse_args(words[: first + 1])
        options.arguments = words[first + 1 :]
        return options
    return parser().parse_args(words)


def main() -> int:
    options = read(sys.argv[1:])
    signals.listen()
    try:
        return COMMANDS[options.command](options)
    except DevError as error:
        warn(f"{error}")
        if error.log is not None:
            warn(f"{tail(error.log)}\n  All of it: {error.log}")
        return 1
    except Stopped as stopped:
        return 128 + stopped.signal_number


if __name__ == "__main__":
    sys.exit(main())
