"""What each word after ``dev.py`` does."""

import argparse
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devservices import application, engines
from devservices.console import DevError, say, step
from devservices.environment import Environment, application_environment
from devservices.erp import BOOKS, Tryton
from devservices.places import ROOT, DataFolder
from devservices.postgres import outside_home
from devservices.processes import run_logged
from devservices.signals import foreground

Options = argparse.Namespace
ONLY_MADE_HERE = (
    *("postgres", "postgres.part", "valkey", "tryton", "media", "static", "logs", "sockets"),
    *("secrets.json", "ports.json", "run.json", "lock"),
)


# ------------------------------------------------ Django's commands and the ERP's
def manage(options: Options) -> int:
    """run a command of manage.py on the demo's database"""
    with _demo(options) as (environment, variables):
        words = [str(environment.python), str(ROOT / "manage.py"), *options.arguments]
        return foreground(words, variables)


def shell(options: Options) -> int:
    """open a Python shell with the models loaded"""
    options.arguments = ["shell", *options.arguments]
    return manage(options)


@contextmanager
def _demo(options: Options) -> Iterator[tuple[Environment, dict[str, str]]]:
    """The demo's engines: those of a running ``up``, or our own for the duration."""
    folder = DataFolder.at(options.data)
    with folder.locked() as free:
        if not free:
            yield engines.install_packages(folder), _running_variables(folder)
            return
        environment = engines.install_packages(folder)
        with engines.running(folder, environment, quiet=True) as started:
            yield environment, application.variables(folder, started.variables)


def _running_variables(folder: DataFolder) -> dict[str, str]:
    variables: dict[str, str] = folder.read("run.json").get("variables", {})
    if not variables:
        raise DevError("`dev.py up` is still starting; try again when it says Ready.")
    return variables


def erp(options: Options) -> int:
    """act in the running ERP: bills, pay, void, delete"""
    folder = DataFolder.at(options.data)
    with folder.locked() as stopped:
        variables = {} if stopped else folder.read("run.json").get("variables", {})
    if url := variables.get("STAND_IN_URL"):
        python = application_environment(folder.log("install")).python
        return foreground(
            [python, "-m", "tests.fakes.stand_in", "act", url, *options.arguments], {}
        )
    if "TRYTON_URL" not in variables:
        raise DevError("The ERP is not running; start it with `python3 dev.py up`.")
    return foreground([variables["TRYTON_PYTHON"], BOOKS, *options.arguments], variables)


# ------------------------------------------------------------- tests and benchmarks
def test(options: Options) -> int:
    """run the tests (all further words go to pytest)"""
    words = pytest_words(options.arguments)
    groups = ["test", "e2e"] if wants_browser(words) else ["test"]
    with _scratch(options, "test") as scratch:
        scratch.install(*groups, tryton=True)
        scratch.start(careless=True)
        folder = scratch.folder
        shutil.rmtree(folder.path / "tryton", ignore_errors=True)
        variables = scratch.variables() | _live_tryton(scratch)
        say()
        command = [str(scratch.environment.python), "-m", "pytest", *words]
        return foreground(command, variables | {"DJANGO_SETTINGS_MODULE": "tests.settings"})


def _live_tryton(scratch: "Scratch") -> dict[str, str]:
    """The committed books, in a server that this run of the tests has to itself."""
    with step("Tryton") as note:
        scratch.tryton.finish_install()
        scratch.tryton.restore_books()
        scratch.supervisor.start(scratch.tryton.service(scratch.environment.python))
        note.text = scratch.tryton.url
    return scratch.tryton.variables()


#: these need one process, or mind what it is called
ALONE = ("-n", "--numprocesses", "--pdb", "--trace", "--collect-only", "--co", "-h", "--help", "-s")


def pytest_words(given: list[str]) -> list[str]:
    """Two workers and no browser, unless the words say otherwise."""
    words = list(given)
    if not _marks(words):
        words = ["-m", "not browser", *words]
    if not any(_is_one_of(ALONE, word) for word in given):
        words = ["-n", "2", "--dist", "loadgroup", *words]
    return words


