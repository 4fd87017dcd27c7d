"""The life of a run: pressed twice, killed, cancelled, refused, resumed."""

import datetime as dt
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from erp_integrations import engine, runs
from erp_integrations.models import ErpConnection, RunMode, RunState, RunTrigger, SyncRun
from erp_integrations.providers.errors import (
    AuthenticationError,
    ProtocolError,
    TransientError,
)
from payments.models import Payment
from projects.services import set_accounting_approver
from tests.erp_integrations.conftest import run_sync
from tests.factories import UserFactory
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db


def request(connection: ErpConnection, **fields: Any) -> SyncRun:
    fields.setdefault("trigger", RunTrigger.COMMAND)
    return runs.request_run(connection=connection, **fields)


def raising(error: Exception, on_page: int) -> Any:
    def before(number: int) -> None:
        if number == on_page:
            raise error

    return before


def test_pressing_twice_is_one_run(books: Books, connection: ErpConnection) -> None:
    assert request(connection) == request(connection)
    assert SyncRun.objects.count() == 1


def test_a_run_that_ended_makes_room_for_the_next(books: Books, connection: ErpConnection) -> None:
    assert run_sync(connection) != run_sync(connection)


def test_two_workers_cannot_have_the_same_run(books: Books, connection: ErpConnection) -> None:
    run = request(connection)
    runs.claim(run.pk)
    with pytest.raises(runs.LeaseLost):
        runs.claim(run.pk)


def test_a_worker_that_lost_its_lease_writes_nothing(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run = request(connection)
    take_over = mock.Mock(side_effect=lambda n: SyncRun.objects.update(lease=None, state="stale"))
    books.before_page = take_over
    with mock.patch("erp_integrations.reading.one_ahead", lambda pages, run: pages):
        engine.work_on(run.pk)
    assert take_over.called
    assert not Payment.objects.exists()
    run.refresh_from_db()
    assert (run.state, run.pages) == (RunState.STALE, 0)


def test_a_run_without_a_sign_of_life_is_rung_for_again(
    books: Books, connection: ErpConnection
) -> None:
    run = request(connection)
    runs.claim(run.pk)
    SyncRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    with mock.patch("erp_integrations.runs.ring_for") as ring:
        assert runs.recover_stopped() == [run.pk]
        assert runs.recover_stopped() == []
    ring.assert_called_once_with(run.pk)


def test_a_queued_run_nobody_took_is_rung_for_again(
    books: Books, connection: ErpConnection
) -> None:
    run = request(connection)
    SyncRun.objects.update(queued_at=timezone.now() - dt.timedelta(minutes=5))
    with mock.patch("erp_integrations.runs.ring_for") as ring:
        runs.recover_stopped()
    ring.assert_called_once_with(run.pk)


def test_a_broker_that_is_away_loses_no_run(
    books: Books, connection: ErpConnection, django_capture_on_commit_callbacks: Any
) -> None:
    from kombu.exceptions import OperationalError

    with (
        mock.patch("erp_integrations.tasks.run_sync.delay", side_effect=OperationalError),
        django_capture_on_commit_callbacks(execute=True),
    ):
        run = request(connection)
    assert run.state == RunState.QUEUED


def test_a_run_that_never_comes_to_its_end_is_given_up(
    books: Books, connection: ErpConnection
) -> None:
    run = request(connection)
    runs.claim(run.pk)
    SyncRun.objects.update(
        attempts=runs.MAX_ATTEMPTS, lease_expires_at=timezone.now() - dt.timedelta(seconds=1)
    )
    runs.recover_stopped()
    run.refresh_from_db()
    assert (run.state, run.error_code) == (RunState.FAILED, "gave_up")


def test_a_resumed_run_goes_on_after_its_checkpoint(
    books: Books, connection: ErpConnection
) -> None:
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(6)))
    books.page_size = 2
    books.before_page = raising(KeyboardInterrupt("killed"), on_page=3)
    run = request(connection)
    with pytest.raises(KeyboardInterrupt):
        engine.work_on(run.pk)
    assert Payment.objects.count() == 4
    SyncRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    books.before_page = lambda number: None
    runs.recover_stopped()
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.created, run.payments_read, run.attempts) == ("succeeded", 6, 6, 2)
    assert Payment.objects.count() == 6


