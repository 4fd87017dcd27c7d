"""The Settings tab, and the history of what was set."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from erp_integrations import connections
from erp_integrations.connection_history import in_words
from erp_integrations.models import ConnectionEvent, ErpConnection, SyncSchedule
from projects.access import Level, Tool
from projects.models import Company, User
from projects.services import grant_level, set_accounting_approver, something_was_enabled
from tests.factories import CompanyFactory, ErpConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db

SETTINGS = {"url": "http://127.0.0.1:1", "database": "books"}


@pytest.fixture
def northstar() -> Company:
    return CompanyFactory(name="Northstar Builders")


@pytest.fixture
def alice(northstar: Company) -> User:
    alice = UserFactory(username="alice", first_name="Alice", last_name="Admin")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=northstar)
    return alice


@pytest.fixture
def tryton(northstar: Company) -> ErpConnection:
    return connections.connect(
        company=northstar,
        by=None,
        provider="tryton",
        name="Tryton",
        settings=SETTINGS,
        credentials={"key": "first"},
    )


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(company: Company, page: str = "settings") -> str:
    return reverse(f"erp_integrations:company_{page}", args=[company.pk])


def filled(**values: Any) -> dict[str, Any]:
    defaults = {
        "sync_schedule": "hourly",
        "payment_email_delay_hours": "24",
        "raw_retention_days": "90",
        "is_active": "on",
        "sends_email": "on",
    }
    return {name: value for name, value in (defaults | values).items() if value is not None}


def history() -> list[tuple[str, str, str]]:
    rows = ConnectionEvent.objects.order_by("pk").exclude(old="", label="Connection")
    return list(rows.values_list("label", "old", "new"))


def test_an_administrator_changes_the_schedule_and_it_is_written_down(
    alice: User, tryton: ErpConnection
) -> None:
    page = browser(alice).post(
        url(tryton.company), filled(sync_schedule="every_4_hours"), follow=True
    )
    tryton.refresh_from_db()
    assert tryton.schedule == SyncSchedule.EVERY_4_HOURS
    assert history() == [("Sync Payments for Synced Invoices", "Hourly", "Every 4 Hours")]
    assert "The settings are saved." in page.content.decode()
    assert ConnectionEvent.objects.first().actor == alice  # type: ignore[union-attr]


def test_every_setting_is_written_down(alice: User, tryton: ErpConnection) -> None:
    connections.change_settings(
        connection=tryton,
        by=alice,
        is_active=False,
        sync_schedule=SyncSchedule.NEVER,
        export_subcontractor_invoices=True,
        direct_export=True,
        override_invoice_number=True,
        sends_email=False,
        payment_email_delay_hours=48,
        raw_retention_days=30,
    )
    assert history() == [
        ("Connection", "On", "Off"),
        ("Sync Payments for Synced Invoices", "Hourly", "Never"),
        ("Export Subcontractor Invoices", "Off", "On"),
        ("ERP Direct Exports", "Off", "On"),
        ("Override Subcontractor Invoice Number", "Off", "On"),
        ("E-mail", "On", "Off"),
        ("Wait before “payment recorded” e-mail", "24 hours", "48 hours"),
        ("Retention of raw payloads", "90 days", "30 days"),
    ]


def test_saving_what_is_set_already_writes_nothing(alice: User, tryton: ErpConnection) -> None:
    page = browser(alice).post(url(tryton.company), filled(), follow=True)
    assert history() == []
    assert "Nothing was changed." in page.content.decode()


def test_credentials_are_written_down_without_their_values(
    alice: User, tryton: ErpConnection
) -> None:
    form = {"name": "Books", "currency": "USD", "erp_url": SETTINGS["url"]}
    answer = browser(alice).post(
        url(tryton.company, "connection"), {**form, "erp_database": "books", "erp_key": "second"}
    )
    assert answer.status_code == 302
    label = next(
        field for field in ("API key", "Key") if (field, "Stored", "Replaced") in history()
    )
    assert history() == [("Name", "Tryton", "Books"), (label, "Stored", "Replaced")]
    assert "second" not in str(list(ConnectionEvent.objects.values()))


def test_a_sign_in_within_an_address_is_not_written_down(tryton: ErpConnection) -> None:
    tryton.settings = {"url": "https://me:word@erp.example.com/?key=1", "database": "books"}
    assert "https://erp.example.com/" in in_words(tryton).values()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sync_schedule": "every_minute"},
        {"raw_retention_days": "0"},
        {"raw_retention_days": "99999"},
        {"payment_email_delay_hours": "-1"},
        {"payment_email_delay_hours": "many"},
    ],
)
def test_what_is_not_a_choice_is_refused(
    alice: User, tryton: ErpConnection, wrong: dict[str, str]
) -> None:
    page = browser(alice).post(url(tryton.company), filled(**wrong))
    assert page.status_code == 200 and "errorlist" in page.content.decode()
    assert history() == []


def test_the_schedule_has_exactly_five_choices(alice: User, tryton: ErpConnection) -> None:
    """Domain sheet, Appendix B, rule 11."""
    page = browser(alice).get(url(tryton.company))
    choices = page.context["form"].fields["sync_schedule"].choices
    assert [label for _, label in choices] == [
        "Hourly",
        "Every 2 Hours",
        "Every 4 Hours",
        "Daily",
        "Never",
    ]


def test_switching_the_feature_on_lets_waiting_payments_in(
    tryton: ErpConnection, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[int] = []
    something_was_enabled.connect(receiver := lambda company_id, **_: heard.append(company_id))
    with django_capture_on_commit_callbacks(execute=True):
        connections.change_settings(connection=tryton, by=None, export_subcontractor_invoices=True)
        connections.change_settings(connection=tryton, by=None, sends_email=False)
    something_was_enabled.disconnect(receiver)
    assert heard == [tryton.company_id]


def test_only_administrators_of_the_company_have_the_page(tryton: ErpConnection) -> None:
    approver, standard = UserFactory(), UserFactory()
    set_accounting_approver(user=approver, company=tryton.company, is_approver=True)
    grant_level(user=standard, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=tryton.company)
    for person in (approver, standard):
        for page in ("settings", "connection"):
            assert browser(person).get(url(tryton.company, page)).status_code == 404
            assert browser(person).post(url(tryton.company, page)).status_code == 404
        assert browser(person).post(url(tryton.company, "test_connection")).status_code == 404
        home = browser(person).get(url(tryton.company, "runs")).content.decode()
        assert url(tryton.company) not in home
    assert history() == []


def test_another_companys_history_is_not_shown(alice: User, tryton: ErpConnection) -> None:
    other = ErpConnectionFactory()
    connections.change_settings(connection=other, by=alice, sends_email=False)
    assert browser(alice).get(url(other.company)).status_code == 404
    rows = browser(alice).get(url(tryton.company)).context["page"]
    assert {event.company for event in rows} == {tryton.company}


def test_the_first_connection_is_made_here(alice: User, northstar: Company) -> None:
    page = browser(alice).get(url(northstar)).content.decode()
    assert "Connect Tryton" in page
    form = {"name": "Tryton", "currency": "USD", "erp_database": "books", "erp_key": "first"}
    address = f"{url(northstar, 'connection')}?provider=tryton"
    answer = browser(alice).post(address, {**form, "erp_url": "http://127.0.0.1:1"})
    assert answer.status_code == 302
    made = ErpConnection.objects.get()
    assert made.company == northstar and made.credentials.reveal() == {"key": "first"}


def test_an_erp_that_is_not_installed_cannot_be_connected(alice: User, northstar: Company) -> None:
    address = f"{url(northstar, 'connection')}?provider=sap"
    assert browser(alice).get(address).status_code == 404


def test_testing_tells_what_is_wrong(alice: User, tryton: ErpConnection) -> None:
    page = browser(alice).post(url(tryton.company, "test_connection"), follow=True)
    assert "The connection does not work." in page.content.decode()


def test_the_history_of_a_removed_connection_stays(alice: User, tryton: ErpConnection) -> None:
    connections.remove_connection(connection=tryton, by=alice)
    page = browser(alice).get(url(tryton.company)).content.decode()
    assert "Removed" in page and "Alice Admin" in page


@pytest.mark.parametrize("changes", [1, 20])
def test_the_page_costs_the_same_however_long_the_history(
    alice: User, tryton: ErpConnection, changes: int, django_assert_num_queries: Any
) -> None:
    for days in range(1, changes + 1):
        connections.change_settings(connection=tryton, by=alice, raw_retention_days=days)
    client = browser(alice)
    client.get(url(tryton.company))
    with django_assert_num_queries(8):
        client.get(url(tryton.company))
