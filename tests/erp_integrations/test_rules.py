"""The rules of ``docs/rules.md``, each by its number."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commitments import erp_states, invoices
from commitments.commitment_list import with_amounts
from commitments.models import Commitment, InvoiceStatus, SubcontractorInvoice
from commitments.payments_tab import set_payments_enabled
from erp_integrations import connections, engine, runs
from erp_integrations.invoice_list import with_payment_status
from erp_integrations.models import ErpConnection, RunMode, RunState, SyncIssue, SyncSchedule
from erp_integrations.models.issue import IssueCode
from erp_integrations.preconditions import may_sync
from erp_integrations.providers.contract import RejectedRecord
from payments import services
from payments.models import Payment
from payments.services import Entry
from projects.access import Level, Tool
from projects.models import ErpStatus, User
from projects.services import grant_level, set_accounting_approver, set_tool
from tests.erp_integrations.conftest import run_sync
from tests.factories import InvoiceFactory, UserFactory
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db

LOCKED = "The Contract Payment cannot be edited or deleted because it is synced with an ERP system"


@pytest.fixture
def priya(invoice: SubcontractorInvoice) -> User:
    """Administers Commitments and accepts invoices."""
    user: User = UserFactory(username="priya")
    grant_level(user=user, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=invoice.company)
    grant_level(user=user, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=invoice.company)
    set_accounting_approver(user=user, company=invoice.company, is_approver=True)
    return user


@pytest.fixture
def synced(books: Books, connection: ErpConnection) -> Payment:
    books.put(payment("p1", ("7", "2000.00"), check_number="CHK-1"))
    run_sync(connection)
    return Payment.objects.get()


@pytest.mark.parametrize(
    ("level", "is_approver", "allowed"),
    [
        (Level.NONE, False, False),
        (Level.STANDARD, False, False),
        (Level.ADMIN, False, True),
        (Level.NONE, True, True),
    ],
)
def test_rule_1_a_sync_on_demand_needs_admin_or_an_approver(
    connection: ErpConnection, level: Level, is_approver: bool, allowed: bool
) -> None:
    user = UserFactory()
    grant_level(user=user, tool=Tool.ERP_INTEGRATIONS, level=level, on=connection.company)
    set_accounting_approver(user=user, company=connection.company, is_approver=is_approver)
    assert may_sync(connection, user) is allowed


def test_rule_1_a_scheduled_sync_needs_nobody(books: Books, connection: ErpConnection) -> None:
    ErpConnection.objects.update(next_sync_at=timezone.now())
    (run,) = runs.start_due()
    engine.work_on(run.pk)
    run.refresh_from_db()
    assert (run.requested_by, run.state) == (None, RunState.SUCCEEDED)


def test_rule_2_a_payment_of_an_unsynced_invoice_is_not_shown(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("8", "100")))
    run_sync(connection)
    assert not Payment.objects.exists()


def test_rule_3_nothing_is_shown_where_the_tab_is_off(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice, priya: User
) -> None:
    set_payments_enabled(commitment=invoice.commitment, is_enabled=False, by=priya)
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    assert not Payment.objects.exists()


def test_rule_3_nothing_is_shown_where_the_tool_is_off(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    set_tool(project=invoice.project, tool=Tool.COMMITMENTS, is_active=False)
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    assert not Payment.objects.exists()


def test_rule_3b_the_run_says_what_was_left_out_and_why(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice, priya: User
) -> None:
    set_payments_enabled(commitment=invoice.commitment, is_enabled=False, by=priya)
    books.put(payment("p1", ("7", "100")))
    run = run_sync(connection)
    issue = SyncIssue.objects.open().get()
    assert (run.waiting, run.state) == (1, RunState.SUCCEEDED_WITH_ISSUES)
    assert (issue.code, issue.reason) == (IssueCode.WAITING, "tab_disabled")


def test_rule_4_the_same_payment_twice_is_one_row(
    books: Books, connection: ErpConnection, synced: Payment
) -> None:
    books.put(payment("p1", ("7", "2100.00"), check_number="CHK-1"))
    run_sync(connection)
    run_sync(connection, RunMode.SWEEP)
    assert Payment.objects.get().amount == Decimal(2100)


def test_rule_5_a_bad_record_stops_nothing_else(books: Books, connection: ErpConnection) -> None:
    books.rejected = [RejectedRecord("p9", "It has no date.", "{}")]
    books.put(payment("p1", ("7", "100")), payment("p2", ("7", "0.001")))
    run_sync(connection)
    assert Payment.objects.get().amount == Decimal(100)
    assert set(SyncIssue.objects.open().values_list("remote_id", flat=True)) == {"p9", "p2"}


def test_rule_6_a_synced_payment_is_locked_but_for_its_number_and_its_files(
    synced: Payment, priya: User
) -> None:
    entry = Entry(amount=Decimal(1), method="check", date=dt.date(2026, 7, 1))
    with pytest.raises(ValidationError, match=LOCKED):
        services.edit_payment(payment=synced, entry=entry, by=priya)
    services.set_payment_number(payment=synced, payment_number="PM-7", by=priya)
    file = SimpleUploadedFile("check.txt", b"a check")
    services.attach_file(payment=synced, file=file, by=priya)
    synced.refresh_from_db()
    assert (synced.amount, synced.payment_number) == (Decimal(2000), "PM-7")
    assert synced.attachments.count() == 1


def test_rule_7_a_synced_payment_cannot_be_deleted(synced: Payment, priya: User) -> None:
    with pytest.raises(ValidationError, match=LOCKED):
        services.delete_payment(payment=synced, by=priya)
    assert Payment.objects.filter(pk=synced.pk).exists()


def test_rule_8_a_sync_keeps_the_number_and_the_files_that_people_gave(
    books: Books, connection: ErpConnection, synced: Payment, priya: User
) -> None:
    services.set_payment_number(payment=synced, payment_number="PM-7", by=priya)
    services.attach_file(payment=synced, file=SimpleUploadedFile("c.txt", b"a check"), by=priya)
    books.put(payment("p1", ("7", "2500.00"), check_number="CHK-2"))
    run_sync(connection)
    synced.refresh_from_db()
    assert (synced.amount, synced.payment_number) == (Decimal(2500), "PM-7")
    assert synced.attachments.count() == 1


def test_rule_9_every_figure_follows_a_payment(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    def figures() -> tuple[str, Decimal, Decimal, Decimal]:
        row = with_payment_status(SubcontractorInvoice.objects.filter(pk=invoice.pk)).get()
        totals = with_amounts(Commitment.objects.filter(pk=invoice.commitment_id)).get()
        money = totals.payments_issued, totals.remaining_balance
        return row.payment_status, row.paid, *money

    assert figures() == ("Unpaid", 0, 0, 0)
    books.put(payment("p1", ("7", "2000.00")))
    run_sync(connection)
    assert figures() == ("Partially Paid", 2000, 2000, -2000)
    books.put(payment("p2", ("7", "3000.00")))
    run_sync(connection)
    assert figures() == ("Paid", 5000, 5000, -5000)
    books.void("p1")
    run_sync(connection)
    assert figures() == ("Partially Paid", 3000, 3000, -3000)


def test_rule_10_readers_see_the_tab_and_the_unlisted_see_no_private_commitment(
    client: Client, synced: Payment
) -> None:
    reader = UserFactory()
    grant_level(user=reader, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=synced.project)
    client.force_login(reader)
    url = reverse("payments:payments_issued", args=[synced.project_id, synced.commitment_id])
    assert b"CHK-1" in client.get(url).content
    Commitment.objects.update(is_private=True)
    assert client.get(url).status_code == 404


def test_rule_11_the_schedule_is_one_of_five(connection: ErpConnection) -> None:
    labels = ["Hourly", "Every 2 Hours", "Every 4 Hours", "Daily", "Never"]
    assert list(SyncSchedule.labels) == labels
    with pytest.raises(IntegrityError), transaction.atomic():
        ErpConnection.objects.update(sync_schedule="every_minute")


def test_rule_11b_never_stops_the_clock_and_not_the_button(
    books: Books, connection: ErpConnection
) -> None:
    connections.change_settings(connection=connection, by=None, sync_schedule=SyncSchedule.NEVER)
    assert runs.start_due() == []
    books.put(payment("p1", ("7", "100")))
    assert run_sync(connection).state == RunState.SUCCEEDED


def test_rule_12_a_void_is_here_after_the_next_sync(
    books: Books, connection: ErpConnection, synced: Payment
) -> None:
    books.void("p1")
    run_sync(connection)
    synced.refresh_from_db()
    assert synced.status == "voided"
    assert not synced.is_counted


def test_rule_13_a_deleted_payment_stays_flagged_and_out_of_the_totals(
    books: Books, connection: ErpConnection, synced: Payment
) -> None:
    books.delete("p1")
    run_sync(connection, RunMode.SWEEP)
    synced.refresh_from_db()
    assert synced.vanished_at is not None
    assert not Payment.objects.counted().exists()


@pytest.mark.parametrize("status", InvoiceStatus.values)
def test_rule_14_send_takes_invoices_of_three_statuses(
    invoice: SubcontractorInvoice, priya: User, status: str
) -> None:
    fresh = InvoiceFactory(commitment=invoice.commitment, status=status)
    if status in ("approved", "approved_as_noted", "pending_owner_approval"):
        assert erp_states.send_to_erp(invoice=fresh, by=priya).erp_status == ErpStatus.SENT
    else:
        with pytest.raises(ValidationError, match="can be sent"):
            erp_states.send_to_erp(invoice=fresh, by=priya)


def test_rule_14_retrieve_works_until_an_approver_has_answered(
    invoice: SubcontractorInvoice, priya: User
) -> None:
    fresh = InvoiceFactory(commitment=invoice.commitment)
    erp_states.send_to_erp(invoice=fresh, by=priya)
    retrieved = erp_states.retrieve_from_erp(invoice=fresh, by=priya)
    assert retrieved.erp_status == ErpStatus.RETRIEVED
    erp_states.send_to_erp(invoice=fresh, by=priya)
    erp_states.begin_export(invoice=fresh, by=priya)
    with pytest.raises(ValidationError, match="exporting by now"):
        erp_states.retrieve_from_erp(invoice=fresh, by=priya)


def test_rule_14_after_sending_only_attachments_can_be_changed(
    invoice: SubcontractorInvoice, priya: User
) -> None:
    fresh = InvoiceFactory(commitment=invoice.commitment)
    erp_states.send_to_erp(invoice=fresh, by=priya)
    with pytest.raises(ValidationError, match="not editable because it was sent to the ERP"):
        invoices.set_status(invoice=fresh, status=InvoiceStatus.DRAFT, by=priya)
    file = SimpleUploadedFile("waiver.txt", b"Paid.")
    attachment = invoices.attach_file(invoice=fresh, file=file, by=priya)
    invoices.remove_attachment(attachment=attachment, by=priya)


def test_rule_15_the_button_is_disabled_while_a_sync_is_under_way(
    client: Client, books: Books, connection: ErpConnection, priya: User
) -> None:
    run = runs.request_run(connection=connection, trigger="button", requested_by=priya)
    client.force_login(priya)
    url = "erp_integrations:company_subcontractor_invoices"
    page = client.get(reverse(url, args=[connection.company_id])).content.decode()
    assert 'id="sync-button" disabled' in page
    again = runs.request_run(connection=connection, trigger="button", requested_by=priya)
    assert again == run


def test_every_change_says_which_sync_did_it(client: Client, synced: Payment, priya: User) -> None:
    """The history of a payment names the run, and leads there whoever may look."""
    client.force_login(priya)
    run = synced.erp_allocation.erp_payment.last_run
    place = [synced.project_id, synced.commitment_id]
    for page in (
        reverse("payments:detail", args=[*place, synced.pk]),
        reverse("commitments:history", args=place),
    ):
        html = client.get(page).content.decode()
        assert f'/runs/{run.pk}/">ERP sync {run.pk}</a>' in html
