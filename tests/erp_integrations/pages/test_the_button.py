"""The button that starts a sync, how far it is, and stopping it."""

from typing import Any

import pytest
from django.utils import timezone

from erp_integrations.models import (
    ErpConnection,
    RunState,
    RunTrigger,
    SyncRun,
)
from erp_integrations.runs import request_run
from projects.access import Level, Tool
from projects.models import Company, Project, User
from projects.services import grant_level
from tests.erp_integrations.pages.reading import BUTTON, browser, finished, text, url
from tests.factories import (
    ErpConnectionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


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
