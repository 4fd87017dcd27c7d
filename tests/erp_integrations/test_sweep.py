"""Payments that are simply gone from the ERP."""

from typing import Any

import pytest

from erp_integrations import engine
from erp_integrations.models import (
    ErpAllocation,
    ErpConnection,
    ErpPayment,
    RunMode,
    RunState,
    SweepSighting,
    SyncRun,
)
from erp_integrations.providers.contract import Page
from erp_integrations.providers.errors import AuthenticationError, TransientError
from payments.models import Payment, PaymentEvent
from tests.erp_integrations.conftest import run_sync
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db


def sweep(connection: ErpConnection) -> SyncRun:
    return run_sync(connection, RunMode.SWEEP)


def fail_with(error: Exception) -> Any:
    def before(remote_id: str) -> None:
        raise error

    return before


def test_an_incremental_run_does_not_see_a_deletion(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")
    run_sync(connection)
    assert Payment.objects.counted().count() == 1


def test_a_deleted_payment_is_flagged_and_leaves_the_totals(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")), payment("p2", ("7", "50")))
    run_sync(connection)
    books.delete("p1")
    run = sweep(connection)
    gone = Payment.objects.get(origin_code="P1")
    assert gone.vanished_at and gone.missing_since
    assert [row.origin_code for row in Payment.objects.counted()] == ["P2"]
    assert run.vanished == 1
    assert PaymentEvent.objects.filter(kind="vanished", import_id=run.pk).count() == 1
    assert connection.issues.open().get().code == "vanished"


def test_a_question_that_failed_flags_but_confirms_nothing(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")
    books.before_payment = fail_with(TransientError("no answer"))
    sweep(connection)
    row = Payment.objects.get()
    assert row.missing_since and not row.vanished_at
    assert Payment.objects.counted().count() == 1


def test_a_second_sweep_confirms_what_the_first_missed(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")
    books.before_payment = fail_with(TransientError("no answer"))
    sweep(connection)
    sweep(connection)
    assert Payment.objects.get().vanished_at


def test_a_payment_that_comes_back_is_restored(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")
    sweep(connection)
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    row = Payment.objects.get()
    assert (row.vanished_at, row.missing_since) == (None, None)
    assert PaymentEvent.objects.filter(kind="restored").count() == 1


def test_a_payment_that_answers_when_asked_for_is_not_flagged(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.script = []  # the list leaves it out, the question for the one finds it
    sweep(connection)
    assert Payment.objects.get().missing_since is None
    assert "payment p1" in books.calls


def test_a_refused_question_stops_the_connection_and_flags_nothing(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")
    books.before_payment = fail_with(AuthenticationError("The key was refused."))
    sweep(connection)
    assert Payment.objects.get().missing_since is None
    assert connection.stopped_at


def test_a_sweep_that_misses_too_much_is_doubted(books: Books, connection: ErpConnection) -> None:
    books.put(*(payment(f"p{n}", ("7", "1")) for n in range(30)))
    run_sync(connection)
    books.payments.clear()
    run = sweep(connection)
    issue = connection.issues.get()
    assert issue.code == "sweep_not_trusted"
    assert "30 of 30" in issue.message
    assert not ErpPayment.objects.exclude(missing_since=None).exists()
    assert run.vanished == 0


def test_a_voided_payment_may_disappear_without_a_word(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.void("p1")
    run_sync(connection)
    books.delete("p1")
    sweep(connection)
    assert not connection.issues.exists()


def test_a_pending_payment_that_is_gone_stops_waiting(
    books: Books, connection: ErpConnection
) -> None:
    from erp_integrations.providers.contract import RemoteStatus

    books.put(payment("p1", ("7", "100"), status=RemoteStatus.PENDING))
    run_sync(connection)
    books.delete("p1")
    run = sweep(connection)
    assert ErpAllocation.objects.get().outcome == "removed"
    assert run.waiting == 0


def test_a_sweep_finds_what_incremental_reading_passed_over(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.payments["late"] = payment("late", ("7", "50"))  # with a time before the cursor
    run_sync(connection)
    assert Payment.objects.count() == 1
    sweep(connection)
    assert Payment.objects.count() == 2


def test_what_a_sweep_saw_is_forgotten_when_it_ends(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    sweep(connection)
    assert not SweepSighting.objects.exists()


def test_an_unusable_record_did_not_vanish(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.put(payment("p1", ("7", "100"), currency="XXQ"))
    sweep(connection)
    assert Payment.objects.get().missing_since is None


# ------------------------------------------------------------------ tombstones
def test_a_payment_that_the_erp_says_was_deleted_leaves_the_totals(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")), payment("p2", ("7", "50")))
    run_sync(connection)
    books.delete("p1")
    books.tombstones = ["p1", "never seen", "no\x00text"]
    run = run_sync(connection)
    assert [row.origin_code for row in Payment.objects.counted()] == ["P2"]
    assert run.vanished == 1
    assert not [call for call in books.calls if call.startswith("payment ")]
    assert connection.issues.open().get().code == "vanished"


def test_a_tombstone_that_comes_again_says_nothing_new(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.delete("p1")
    for _ in range(2):
        books.tombstones = ["p1"]
        run = run_sync(connection)
    assert run.vanished == 0
    assert PaymentEvent.objects.filter(kind="vanished").count() == 1


def test_a_payment_that_is_there_again_beside_its_tombstone_counts(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.put(books.payments["p1"])
    books.tombstones = ["p1"]
    run_sync(connection)
    assert Payment.objects.counted().count() == 1


def test_a_voided_payment_stays_voided_when_it_is_deleted(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    books.void("p1")
    run_sync(connection)
    books.tombstones = ["p1"]
    run_sync(connection)
    assert Payment.objects.get().vanished_at is None


def test_where_the_erp_forgot_its_deletions_a_sweep_follows(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")), payment("p2", ("7", "50")))
    run_sync(connection)
    books.delete("p1")
    cursor = {"modified": books.clock.isoformat(), "id": "p2"}
    books.script = [Page((), (), cursor, misses_deletions=True)]
    run = run_sync(connection)
    books.script = None
    assert run.state == RunState.SUCCEEDED
    assert connection.next_sweep_at is not None
    follower = connection.runs.active().get()
    assert follower.mode == RunMode.SWEEP
    engine.work_on(follower.pk)
    assert [row.origin_code for row in Payment.objects.counted()] == ["P2"]


def test_a_sweep_is_not_followed_by_another(books: Books, connection: ErpConnection) -> None:
    books.script = [Page((), (), {"modified": "", "id": ""}, misses_deletions=True)]
    sweep(connection)
    assert not connection.runs.active().exists()
