"""ERP connections and runs in the Django admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from erp_integrations import connections
from erp_integrations.connections import connect
from erp_integrations.models import (
    ErpConnection,
    RunState,
    RunTrigger,
    SyncRun,
    SyncSchedule,
)
from erp_integrations.providers.errors import AuthenticationError
from erp_integrations.runs import request_run
from projects.access import Level, Tool
from projects.models import Company, User
from projects.services import grant_level
from tests.commitments.fixtures import browser
from tests.erp_integrations.rows import erp_payment_of
from tests.factories import ErpConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db

ADD = "admin:erp_integrations_erpconnection_add"
LIST = "admin:erp_integrations_erpconnection_changelist"
MODELS = (
    "erpconnection",
    "connectionevent",
    "syncrun",
    "syncissue",
    "erppayment",
    "erpallocation",
    "oauthgrant",
)


@pytest.fixture
def tryton(northstar: Company) -> ErpConnection:
    return connect(
        company=northstar,
        by=None,
        provider="tryton",
        name="Tryton",
        settings={"url": "http://127.0.0.1:1", "database": "books"},
        credentials={"key": "very secret"},
        export_subcontractor_invoices=True,
    )


def form(company: Company, **values: Any) -> dict[str, Any]:
    return {
        "company": company.pk,
        "name": "Tryton",
        "currency": "USD",
        "is_active": "on",
        "erp_url": "http://127.0.0.1:1",
        "erp_database": "books",
        "erp_key": "",
        "export_subcontractor_invoices": "on",
        "sync_schedule": "hourly",
        "sends_email": "on",
        "payment_email_delay_hours": "24",
        "raw_retention_days": "90",
        **values,
    }


def change(connection: ErpConnection) -> str:
    return reverse("admin:erp_integrations_erpconnection_change", args=[connection.pk])


def sentences(page: Any) -> str:
    return " ".join(str(message) for message in page.context["messages"])


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens(alice: User, tryton: ErpConnection, model: str) -> None:
    erp_payment_of(tryton)
    request_run(connection=tryton, trigger=RunTrigger.BUTTON, requested_by=alice)
    url = reverse(f"admin:erp_integrations_{model}_changelist")
    assert browser(alice).get(url).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_another_companys_rows_are_not_there(
    mallory: User, tryton: ErpConnection, model: str
) -> None:
    erp_payment_of(tryton)
    request_run(connection=tryton, trigger=RunTrigger.SCHEDULE)
    page = browser(mallory).get(reverse(f"admin:erp_integrations_{model}_changelist"))
    assert page.context["cl"].result_count == 0
    assert "Northstar" not in page.content.decode()


def test_the_commitments_tool_does_not_open_connections(northstar: Company) -> None:
    dora = UserFactory(is_staff=True)
    grant_level(user=dora, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=northstar)
    assert browser(dora).get(reverse(LIST)).status_code == 403


def test_an_erp_is_connected(alice: User, northstar: Company) -> None:
    browser(alice).post(reverse(ADD) + "?provider=tryton", form(northstar, erp_key="very secret"))
    connection = ErpConnection.objects.get()
    assert connection.settings["database"] == "books"
    assert connection.credentials.reveal() == {"key": "very secret"}
    assert connection.next_sync_at is not None


def test_a_company_of_others_cannot_be_connected(mallory: User, northstar: Company) -> None:
    page = browser(mallory).post(
        reverse(ADD) + "?provider=tryton", form(northstar, erp_key="very secret")
    )
    assert "Select a valid choice" in page.content.decode()
    assert not ErpConnection.objects.exists()


def test_a_stored_secret_is_never_shown_and_kept_when_left_empty(
    alice: User, northstar: Company, tryton: ErpConnection
) -> None:
    client = browser(alice)
    page = client.get(change(tryton)).content.decode()
    assert "very secret" not in page and "Stored. Leave empty to keep it." in page
    assert client.post(change(tryton), form(northstar, name="Books")).status_code == 302
    tryton.refresh_from_db()
    assert tryton.name == "Books"
    assert tryton.credentials.reveal() == {"key": "very secret"}


def test_new_credentials_give_a_stopped_connection_a_new_chance(
    alice: User, northstar: Company, tryton: ErpConnection
) -> None:
    tryton.stopped_at, tryton.stopped_reason = tryton.created_at, "The key was refused."
    tryton.save()
    browser(alice).post(change(tryton), form(northstar, erp_key="newer"))
    tryton.refresh_from_db()
    assert tryton.stopped_at is None and tryton.stopped_reason == ""


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("erp.example.com", connections.NO_SCHEME),
        ("ftp://erp.example.com", connections.NO_SCHEME),
        ("https://", connections.NO_HOST),
    ],
)
def test_a_wrong_address_is_answered_by_a_sentence(
    alice: User, northstar: Company, url: str, sentence: str
) -> None:
    page = browser(alice).post(
        reverse(ADD) + "?provider=tryton", form(northstar, erp_url=url, erp_key="x")
    )
    assert sentence in page.content.decode()
    assert not ErpConnection.objects.exists()


def test_a_wrong_schedule_is_answered_by_a_sentence(alice: User, northstar: Company) -> None:
    data = form(northstar, erp_key="x", sync_schedule="every_minute")
    page = browser(alice).post(reverse(ADD) + "?provider=tryton", data)
    assert "every_minute is not one of the available choices" in page.content.decode()


def test_a_wrong_currency_is_answered_by_a_sentence(alice: User, northstar: Company) -> None:
    page = browser(alice).post(
        reverse(ADD) + "?provider=tryton", form(northstar, erp_key="x", currency="ZZZ")
    )
    assert "“ZZZ” is not a currency" in page.content.decode()


def test_the_books_stay_the_same_once_payments_were_read(
    alice: User, northstar: Company, tryton: ErpConnection
) -> None:
    erp_payment_of(tryton)
    page = browser(alice).post(change(tryton), form(northstar, erp_database="other"))
    assert "Payments were read from Tryton already." in page.content.decode()
    tryton.refresh_from_db()
    assert tryton.settings["database"] == "books"


def test_never_clears_the_next_sync(alice: User, northstar: Company, tryton: ErpConnection) -> None:
    browser(alice).post(change(tryton), form(northstar, sync_schedule=SyncSchedule.NEVER))
    tryton.refresh_from_db()
    assert tryton.sync_schedule == SyncSchedule.NEVER and tryton.next_sync_at is None


def test_a_connection_with_payments_cannot_be_deleted(alice: User, tryton: ErpConnection) -> None:
    erp_payment_of(tryton)
    client = browser(alice)
    url = reverse("admin:erp_integrations_erpconnection_delete", args=[tryton.pk])
    assert client.post(url, {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [tryton.pk], "post": "yes"}
    page = client.post(reverse(LIST), data)
    assert "cannot be deleted. Switch it off instead" in page.content.decode()
    assert ErpConnection.objects.exists()


def test_a_connection_that_never_worked_is_deleted_with_its_runs(
    alice: User, tryton: ErpConnection
) -> None:
    run = request_run(connection=tryton, trigger=RunTrigger.BUTTON, requested_by=alice)
    SyncRun.objects.filter(pk=run.pk).update(state="failed", finished_at=run.created_at)
    url = reverse("admin:erp_integrations_erpconnection_delete", args=[tryton.pk])
    browser(alice).post(url, {"post": "yes"})
    assert not ErpConnection.objects.exists()


def press(client: Client, connection: ErpConnection, button: str) -> Any:
    url = reverse("admin:erp_integrations_erpconnection_press", args=[connection.pk, button])
    return client.post(url, follow=True)


def test_the_connection_is_tested(
    alice: User, tryton: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = "Tryton 8.2 answered for Northstar Builders."
    monkeypatch.setattr(connections, "test_connection", lambda connection: answer)
    assert answer in sentences(press(browser(alice), tryton, "test"))


def test_a_failed_test_says_why(
    alice: User, tryton: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: ErpConnection) -> str:
        raise AuthenticationError("Tryton does not accept the key.")

    monkeypatch.setattr(connections, "test_connection", refuse)
    assert "Tryton does not accept the key." in sentences(press(browser(alice), tryton, "test"))


def test_a_sync_is_started_by_the_button_of_the_page(alice: User, tryton: ErpConnection) -> None:
    page = press(browser(alice), tryton, "sync")
    run = SyncRun.objects.get()
    assert run.requested_by == alice and run.mode == "changes"
    assert f"sync {run.pk}" in sentences(page)


def test_a_sync_that_cannot_be_says_why(alice: User, tryton: ErpConnection) -> None:
    connections.change_settings(connection=tryton, by=None, is_active=False)
    page = press(browser(alice), tryton, "sync")
    assert "The connection to Tryton is switched off." in sentences(page)
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize("button", ["test", "sync", "sweep"])
def test_another_companys_buttons_do_not_exist(
    mallory: User, tryton: ErpConnection, button: str
) -> None:
    assert press(browser(mallory), tryton, button).status_code == 404
    assert not SyncRun.objects.exists()


def test_a_button_is_not_pressed_by_a_link(alice: User, tryton: ErpConnection) -> None:
    url = reverse("admin:erp_integrations_erpconnection_press", args=[tryton.pk, "sync"])
    assert browser(alice).get(url).status_code == 404


def test_a_run_is_cancelled(alice: User, tryton: ErpConnection) -> None:
    run = request_run(connection=tryton, trigger=RunTrigger.BUTTON, requested_by=alice)
    data = {"action": "cancel", "_selected_action": [run.pk]}
    browser(alice).post(reverse("admin:erp_integrations_syncrun_changelist"), data)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


def test_another_companys_run_is_not_cancelled(mallory: User, tryton: ErpConnection) -> None:
    run = request_run(connection=tryton, trigger=RunTrigger.SCHEDULE)
    data = {"action": "cancel", "_selected_action": [run.pk]}
    browser(mallory).post(reverse("admin:erp_integrations_syncrun_changelist"), data)
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_a_queued_run_is_rung_for_again(
    alice: User, tryton: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr("erp_integrations.runs.ring_for", rung.append)
    run = request_run(connection=tryton, trigger=RunTrigger.BUTTON, requested_by=alice)
    data = {"action": "resume", "_selected_action": [run.pk]}
    browser(alice).post(reverse("admin:erp_integrations_syncrun_changelist"), data)
    assert rung == [run.pk]


@pytest.mark.parametrize("model", ["syncrun", "syncissue", "erppayment", "erpallocation"])
def test_what_syncing_writes_is_not_written_by_hand(tryton: ErpConnection, model: str) -> None:
    root = UserFactory(is_staff=True, is_superuser=True)
    url = reverse(f"admin:erp_integrations_{model}_add")
    assert browser(root).get(url).status_code == 403


def test_connecting_a_second_erp_is_refused_with_a_sentence(
    alice: User, northstar: Company
) -> None:
    ErpConnectionFactory(company=northstar)
    page = browser(alice).post(reverse(ADD) + "?provider=tryton", form(northstar, erp_key="x"))
    assert "ERP connection with this Company already exists." in page.content.decode()
