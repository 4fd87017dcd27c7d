"""The history of syncs, and the page of one of them."""

from typing import Any

import pytest

from commitments.models import Commitment
from erp_integrations.models import (
    ErpConnection,
    RunState,
    RunTrigger,
    SyncIssue,
    SyncRun,
)
from erp_integrations.models.issue import IssueCode
from erp_integrations.runs import request_run
from projects.access import Level, Tool
from projects.models import Company, Project, User
from projects.services import grant_level
from tests.erp_integrations.pages.reading import browser, finished, text, url
from tests.erp_integrations.rows import allocation_of, erp_payment_of
from tests.factories import (
    CommitmentFactory,
    ErpConnectionFactory,
    InvoiceFactory,
)

pytestmark = pytest.mark.django_db


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
