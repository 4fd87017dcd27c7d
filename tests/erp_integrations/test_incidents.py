"""Trouble with a connection is told once when it begins and once when it is over."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection as database
from django.utils import timezone
from guardian.shortcuts import assign_perm

from erp_integrations import connections
from erp_integrations.models import (
    ErpConnection,
    Incident,
    IncidentKind,
    NoticeKind,
    OutgoingEmail,
    RunState,
    RunTrigger,
    SyncRun,
)
from erp_integrations.notices import incidents
from erp_integrations.notices.preferences import set_preference
from erp_integrations.providers.errors import AuthenticationError, TransientError
from projects.access import Level, Tool
from projects.holders import administrators_of, approvers_of
from projects.models import User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.conftest import run_sync
from tests.factories import CompanyFactory, UserFactory
from tests.fakes.books import Books

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(connection: ErpConnection) -> User:
    alice = UserFactory(username="alice", first_name="Alice", last_name="Admin")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=connection.company)
    return alice


def fail(books: Books, connection: ErpConnection, error: Exception, times: int = 1) -> None:
    def raising(number: int) -> None:
        raise error

    books.before_page = raising
    for _ in range(times):
        run_sync(connection)
    books.before_page = lambda number: None


def subjects() -> list[str]:
    return list(OutgoingEmail.objects.order_by("pk").values_list("subject", flat=True))


def test_one_failure_may_pass_by_itself(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    fail(books, connection, TransientError("Tryton does not answer."), times=2)
    assert not Incident.objects.exists() and subjects() == []


def test_failures_that_make_the_circuit_rest_are_told_once(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    fail(books, connection, TransientError("Tryton does not answer."), times=5)
    incident = Incident.objects.get()
    assert (incident.kind, incident.failures) == (IncidentKind.SYNC_FAILED, 5)
    email = OutgoingEmail.objects.get()
    assert email.person == alice and email.subject.endswith("syncs with Tryton fail")
    assert "3 syncs with Tryton have failed in a row" in email.body
    assert "Tryton does not answer." in email.body and "Syncs rest until" in email.body
    assert f"/companies/{connection.company_id}/erp-integrations/settings/" in email.body


def test_a_refused_sign_in_is_told_at_once(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    fail(books, connection, AuthenticationError("Tryton does not accept the key."))
    assert Incident.objects.get().kind == IncidentKind.SIGN_IN
    assert subjects() == [f"{connection.company}: the connection to Tryton needs you"]
    assert "enter new credentials" in OutgoingEmail.objects.get().body


def test_what_fails_again_after_it_was_mended_is_the_same_incident(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    for _ in range(2):
        fail(books, connection, AuthenticationError("Tryton does not accept the key."))
        connections.change_settings(connection=connection, by=alice, is_active=False)
        connections.change_settings(connection=connection, by=alice, is_active=True)
    assert Incident.objects.get().failures == 2
    assert len(subjects()) == 1


def test_recovery_is_told_once(books: Books, connection: ErpConnection, alice: User) -> None:
    fail(books, connection, TransientError("Tryton does not answer."), times=3)
    run_sync(connection)
    run_sync(connection)
    assert Incident.objects.get().closed_at is not None
    assert subjects()[1:] == [f"{connection.company}: Tryton works again"]
    assert "is over" in OutgoingEmail.objects.latest("pk").body


def test_the_next_trouble_is_a_new_incident(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    for _ in range(2):
        fail(books, connection, TransientError("Tryton does not answer."), times=3)
        run_sync(connection)
    assert Incident.objects.count() == 2 and len(subjects()) == 4


def test_nobody_is_told_when_the_company_switched_email_off(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    connections.change_settings(connection=connection, by=alice, sends_email=False)
    fail(books, connection, AuthenticationError("Tryton does not accept the key."))
    assert Incident.objects.exists() and subjects() == []


def test_administrators_of_the_company_are_told_and_nobody_else(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    company, group = connection.company, Group.objects.create(name="Accounting")
    grace, stranger, gone, silent, unwilling = (UserFactory() for _ in range(5))
    approver, foreign = UserFactory(), UserFactory()
    grace.groups.add(group)
    assign_perm("erp_integrations_admin", group, company)
    for person in (gone, silent, unwilling):
        grant_level(user=person, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=company)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    User.objects.filter(pk=silent.pk).update(email="")
    set_preference(person=unwilling, company=company, kind=NoticeKind.TROUBLE, is_wanted=False)
    set_accounting_approver(user=approver, company=company, is_approver=True)
    grant_level(user=foreign, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=CompanyFactory())
    grant_level(user=stranger, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=company)
    fail(books, connection, AuthenticationError("Tryton does not accept the key."))
    assert {email.person for email in OutgoingEmail.objects.all()} == {alice, grace}
    assert set(administrators_of(company, Tool.ERP_INTEGRATIONS)) == {
        alice,
        grace,
        silent,
        unwilling,
    }
    assert list(approvers_of(company)) == [approver]


@pytest.mark.django_db(transaction=True)
def test_two_workers_open_one_incident(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    ErpConnection.objects.update(stopped_at=timezone.now(), stopped_reason="No.")
    run = SyncRun.objects.create(
        company=connection.company, connection=connection, trigger=RunTrigger.SCHEDULE,
        state=RunState.FAILED, queued_at=timezone.now(), finished_at=timezone.now(),
        error_message="No.",
    )  # fmt: skip
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        try:
            incidents.take_note(run)
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Incident.objects.count() == 1
    assert OutgoingEmail.objects.count() == 1
