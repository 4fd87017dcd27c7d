"""The top bar: the projects and tools that are there for the person, in few queries."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.urls import resolve, reverse

from projects.access import Level, Tool
from projects.models import Company, Project, User
from projects.navigation import PICKER_LENGTH, Navigation, erp_companies, visible_projects
from projects.services import grant_level, set_accounting_approver, set_tool
from tests.factories import CompanyFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tower() -> Project:
    return ProjectFactory.create(name="Riverside Tower")


def bar(person: Any, path: str) -> Navigation:
    request = RequestFactory().get(path)
    request.user = person
    request.resolver_match = resolve(path)
    return Navigation(request)


def labels(navigation: Navigation) -> list[str]:
    return [tool.label for tool in navigation.tools]


def bob_with(tool: Tool, level: Level, on: Company | Project) -> User:
    bob = UserFactory.create(username="bob")
    grant_level(user=bob, tool=tool, level=level, on=on)
    return bob


def test_a_reader_of_commitments_gets_that_tool_only(tower: Project) -> None:
    bob = bob_with(Tool.COMMITMENTS, Level.READ_ONLY, tower)

    assert labels(bar(bob, f"/projects/{tower.pk}/")) == ["Commitments"]


def test_read_only_on_erp_integrations_sees_the_project_but_not_the_tool(tower: Project) -> None:
    bob = bob_with(Tool.ERP_INTEGRATIONS, Level.READ_ONLY, tower)

    assert labels(bar(bob, f"/projects/{tower.pk}/")) == []
    assert list(visible_projects(bob)) == [tower]


def test_a_tool_that_is_switched_off_is_gone_for_administrators_too(tower: Project) -> None:
    alice = UserFactory.create(username="alice", is_superuser=True)
    set_tool(project=tower, tool=Tool.COMMITMENTS, is_active=False)

    assert labels(bar(alice, f"/projects/{tower.pk}/")) == ["ERP Integrations"]


def test_an_accounting_approver_sees_the_projects_whose_invoices_he_approves(
    tower: Project,
) -> None:
    without_tool = ProjectFactory.create(company=tower.company, tools=[Tool.COMMITMENTS])
    carol = UserFactory.create(username="carol")
    set_accounting_approver(user=carol, company=tower.company, is_approver=True)

    assert list(visible_projects(carol)) == [tower]
    assert without_tool not in visible_projects(carol)
    assert list(erp_companies(carol)) == [tower.company]
    assert labels(bar(carol, f"/projects/{tower.pk}/")) == ["ERP Integrations"]


def test_somebody_else_s_project_is_not_named(tower: Project) -> None:
    mallory = UserFactory.create(username="mallory")
    grant_level(user=mallory, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=CompanyFactory.create())

    navigation = bar(mallory, f"/projects/{tower.pk}/")

    assert navigation.project is None
    assert navigation.company is None
    assert navigation.tools == []
    assert navigation.projects == []


def test_a_visitor_without_a_sign_in_has_no_projects(tower: Project) -> None:
    navigation = bar(AnonymousUser(), f"/projects/{tower.pk}/")

    assert navigation.project is None
    assert navigation.projects == []


def test_payments_belong_to_the_commitments_tool(tower: Project) -> None:
    bob = bob_with(Tool.COMMITMENTS, Level.READ_ONLY, tower)
    path = reverse("payments:payments_issued", args=[tower.pk, 1])

    tool = bar(bob, path).tool

    assert tool is not None
    assert tool.label == "Commitments"


def test_a_company_page_names_the_company_and_its_tool(tower: Project) -> None:
    bob = bob_with(Tool.ERP_INTEGRATIONS, Level.STANDARD, tower.company)
    path = reverse("erp_integrations:company_subcontractor_invoices", args=[tower.company_id])

    navigation = bar(bob, path)

    assert navigation.company == tower.company
    assert labels(navigation) == ["ERP Integrations", "All payments"]


def test_the_picker_is_short_and_says_that_there_are_more(tower: Project) -> None:
    ProjectFactory.create_batch(PICKER_LENGTH, company=tower.company)
    bob = bob_with(Tool.COMMITMENTS, Level.READ_ONLY, tower.company)

    navigation = bar(bob, "/")

    assert len(navigation.projects) == PICKER_LENGTH
    assert navigation.has_more_projects


def test_finished_projects_are_not_in_the_picker(tower: Project) -> None:
    bob = bob_with(Tool.COMMITMENTS, Level.READ_ONLY, tower)
    tower.is_active = False
    tower.save()

    assert bar(bob, "/").projects == []
    assert bar(bob, f"/projects/{tower.pk}/").project == tower


@pytest.mark.parametrize("number", [1, 20])
def test_the_bar_costs_the_same_for_one_project_and_for_twenty(
    tower: Project, number: int, client: Client, django_assert_num_queries: Any
) -> None:
    ProjectFactory.create_batch(number - 1, company=tower.company)
    bob = bob_with(Tool.COMMITMENTS, Level.READ_ONLY, tower.company)

    navigation = bar(bob, f"/projects/{tower.pk}/")

    with django_assert_num_queries(2):
        assert len(navigation.projects) == number
        assert navigation.company == tower.company
        assert labels(navigation) == ["Commitments"]
