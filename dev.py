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

COMMANDS = {"up": demo.up} | commands.COMMANDS | {"lint": checks.lint, "pin": checks.pin}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--data", type=Path, default=ROOT / ".dev", help=argparse.SUPPRESS)
    words = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        own = words.add_parser(name, help=function.__doc__, description=function.__doc__)
        if name not in PASS_ON:
            own.add_argument(
                "--data", type=Path, default=argparse.SUPPRESS, metavar="DIR",
                help="folder of everything that is kept (default: .dev in the checkout)",
            )  # fmt: skip
        if name == "up":
            _add_up_options(own)
    return made


#: the words after these belong to another program
PASS_ON = ("test", "manage", "shell", "erp", "bench")


def _add_up_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("--port", type=int, default=8000, metavar="N", help="default: 8000")
    own.add_argument("--no-erp", action="store_true", help="without the demo's ERP")
    own.add_argument("--json", action="store_true", help="a JSON object as the last line")


def read(words: list[str]) -> argparse.Namespace:
    """What follows ``test``, ``manage`` … goes to the other program untouched."""
    for index, word in enumerate(words):
        if word in PASS_ON and not (index and words[index - 1] == "--data"):
            ours, theirs = words[: index + 1], words[index + 1 :]
            options = parser().parse_args(ours)
            options.arguments = theirs
            return options
        if word in COMMANDS:
            break
    return parser().parse_args(words)


def main() -> int:
    options = read(sys.argv[1:])
    signals.listen()
    try:
        return COMMANDS[options.command](options)
    except DevError as error:
        warn(f"\n{error}")
        if error.log is not None:
            warn(f"{tail(error.log)}\n  All of it: {error.log}")
        return 1
    except Stopped as stopped:
        return 128 + stopped.signal_number


if __name__ == "__main__":
    sys.exit(main())