def test_a_failed_run_keeps_what_it_stored_and_the_next_goes_on_from_there(
    books: Books, connection: ErpConnection
) -> None:
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(4)))
    books.page_size = 2
    books.before_page = raising(TransientError("Books did not answer."), on_page=2)
    failed = run_sync(connection)
    assert (failed.state, failed.error_message) == (RunState.FAILED, "Books did not answer.")
    assert Payment.objects.count() == 2
    books.before_page = lambda number: None
    assert run_sync(connection).created == 2


def test_the_cursor_never_passes_a_page_that_was_not_stored(
    books: Books, connection: ErpConnection
) -> None:
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(4)))
    books.page_size = 2
    books.before_page = raising(ProtocolError("HTML instead of data."), on_page=2)
    run_sync(connection)
    assert connection.cursor["id"] == "p1"


def test_refused_credentials_stop_the_connection_until_somebody_acts(
    books: Books, connection: ErpConnection
) -> None:
    books.before_page = raising(AuthenticationError("The key was refused."), on_page=1)
    run_sync(connection)
    assert connection.stopped_reason == "The key was refused."
    assert connection not in ErpConnection.objects.able_to_sync()


def test_automatic_runs_rest_after_three_failures_in_a_row(
    books: Books, connection: ErpConnection
) -> None:
    books.before_page = raising(TransientError("No answer."), on_page=1)
    for _ in range(3):
        assert connection.circuit_open_until is None
        run_sync(connection)
    assert connection.circuit_open_until > timezone.now()
    ErpConnection.objects.update(next_sync_at=timezone.now())
    assert not ErpConnection.objects.due().exists()


def test_a_passing_failure_is_tried_again_before_the_schedule(
    books: Books, connection: ErpConnection
) -> None:
    ErpConnection.objects.update(next_sync_at=timezone.now() + dt.timedelta(days=1))
    books.before_page = raising(TransientError("No answer."), on_page=1)
    run_sync(connection)
    assert connection.next_sync_at - timezone.now() < dt.timedelta(minutes=3)


def test_a_database_that_went_away_leaves_the_run_to_be_resumed(
    books: Books, connection: ErpConnection
) -> None:
    from django.db import OperationalError

    books.put(payment("p1", ("7", "100")))
    run = request(connection)
    with (
        mock.patch("erp_integrations.ingest.apply_page", side_effect=OperationalError),
        mock.patch("erp_integrations.engine.connection.close"),
        mock.patch("erp_integrations.engine.asking.ask_for_sync") as asked,
    ):
        engine.work_on(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    asked.assert_not_called()  # the database is away, and the run is not over


def test_success_closes_the_circuit(books: Books, connection: ErpConnection) -> None:
    ErpConnection.objects.update(consecutive_failures=5, circuit_open_until=timezone.now())
    run_sync(connection)
    assert (connection.consecutive_failures, connection.circuit_open_until) == (0, None)


def test_a_fault_of_our_own_says_so(books: Books, connection: ErpConnection) -> None:
    books.before_page = raising(ZeroDivisionError(), on_page=1)
    run = request(connection)
    with pytest.raises(ZeroDivisionError):
        engine.work_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error_code) == (RunState.FAILED, "bug")


def test_a_cancelled_run_stops_after_the_page_it_is_writing(
    books: Books, connection: ErpConnection
) -> None:
    alice = UserFactory()
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(4)))
    books.page_size = 2
    run = request(connection)
    books.before_page = lambda number: number == 2 and runs.cancel_run(run=run, by=alice)
    with mock.patch("erp_integrations.reading.one_ahead", lambda pages, run: pages):
        engine.work_on(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert Payment.objects.count() == 2


def test_a_person_who_lost_the_right_meanwhile_gets_no_sync(
    books: Books, connection: ErpConnection
) -> None:
    carla = UserFactory()
    set_accounting_approver(user=carla, company=connection.company, is_approver=True)
    run = request(connection, trigger=RunTrigger.BUTTON, requested_by=carla)
    set_accounting_approver(user=carla, company=connection.company, is_approver=False)
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error_code) == (RunState.FAILED, "NotAllowedNow")
    assert books.calls == []


