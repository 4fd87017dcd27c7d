"""Many exports, a real worker, and the worker killed in the middle of them."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from commitments.models import SubcontractorInvoice
from erp_integrations.credentials import EncryptedCredentials
from erp_integrations.exporting import jobs
from erp_integrations.exporting.services import accept
from erp_integrations.models import ExportState, InvoiceExport
from projects.models import ErpStatus
from tests.erp_integrations.exporting.conftest import approver_of, linked_commitment, sent_invoice
from tests.factories import ErpConnectionFactory, ProjectFactory, VendorFactory
from tests.fakes.tryton import KEY, FakeTryton
from tests.worker.test_killed import LEASE, ROOT, _environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

INVOICES = 25
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def tryton() -> Iterator[FakeTryton]:
    fake = FakeTryton()
    with fake.running():
        yield fake


@pytest.fixture
def workers() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "celery", "-A", "procore_sync", "worker"]
        command += ["--pool", "solo", "--without-mingle", "--without-gossip", "-l", "warning"]
        environment = {**_environment(), "ERP_PRIVATE_ADDRESSES": "true"}
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


@pytest.fixture
def invoices(tryton: FakeTryton, db: None) -> list[SubcontractorInvoice]:
    """Sent, on a purchase order that the fake Tryton has."""
    vendor = tryton.vendor("V-ACME", "Acme Concrete LLC")
    order = tryton.order(vendor, "SC-1", "84500")
    project = ProjectFactory(origin_id="1")
    commitment = linked_commitment(
        project,
        vendor=VendorFactory(company=project.company, origin_id=str(vendor["id"])),
        origin_id=str(order["id"]),
    )
    ErpConnectionFactory(
        company=project.company,
        settings={"url": tryton.url, "database": "lab"},
        credentials=EncryptedCredentials.of({"key": KEY}),
    )
    return [sent_invoice(commitment) for _ in range(INVOICES)]


def exported() -> int:
    return InvoiceExport.objects.filter(state=ExportState.SUCCEEDED).count()


def wait_until(number: int) -> None:
    """Do what beat does meanwhile."""
    deadline = time.monotonic() + 100
    while exported() < number:
        states = list(InvoiceExport.objects.values_list("state", "error_message"))
        assert time.monotonic() < deadline, states
        jobs.recover_stopped()
        time.sleep(0.05)


def test_a_worker_killed_in_the_middle_loses_nothing_and_exports_nothing_twice(
    tryton: FakeTryton, workers: Start, invoices: list[SubcontractorInvoice], settings: Any
) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    settings.SYNC_LEASE_SECONDS = LEASE
    by = approver_of(invoices[0].company)
    for each in invoices:
        number, date = each.invoice_number, each.billing_date
        accept(invoice=each, erp_number=number, accounting_date=date, by=by)
    worker = workers()
    wait_until(3)
    worker.send_signal(signal.SIGKILL)
    workers()
    wait_until(INVOICES)
    bills = tryton.tables["account.invoice"]
    assert sorted(bill["reference"] for bill in bills) == sorted(i.invoice_number for i in invoices)
    assert {bill["state"] for bill in bills} == {"posted"}
    synced = SubcontractorInvoice.objects.filter(erp_status=ErpStatus.SYNCED)
    assert set(synced.values_list("origin_id", flat=True)) == {str(bill["id"]) for bill in bills}
