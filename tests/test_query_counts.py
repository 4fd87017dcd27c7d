"""Every page asks the database the same number of questions, whatever the number of rows.

It takes the pages from the table of ``test_access``, so a new page is measured
as soon as it has its row there.
"""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commitments.models import Commitment, CommitmentEvent
from erp_integrations.models import ErpConnection, RunState, RunTrigger, SyncIssue, SyncRun
from erp_integrations.models.issue import IssueCode
from payments.models import EventKind, PaymentEvent
from projects.access import Level, Tool
from projects.models import ErpStatus, User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.rows import allocation_of, erp_payment_of
from tests.factories import (
    ChangeOrderFactory,
    CommitmentFactory,
    InvoiceFactory,
    PaymentFactory,
    ProjectFactory,
    ScheduleOfValuesLineFactory,
    VendorFactory,
)
from tests.test_access import ALL_URLS, ROWS, World, fill, world

__all__ = ["world"]  # a fixture

pytestmark = pytest.mark.django_db

FEW, MANY = 3, 60
#: they go through all rows; that costs memory and time, not questions
DOWNLOADS = ("export", "csv", "excel", "xlsx", "attachment")
PAGES = [
    name for name, row in ROWS.items()
    if row.method == "get" and not name.endswith((*DOWNLOADS, "unsubscribe", "oauth_callback"))
]  # fmt: skip


@pytest.fixture
def everything(world: World) -> User:
    """Somebody who may open every page of the company."""
    erp = ErpConnection.objects.get()
    person = world.people["admin"]
    for tool in Tool:
        grant_level(user=person, tool=tool, level=Level.ADMIN, on=erp.company)
    set_accounting_approver(user=person, company=erp.company, is_approver=True)
    return person


def add_rows(world: World, numbers: range) -> None:
    """One more of everything for each number, of every kind that a page tells apart."""
    commitment = Commitment.objects.get(pk=world.arguments["commitment_id"])
    erp, run = ErpConnection.objects.get(), SyncRun.objects.get(pk=world.arguments["run_id"])
    states = (ErpStatus.SENT, ErpStatus.FAILED, ErpStatus.NOT_SENT)
    for number in numbers:
        _on_commitment(commitment, number, world.people["admin"])
        other = CommitmentFactory(
            project=ProjectFactory(company=commitment.company),
            vendor=VendorFactory(company=commitment.company),
        )
        invoice = InvoiceFactory(commitment=other, erp_status=states[number % 3])
        PaymentFactory(commitment=other, invoice=invoice)
        CommitmentFactory(project=commitment.project, vendor=commitment.vendor)
        _on_run(erp, run, invoice)


def _on_commitment(commitment: Commitment, number: int, person: User) -> None:
    ChangeOrderFactory(commitment=commitment)
    ScheduleOfValuesLineFactory(commitment=commitment, position=number + 10)
    invoice = InvoiceFactory(commitment=commitment, bill=f"B-{number}")
    payment = PaymentFactory(commitment=commitment, invoice=invoice, origin_id=f"P-{number}")
    PaymentEvent.objects.create(
        company=commitment.company, commitment=commitment, payment=payment, label="Payment",
        kind=EventKind.CREATED, at=timezone.now(), import_id=SyncRun.objects.earliest("pk").pk,
    )  # fmt: skip
    CommitmentEvent.objects.create(
        company=commitment.company, commitment=commitment, invoice=invoice, subject="Invoice",
        summary="Linked", actor=person,
    )  # fmt: skip


def _on_run(erp: ErpConnection, run: SyncRun, invoice: Any) -> None:
    now = timezone.now()
    SyncRun.objects.create(
        company=erp.company, connection=erp, trigger=RunTrigger.SCHEDULE, requested_by=None,
        state=RunState.SUCCEEDED, queued_at=now, finished_at=now,
    )  # fmt: skip
    payment = erp_payment_of(erp)
    SyncIssue.objects.create(
        company=erp.company, connection=erp, run=run, code=IssueCode.UNUSABLE_RECORD, message="Odd",
        remote_id=f"odd-{payment.pk}", invoice=invoice,
    )  # fmt: skip
    allocation_of(payment, invoice=invoice, reason="tab_disabled")


def questions(client: Client, world: World) -> dict[str, int]:
    """How many queries each page takes, once what is kept in memory is there."""
    counts = {}
    for name in PAGES:
        address = fill(dict(ALL_URLS)[name], world.arguments)
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        assert answer.status_code in (200, 286, 404), name
        counts[name] = len(asked)
    return counts


@pytest.mark.timeout(600)
def test_no_page_asks_more_questions_for_more_rows(world: World, everything: User) -> None:
    client = Client()
    client.force_login(everything)
    add_rows(world, range(FEW))
    few = questions(client, world)
    add_rows(world, range(FEW, MANY))
    many = questions(client, world)
    assert {name: (few[name], many[name]) for name in PAGES if many[name] > few[name]} == {}
