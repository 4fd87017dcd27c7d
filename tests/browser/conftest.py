"""A browser, and the whole application behind it: web, worker, database, broker and a live ERP.

One demo company serves the whole group, so a test keeps to what it made or says
what it counts on. Every page that a test opens is watched: an error on the
console, a script that fails or a rule of the Content-Security-Policy that was
broken fails the test that saw it.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test.utils import setup_databases, teardown_databases
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from commitments.models import Commitment
from erp_integrations import runs
from erp_integrations.demo.story import PASSWORD
from erp_integrations.models import ErpConnection, RunTrigger
from procore_sync import celery_app
from tests.erp_integrations.providers.contract_suite import Bill
from tests.factories import InvoiceFactory
from tests.live_tryton import LiveBooks, accountant, alone, given

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
# Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if CHROMIUM is None:
        pytest.fail("There is no Chromium on PATH: apt-get install chromium.", pytrace=False)
    arguments = ["--disable-dev-shm-usage"]
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": arguments}


class Worker:
    """The Celery worker, which can be told to hold still for a while."""

    def __init__(self) -> None:
        address = urlsplit(os.environ["DATABASE_URL"])
        name = database.settings_dict["NAME"]
        environment = {
            **os.environ,
            "DATABASE_URL": urlunsplit(address._replace(path=f"/{name}")),
            "DJANGO_SETTINGS_MODULE": "procore_sync.settings",
            "ERP_PRIVATE_ADDRESSES": "true",
        }
        command = [sys.executable, "-m", "celery", "-A", "procore_sync", "worker"]
        command += ["--pool", "solo", "--without-mingle", "--without-gossip", "-l", "warning"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet)

    @contextmanager
    def holding_still(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Site:
    """Where the application answers, and who has signed in there."""

    def __init__(self, url: str, worker: Worker) -> None:
        self.url, self.worker = url, worker
        self.sessions: dict[str, Any] = {}

    def sign_in(self, page: Page, name: str) -> None:
        page.goto(f"{self.url}/accounts/login/")
        self.fill_in(page, name)
        page.wait_for_url(f"{self.url}/")

    def fill_in(self, page: Page, name: str) -> None:
        page.get_by_label("Username or email").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()


def _own_broker(worker_id: str) -> str:
    """A database of the broker that no other run of tests rings in."""
    number = 8 + int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 7
    return re.sub(r"(virtual_host=|/)\d+$", rf"\g<1>{number}", os.environ["CELERY_BROKER_URL"])


@pytest.fixture(scope="session")
def stored(django_db_modify_db_settings: None, django_db_blocker: Any) -> Iterator[None]:
    """A database that every process sees and that no test rolls back."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
        yield
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def site(stored: None, request: pytest.FixtureRequest) -> Iterator[Site]:
    """The demo company, served, with a worker at work."""
    workers = getattr(request.config, "workerinput", {})
    os.environ["CELERY_BROKER_URL"] = _own_broker(workers.get("workerid", ""))
    celery_app.conf.task_always_eager = False
    settings = {"erp_url": given("TRYTON_URL"), "erp_database": "lab"}
    call_command("load_demo", **settings, erp_key=given("TRYTON_KEY"), stdout=StringIO())
    worker, server = Worker(), LiveServer("localhost")
    try:
        yield Site(server.url, worker)
    finally:
        worker.stop()
        server.stop()


Open = Callable[..., Page]
NewBill = Callable[[str], Bill]


@pytest.fixture
def open_as(site: Site, browser: Browser) -> Iterator[Open]:
    """A window of somebody who has signed in, or of a visitor (``""``)."""
    contexts: list[BrowserContext] = []
    seen: list[str] = []

    def open_window(name: str, path: str = "/", **options: Any) -> Page:
        if name and name not in site.sessions:
            context = browser.new_context()
            site.sign_in(_watched(context, seen), name)
            site.sessions[name] = context.storage_state()
            context.close()
        contexts.append(browser.new_context(storage_state=site.sessions.get(name), **options))
        page = _watched(contexts[-1], seen)
        page.goto(site.url + path)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert seen == []


def _watched(context: BrowserContext, seen: list[str]) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE)

    def heard(message: ConsoleMessage) -> None:
        # A page that is not there is a failed resource, too; tests look at pages themselves.
        is_page = message.location.get("url") == page.url
        if message.type in ("error", "warning") and not is_page:
            seen.append(f"{page.url}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: seen.append(f"{page.url}: {error}"))
    return page


@pytest.fixture(scope="session")
def synced(site: Site) -> Site:
    """The site after its first sync: what the ERP's books had is there."""
    erp = ErpConnection.objects.get()
    if erp.last_success_at is None:
        with alone():
            run = runs.request_run(connection=erp, trigger=RunTrigger.COMMAND)
            deadline = time.monotonic() + 60
            while run.is_active:
                assert time.monotonic() < deadline, f"The first sync is still {run.state}."
                time.sleep(0.2)
                run.refresh_from_db()
    return site


@pytest.fixture(scope="module")
def at_work(site: Site) -> Iterator[LiveBooks]:
    """One for each file: Tryton ends a session in which nothing happens for five minutes."""
    with accountant() as at_work:
        yield at_work


@pytest.fixture
def quiet_books(site: Site) -> Iterator[None]:
    """Nobody else changes the ERP's books meanwhile, which would slow down a sync."""
    with alone():
        yield


@pytest.fixture
def erp(at_work: LiveBooks, quiet_books: None) -> LiveBooks:
    """Somebody who acts in the ERP's books."""
    return at_work


@pytest.fixture
def new_bill(erp: LiveBooks, site: Site) -> NewBill:
    """A bill in the ERP, with its synced invoice on the electrician's subcontract."""
    commitment = Commitment.objects.get(number="SC-2024-002")

    def make(total: str) -> Bill:
        bill = erp.bill(total)
        InvoiceFactory(
            commitment=commitment,
            position=commitment.invoices.count() + 1,
            invoice_number=bill.number,
            bill=bill.remote_id,
            due=Decimal(total),
        )
        return bill

    return make
