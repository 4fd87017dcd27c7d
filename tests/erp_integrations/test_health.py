"""The home of the tool: how the connection is, what waits, what has to be done."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from erp_integrations.health.chart import Chart, duration
from erp_integrations.health.circuit import circuit_of
from erp_integrations.health.overview import Calls, Overview
from erp_integrations.models import (
    ErpConnection,
    Reconciliation,
    ReconciliationTotal,
    RunState,
    RunTrigger,
    SyncRun,
)
from erp_integrations.places import Place
from erp_integrations.providers.contract import Capabilities
from erp_integrations.providers.tryton.provider import TrytonProvider
from projects.access import Level, Tool
from projects.models import Company, ErpStatus, Project, User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.rows import allocation_of, erp_payment_of
from tests.factories import (
    CompanyFactory,
    ErpConnectionFactory,
    InvoiceFactory,
    ProjectFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 7, 6, 15, tzinfo=dt.UTC)


@pytest.fixture
def tryton() -> ErpConnection:
    return ErpConnectionFactory(company=CompanyFactory(name="Northstar Builders"))


@pytest.fixture
def carla(tryton: ErpConnection) -> User:
    carla = UserFactory(username="carla")
    set_accounting_approver(user=carla, company=tryton.company, is_approver=True)
    return carla


def run_of(
    connection: ErpConnection, state: RunState = RunState.SUCCEEDED, **values: Any
) -> SyncRun:
    start = values.pop("started_at", timezone.now())
    took = dt.timedelta(seconds=values.pop("seconds", 4))
    run = SyncRun.objects.create(
        company=connection.company, connection=connection, trigger=RunTrigger.SCHEDULE,
        state=state, queued_at=start, started_at=start, finished_at=start + took, **values,
    )  # fmt: skip
    SyncRun.objects.filter(pk=run.pk).update(created_at=start)
    return run


def home(person: User, place: Company | Project) -> str:
    client = Client()
    client.force_login(person)
    kind = "company" if isinstance(place, Company) else "project"
    page = client.get(reverse(f"erp_integrations:{kind}_home", args=[place.pk]))
    assert page.status_code == 200
    return " ".join(page.content.decode().split())


def overview(connection: ErpConnection, person: User) -> Overview:
    return Overview(Place(person, connection.company), connection)


# --- the connection in words ------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "new"),
        ({"last_success_at": NOW}, "closed"),
        ({"is_active": False}, "off"),
        ({"export_subcontractor_invoices": False}, "feature"),
        ({"consecutive_failures": 1}, "failing"),
        ({"consecutive_failures": 4, "circuit_open_until": NOW + dt.timedelta(hours=1)}, "resting"),
        ({"consecutive_failures": 4, "circuit_open_until": NOW - dt.timedelta(hours=1)}, "failing"),
        ({"stopped_at": NOW, "stopped_reason": "Tryton does not accept the key."}, "stopped"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_every_state_of_the_connection_has_words(
    tryton: ErpConnection, carla: User, changes: dict[str, Any], code: str
) -> None:
    ErpConnection.objects.filter(pk=tryton.pk).update(**changes)
    tryton.refresh_from_db()
    circuit = circuit_of(tryton)
    assert circuit.code == code
    page = home(carla, tryton.company)
    assert circuit.headline in page and circuit.sentence in page and circuit.advice in page


def test_only_administrators_are_led_to_the_settings(tryton: ErpConnection, carla: User) -> None:
    ErpConnection.objects.update(stopped_at=NOW, stopped_reason="Tryton refuses the key.")
    alice = UserFactory()
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=tryton.company)
    assert "Open Settings" in home(alice, tryton.company)
    assert "Open Settings" not in home(carla, tryton.company)


def test_a_company_without_an_erp_leads_its_administrator_to_connect_one() -> None:
    company, alice = CompanyFactory(), UserFactory()
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=company)
    assert "Connect an ERP" in home(alice, company)


# --- the last runs ----------------------------------------------------------------


def test_the_chart_has_the_last_fifty_runs_newest_at_the_right(
    tryton: ErpConnection, carla: User
) -> None:
    for minute in range(52):
        run_of(tryton, started_at=NOW + dt.timedelta(minutes=minute))
    run_of(tryton, is_preview=True)
    chart = overview(tryton, carla).chart
    assert chart is not None and len(chart.bars) == 50
    newest = SyncRun.objects.filter(is_preview=False).latest("created_at")
    assert chart.bars[-1].run == newest == chart.newest_first[0].run
    assert chart.bars[0].x >= 0 and chart.bars[-1].x + chart.bars[-1].width <= chart.width


def test_the_chart_says_in_words_what_it_draws(tryton: ErpConnection, carla: User) -> None:
    run_of(tryton, seconds=2)
    run_of(tryton, RunState.SUCCEEDED_WITH_ISSUES, seconds=4)
    run_of(tryton, RunState.FAILED, seconds=67, error_message="Tryton does not answer.")
    run_of(tryton, RunState.CANCELLED, seconds=1)
    page = home(carla, tryton.company)
    words = "The last 4 syncs: 2 of 3 (67%) succeeded. Typically 3.0 s, at the longest 1 min 7 s."
    assert f'role="img" aria-label="{words}"' in page
    assert "Tryton does not answer." in page and page.count("×</text>") == 1


def test_before_the_first_sync_the_page_says_what_will_be_here(
    tryton: ErpConnection, carla: User
) -> None:
    assert "No sync has ended yet." in home(carla, tryton.company)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0 ms"), (0.85, "850 ms"), (4.21, "4.2 s"), (67, "1 min 7 s"), (7500, "2 h 5 min")],
)
def test_durations_are_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_runs_that_took_no_time_can_be_drawn(tryton: ErpConnection) -> None:
    chart = Chart([run_of(tryton, seconds=0)], ["/"])
    assert chart.bars[0].height > 0


# --- calls and cursor -------------------------------------------------------------


@time_machine.travel(NOW, tick=False)
def test_calls_are_counted_by_the_companys_day(tryton: ErpConnection, carla: User) -> None:
    midnight = dt.datetime(2026, 7, 6, 4, tzinfo=dt.UTC)  # in New York
    run_of(tryton, started_at=midnight, calls=7)
    run_of(tryton, started_at=midnight - dt.timedelta(seconds=1), calls=100)
    assert overview(tryton, carla).calls.today == 7


@time_machine.travel(NOW, tick=False)
def test_a_long_run_spreads_its_calls_over_its_minutes(tryton: ErpConnection, carla: User) -> None:
    ten_minutes_ago = NOW - dt.timedelta(minutes=10)
    run_of(tryton, started_at=ten_minutes_ago, seconds=600, calls=1000, heartbeat_at=NOW)
    assert overview(tryton, carla).calls.this_minute == 100


def test_calls_stand_against_what_the_erp_allows() -> None:
    none = Calls("Tryton", Capabilities(), 12, 3)
    some = Calls("QuickBooks", Capabilities(calls_per_minute=60, calls_per_day=5000), 2500, 3)
    assert none.of_day == none.of_minute == "Tryton sets no limit"
    assert some.of_day == "50% of the 5,000 a day that QuickBooks allows"
    assert some.of_minute == "5% of the 60 a minute that QuickBooks allows"


def test_a_cursor_says_how_far_the_slowest_stream_was_read() -> None:
    position = {"modified": "2026-07-06T12:00:00+00:00", "id": 3}
    later = {"modified": "2026-07-06T13:00:00+00:00", "id": 9}
    assert TrytonProvider.read_until({"payments": later, "bills": position}) == NOW.replace(hour=12)
    assert TrytonProvider.read_until({"payments": later, "bills": None}) is None


def test_a_cursor_that_cannot_be_read_breaks_no_page(tryton: ErpConnection, carla: User) -> None:
    ErpConnection.objects.update(cursor={"payments": "?", "bills": 3})
    assert "Nothing was read yet" in home(carla, tryton.company)


# --- what has to be done ----------------------------------------------------------


def test_what_waits_is_counted_by_reason_the_oldest_first(
    tryton: ErpConnection, carla: User
) -> None:
    payment = erp_payment_of(tryton)
    long_ago = timezone.now() - dt.timedelta(days=3)
    allocation_of(payment, bill_id="1")
    allocation_of(payment, bill_id="2")
    allocation_of(payment, bill_id="3", reason="tab_disabled", waiting_since=long_ago)
    seen = overview(tryton, carla)
    assert [(each.label, each.count) for each in seen.waiting] == [
        ("Payments Issued tab disabled", 1),
        ("Bill unknown", 2),
    ]
    assert seen.oldest and seen.oldest.oldest == long_ago
    run = run_of(tryton)
    assert f"/runs/{run.pk}/#waiting-title" in home(carla, tryton.company)


def test_invoices_are_counted_where_they_stand(tryton: ErpConnection, carla: User) -> None:
    project = ProjectFactory(company=tryton.company)
    InvoiceFactory(commitment__project=project, bill="7")
    for status in (ErpStatus.SENT, ErpStatus.SENT, ErpStatus.FAILED):
        InvoiceFactory(commitment__project=project, erp_status=status)
    counted = {each.label: each.count for each in overview(tryton, carla).invoices}
    assert counted == {"Ready to Export": 2, "Failed to Export": 1, "Synced": 1}
    assert "?view=failed" in home(carla, tryton.company)


def test_a_project_counts_its_own(tryton: ErpConnection) -> None:
    tower, harbor = (ProjectFactory(company=tryton.company) for _ in range(2))
    for project in (tower, harbor, harbor):
        invoice = InvoiceFactory(commitment__project=project, erp_status=ErpStatus.FAILED)
        allocation_of(erp_payment_of(tryton), invoice=invoice, reason="tab_disabled")
    bob = UserFactory()
    grant_level(user=bob, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=tower)
    seen = Overview(Place(bob, tryton.company, tower), tryton)
    assert [each.count for each in seen.waiting] == [1]
    assert {each.count for each in seen.invoices} == {0, 1}
    home(bob, tower)


def test_the_last_comparison_of_both_books_is_shown(tryton: ErpConnection, carla: User) -> None:
    assert "Both books were not compared yet." in home(carla, tryton.company)
    project = ProjectFactory(company=tryton.company)
    compared = Reconciliation.objects.create(
        company=tryton.company, connection=tryton, run=run_of(tryton, mode="reconcile"),
        finished_at=NOW, invoices=4, differences=1,
    )  # fmt: skip
    ReconciliationTotal.objects.create(
        company=tryton.company, reconciliation=compared, project=project, currency="USD",
        erp_paid=1000, paid_here=750, unexplained=50, invoices=4, differences=1,
    )  # fmt: skip
    page = home(carla, tryton.company)
    assert "$250.00" in page and "$50.00" in page and "1 of 4" in page


@pytest.mark.parametrize("number", [1, 30])
def test_the_page_costs_the_same_whatever_there_is_to_count(
    tryton: ErpConnection, carla: User, number: int, django_assert_num_queries: Any
) -> None:
    project = ProjectFactory(company=tryton.company)
    for _ in range(number):
        run_of(tryton)
        invoice = InvoiceFactory(commitment__project=project, erp_status=ErpStatus.FAILED)
        allocation_of(erp_payment_of(tryton), invoice=invoice, reason="tab_disabled")
    client, url = Client(), reverse("erp_integrations:company_home", args=[tryton.company_id])
    client.force_login(carla)
    client.get(url)
    with django_assert_num_queries(19):
        client.get(url)