def _is_one_of(names: tuple[str, ...], word: str) -> bool:
    """``-n2`` is ``-n``; ``--showlocals`` is not ``-s``."""
    name = word.split("=")[0] if word.startswith("--") else word[:2]
    return name in names


def _marks(words: list[str]) -> list[str]:
    """What stands behind ``-m``, together or apart."""
    together = [word[2:].lstrip("=") for word in words if word.startswith("-m") and word != "-m"]
    return together + [mark for m, mark in zip(words, words[1:], strict=False) if m == "-m"]


def wants_browser(words: list[str]) -> bool:
    return any("browser" in mark and "not browser" not in mark for mark in _marks(words))


def bench(options: Options) -> int:
    """measure the sync engine, --pages, --files or --erps"""
    words = options.arguments
    if words[:1] == ["--erps"]:
        return _bench_erps(options, words[1:])
    script = {"--pages": "pages.py", "--files": "files.py"}.get(" ".join(words[:1]), "sync.py")
    words = words[1:] if script != "sync.py" else words
    with _scratch(options, "bench") as scratch:
        scratch.install()
        scratch.start(careless=False)
        python, variables = scratch.environment.python, scratch.variables()
        run_logged(
            [python, ROOT / "manage.py", "migrate"],
            scratch.folder.log("migrate"),
            sentence="The database could not be migrated.",
            environment=dict(os.environ) | variables,
        )
        say()
        return foreground([str(python), str(ROOT / "bench" / script), *words], variables)


def _bench_erps(options: Options, words: list[str]) -> int:
    """It reads the tests' stand-ins, and needs no engines."""
    environment = engines.install_packages(DataFolder.at(options.data), "test")
    command = [environment.python, ROOT / "bench" / "erps.py", *words]
    return foreground([str(each) for each in command], {"DJANGO_SETTINGS_MODULE": "tests.settings"})


@dataclass
class Scratch:
    """Engines on data that nobody keeps, so that the demo's is never touched."""

    folder: DataFolder
    stack: ExitStack

    def install(self, *groups: str, tryton: bool = False) -> None:
        self.tryton = Tryton(self.folder)
        if tryton:
            self.tryton.begin_install()
        self.environment = engines.install_packages(self.folder, *groups)

    def start(self, *, careless: bool) -> None:
        running = engines.running(self.folder, self.environment, careless=careless)
        self.engines = self.stack.enter_context(running)
        self.supervisor = self.engines.supervisor

    def variables(self) -> dict[str, str]:
        return application.variables(self.folder, self.engines.variables)


@contextmanager
def _scratch(options: Options, name: str) -> Iterator[Scratch]:
    """The first folder that no other run uses, so that several can run side by side."""
    with ExitStack() as stack:
        number = 1
        while True:
            folder = DataFolder.at(options.data / f"{name}-{number}")
            attempt = ExitStack()
            if attempt.enter_context(folder.locked()):
                stack.enter_context(attempt)
                yield Scratch(folder, stack)
                return
            attempt.close()
            number += 1


# ------------------------------------------------------------------------ reset
def reset(options: Options) -> int:
    """forget the demo's data (packages stay installed)"""
    folder = DataFolder.at(options.data)
    with folder.locked() as free:
        if not free:
            raise DevError("`dev.py up` is running; stop it first.")
        with step("Demo data") as note:
            _forget(folder)
            note.text = f"removed from {folder.path}"
    return 0


def _forget(folder: DataFolder) -> None:
    """Only what dev.py makes, whatever else is in a folder that --data named."""
    for path in [
        *(folder.path / name for name in ONLY_MADE_HERE),
        *folder.path.glob("celerybeat-schedule*"),
        *folder.path.glob("postgres-*"),
        outside_home(folder),
        folder.sockets(),
    ]:
        _remove(path)
    for scratch in [*folder.path.glob("test-*"), *folder.path.glob("bench-*")]:
        if (scratch / "lock").exists():
            _forget(DataFolder(scratch))
            shutil.rmtree(scratch, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


COMMANDS: dict[str, Callable[[Options], int]] = {
    "test": test,
    "manage": manage,
    "shell": shell,
    "erp": erp,
    "reset": reset,
    "bench": bench,
}
