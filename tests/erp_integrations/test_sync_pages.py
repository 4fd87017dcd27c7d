"""What people press: syncs of a part, previews and Apply, back-fills; and what they may see."""

import datetime as dt
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commitments.models import SubcontractorInvoice
from erp_integrations import engine
from erp_integrations.models import ErpConnection, RunState, RunTrigger, SyncRun
from erp_integrations.runs import order_for, request_run
from erp_integrations.scopes import Scope
from payments.models import Payment
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.pages.reading import browser, text, url
from tests.factories import CommitmentFactory, InvoiceFactory, ProjectFactory, UserFactory
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def nobody_rings() -> Any:
    with mock.patch("erp_integrations.runs.ring_for"):
        yield


@pytest.fixture
def priya(invoice: SubcontractorInvoice, connection: ErpConnection) -> User:
    """Accounting approver of the company, and a reader of its commitments."""
    priya = UserFactory(first_name="Priya", last_name="Raman")
    set_accounting_approver(user=priya, company=invoice.company, is_approver=True)
    grant_level(user=priya, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=invoice.company)
    return priya


@pytest.fixture
def sam(invoice: SubcontractorInvoice, connection: ErpConnection) -> User:
    """Admin on the tool of the invoice's project only."""
    sam = UserFactory()
    for tool in (Tool.ERP_INTEGRATIONS, Tool.COMMITMENTS):
        grant_level(user=sam, tool=tool, level=Level.ADMIN, on=invoice.project)
    return sam


@pytest.fixture
def other(invoice: SubcontractorInvoice) -> SubcontractorInvoice:
    return InvoiceFactory(
        commitment=CommitmentFactory(project=ProjectFactory(company=invoice.company)),
        invoice_number="ELSEWHERE-1",
        bill="8",
    )


def press(client: Client, where: Any, name: str = "sync", *args: int, **data: Any) -> Any:
    return client.post(url(where, name, *args), data, follow=True)


def work() -> SyncRun:
    run = SyncRun.objects.active().get()
    engine.work_on(run.pk)
    run.refresh_from_db()
    return run


def pages_of(invoice: SubcontractorInvoice) -> list[str]:
    args = [invoice.project_id, invoice.commitment_id]
    return [
        reverse("payments:payments_issued", args=args),
        reverse("commitments:invoice", args=[*args, invoice.pk]),
    ]


def test_the_company_page_offers_every_project_that_the_person_may_sync(
    books: Books, priya: User, sam: User, invoice: SubcontractorInvoice, other: SubcontractorInvoice
) -> None:
    page = text(browser(priya).get(url(invoice.company)))
    assert f'<option value="{invoice.project_id}">' in page
    assert f'<option value="{other.project_id}">' in page
    page = text(browser(sam).get(url(invoice.company)))
    assert f'<option value="{other.project_id}">' not in page


def test_one_project_is_synced_from_the_company_page(
    books: Books, priya: User, invoice: SubcontractorInvoice, other: SubcontractorInvoice
) -> None:
    books.put(payment("p7", ("7", "100")), payment("p8", ("8", "50")))
    press(browser(priya), invoice.company, project=other.project_id)
    assert (work().project, Payment.objects.get().invoice) == (other.project, other)


def test_the_projects_page_syncs_everything_unless_told_otherwise(
    books: Books, sam: User, invoice: SubcontractorInvoice
) -> None:
    press(browser(sam), invoice.project)
    assert work().is_whole
    press(browser(sam), invoice.project, project=invoice.project_id)
    assert work().project == invoice.project


def test_a_project_that_the_person_may_not_sync_does_not_exist(
    books: Books, sam: User, invoice: SubcontractorInvoice, other: SubcontractorInvoice
) -> None:
    assert press(browser(sam), invoice.company, project=other.project_id).status_code == 404
    assert not SyncRun.objects.exists()


def test_the_button_stands_on_the_commitment_and_on_the_synced_invoice(
    books: Books, sam: User, invoice: SubcontractorInvoice
) -> None:
    tab, page = (text(browser(sam).get(each)) for each in pages_of(invoice))
    assert "Sync this commitment" in tab
    assert "Sync this invoice" in page
    unsynced = InvoiceFactory(commitment=invoice.commitment)
    assert "Sync this invoice" not in text(browser(sam).get(pages_of(unsynced)[1]))


def test_readers_have_no_button(books: Books, sam: User, invoice: SubcontractorInvoice) -> None:
    grant_level(user=sam, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=invoice.project)
    for each in pages_of(invoice):
        assert "Sync this" not in text(browser(sam).get(each))
    target = url(invoice.project, "sync_invoice", invoice.pk)
    assert browser(sam).post(target).status_code == 403


