"""The pages of the ERP Integrations tool."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from commitments.models import Commitment
from erp_integrations import freshness
from erp_integrations.models import (
    ErpConnection,
    RunState,
    RunTrigger,
    SyncIssue,
    SyncRun,
    SyncSchedule,
)
from erp_integrations.models.issue import IssueCode
from erp_integrations.runs import request_run
from projects.access import Level, Tool
from projects.models import Company, ErpStatus, Project, User
from projects.services import grant_level, set_accounting_approver, set_tool
from tests.erp_integrations.rows import allocation_of, erp_payment_of
from tests.factories import (
    CommitmentFactory,
    CompanyFactory,
    ErpConnectionFactory,
    InvoiceFactory,
    PaymentFactory,
    ProjectFactory,
    UserFactory,
    VendorFactory,
)

pytestmark = pytest.mark.django_db

BUTTON = "Sync Payments for Synced Invoices"


@pytest.fixture
def northstar() -> Company:
    return CompanyFactory(name="Northstar Builders")


@pytest.fixture
def riverside(northstar: Company) -> Project:
    return ProjectFactory(company=northstar, number="2026-001", name="Riverside Tower")


@pytest.fixture
def harbor(northstar: Company) -> Project:
    return ProjectFactory(company=northstar, number="2026-002", name="Harbor Bridge")


@pytest.fixture
def tryton(northstar: Company) -> ErpConnection:
    return ErpConnectionFactory(company=northstar)


@pytest.fixture
def alice(northstar: Company) -> User:
    """ERP Integrations: Admin."""
    alice = UserFactory(username="alice", first_name="Alice", last_name="Admin")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=northstar)
    return alice


@pytest.fixture
def carla(northstar: Company) -> User:
    """Accounting approver."""
    carla = UserFactory(username="carla", first_name="Carla", last_name="Counts")
    set_accounting_approver(user=carla, company=northstar, is_approver=True)
    return carla


@pytest.fixture
def bob(riverside: Project) -> User:
    """ERP Integrations: Standard, on Riverside only."""
    bob = UserFactory(username="bob")
    grant_level(user=bob, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=riverside)
    return bob


@pytest.fixture
def mallory() -> User:
    """Admin of another company."""
    mallory = UserFactory(username="mallory")
    for tool in Tool:
        grant_level(user=mallory, tool=tool, level=Level.ADMIN, on=CompanyFactory())
    return mallory


@pytest.fixture
def concrete(riverside: Project) -> Commitment:
    vendor = VendorFactory(company=riverside.company, name="Acme Concrete")
    return CommitmentFactory(project=riverside, number="SC-0012", vendor=vendor)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(place: Company | Project, name: str = "subcontractor_invoices", *args: int) -> str:
    kind = "company" if isinstance(place, Company) else "project"
    return reverse(f"erp_integrations:{kind}_{name}", args=[place.pk, *args])


def text(page: Any) -> str:
    """What stands on the page, with single spaces and plain apostrophes."""
    plain = page.content.decode().replace("&#x27;", "'").replace("&quot;", '"')
    return " ".join(plain.split())


def finished(run: SyncRun, state: RunState = RunState.SUCCEEDED, **values: Any) -> SyncRun:
    values = {"finished_at": timezone.now(), "phase": "done", **values}
    SyncRun.objects.filter(pk=run.pk).update(state=state, **values)
    run.refresh_from_db()
    return run


# --- who sees the tool -------------------------------------------------------------


@pytest.mark.parametrize("name", ["subcontractor_invoices", "runs"])
def test_the_tool_is_there_for_admins_approvers_and_standard_people(
    alice: User, carla: User, bob: User, northstar: Company, riverside: Project, name: str
) -> None:
    for person in (alice, carla, bob):
        for place in (northstar, riverside):
            assert browser(person).get(url(place, name)).status_code == 200


@pytest.mark.parametrize("name", ["subcontractor_invoices", "runs"])
def test_for_everybody_else_the_tool_does_not_exist(
    mallory: User, northstar: Company, riverside: Project, name: str
) -> None:
    reader = UserFactory()
    grant_level(user=reader, tool=Tool.ERP_INTEGRATIONS, level=Level.READ_ONLY, on=northstar)
    grant_level(user=reader, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=northstar)
    for person in (mallory, reader):
        for place in (northstar, riverside):
            assert browser(person).get(url(place, name)).status_code == 404


def test_a_project_without_the_tool_has_no_page(alice: User, riverside: Project) -> None:
    set_tool(project=riverside, tool=Tool.ERP_INTEGRATIONS, is_active=False)
    assert browser(alice).get(url(riverside)).status_code == 404


def test_bob_sees_nothing_of_projects_that_are_not_his(
    bob: User, northstar: Company, harbor: Project
) -> None:
    InvoiceFactory(commitment=CommitmentFactory(project=harbor), invoice_number="HARBOR-1")
    assert browser(bob).get(url(harbor)).status_code == 404
    assert "HARBOR-1" not in text(browser(bob).get(url(northstar)))


def test_the_tools_own_address_leads_to_the_invoices(alice: User, riverside: Project) -> None:
    assert browser(alice).get(url(riverside, "home"))["Location"] == url(riverside)


# --- the list ---------------------------------------------------------------------


def test_an_invoice_shows_what_was_paid_on_it(
    alice: User, northstar: Company, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7", origin_code="BILL-7")
    PaymentFactory(commitment=concrete, invoice=invoice, amount=Decimal("1250.50"))
    page = text(browser(alice).get(url(northstar)))
    for shown in (invoice.invoice_number, "BILL-7", "Acme Concrete", "$5,000.00", "$1,250.50"):
        assert shown in page
    assert "Partially Paid" in page


@pytest.mark.parametrize(
    ("paid", "status"),
    [
        ([], "Unpaid"),
        (["4999.99"], "Partially Paid"),
        (["5000"], "Paid"),
        (["3000", "3000"], "Paid"),
    ],
)
def test_the_payment_status_follows_the_payments(
    alice: User, riverside: Project, concrete: Commitment, paid: list[str], status: str
) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7")
    for amount in paid:
        PaymentFactory(commitment=concrete, invoice=invoice, amount=Decimal(amount))
    row = browser(alice).get(url(riverside)).context["rows"][0]
    assert row.payment_status == status


def test_a_voided_payment_does_not_count(
    alice: User, riverside: Project, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7")
    PaymentFactory(
        commitment=concrete, invoice=invoice, status="voided", voided_on=dt.date(2026, 7, 7)
    )
    row = browser(alice).get(url(riverside)).context["rows"][0]
    assert row.paid == 0 and row.payment_status == "Unpaid"


def test_the_views_hold_what_they_say(
    alice: User, riverside: Project, concrete: Commitment
) -> None:
    InvoiceFactory(commitment=concrete, invoice_number="PLAIN")
    InvoiceFactory(commitment=concrete, invoice_number="SENT", erp_status=ErpStatus.SENT)
    InvoiceFactory(commitment=concrete, invoice_number="BROKEN", erp_status=ErpStatus.FAILED)
    InvoiceFactory(commitment=concrete, invoice_number="SYNCED", bill="7")
    client, expected = browser(alice), {"ready": "SENT", "failed": "BROKEN", "synced": "SYNCED"}
    for view, number in expected.items():
        page = client.get(url(riverside), {"view": view})
        assert [row.invoice.invoice_number for row in page.context["rows"]] == [number]
    assert [each["count"].number for each in page.context["views"]] == [4, 1, 1, 1]


def test_a_failed_export_says_why(alice: User, riverside: Project, concrete: Commitment) -> None:
    InvoiceFactory(
        commitment=concrete, erp_status=ErpStatus.FAILED, erp_message="Cost code is not open."
    )
    assert "Cost code is not open." in text(browser(alice).get(url(riverside)))


@pytest.mark.parametrize("words", ["acme-77", "SC-0012", "concrete acme", "riverside", "BILL-7"])
def test_an_invoice_is_found_by_its_words(
    alice: User, northstar: Company, concrete: Commitment, words: str
) -> None:
    InvoiceFactory(commitment=concrete, invoice_number="ACME-77", bill="7", origin_code="BILL-7")
    page = browser(alice).get(url(northstar), {"q": words})
    assert len(page.context["rows"]) == 1


def test_a_search_without_result_says_so(alice: User, northstar: Company) -> None:
    page = text(browser(alice).get(url(northstar), {"q": "nothing like this"}))
    assert "No invoice here has all these words." in page


@pytest.mark.parametrize(
    "query", ["view=nonsense", "q=%00", "after=abc", "before=%00", "q=" + "x" * 300]
)
def test_nonsense_in_the_address_is_survived(alice: User, northstar: Company, query: str) -> None:
    assert browser(alice).get(f"{url(northstar)}?{query}").status_code == 200


def test_a_private_commitment_is_named_but_not_linked(
    carla: User, northstar: Company, concrete: Commitment
) -> None:
    Commitment.objects.update(is_private=True)
    InvoiceFactory(commitment=concrete)
    row = browser(carla).get(url(northstar)).context["rows"][0]
    assert row.commitment_url == ""


def test_a_commitment_is_linked_for_those_who_may_see_it(
    alice: User, northstar: Company, concrete: Commitment
) -> None:
    grant_level(user=alice, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=northstar)
    InvoiceFactory(commitment=concrete)
    row = browser(alice).get(url(northstar)).context["rows"][0]
    assert row.commitment_url in text(browser(alice).get(url(northstar)))
    assert row.commitment_url


@pytest.mark.parametrize("name", ["subcontractor_invoices", "runs"])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    alice: User, northstar: Company, tryton: ErpConnection, riverside: Project, name: str
) -> None:
    client, counts = browser(alice), []
    for _ in range(3):
        for _ in range(5):
            InvoiceFactory(commitment=CommitmentFactory(project=riverside))
        finished(request_run(connection=tryton, trigger=RunTrigger.BUTTON, requested_by=alice))
        with CaptureQueriesContext(database) as queries:
            client.get(url(northstar, name))
        counts.append(len(queries))
    assert counts[1] == counts[2] <= 40


# --- the button -------------------------------------------------------------------


@pytest.mark.parametrize("person", ["alice", "carla"])
def test_the_button_is_there_for_those_who_may(
    request: pytest.FixtureRequest, tryton: ErpConnection, riverside: Project, person: str
) -> None:
    page = text(browser(request.getfixturevalue(person)).get(url(riverside)))
    assert BUTTON in page and "cannot be synced from here" not in page


def test_bob_reads_why_there_is_no_button(
    bob: User, tryton: ErpConnection, riverside: Project
) -> None:
    page = text(browser(bob).get(url(riverside)))
    assert f">{BUTTON}<" not in page
    assert "Syncing needs Admin on the ERP Integrations tool, or an accounting approver." in page


def test_a_project_admin_may_sync(tryton: ErpConnection, riverside: Project) -> None:
    dora = UserFactory()
    grant_level(user=dora, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=riverside)
    assert browser(dora).post(url(riverside, "sync")).status_code == 302
    assert SyncRun.objects.get().requested_by == dora


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"is_active": False}, "The connection to Tryton is switched off."),
        ({"export_subcontractor_invoices": False}, "Export Subcontractor Invoices is switched off"),
        ({"provider": "sap"}, "does not offer its payments to other programs"),
        (
            {"stopped_at": timezone.now(), "stopped_reason": "The key was refused."},
            "Syncing has stopped: The key was refused.",
        ),
    ],
)
def test_what_keeps_the_button_away_is_said_in_a_sentence(
    alice: User, tryton: ErpConnection, northstar: Company, change: dict[str, Any], sentence: str
) -> None:
    ErpConnection.objects.update(**change)
    page = text(browser(alice).get(url(northstar)))
    assert sentence in page and f">{BUTTON}<" not in page
    browser(alice).post(url(northstar, "sync"))
    assert not SyncRun.objects.exists()


def test_without_a_connection_the_page_says_so(alice: User, northstar: Company) -> None:
    page = text(browser(alice).get(url(northstar)))
    assert "No ERP is connected to this company." in page
    assert browser(alice).post(url(northstar, "sync")).status_code == 302


def test_the_button_starts_a_sync(alice: User, tryton: ErpConnection, northstar: Company) -> None:
    page = browser(alice).post(url(northstar, "sync"), follow=True)
    assert "Waiting for a worker" in text(page) and "started by you" in text(page)
    assert SyncRun.objects.get().requested_by == alice


def test_pressing_twice_is_one_sync(alice: User, tryton: ErpConnection, northstar: Company) -> None:
    for _ in range(2):
        browser(alice).post(url(northstar, "sync"))
    assert SyncRun.objects.count() == 1


def test_two_people_see_the_same_sync_and_who_started_it(
    alice: User, carla: User, tryton: ErpConnection, northstar: Company
) -> None:
    browser(alice).post(url(northstar, "sync"))
    page = text(browser(carla).post(url(northstar, "sync"), headers={"HX-Request": "true"}))
    assert "started by Alice Admin" in page and "disabled" in page
    assert SyncRun.objects.count() == 1


def test_bobs_forged_post_is_refused(bob: User, tryton: ErpConnection, riverside: Project) -> None:
    assert browser(bob).post(url(riverside, "sync")).status_code == 403
    assert not SyncRun.objects.exists()


def test_mallorys_forged_post_finds_nothing(
    mallory: User, tryton: ErpConnection, riverside: Project, northstar: Company
) -> None:
    for place in (riverside, northstar):
        assert browser(mallory).post(url(place, "sync")).status_code == 404
    assert not SyncRun.objects.exists()


def test_a_sync_is_not_started_by_a_link(
    alice: User, tryton: ErpConnection, northstar: Company
) -> None:
    assert browser(alice).get(url(northstar, "sync")).status_code == 405


# --- progress ---------------------------------------------------------------------


@pytest.fixture
def run(tryton: ErpConnection, alice: User) -> SyncRun:
    return request_run(connection=tryton, trigger=RunTrigger.BUTTON, requested_by=alice)


def test_progress_shows_the_counts(alice: User, run: SyncRun, northstar: Company) -> None:
    SyncRun.objects.update(phase="reading", pages=3, payments_read=1500, created=1400)
    page = browser(alice).get(url(northstar, "run_progress", run.pk))
    assert page.status_code == 200
    for shown in ("Reading payments", "1,500", "1,400"):
        assert shown in text(page)


def test_each_phase_is_announced_once(alice: User, run: SyncRun, northstar: Company) -> None:
    SyncRun.objects.update(phase="reading")
    asked = url(northstar, "run_progress", run.pk)
    assert "sync-announcement" in text(browser(alice).get(asked, {"seen": "waiting"}))
    assert "sync-announcement" not in text(browser(alice).get(asked, {"seen": "reading"}))


def test_the_end_stops_the_asking_and_says_what_happened(
    alice: User, run: SyncRun, northstar: Company
) -> None:
    finished(run, payments_read=12, created=9, updated=2, unchanged=1, waiting=3)
    page = browser(alice).get(url(northstar, "run_progress", run.pk))
    assert page.status_code == 286
    assert page["HX-Trigger-After-Swap"] == "sync-finished"
    sentence = "12 payments read: 9 new, 2 changed, 1 unchanged. 3 wait for something."
    assert sentence in text(page) and url(northstar, "run", run.pk) in text(page)
    assert "hx-trigger" not in text(page)


def test_a_failure_is_shown_with_its_reason(alice: User, run: SyncRun, northstar: Company) -> None:
    finished(run, RunState.FAILED, error_code="TransientError", error_message="No answer came.")
    page = text(browser(alice).get(url(northstar, "run_progress", run.pk)))
    assert "No answer came." in page and "What to do" in page


def test_a_run_of_others_has_no_progress(
    mallory: User, bob: User, run: SyncRun, northstar: Company
) -> None:
    other = ErpConnectionFactory()
    foreign = request_run(connection=other, trigger=RunTrigger.SCHEDULE)
    assert browser(mallory).get(url(northstar, "run_progress", run.pk)).status_code == 404
    assert browser(bob).get(url(northstar, "run_progress", foreign.pk)).status_code == 404


# --- cancelling -------------------------------------------------------------------


def test_a_sync_is_cancelled(carla: User, run: SyncRun, riverside: Project) -> None:
    browser(carla).post(url(riverside, "run_cancel", run.pk))
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED and "Carla Counts" in run.error_message


def test_bob_and_mallory_cancel_nothing(
    bob: User, mallory: User, run: SyncRun, riverside: Project
) -> None:
    assert browser(bob).post(url(riverside, "run_cancel", run.pk)).status_code == 403
    assert browser(mallory).post(url(riverside, "run_cancel", run.pk)).status_code == 404
    run.refresh_from_db()
    assert run.is_active


# --- schedule and connection ------------------------------------------------------


def test_never_says_that_automatic_sync_is_off(
    alice: User, tryton: ErpConnection, northstar: Company
) -> None:
    ErpConnection.objects.update(sync_schedule=SyncSchedule.NEVER, next_sync_at=None)
    page = text(browser(alice).get(url(northstar)))
    assert "Never: automatic sync is off" in page and BUTTON in page


def test_the_connection_is_shown_without_its_secrets(
    alice: User, carla: User, tryton: ErpConnection, northstar: Company
) -> None:
    ErpConnection.objects.update(settings={"url": "https://me:pass@erp.example.com/?k=1"})
    page = text(browser(alice).get(url(northstar)))
    assert "https://erp.example.com/" in page and "Carla Counts" in page
    assert "me:pass" not in page and "k=1" not in page


def test_only_those_who_may_change_it_are_led_to_the_settings(
    alice: User, carla: User, tryton: ErpConnection, northstar: Company
) -> None:
    assert "Settings of the connection" in text(browser(alice).get(url(northstar)))
    assert "Settings of the connection" not in text(browser(carla).get(url(northstar)))


# --- history and one run ----------------------------------------------------------


def test_the_history_is_empty_at_first(alice: User, northstar: Company) -> None:
    assert "Nothing was synced yet." in text(browser(alice).get(url(northstar, "runs")))


def test_the_history_is_filtered_by_state(
    alice: User, tryton: ErpConnection, run: SyncRun, northstar: Company
) -> None:
    finished(run, RunState.FAILED)
    finished(request_run(connection=tryton, trigger=RunTrigger.SCHEDULE))
    page = browser(alice).get(url(northstar, "runs"), {"state": "failed"})
    assert [row.run for row in page.context["rows"]] == [run]
    assert len(browser(alice).get(url(northstar, "runs")).context["rows"]) == 2


def waiting_row(connection: ErpConnection, commitment: Commitment | None, reason: str) -> Any:
    invoice = InvoiceFactory(commitment=commitment) if commitment else None
    payment = erp_payment_of(connection, number=f"PAY-{reason}", vendor_name="Acme Ltd")
    return allocation_of(payment, reason=reason, invoice=invoice)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("bill_unknown", "No invoice here is linked to bill BILL-7."),
        ("invoice_not_synced", "of SC-0012 is not synced with the ERP."),
        ("tool_inactive", "switched off on project 2026-001 Riverside Tower."),
        ("tab_disabled", "Payments Issued is switched off on SC-0012."),
        ("payment_pending", "prepared in the ERP but not issued yet"),
        ("vendor_mismatch", "The ERP paid Acme Ltd, but SC-0012 is with Acme Concrete."),
        ("currency_mismatch", "The payment is in USD, but SC-0012 is in USD."),
        ("amount_exceeds_bill", "add up to more than the bill"),
    ],
)
def test_what_waits_says_what_to_do(
    alice: User,
    tryton: ErpConnection,
    run: SyncRun,
    northstar: Company,
    concrete: Commitment,
    reason: str,
    sentence: str,
) -> None:
    waiting_row(tryton, None if reason == "bill_unknown" else concrete, reason)
    page = text(browser(alice).get(url(northstar, "run", run.pk)))
    assert sentence in page and "$1,250.00" in page


def test_the_switch_of_the_tab_is_linked_for_those_who_may_use_it(
    alice: User, tryton: ErpConnection, run: SyncRun, northstar: Company, concrete: Commitment
) -> None:
    waiting_row(tryton, concrete, "tab_disabled")
    page = url(northstar, "run", run.pk)
    assert "Open Advanced Settings" not in text(browser(alice).get(page))
    grant_level(user=alice, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=northstar)
    assert "Open Advanced Settings" in text(browser(alice).get(page))


def test_bob_sees_what_waits_in_his_project_and_counts_of_the_rest(
    bob: User,
    tryton: ErpConnection,
    run: SyncRun,
    northstar: Company,
    riverside: Project,
    harbor: Project,
    concrete: Commitment,
) -> None:
    waiting_row(tryton, concrete, "tab_disabled")
    bridge = CommitmentFactory(project=harbor, number="SC-0099")
    waiting_row(tryton, bridge, "vendor_mismatch")
    waiting_row(tryton, None, "bill_unknown")
    company = text(browser(bob).get(url(northstar, "run", run.pk)))
    assert "SC-0012" in company and "SC-0099" not in company and "BILL-7" in company
    assert "And 2 in projects you cannot see." in company
    project = text(browser(bob).get(url(riverside, "run", run.pk)))
    assert "And 2 outside this project." in project


def issue_of(run: SyncRun, **values: Any) -> SyncIssue:
    row: dict[str, Any] = {
        "company": run.company,
        "connection": run.connection,
        "run": run,
        "code": IssueCode.UNUSABLE_RECORD,
        "message": "The amount is no number.",
        "remote_id": "payment-9",
        **values,
    }
    return SyncIssue.objects.create(**row)


def test_a_problem_says_what_is_wrong_and_what_to_do(
    alice: User, run: SyncRun, northstar: Company
) -> None:
    issue_of(run)
    page = text(browser(alice).get(url(northstar, "run", run.pk)))
    assert "The amount is no number." in page and "Correct the record in the ERP." in page


def test_bob_gets_the_number_of_problems_that_are_not_his(
    bob: User, run: SyncRun, northstar: Company, harbor: Project
) -> None:
    secret = InvoiceFactory(commitment=CommitmentFactory(project=harbor))
    issue_of(run, invoice=secret, message="Secret of the bridge.")
    page = text(browser(bob).get(url(northstar, "run", run.pk)))
    assert "Secret of the bridge." not in page
    assert "1 problem in projects you cannot see." in page


def test_a_failed_run_says_what_to_do(alice: User, run: SyncRun, northstar: Company) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    finished(
        run,
        RunState.FAILED,
        error_code="AuthenticationError",
        error_message="Tryton does not accept the key.",
    )
    page = text(browser(alice).get(url(northstar, "run", run.pk)))
    assert "Tryton does not accept the key." in page
    assert "has to enter new credentials" in page and "Open Settings" in page


def test_a_run_of_another_company_does_not_exist(
    alice: User, northstar: Company, mallory: User, run: SyncRun
) -> None:
    foreign = request_run(connection=ErpConnectionFactory(), trigger=RunTrigger.SCHEDULE)
    for name in ("run", "run_issues_csv"):
        assert browser(alice).get(url(northstar, name, foreign.pk)).status_code == 404
        assert browser(mallory).get(url(northstar, name, run.pk)).status_code == 404


def test_the_download_holds_what_the_page_shows_and_no_formulas(
    bob: User,
    tryton: ErpConnection,
    run: SyncRun,
    northstar: Company,
    concrete: Commitment,
    harbor: Project,
) -> None:
    waiting_row(tryton, concrete, "tab_disabled")
    waiting_row(tryton, CommitmentFactory(project=harbor, number="SC-0099"), "tab_disabled")
    issue_of(run, message="=1+1", invoice=InvoiceFactory(commitment=concrete))
    download = browser(bob).get(url(northstar, "run_issues_csv", run.pk))
    sheet = b"".join(download).decode()  # type: ignore[arg-type]  # it is streamed
    assert sheet.startswith("\ufeffKind")
    assert "SC-0012" in sheet and ",1250.00," in sheet and "'=1+1" in sheet
    assert "SC-0099" not in sheet


# --- the line above Payments Issued -----------------------------------------------


def test_payments_issued_says_how_fresh_it_is(
    tryton: ErpConnection, concrete: Commitment, riverside: Project
) -> None:
    ErpConnection.objects.update(last_success_at=dt.datetime(2026, 7, 6, 15, tzinfo=dt.UTC))
    reader = UserFactory()
    grant_level(user=reader, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=riverside)
    line = freshness.last_synced(concrete, reader)
    assert line is not None
    assert line["text"] == "Last synced with Tryton: 07/06/2026 11:00 AM EDT."
    assert line["url"] == ""


def test_the_history_is_linked_for_those_who_may_open_it(
    bob: User, tryton: ErpConnection, concrete: Commitment, riverside: Project
) -> None:
    line = freshness.last_synced(concrete, bob)
    assert line is not None
    assert line["url"] == url(riverside, "runs")
    assert line["text"] == "Payments were not synced with Tryton yet."


def test_without_an_erp_there_is_no_such_line(bob: User, concrete: Commitment) -> None:
    assert freshness.last_synced(concrete, bob) is None
