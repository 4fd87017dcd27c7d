"""A real worker, a real broker, and what happens when they are taken away in mid-run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection as database
from django.db.models import Sum

from bench.page_server import make_payment
from bench.sync import make_company
from erp_integrations import runs
from erp_integrations.models import ErpConnection, ErpPayment, RunTrigger, SyncRun
from payments.models import Payment, PaymentEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
SIZE = 6_000
#: short enough to wait for, long enough for a machine that does much else meanwhile
LEASE = 5
BROKER = os.environ.get("CELERY_BROKER_URL", "")


@pytest.fixture
def port() -> Iterator[str]:
    command = [sys.executable, "-m", "bench.page_server", str(SIZE)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()


@pytest.fixture
def workers(port: str) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(ROOT / "tests/worker/start.py"), port]
        started.append(subprocess.Popen(command, cwd=ROOT, env=_environment()))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


def _environment() -> dict[str, str]:
    """The worker's: the test's own database, and a lease short enough to wait for."""
    address = urlsplit(os.environ["DATABASE_URL"])
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(address._replace(path=f"/{database.settings_dict['NAME']}")),
        "DJANGO_SETTINGS_MODULE": "procore_sync.settings",
        "SYNC_LEASE_SECONDS": str(LEASE),
    }


@pytest.fixture
def run(settings: Any, db: None) -> SyncRun:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    settings.SYNC_LEASE_SECONDS = LEASE
    _wipe_broker()
    ids = make_company(SIZE)
    ErpConnection.objects.update(settings={"variant": 0})
    erp = ErpConnection.objects.get(pk=ids["connection"])
    return runs.request_run(connection=erp, trigger=RunTrigger.COMMAND)


def _wipe_broker() -> None:
    import redis

    redis.Redis.from_url(BROKER.replace("redis+socket://", "unix://").split("?")[0]).flushall()


def _wait(run: SyncRun, until: Callable[[SyncRun], bool], seconds: float = 100) -> None:
    """Look at the run, and do what beat does meanwhile."""
    deadline = time.monotonic() + seconds
    while not until(run):
        assert time.monotonic() < deadline, (
            f"{run.state}: {run.attempts} attempts, {run.pages} pages"
        )
        runs.recover_stopped()
        time.sleep(0.05)
        run.refresh_from_db()


def _assert_exactly_right(run: SyncRun) -> None:
    """Every payment once, every cent, and one event each."""
    expected = [make_payment(number, SIZE, 0) for number in range(1, SIZE + 1)]
    allocations = [each for payment in expected for each in payment.allocations]
    assert (run.created, run.updated, run.problems) == (SIZE, 0, 0)
    assert ErpPayment.objects.count() == SIZE
    assert Payment.objects.count() == len(allocations) == PaymentEvent.objects.count()
    total = Payment.objects.aggregate(total=Sum("amount"))["total"]
    assert total == sum((each.amount for each in allocations), Decimal(0))


def test_a_worker_killed_in_mid_run_is_replaced_and_every_row_is_right(
    workers: Any, run: SyncRun
) -> None:
    worker = workers()
    _wait(run, lambda run: run.pages >= 2)
    worker.send_signal(signal.SIGKILL)
    workers()
    _wait(run, lambda run: not run.is_active)
    assert run.attempts > 1
    _assert_exactly_right(run)


def test_a_wiped_broker_loses_no_run(workers: Any, run: SyncRun) -> None:
    worker = workers()
    _wait(run, lambda run: run.pages >= 2)
    worker.send_signal(signal.SIGKILL)
    _wipe_broker()
    workers()
    _wait(run, lambda run: not run.is_active)
    _assert_exactly_right(run)


def test_a_run_goes_on_when_the_database_cut_its_connections(workers: Any, run: SyncRun) -> None:
    workers()
    _wait(run, lambda run: run.pages >= 2)
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    _wait(run, lambda run: not run.is_active)
    _assert_exactly_right(run)
