"""``dev.py up``: everything, in order, and kept alive."""

import argparse
import json
import os
import subprocess
from pathlib import Path

from devservices import application, engines
from devservices.application import SIGN_INS, Application
from devservices.console import DevError, Stopped, say, step
from devservices.erp import Erp, StandIn, Tryton, port_is_free
from devservices.places import ROOT, DataFolder
from devservices.processes import begin_logged, finish

TRYTON = "tryton"
Task = tuple["subprocess.Popen[bytes]", Path]


def up(options: argparse.Namespace) -> int:
    """start everything and keep it running until Ctrl-C"""
    folder = DataFolder.at(_folder_for(options))
    with folder.locked() as free:
        if not free:
            where = folder.read("run.json").get("url", "it is still starting")
            raise DevError(f"`dev.py up` is running already: {where}.")
        if not port_is_free(options.port):
            raise DevError(f"Port {options.port} is taken; choose another with --port N.")
        return Demo(folder, options.port, _erp_of(folder, options), as_json=options.json).run()


def _folder_for(options: argparse.Namespace) -> Path:
    """A company has one ERP for life, so each stand-in gets a demo of its own."""
    given: Path = options.data
    if options.erp == TRYTON or given != ROOT / ".dev":
        return given
    return ROOT / f".dev-{options.erp}"


def _erp_of(folder: DataFolder, options: argparse.Namespace) -> Erp | None:
    if options.no_erp:
        return None
    if options.erp == TRYTON:
        return Tryton(folder)
    if options.erp in StandIn.names():
        return StandIn(folder, options.erp)
    known = ", ".join([TRYTON, *StandIn.names()])
    raise DevError(f"There is no ERP “{options.erp}” to start; there are: {known}.")


class Demo:
    def __init__(self, folder: DataFolder, port: int, erp: Erp | None, *, as_json: bool) -> None:
        self.folder, self.port, self.as_json = folder, port, as_json
        self.erp = erp
        self.is_ready = False

    def run(self) -> int:
        self.folder.run_file.unlink(missing_ok=True)
        try:
            if self.erp:
                self.erp.begin_install()
            environment = engines.install_packages(self.folder)
            with engines.running(self.folder, environment) as started:
                self._start(started)
                started.supervisor.watch()
        except Stopped as stopped:
            if not self.is_ready:
                return 128 + stopped.signal_number
        finally:
            self.folder.run_file.unlink(missing_ok=True)
        return 0

    def _start(self, started: engines.Engines) -> None:
        """Side by side where it can be: most of it is Python loading Django."""
        self.variables = application.variables(self.folder, started.variables, self.port)
        self.python = started.environment.python
        tables = self._begin("migrate", "--noinput")
        static = self._begin("collectstatic", "--noinput")
        if self.erp:
            self._start_erp(self.erp, started)
        with step("Tables and files") as note:
            self._finish(static, "The static files could not be collected.")
            self._finish(tables, "The database could not be migrated.")
            note.text = "up to date"
        demo = self._begin("load_demo", *(self.erp.demo_words() if self.erp else []))
        app = Application(self.folder, self.python, self.variables, self.port)
        with step("Application") as note:
            started.supervisor.start(app.web(), app.worker(), app.beat())
            note.text = "web, worker, beat"
        with step("Demo company") as note:
            self._finish(demo, "The demo company could not be loaded.")
            note.text = "loaded"
        self._announce(app.url)

    def _start_erp(self, erp: Erp, started: engines.Engines) -> None:
        with step(erp.label) as note:
            erp.finish_install()
            erp.restore_books()
            started.supervisor.start(erp.service(self.python))
            self.variables |= erp.variables()
            note.text = f"{erp.name}, {erp.url}"

    def _begin(self, *words: str) -> Task:
        log = self.folder.log(words[0])
        command = [str(self.python), str(ROOT / "manage.py"), *words]
        environment = dict(os.environ) | self.variables
        return begin_logged(command, log, environment=environment, cwd=ROOT), log

    def _finish(self, task: Task, sentence: str) -> None:
        finish(*task, sentence)

    def _announce(self, url: str) -> None:
        erp_url = self.erp.url if self.erp else None
        facts = {"url": url, "pid": os.getpid(), "variables": self.variables}
        self.folder.write_private("run.json", facts)
        self.is_ready = True
        say(f"\nReady: {url}\n")
        say(f"  Sign in as   {', '.join(SIGN_INS)}")
        say(f"  Password     {SIGN_INS['accountant']}")
        if self.erp:
            say(f"  ERP          {self.erp.url}")
            self._say_how_to_connect(self.erp)
        say(f"  Logs         {_short(self.folder.logs)}/web.log, worker.log, beat.log, …")
        say("  Stop         Ctrl-C")
        if self.as_json:
            say(json.dumps({"url": url, "erp_url": erp_url, "sign_ins": SIGN_INS}))

    def _say_how_to_connect(self, erp: Erp) -> None:
        """A stand-in is connected by hand, which is what it is there to be tried for."""
        facts = erp.how_to_connect()
        if facts:
            say("  Connect it   ERP Integrations › Settings, signed in as admin, with")
        for fact in facts:
            say(f"                 {fact}")
        if facts:
            words = f"python3 dev.py --data {_short(self.folder.path)} erp"
            say(f"  Act in it    {words} bills | pay BILL AMOUNT --check N | void N | delete N")


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
