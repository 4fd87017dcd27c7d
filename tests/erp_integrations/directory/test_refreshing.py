"""The job that reads what the ERP has: once at a time, honest about what it could not read."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from erp_integrations.directory import refreshing
from erp_integrations.models import DirectoryRefresh, ErpConnection, StagedRecord, SyncSchedule
from erp_integrations.models.directory import RefreshState
from erp_integrations.providers.contract import RemoteCommitment, RemoteJob, RemoteVendor
from erp_integrations.providers.errors import AuthenticationError, ConfigurationError
from projects.access import Level, Tool
from projects.models import User, Vendor
from projects.services import grant_level
from tests.fakes.books import Books

pytestmark = pytest.mark.django_db

ACME, BOLT = RemoteVendor("2", "V-ACME", "Acme Concrete LLC"), RemoteVendor("3", "V-BOLT", "Bolt")
ORDER = RemoteCommitment(
    remote_id="5",
    code="SC-2026-040",
    title="Masonry",
    vendor_ref="2",
    vendor_name="Acme Concrete LLC",
    total=Decimal("31250.00"),
    currency="USD",
    ordered_on=dt.date(2026, 5, 4),
)


def read(connection: ErpConnection, by: User | None = None) -> DirectoryRefresh:
    """One whole reading, here and now."""
    refresh = refreshing.request_refresh(connection=connection, requested_by=by)
    refreshing.work_on(refresh.pk)
    refresh.refresh_from_db()
    return refresh


def codes(**which: Any) -> list[str]:
    return sorted(StagedRecord.objects.filter(**which).values_list("code", flat=True))


def test_it_stages_what_the_erp_has(books: Books, connection: ErpConnection) -> None:
    books.vendors, books.commitments = [ACME, BOLT], [ORDER]
    books.jobs = [RemoteJob("9", "2026-014", "Riverside Tower")]
    refresh = read(connection)
    assert refresh.state == RefreshState.SUCCEEDED
    assert (refresh.vendors, refresh.jobs, refresh.commitments) == (2, 1, 1)
    assert codes() == ["2026-014", "SC-2026-040", "V-ACME", "V-BOLT"]
    order = StagedRecord.objects.get(kind="commitments")
    assert (order.total, order.currency, order.vendor_ref) == (Decimal("31250.00"), "USD", "2")
    assert order.ordered_on == dt.date(2026, 5, 4)


def test_a_second_reading_changes_rows_and_makes_none(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    books.vendors = [ACME, BOLT]
    read(connection)
    StagedRecord.objects.filter(code="V-BOLT").update(archived_at=timezone.now(), archived_by=alice)
    books.vendors = [RemoteVendor("2", "V-ACME", "Acme Stone LLC"), BOLT]
    read(connection)
    assert StagedRecord.objects.count() == 2
    assert StagedRecord.objects.get(code="V-ACME").match_key == "acme stone"
    assert StagedRecord.objects.get(code="V-BOLT").archived_by == alice


def test_what_the_erp_does_not_list_any_more_is_gone_and_may_come_back(
    books: Books, connection: ErpConnection
) -> None:
    books.vendors = [ACME, BOLT]
    read(connection)
    books.vendors = [ACME]
    assert read(connection).gone == 1
    assert codes(gone_at=None) == ["V-ACME"]
    books.vendors = [ACME, BOLT]
    read(connection)
    assert codes(gone_at=None) == ["V-ACME", "V-BOLT"]


def test_an_answer_that_lacks_everything_is_not_believed(
    books: Books, connection: ErpConnection
) -> None:
    books.vendors = [ACME, BOLT]
    read(connection)
    books.vendors = []
    refresh = read(connection)
    assert refresh.state == RefreshState.INCOMPLETE
    assert "2 of 2 vendors were not in the ERP's answer" in refresh.message
    assert codes(gone_at=None) == ["V-ACME", "V-BOLT"]


def test_a_missing_right_on_one_kind_keeps_the_others(
    books: Books, connection: ErpConnection
) -> None:
    def refuse(kind: str) -> None:
        if kind == "commitments":
            raise ConfigurationError("Tryton does not let the user read its purchase orders.")

    books.vendors, books.before_listing = [ACME], refuse
    refresh = read(connection)
    assert (refresh.state, refresh.vendors) == (RefreshState.INCOMPLETE, 1)
    assert refresh.message == "Tryton does not let the user read its purchase orders."


def test_a_refused_key_is_a_failure_with_a_sentence_and_stops_no_sync(
    books: Books, connection: ErpConnection
) -> None:
    def refuse(kind: str) -> None:
        raise AuthenticationError("Tryton does not accept the key.")

    books.before_listing = refuse
    refresh = read(connection)
    assert (refresh.state, refresh.message) == (
        RefreshState.FAILED,
        "Tryton does not accept the key.",
    )
    connection.refresh_from_db()
    assert connection.stopped_at is None


def test_a_fault_of_ours_is_told_and_not_hidden(books: Books, connection: ErpConnection) -> None:
    def break_down(kind: str) -> None:
        raise RuntimeError("boom")

    books.before_listing = break_down
    refresh = refreshing.request_refresh(connection=connection)
    with pytest.raises(RuntimeError):
        refreshing.work_on(refresh.pk)
    refresh.refresh_from_db()
    assert (refresh.state, refresh.message) == (RefreshState.FAILED, refreshing.BUG)


def test_pressing_twice_is_one_reading(books: Books, connection: ErpConnection) -> None:
    first = refreshing.request_refresh(connection=connection)
    assert refreshing.request_refresh(connection=connection) == first


def test_one_reading_is_taken_by_one_worker(books: Books, connection: ErpConnection) -> None:
    books.vendors = [ACME]
    read(connection)
    refresh = DirectoryRefresh.objects.get()
    refreshing.work_on(refresh.pk)
    assert books.calls.count("vendors") == 1


def test_whoever_lost_the_right_meanwhile_reads_nothing(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    refresh = refreshing.request_refresh(connection=connection, requested_by=alice)
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=connection.company)
    refreshing.work_on(refresh.pk)
    refresh.refresh_from_db()
    assert refresh.state == RefreshState.FAILED
    assert "may not link records any more" in refresh.message
    assert books.calls == []


def test_a_connection_that_was_switched_off_is_not_asked(
    books: Books, connection: ErpConnection
) -> None:
    ErpConnection.objects.update(is_active=False)
    assert "switched off" in read(connection).message
    assert books.calls == []


def test_the_clock_starts_a_reading_once_an_hour(books: Books, connection: ErpConnection) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        (first,) = refreshing.start_due()
        refreshing.work_on(first.pk)
        assert refreshing.start_due() == []
        clock.shift(3601)
        assert len(refreshing.start_due()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"sync_schedule": SyncSchedule.NEVER},
        {"is_active": False},
        {"stopped_at": timezone.now()},
        {"circuit_open_until": timezone.now() + dt.timedelta(hours=1)},
    ],
)
def test_the_clock_leaves_resting_connections_alone(
    books: Books, connection: ErpConnection, changes: dict[str, Any]
) -> None:
    ErpConnection.objects.update(**changes)
    assert refreshing.start_due() == []


def test_a_reading_whose_worker_died_is_given_up_with_a_sentence(
    books: Books, connection: ErpConnection
) -> None:
    refresh = refreshing.request_refresh(connection=connection)
    DirectoryRefresh.objects.update(
        state=RefreshState.RUNNING, lease_expires_at=timezone.now() - dt.timedelta(seconds=1)
    )
    refreshing.look_after()
    refresh.refresh_from_db()
    assert (refresh.state, refresh.message) == (RefreshState.FAILED, refreshing.STOPPED)


def test_a_worker_that_was_given_up_writes_nothing_more(
    books: Books, connection: ErpConnection
) -> None:
    def lose(kind: str) -> None:
        DirectoryRefresh.objects.update(
            state=RefreshState.FAILED, finished_at=timezone.now(), lease=None
        )

    books.vendors, books.before_listing = [ACME], lose
    assert read(connection).state == RefreshState.FAILED
    assert not StagedRecord.objects.exists()


def test_a_reading_nobody_took_is_rung_for_again(
    books: Books, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh = refreshing.request_refresh(connection=connection)
    DirectoryRefresh.objects.update(queued_at=timezone.now() - dt.timedelta(minutes=3))
    rung: list[int] = []
    monkeypatch.setattr(refreshing, "ring_for", rung.append)
    refreshing.look_after()
    refreshing.look_after()
    assert rung == [refresh.pk]


def test_old_readings_are_forgotten(books: Books, connection: ErpConnection) -> None:
    old = read(connection)
    DirectoryRefresh.objects.update(finished_at=timezone.now() - dt.timedelta(days=31))
    refreshing.look_after()
    assert not DirectoryRefresh.objects.filter(pk=old.pk).exists()


def test_a_link_is_what_makes_a_record_linked(
    books: Books, connection: ErpConnection, vendor: Vendor
) -> None:
    books.vendors = [ACME, BOLT]
    read(connection)
    Vendor.objects.filter(pk=vendor.pk).update(origin_id="2")
    assert sorted(each.code for each in StagedRecord.objects.ready("vendors")) == ["V-BOLT"]


def test_an_order_is_ready_once_its_project_is_linked_where_the_erp_tells_it(
    books: Books, connection: ErpConnection, project: Any
) -> None:
    from msgspec.structs import replace

    books.commitments = [replace(ORDER, project_ref="77")]
    read(connection)
    assert not StagedRecord.objects.ready("commitments").exists()
    type(project).objects.filter(pk=project.pk).update(origin_id="77")
    assert StagedRecord.objects.ready("commitments").count() == 1