@pytest.mark.parametrize("kind", ["invoice", "commitment"])
def test_it_is_synced_from_its_own_page_with_progress(
    books: Books, sam: User, invoice: SubcontractorInvoice, kind: str
) -> None:
    books.put(payment("p7", ("7", "100")), payment("p9", ("9", "50")))
    pk = invoice.pk if kind == "invoice" else invoice.commitment_id
    target = url(invoice.project, f"sync_{kind}", pk)
    client = browser(sam)
    shown = text(client.post(target, headers=HTMX))
    run = SyncRun.objects.get()
    assert f'hx-get="{target}?run={run.pk}"' in shown
    work()
    over = client.get(f"{target}?run={run.pk}", headers=HTMX)
    assert (over.status_code, over["HX-Trigger-After-Swap"]) == (286, "sync-finished")
    assert "1 payment read: 1 new" in text(over)
    assert Payment.objects.get().origin_data == "p7"


def test_without_scripts_the_button_leads_to_the_run(
    books: Books, sam: User, invoice: SubcontractorInvoice
) -> None:
    page = press(browser(sam), invoice.project, "sync_invoice", invoice.pk)
    assert f"Payments of invoice {invoice.invoice_number}" in text(page)


def test_whoever_comes_second_with_something_else_is_told_what_is_under_way(
    books: Books, priya: User, sam: User, invoice: SubcontractorInvoice
) -> None:
    press(browser(sam), invoice.project, "sync_invoice", invoice.pk)
    page = text(press(browser(priya), invoice.company))
    assert "Yours was not started" in page
    assert f"payments of invoice {invoice.invoice_number}" in page
    again = text(press(browser(sam), invoice.project, "sync_invoice", invoice.pk))
    assert "Yours was not started" not in again
    assert SyncRun.objects.count() == 1


def test_the_name_of_what_a_person_cannot_see_is_not_told(
    books: Books, priya: User, sam: User, invoice: SubcontractorInvoice, other: SubcontractorInvoice
) -> None:
    press(browser(priya), invoice.company, "sync_invoice", other.pk)
    run = SyncRun.objects.get()
    for name, args in (("subcontractor_invoices", ()), ("runs", ()), ("run", (run.pk,))):
        page = text(browser(sam).get(url(invoice.project, name, *args)))
        assert "a project you cannot see" in page, name
        assert "ELSEWHERE" not in page, name


# ------------------------------------------------------------------- previews
def preview_of(client: Client, where: Any, **data: Any) -> SyncRun:
    press(client, where, preview="1", **data)
    return work()


def test_a_preview_shows_old_and_new_and_apply_does_it(
    books: Books, priya: User, invoice: SubcontractorInvoice, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100"), check_number="1041"))
    engine.work_on(request_run(connection=connection, trigger=RunTrigger.COMMAND).pk)
    books.change("p1", check_number="1042")
    books.put(payment("p2", ("7", "5")), payment("p3", ("99", "5")))
    client = browser(priya)
    run = preview_of(client, invoice.company)
    page = text(client.get(url(invoice.company, "run", run.pk)))
    assert "Check #: <del>1041</del> → <ins>1042</ins>" in page
    assert "Bill unknown" in page
    assert Payment.objects.count() == 1
    applied = press(client, invoice.company, "preview_apply", run.pk)
    assert "reads the ERP anew" in text(applied)
    assert work().is_whole
    assert Payment.objects.get(origin_data="p1").check_number == "1042"
    assert "A sync has come to its end since" in text(
        client.get(url(invoice.company, "run", run.pk))
    )


def test_a_preview_is_filtered_by_what_would_happen(
    books: Books, priya: User, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "100")), payment("p2", ("99", "5")))
    client = browser(priya)
    run = preview_of(client, invoice.company)
    page = text(client.get(url(invoice.company, "run", run.pk), {"kind": "waiting"}))
    assert "Payment P2" in page
    assert "Payment P1" not in page
    sheet = b"".join(client.get(url(invoice.company, "preview_csv", run.pk)))
    assert sheet.count(b"\r\n") == 3


def test_people_of_a_project_see_its_rows_and_how_many_others_there_are(
    books: Books, priya: User, sam: User, invoice: SubcontractorInvoice, other: SubcontractorInvoice
) -> None:
    books.put(payment("p7", ("7", "100")), payment("p8", ("8", "50")), payment("p9", ("99", "1")))
    run = preview_of(browser(priya), invoice.company)
    page = text(browser(sam).get(url(invoice.project, "run", run.pk)))
    assert "Payment P7" in page
    assert "Payment P8" not in page
    assert "2 rows outside this project" in page
    sheet = b"".join(browser(sam).get(url(invoice.company, "preview_csv", run.pk)))
    assert b"P7" in sheet and b"P8" not in sheet


def test_the_right_to_apply_is_checked_at_the_click(
    books: Books, priya: User, sam: User, invoice: SubcontractorInvoice, other: SubcontractorInvoice
) -> None:
    run = preview_of(browser(priya), invoice.company, project=other.project_id)
    page = browser(sam).get(url(invoice.project, "run", run.pk))
    assert "Apply</button>" not in text(page)
    answer = browser(sam).post(url(invoice.project, "preview_apply", run.pk))
    assert answer.status_code == 403
    assert SyncRun.objects.count() == 1


