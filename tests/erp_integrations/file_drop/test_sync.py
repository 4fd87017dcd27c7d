"""From a dropped file to Payments Issued, through the same engine as any ERP."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from commitments.models import SubcontractorInvoice
from erp_integrations import runs, waiting
from erp_integrations.file_drop import linking, services
from erp_integrations.file_drop.services import synced_up_to
from erp_integrations.models import (
    DroppedFile,
    ErpAllocation,
    ErpConnection,
    ErpPayment,
    FileState,
    PreviewRow,
    RunMode,
    RunState,
    RunTrigger,
    SyncRun,
)
from erp_integrations.opening import open_provider
from erp_integrations.scopes import Order
from payments.models import Payment
from projects.models import User
from tests.erp_integrations.conftest import run_sync
from tests.erp_integrations.file_drop.conftest import Drop, content_of
from tests.factories import UserFactory

# pages are read in a thread, which sees only what is committed
pytestmark = pytest.mark.django_db(transaction=True)

ONE = "5001,07/06/2026,V-ACME,Acme Concrete LLC,INV-1,1250.00"


def link_all(connection: ErpConnection, by: User) -> int:
    values = [pair.value for pair in linking.pairs_to_link(connection) if pair.is_sure]
    linked, refused = linking.link(connection=connection, values=values, by=by)
    assert refused == []
    waiting.project_waiting(company_id=connection.company_id)
    return linked


def on_the_commitment() -> list[tuple[Any, ...]]:
    rows = Payment.objects.order_by("date", "amount")
    return list(rows.values_list("check_number", "amount", "date", "status"))


def test_a_dropped_check_arrives_once_its_invoice_is_linked(
    drop: Drop, connection: ErpConnection, invoice: SubcontractorInvoice, carla: User
) -> None:
    file = drop(content_of(ONE))
    run = SyncRun.objects.get()  # it asked for its sync by itself
    assert (run, run.requested_by) == (file.run, carla)
    assert (run.state, run.created) == (RunState.SUCCEEDED_WITH_ISSUES, 1)
    assert on_the_commitment() == []  # nothing is linked by itself
    assert link_all(connection, carla) == 1
    assert on_the_commitment() == [
        ("5001", Decimal("1250.00"), dt.date(2026, 7, 6), "issued"),
    ]
    assert Payment.objects.get().invoice == invoice
    connection.refresh_from_db()
    assert synced_up_to(connection) == file.last_row


def test_a_second_sync_reads_nothing_again(drop: Drop, connection: ErpConnection) -> None:
    assert SyncRun.objects.get(pk=drop(content_of(ONE)).run_id).payments_read == 1
    connection.refresh_from_db()
    assert run_sync(connection).payments_read == 0


def test_a_check_over_several_rows_is_one_payment_with_several_allocations(
    drop: Drop, connection: ErpConnection
) -> None:
    drop(content_of(ONE, "5001,07/06/2026,V-ACME,Acme Concrete LLC,INV-2,750.50"))
    run_sync(connection)
    payment = ErpPayment.objects.get()
    assert payment.total == Decimal("2000.50")
    allocations = payment.allocations.order_by("bill_id").values_list("bill_id", "amount")
    assert list(allocations) == [
        ("V-ACME|INV-1", Decimal("1250")),
        ("V-ACME|INV-2", Decimal("750.5")),
    ]


def test_the_same_payment_in_a_later_file_updates_it(
    drop: Drop, connection: ErpConnection, invoice: SubcontractorInvoice, carla: User
) -> None:
    drop(content_of(ONE))
    run_sync(connection)
    link_all(connection, carla)
    run = SyncRun.objects.get(pk=drop(content_of(ONE.replace("1250.00", "1300.00"))).run_id)
    assert (run.created, run.updated) == (0, 1)
    assert [row[1] for row in on_the_commitment()] == [Decimal("1300.00")]


def test_a_negative_amount_in_a_later_file_voids_the_payment_and_keeps_its_date(
    drop: Drop, connection: ErpConnection, invoice: SubcontractorInvoice, carla: User
) -> None:
    drop(content_of(ONE))
    run_sync(connection)
    link_all(connection, carla)
    drop(content_of("5001,07/20/2026,V-ACME,Acme Concrete LLC,INV-1,(1250.00)"))
    run_sync(connection)
    assert on_the_commitment() == [
        ("5001", Decimal("1250.00"), dt.date(2026, 7, 6), "voided"),
    ]


def test_a_void_finds_its_payment_before_that_was_synced(
    drop: Drop, connection: ErpConnection
) -> None:
    drop(content_of(ONE))
    drop(content_of("5001,07/20/2026,V-ACME,Acme Concrete LLC,INV-1,-1250.00"))
    run_sync(connection)
    payment = ErpPayment.objects.get()
    assert (payment.status, payment.date) == ("voided", dt.date(2026, 7, 6))


def test_a_file_that_waited_longer_does_not_undo_a_newer_one(
    drop: Drop, connection: ErpConnection
) -> None:
    older = drop(content_of(ONE))
    DroppedFile.objects.filter(pk=older.pk).update(state=FileState.READY)
    drop(content_of(ONE.replace("1250.00", "1300.00")))
    run_sync(connection)
    services.read(older.pk)
    run_sync(connection)
    assert ErpPayment.objects.get().total == Decimal("1300")


def test_a_bank_whose_payments_are_not_in_a_file_lost_nothing(
    drop: Drop, connection: ErpConnection
) -> None:
    """A file is not the whole of the books: what it does not name is not gone."""
    drop(content_of(ONE))
    run_sync(connection)
    drop(content_of("5002,07/07/2026,V-ACME,Acme Concrete LLC,INV-2,10.00"))
    ErpConnection.objects.update(next_sync_at=timezone.now(), next_sweep_at=None)
    (run,) = runs.start_due()
    assert run.mode == RunMode.CHANGES
    run_sync(connection)
    assert not ErpPayment.objects.exclude(missing_since=None).exists()


def test_a_preview_shows_what_a_file_would_bring_and_writes_nothing(
    drop: Drop, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "ask_for_sync", lambda file: None)
    drop(content_of(ONE))
    order = Order(RunMode.CHANGES, is_preview=True)
    run = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, order=order)
    assert PreviewRow.objects.filter(run=run).count() == 1
    assert not ErpPayment.objects.exists()
    assert run_sync(connection).created == 1


def test_a_back_fill_reads_files_since_a_day(drop: Drop, connection: ErpConnection) -> None:
    file = drop(content_of(ONE))
    with open_provider(connection) as provider:
        today = provider.cursor_since(dt.date.today())
        assert today["row"] < file.last_row
        later = provider.cursor_since(dt.date.today() + dt.timedelta(days=2))
        assert later["row"] >= file.last_row


def test_another_vendors_invoice_of_the_same_number_is_not_linked_along(
    drop: Drop, connection: ErpConnection, invoice: SubcontractorInvoice, carla: User
) -> None:
    drop(content_of("5001,07/06/2026,V-PINE,Pine Ridge Masonry,INV-1,1250.00"))
    run_sync(connection)
    (pair,) = linking.pairs_to_link(connection)
    assert (pair.is_same_vendor, pair.is_sure) == (False, False)
    assert link_all(connection, carla) == 0


def test_only_who_may_drop_files_may_link(
    connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    with pytest.raises(ValidationError):
        linking.link(connection=connection, values=[], by=UserFactory())


def test_waiting_payments_say_which_invoice_they_wait_for(
    drop: Drop, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    drop(content_of(ONE))
    run_sync(connection)
    assert ErpAllocation.objects.get().reason == "invoice_not_synced"
