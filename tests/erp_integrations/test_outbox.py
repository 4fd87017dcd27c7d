"""The outbox and the mail server: nothing is lost, nothing is sent twice, nothing leaks."""

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from erp_integrations.models import (
    EmailState,
    ErpConnection,
    NoticeKind,
    OutgoingEmail,
)
from erp_integrations.notices import outbox
from erp_integrations.notices.preferences import set_preference
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level
from tests.factories import ErpConnectionFactory, UserFactory
from tests.fakes.smtp_server import SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings: Any) -> Iterator[SmtpServer]:
    with SmtpServer().running() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.PUBLIC_URL = "https://sync.example.com/"
        yield running


@pytest.fixture
def tryton() -> ErpConnection:
    return ErpConnectionFactory()


@pytest.fixture
def alice(tryton: ErpConnection) -> User:
    alice = UserFactory(username="alice", first_name="Alice", last_name="Admin")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=tryton.company)
    return alice


def write(tryton: ErpConnection, person: User, key: str = "first", **values: Any) -> OutgoingEmail:
    outbox.write_email(
        company=tryton.company,
        person=person,
        kind=NoticeKind.TROUBLE,
        subject=values.get("subject", "Syncs fail"),
        template="recovered",
        context={"erp": "Tryton"},
        dedupe_key=key,
    )
    return OutgoingEmail.objects.get(dedupe_key=key)


def state(email: OutgoingEmail) -> str:
    email.refresh_from_db()
    return email.state


def test_an_email_arrives_with_everything_it_needs(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    email = write(tryton, alice, subject="Syncs\r\nBcc: all@example.com\nfail")
    assert outbox.send_due() == 1
    (message,) = server.received
    assert message["To"] == alice.email
    assert message["Subject"] == "Syncs Bcc: all@example.com fail"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = message["List-Unsubscribe"].strip(" <>")
    assert link.startswith("https://sync.example.com/email/unsubscribe/")
    text = message.get_content()
    assert "Hello Alice Admin" in text and link in text
    assert str(email.key) in message["Message-ID"]
    assert state(email) == EmailState.SENT and email.sent_at is not None


def test_an_email_is_written_once_for_one_cause(tryton: ErpConnection, alice: User) -> None:
    assert write(tryton, alice) == write(tryton, alice)


def test_what_is_rolled_back_is_never_told(tryton: ErpConnection, alice: User) -> None:
    with transaction.atomic():
        write(tryton, alice)
        transaction.set_rollback(True)
    assert not OutgoingEmail.objects.exists()


def test_a_mail_server_that_is_away_loses_nothing(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    emails = [write(tryton, alice, str(number)) for number in range(3)]
    server.greeting = 421
    outbox.send_due()
    assert {state(email) for email in emails} == {EmailState.QUEUED}
    assert outbox.send_due() == 0, "it is left alone for a while"
    assert all(email.not_before > timezone.now() for email in emails)
    server.greeting = 220
    OutgoingEmail.objects.update(not_before=timezone.now())
    outbox.send_due()
    assert len(server.received) == 3


def test_nothing_listens_where_the_mail_server_should_be(
    server: SmtpServer, settings: Any, tryton: ErpConnection, alice: User
) -> None:
    settings.EMAIL_PORT = 1
    email = write(tryton, alice)
    outbox.send_due()
    assert state(email) == EmailState.QUEUED and email.attempts == 1


def test_pauses_grow_and_end(server: SmtpServer, tryton: ErpConnection, alice: User) -> None:
    server.greeting, pauses = 421, []
    email = write(tryton, alice)
    for _ in range(outbox.MAX_ATTEMPTS):
        OutgoingEmail.objects.update(not_before=timezone.now())
        before = timezone.now()
        outbox.send_due()
        email.refresh_from_db()
        pauses.append(round((email.not_before - before).total_seconds() / 60))
    assert pauses[:4] == [1, 2, 4, 8] and max(pauses) == 240
    assert email.state == EmailState.FAILED and "421" in email.last_error


def test_what_was_given_up_can_be_queued_again(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    email = write(tryton, alice)
    OutgoingEmail.objects.update(state=EmailState.FAILED, attempts=outbox.MAX_ATTEMPTS)
    assert outbox.queue_again(email) and not outbox.queue_again(email)
    assert outbox.send_due() == 1


@pytest.mark.parametrize(("code", "expected"), [(550, EmailState.FAILED), (450, EmailState.QUEUED)])
def test_a_refused_person_keeps_nobody_else_waiting(
    server: SmtpServer, tryton: ErpConnection, alice: User, code: int, expected: EmailState
) -> None:
    bob = UserFactory(username="bob")
    grant_level(user=bob, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=tryton.company)
    server.refusals[alice.email] = code
    refused, fine = write(tryton, alice, "a"), write(tryton, bob, "b")
    outbox.send_due()
    assert (state(refused), state(fine)) == (expected, EmailState.SENT)
    assert server.recipients == [bob.email]


def test_whoever_lost_the_right_meanwhile_gets_nothing(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    email = write(tryton, alice)
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=tryton.company)
    outbox.send_due()
    assert state(email) == EmailState.DROPPED and server.received == []


def test_whoever_left_gets_nothing(server: SmtpServer, tryton: ErpConnection, alice: User) -> None:
    email = write(tryton, alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    outbox.send_due()
    assert state(email) == EmailState.DROPPED and server.received == []


def test_whoever_unsubscribed_meanwhile_gets_nothing(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    email = write(tryton, alice)
    set_preference(person=alice, company=tryton.company, kind=NoticeKind.TROUBLE, is_wanted=False)
    outbox.send_due()
    assert state(email) == EmailState.DROPPED and server.received == []


def test_a_company_that_switched_email_off_sends_nothing(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    email = write(tryton, alice)
    ErpConnection.objects.update(sends_email=False)
    outbox.send_due()
    assert state(email) == EmailState.DROPPED and server.received == []


def test_what_a_dead_worker_held_is_sent_by_another(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    email = write(tryton, alice)
    assert outbox.claim() == [email]
    assert outbox.send_due() == 0, "the worker may still be alive"
    OutgoingEmail.objects.update(claimed_until=timezone.now() - dt.timedelta(seconds=1))
    assert outbox.send_due() == 1


def test_a_worker_that_was_overtaken_writes_nothing(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    write(tryton, alice)
    (mine,) = outbox.claim()
    OutgoingEmail.objects.update(state=EmailState.QUEUED, claimed_until=None)
    outbox._end(mine, EmailState.SENT, sent_at=timezone.now())
    assert state(mine) == EmailState.QUEUED


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_send_the_same_email(
    server: SmtpServer, tryton: ErpConnection, alice: User
) -> None:
    for number in range(50):
        write(tryton, alice, str(number))
    OutgoingEmail.objects.update(state=EmailState.QUEUED, sent_at=None, attempts=0)
    server.received.clear()
    together, sent = threading.Barrier(3), []

    def work() -> None:
        together.wait()
        try:
            sent.append(outbox.send_due())
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    names = [message["Message-ID"] for message in server.received]
    assert len(names) == len(set(names)) == sum(sent) == 50
    assert set(OutgoingEmail.objects.values_list("attempts", flat=True)) == {1}
