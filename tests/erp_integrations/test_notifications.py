"""ERPs tell of changes: checked, stored, answered at once, and looked at in one run."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from commitments.models import SubcontractorInvoice
from erp_integrations import engine, runs
from erp_integrations.credentials import EncryptedCredentials
from erp_integrations.models import (
    ErpConnection,
    InboundNotification,
    RunMode,
    RunTrigger,
    SyncIssue,
    SyncRun,
)
from erp_integrations.notifications import arrival, asking
from erp_integrations.providers import registry
from erp_integrations.providers.errors import RecordError, TransientError
from payments.models import Payment
from projects.access import Level, Tool
from projects.services import grant_level
from tests.erp_integrations.conftest import run_sync
from tests.factories import ErpConnectionFactory, InvoiceFactory, UserFactory
from tests.fakes.books import Books, NotifyingBooksProvider, payment, signature

pytestmark = pytest.mark.django_db
KEY = "kept between the two of us"


@pytest.fixture(autouse=True)
def notifying(books: Books) -> Iterator[None]:
    cache.clear()
    with registry.registered(NotifyingBooksProvider):
        yield


@pytest.fixture
def connection(invoice: SubcontractorInvoice) -> ErpConnection:
    made = ErpConnectionFactory(
        company=invoice.company,
        provider="notifying-books",
        settings={},
        credentials=EncryptedCredentials.of({"notification_secret": KEY}),
    )
    made.refresh_from_db()
    return made


def event(event_id: str = "e1", *payments: str, bills: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"event_id": event_id, "payment_ids": payments, "bill_ids": bills}


def send(connection: ErpConnection, *events: Any, key: str = KEY, body: bytes = b"") -> int:
    body = body or json.dumps(events).encode()
    url = reverse("erp_integrations:notification", args=[connection.public_id])
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        url, body, content_type="application/json", headers={"X-Signature": signature(body, key)}
    )
    return answer.status_code


def work() -> SyncRun:
    """The run that was asked for, worked on here and now."""
    [run] = asking.start_waiting() or SyncRun.objects.active()
    engine.work_on(run.pk)
    run.refresh_from_db()
    return run


def states() -> list[str]:
    return list(InboundNotification.objects.values_list("state", flat=True))


def test_a_payment_that_the_erp_told_of_is_here_after_the_run(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")), payment("p2", ("7", "50")))
    assert send(connection, event("e1", "p1")) == 200
    run = work()
    assert (run.mode, run.trigger, run.state) == ("notified", "notification", "succeeded")
    assert Payment.objects.get().origin_data == "p1"
    assert (states(), books.calls) == (["done"], ["payment p1"])


def test_the_payments_of_a_bill_that_it_told_of_are_asked_for(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")), payment("p8", ("8", "100")))
    send(connection, event("e1", bills=("7",)))
    work()
    assert Payment.objects.get().origin_data == "p1"


def test_it_moves_neither_cursor_nor_clock(books: Books, connection: ErpConnection) -> None:
    before = repr(ErpConnection.objects.values().get())
    send(connection, event("e1", "p1"))
    assert work().is_good
    assert repr(ErpConnection.objects.values().get()) == before


def test_what_comes_twice_is_stored_once_and_answered_twice(connection: ErpConnection) -> None:
    assert [send(connection, event("e1", "p1")), send(connection, event("e1", "p1"))] == [200, 200]
    assert InboundNotification.objects.count() == 1


def test_the_same_event_of_another_connection_is_another_event(connection: ErpConnection) -> None:
    other = ErpConnectionFactory(
        provider="notifying-books", settings={}, credentials=connection.credentials
    )
    other.refresh_from_db()
    send(connection, event())
    send(other, event())
    assert InboundNotification.objects.count() == 2


def test_a_wrong_signature_is_refused_and_nothing_is_stored(connection: ErpConnection) -> None:
    assert send(connection, event(), key="guessed") == 401
    assert states() == []


def test_without_a_key_nothing_gets_in(connection: ErpConnection) -> None:
    ErpConnection.objects.update(credentials=EncryptedCredentials())
    assert send(connection, event(), key="") == 401


def test_an_address_that_nobody_was_given_does_not_exist(connection: ErpConnection) -> None:
    connection.public_id = "7b4bd51b-8c0c-4f0a-a5fb-2b3bd9c5c0ee"
    assert send(connection, event()) == 404


def test_an_erp_that_sends_none_has_no_address(connection: ErpConnection) -> None:
    ErpConnection.objects.update(provider="books")
    assert send(connection, event()) == 404


def test_what_is_too_large_is_not_read(connection: ErpConnection) -> None:
    assert send(connection, body=b"x" * (arrival.LONGEST_BODY + 1)) == 413
    assert states() == []


def test_too_many_in_a_minute_have_to_come_again(
    connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "AT_MOST_A_MINUTE", 2)
    assert [send(connection, event(str(n))) for n in range(3)] == [200, 200, 429]


def test_only_posts_are_taken(connection: ErpConnection) -> None:
    url = reverse("erp_integrations:notification", args=[connection.public_id])
    assert Client().get(url).status_code == 405


def test_one_that_cannot_be_read_is_kept_for_somebody_to_look_at(
    connection: ErpConnection,
) -> None:
    assert send(connection, body=b"not\x00json") == 200
    assert states() == ["unreadable"]
    assert asking.start_waiting() == []


def test_what_arrives_during_a_run_is_looked_at_in_one_run_afterwards(
    books: Books, connection: ErpConnection
) -> None:
    normal = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND)
    for number in range(3):
        send(connection, event(f"e{number}", f"p{number}"))
    assert asking.start_waiting() == []
    engine.work_on(normal.pk)  # its end asks for the next
    run = SyncRun.objects.active().get()
    assert run.mode == RunMode.NOTIFIED
    engine.work_on(run.pk)
    assert states() == ["done"] * 3
    assert not SyncRun.objects.active().exists()


def test_a_broker_that_is_away_loses_none(
    books: Books, connection: ErpConnection, django_capture_on_commit_callbacks: Any
) -> None:
    with (
        mock.patch("erp_integrations.tasks.run_sync.delay", side_effect=OperationalError),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert send(connection, event("e1", "p1")) == 200
    books.put(payment("p1", ("7", "100")))
    engine.work_on(SyncRun.objects.active().get().pk)
    assert Payment.objects.exists()


def test_after_a_run_that_failed_they_wait_and_come_again(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))

    def fail(remote_id: str) -> None:
        raise TransientError("Books did not answer.")

    books.before_payment = fail
    send(connection, event("e1", "p1"))
    assert work().state == "failed"
    assert asking.start_waiting() == []
    notice = InboundNotification.objects.get()
    assert (notice.state, notice.attempts) == ("waiting", 1)
    InboundNotification.objects.update(not_before=timezone.now())
    books.before_payment = lambda remote_id: None
    work()
    assert (Payment.objects.count(), states()) == (1, ["done"])


def test_a_worker_that_dies_loses_none(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "100")))
    died = iter([KeyboardInterrupt("killed")])

    def die(remote_id: str) -> None:
        if error := next(died, None):
            raise error

    books.before_payment = die
    send(connection, event("e1", "p1"))
    [run] = asking.start_waiting()
    with pytest.raises(KeyboardInterrupt):
        engine.work_on(run.pk)
    SyncRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    engine.work_on(run.pk)
    assert (Payment.objects.count(), states()) == (1, ["done"])


def test_a_payment_that_was_deleted_is_gone_here_too(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")
    send(connection, event("e1", "p1", "never-seen"))
    assert work().vanished == 1
    assert not Payment.objects.counted().exists()


def test_a_payment_that_makes_no_sense_becomes_an_issue(
    books: Books, connection: ErpConnection
) -> None:
    def fail(remote_id: str) -> None:
        raise RecordError("It makes no sense.")

    books.before_payment = fail
    send(connection, event("e1", "p1"))
    run = work()
    assert (run.is_good, SyncIssue.objects.get().remote_id) == (True, "p1")


def test_a_connection_that_is_switched_off_keeps_them_for_later(connection: ErpConnection) -> None:
    ErpConnection.objects.update(is_active=False)
    assert send(connection, event("e1", "p1")) == 200
    assert (asking.start_waiting(), states()) == ([], ["waiting"])


def test_old_ones_are_forgotten_unless_they_wait(connection: ErpConnection) -> None:
    send(connection, event("old"), event("waits"))
    InboundNotification.objects.update(received_at=timezone.now() - dt.timedelta(days=91))
    InboundNotification.objects.filter(event_id="old").update(state="done")
    assert asking.forget_old() == 1
    assert states() == ["waiting"]


def test_administrators_read_the_address_and_set_the_key(connection: ErpConnection) -> None:
    alice = UserFactory()
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=connection.company)
    client = Client()
    client.force_login(alice)
    page = reverse("erp_integrations:company_connection", args=[connection.company_id])
    shown = client.get(page).content.decode()
    assert reverse("erp_integrations:notification", args=[connection.public_id]) in shown
    assert KEY not in shown
    client.post(page, {"name": "Books", "currency": "USD", "erp_notification_secret": "another"})
    assert send(connection, event()) == 401
    assert send(connection, event(), key="another") == 200


@pytest.mark.django_db(transaction=True)
def test_the_same_event_at_the_same_time_is_one(connection: ErpConnection) -> None:
    InvoiceFactory(commitment__project__company=connection.company, bill="9")
    start, answers = threading.Barrier(4), []

    def deliver() -> None:
        start.wait()
        answers.append(send(connection, event("e1", "p1")))
        database.close()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    # Around all of them: a patch of each thread's own would put back another thread's mock.
    with mock.patch("erp_integrations.runs.ring_for"):
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert answers == [200] * 4
    assert InboundNotification.objects.count() == 1
    assert SyncRun.objects.count() == 1
