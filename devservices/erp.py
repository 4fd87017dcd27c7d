"""An ERP beside the application: a real Tryton in its own environment, or a stand-in."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from devservices.console import DevError, warn
from devservices.environment import Environment, tryton_environment
from devservices.places import ROOT, DataFolder
from devservices.processes import Service, begin_logged, finish, run_logged

BOOKS = ROOT / "tryton" / "books.py"
DATABASE = "lab"
OLDER_BOOKS = (
    "The ERP's books here were made by an older version, so something that newer pages ask for may "
    "be missing in them. `python3 dev.py reset` forgets the demo's data; the next start brings "
    "today's books."
)


class Tryton:
    label, name = "Tryton", "the demo's ERP"

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.books = folder.path / "tryton"
        self.log = folder.log("tryton")
        self.environment: Environment = tryton_environment(folder.log("install-tryton"))
        self.port = 0
        self._installing: subprocess.Popen[bytes] | None = None

    def begin_install(self) -> None:
        """In the background: it takes as long as everything else together."""
        if self.environment.missing(["tryton"]):
            self._installing = begin_logged(
                [sys.executable, "-m", "devservices.environment", self.environment.log],
                self.environment.log,
                environment=dict(os.environ, PYTHONPATH=str(ROOT)),
                cwd=ROOT,
            )

    def finish_install(self) -> None:
        if self._installing is not None:
            finish(self._installing, self.environment.log, "Tryton could not be installed.")
            self._installing = None

    def restore_books(self) -> None:
        """From the committed snapshot, unless there are books already."""
        self._run("restore", "--dir", self.books)
        if (self.books / "books.json").read_bytes() != (BOOKS.parent / "books.json").read_bytes():
            warn(OLDER_BOOKS)

    def service(self, python: Path) -> Service:
        """``python`` is the application's; Tryton has its own."""
        self.port = kept_port(self.folder, "tryton")
        self._run("serve-config", "--dir", self.books, "--port", str(self.port))
        trytond = self.environment.folder / "bin" / "trytond"
        return Service(
            name="Tryton",
            command=[
                *(self.environment.python, trytond),
                *("-c", self.books / "trytond.conf", "-d", DATABASE),
            ],
            log=self.log,
            environment=os.environ,
            cwd=self.books,
            ready=self._answers,
            stop_signal=signal.SIGTERM,
            death_signal=signal.SIGKILL,
            patience=3,
        )

    def _run(self, *words: str | Path) -> None:
        sentence = f"tryton/books.py {words[0]} failed."
        run_logged([self.environment.python, BOOKS, *words], self.log, sentence=sentence, cwd=ROOT)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/", timeout=5).close()  # noqa: S310 - our own
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        """Of the user application that Procore Sync signs in with; it opens demo books only."""
        try:
            listing = json.loads((self.books / "books.json").read_text())
            return str(listing["rest_key"])
        except (OSError, ValueError, KeyError) as error:
            raise DevError(f"The books in {self.books} name no key ({error}).") from None

    def demo_words(self) -> list[str]:
        """How ``load_demo`` is told of it: the demo company is connected from the start."""
        return [
            *("--erp-url", self.url, "--erp-key", self.key),
            *("--erp-database", DATABASE),
        ]

    def how_to_connect(self) -> list[str]:
        return []

    def variables(self) -> dict[str, str]:
        return {
            "TRYTON_URL": self.url,
            "TRYTON_DATABASE": DATABASE,
            "TRYTON_KEY": self.key,
            "TRYTON_PYTHON": str(self.environment.python),
            "TRYTON_DIR": str(self.books),
        }


class StandIn:
    """A stand-in for an ERP that nobody can install; its books begin anew with every start."""

    def __init__(self, folder: DataFolder, name: str) -> None:
        self.folder, self.name = folder, name
        self.label = "Stand-in"
        self.listing = folder.path / "stand-in.json"
        self.port = 0

    @staticmethod
    def names() -> list[str]:
        fakes = (ROOT / "tests" / "fakes").glob("*.py")
        providers = ROOT / "erp_integrations" / "providers"
        found = {each.stem for each in fakes if (providers / each.stem).is_dir()}
        return sorted(found - {"tryton"})

    def begin_install(self) -> None:
        """It runs in the application's own environment."""

    def finish_install(self) -> None: ...

    def restore_books(self) -> None:
        self.listing.unlink(missing_ok=True)

    def service(self, python: Path) -> Service:
        self.port = kept_port(self.folder, self.name)
        return Service(
            name=self.label,
            command=[
                *(python, "-m", "tests.fakes.stand_in", self.name),
                *(str(self.port), self.listing),
            ],
            log=self.folder.log("stand-in"),
            environment=os.environ,
            cwd=ROOT,
            ready=self.listing.is_file,
            stop_signal=signal.SIGTERM,
            death_signal=signal.SIGKILL,
            patience=3,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def demo_words(self) -> list[str]:
        """The story's bills have this ERP's ids; connecting is left to whoever tries it."""
        return ["--erp-books", str(self.listing)]

    def how_to_connect(self) -> list[str]:
        """What somebody types into the form of the connection."""
        given = json.loads(self.listing.read_text(encoding="utf-8"))["connection"]
        return [f"{name}: {value}" for part in given.values() for name, value in part.items()]

    def variables(self) -> dict[str, str]:
        return {"STAND_IN_URL": self.url}


Erp = Tryton | StandIn


def kept_port(folder: DataFolder, name: str) -> int:
    """The one of last time, if it is free: the connection in the demo data names it."""
    ports = folder.read("ports.json")
    known = ports.get(name, 0)
    port = known if known and port_is_free(known) else free_port()
    folder.write_private("ports.json", ports | {name: port})
    return int(port)


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