def test_applying_twice_is_one_run(
    books: Books, priya: User, invoice: SubcontractorInvoice
) -> None:
    client = browser(priya)
    run = preview_of(client, invoice.company)
    for _ in range(2):
        press(client, invoice.company, "preview_apply", run.pk)
    assert SyncRun.objects.filter(is_preview=False).count() == 1


def test_a_preview_that_failed_cannot_be_applied(
    books: Books, priya: User, invoice: SubcontractorInvoice
) -> None:
    press(browser(priya), invoice.company, preview="1")
    run = SyncRun.objects.get()
    SyncRun.objects.update(state=RunState.FAILED, finished_at=timezone.now())
    page = press(browser(priya), invoice.company, "preview_apply", run.pk)
    assert "Start a new one" in text(page)
    assert SyncRun.objects.count() == 1


def test_a_page_of_many_rows_asks_no_more_than_one_of_few(
    books: Books, priya: User, invoice: SubcontractorInvoice, django_assert_max_num_queries: Any
) -> None:
    client = browser(priya)
    books.put(*(payment(f"p{n}", ("7", "1"), ("99", "1")) for n in range(60)))
    run = preview_of(client, invoice.company)
    with django_assert_max_num_queries(30):
        page = client.get(url(invoice.company, "run", run.pk))
    assert "120" in text(page)


# ------------------------------------------------------------------ back-fill
def test_a_back_fill_reads_from_its_day_and_leaves_the_cursor(
    books: Books, priya: User, invoice: SubcontractorInvoice, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    client = browser(priya)
    assert "Back-fill from a date" in text(client.get(url(invoice.company, "runs")))
    press(client, invoice.company, "back_fill", since="2026-05-01")
    run = work()
    assert (run.mode, run.since, run.created) == ("back_fill", dt.date(2026, 5, 1), 1)
    connection.refresh_from_db()
    assert (connection.cursor, connection.last_success_at) == (None, None)
    page = text(client.get(url(invoice.company, "run", run.pk)))
    assert "Payments since 05/01/2026" in page


@pytest.mark.parametrize("since", ["", "yesterday", "1999-12-31", "2999-01-01", "2026-02-31"])
def test_a_back_fill_needs_a_day_that_can_be(
    books: Books, priya: User, invoice: SubcontractorInvoice, since: str
) -> None:
    page = press(browser(priya), invoice.company, "back_fill", since=since)
    assert '<li class="error"' in text(page) or "Enter" in text(page)
    assert not SyncRun.objects.exists()


def test_people_who_may_not_sync_see_no_form_for_a_back_fill(
    books: Books, sam: User, invoice: SubcontractorInvoice
) -> None:
    grant_level(user=sam, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=invoice.project)
    assert "Back-fill from a date" not in text(browser(sam).get(url(invoice.project, "runs")))


# -------------------------------------------------------------- the run's page
def test_the_page_of_a_run_under_way_goes_on_by_itself(
    books: Books, priya: User, invoice: SubcontractorInvoice, connection: ErpConnection
) -> None:
    run = request_run(connection=connection, trigger=RunTrigger.COMMAND)
    client = browser(priya)
    progress = f"{url(invoice.company, 'run_progress', run.pk)}?seen=waiting&amp;on=run"
    assert progress in text(client.get(url(invoice.company, "run", run.pk)))
    engine.work_on(run.pk)
    over = client.get(progress.replace("&amp;", "&"), headers=HTMX)
    assert (over.status_code, over["HX-Trigger-After-Swap"]) == (286, "sync-finished")
    assert 'id="run"' in text(over)


def test_success_with_payments_that_wait_is_called_that(
    books: Books, priya: User, invoice: SubcontractorInvoice, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("99", "100")))
    run = request_run(connection=connection, trigger=RunTrigger.COMMAND)
    engine.work_on(run.pk)
    for name, args in (("run", (run.pk,)), ("runs", ())):
        page = text(browser(priya).get(url(invoice.company, name, *args)))
        assert "Succeeded, 1 waits" in page
        assert "Succeeded with issues</span>" not in page


def test_a_run_says_its_scope_and_its_calls(
    books: Books, priya: User, invoice: SubcontractorInvoice, connection: ErpConnection
) -> None:
    order = order_for(connection, Scope(commitment=invoice.commitment))
    run = request_run(connection=connection, trigger=RunTrigger.COMMAND, order=order)
    engine.work_on(run.pk)
    page = text(browser(priya).get(url(invoice.company, "run", run.pk)))
    assert f"Payments of commitment {invoice.commitment.number}" in page
    assert "<dt>Calls</dt><dd>1</dd>" in page