def test_a_connection_that_was_switched_off_meanwhile_is_not_read(
    books: Books, connection: ErpConnection
) -> None:
    run = request(connection)
    ErpConnection.objects.update(is_active=False)
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert "switched off" in run.error_message
    assert books.calls == []


def test_a_run_hands_itself_back_after_its_time_slice(
    books: Books, connection: ErpConnection, settings: Any
) -> None:
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(4)))
    books.page_size = 2
    settings.SYNC_TIME_SLICE = 0
    run = request(connection)
    with mock.patch("erp_integrations.runs.ring_for") as ring:
        engine.work_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.pages) == (RunState.QUEUED, 1)
    ring.assert_called_once_with(run.pk)
    settings.SYNC_TIME_SLICE = 60
    engine.work_on(run.pk)
    assert Payment.objects.count() == 4


def test_a_due_connection_is_started_once_and_scheduled_again(
    books: Books, connection: ErpConnection
) -> None:
    ErpConnection.objects.update(next_sync_at=timezone.now(), sync_schedule="every_2_hours")
    [run] = runs.start_due()
    assert runs.start_due() == []
    connection.refresh_from_db()
    wait = connection.next_sync_at - timezone.now()
    assert dt.timedelta(minutes=119) < wait < dt.timedelta(minutes=127)
    assert (run.trigger, run.requested_by) == (RunTrigger.SCHEDULE, None)


def test_one_scheduled_run_a_day_is_a_sweep(
    books: Books, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SMALL_BOOKS", -1)
    modes = []
    for _ in range(3):
        ErpConnection.objects.update(next_sync_at=timezone.now())
        [run] = runs.start_due()
        engine.work_on(run.pk)
        modes.append(run.mode)
    assert modes == [RunMode.SWEEP, RunMode.CHANGES, RunMode.CHANGES]


@pytest.mark.parametrize(
    "off",
    [
        {"sync_schedule": "never", "next_sync_at": None},
        {"is_active": False},
        {"export_subcontractor_invoices": False},
        {"stopped_at": timezone.now()},
    ],
)
def test_the_schedule_leaves_alone_what_is_switched_off(
    books: Books, connection: ErpConnection, off: dict[str, Any]
) -> None:
    ErpConnection.objects.update(**{"next_sync_at": timezone.now(), **off})
    assert runs.start_due() == []


def test_small_books_are_read_whole_so_that_the_button_sees_a_deletion(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")), payment("p2", ("7", "50")))
    run_sync(connection)
    books.delete("p1")
    engine.work_on(request(connection).pk)
    assert Payment.objects.counted().get().origin_code == "P2"


def test_books_that_do_not_fit_on_a_page_are_read_by_what_changed(
    books: Books, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SMALL_BOOKS", 1)
    books.put(payment("p1", ("7", "100")), payment("p2", ("7", "50")))
    run_sync(connection)
    assert request(connection).mode == RunMode.CHANGES


def test_never_stops_the_clock_but_not_the_button(books: Books, connection: ErpConnection) -> None:
    ErpConnection.objects.update(sync_schedule="never", next_sync_at=None)
    books.put(payment("p1", ("7", "100")))
    assert run_sync(connection).created == 1


def test_a_run_says_how_many_requests_it_sent(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "100")))
    assert run_sync(connection).calls == len(books.calls) == 1


def test_a_run_that_failed_says_so_too(books: Books, connection: ErpConnection) -> None:
    books.before_page = raising(TransientError("Books did not answer."), on_page=1)
    assert run_sync(connection).calls == 1


def test_the_requests_of_a_run_that_is_taken_up_again_add_up(
    books: Books, connection: ErpConnection
) -> None:
    books.put(*(payment(f"p{n}", ("7", "10")) for n in range(4)))
    books.page_size = 2
    books.before_page = raising(KeyboardInterrupt("killed"), on_page=2)
    run = request(connection)
    with pytest.raises(KeyboardInterrupt):
        engine.work_on(run.pk)
    SyncRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    books.before_page = lambda number: None
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert run.calls == len(books.calls) == 2
