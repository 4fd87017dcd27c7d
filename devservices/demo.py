"""``dev.py up``: everything, in order, and kept alive."""

import argparse
import json
import os
import subprocess
from pathlib import Path

from devservices import application, engines
from devservices.application import SIGN_INS, Application
from devservices.console import DevError, Stopped, say, step
from devservices.erp import Tryton, port_is_free
from devservices.places import ROOT, DataFolder
from devservices.processes import begin_logged, finish

Task = tuple["subprocess.Popen[bytes]", Path]


def up(options: argparse.Namespace) -> int:
    """start everything and keep it running until Ctrl-C"""
    folder = DataFolder.at(options.data)
    with folder.locked() as free:
        if not free:
            where = folder.read("run.json").get("url", "it is still starting")
            raise DevError(f"`dev.py up` is running already: {where}.")
        if not port_is_free(options.port):
            raise DevError(f"Port {options.port} is taken; choose another with --port N.")
        return Demo(folder, options.port, with_erp=not options.no_erp, as_json=options.json).run()


class Demo:
    def __init__(self, folder: DataFolder, port: int, *, with_erp: bool, as_json: bool) -> None:
        self.folder, self.port, self.as_json = folder, port, as_json
        self.tryton = Tryton(folder) if with_erp else None
        self.is_ready = False

    def run(self) -> int:
        self.folder.run_file.unlink(missing_ok=True)
        try:
            if self.tryton:
                self.tryton.begin_install()
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
        if self.tryton:
            self._start_erp(self.tryton, started)
        with step("Tables and files") as note:
            self._finish(static, "The static files could not be collected.")
            self._finish(tables, "The database could not be migrated.")
            note.text = "up to date"
        demo = self._begin("load_demo", *self._erp_words())
        app = Application(self.folder, self.python, self.variables, self.port)
        with step("Application") as note:
            started.supervisor.start(app.web(), app.worker(), app.beat())
            note.text = "web, worker, beat"
        with step("Demo company") as note:
            self._finish(demo, "The demo company could not be loaded.")
            note.text = "loaded"
        self._announce(app.url)

    def _start_erp(self, tryton: Tryton, started: engines.Engines) -> None:
        with step("Tryton") as note:
            tryton.finish_install()
            tryton.restore_books()
            started.supervisor.start(tryton.service())
            self.variables |= tryton.variables()
            note.text = f"the demo's ERP, {tryton.url}"

    def _erp_words(self) -> list[str]:
        if self.tryton is None:
            return []
        known = self.tryton.variables()
        return [
            *("--erp-url", known["TRYTON_URL"], "--erp-key", known["TRYTON_KEY"]),
            *("--erp-database", known["TRYTON_DATABASE"]),
        ]

    def _begin(self, *words: str) -> Task:
        log = self.folder.log(words[0])
        command = [str(self.python), str(ROOT / "manage.py"), *words]
        environment = dict(os.environ) | self.variables
        return begin_logged(command, log, environment=environment, cwd=ROOT), log

    def _finish(self, task: Task, sentence: str) -> None:
        finish(*task, sentence)

    def _announce(self, url: str) -> None:
        erp_url = self.tryton.url if self.tryton else None
        facts = {"url": url, "pid": os.getpid(), "variables": self.variables}
        self.folder.write_private("run.json", facts)
        self.is_ready = True
        say(f"\nReady: {url}\n")
        say(f"  Sign in as   {', '.join(SIGN_INS)}")
        say(f"  Password     {SIGN_INS['accountant']}")
        if erp_url:
            say(f"  ERP          {erp_url}")
        say(f"  Logs         {_short(self.folder.logs)}/web.log, worker.log, beat.log, …")
        say("  Stop         Ctrl-C")
        if self.as_json:
            say(json.dumps({"url": url, "erp_url": erp_url, "sign_ins": SIGN_INS}))


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
