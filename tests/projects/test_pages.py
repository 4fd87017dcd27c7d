"""The portfolio, the home of a project, and the pages for when something is wrong."""

from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from projects.access import Level, Tool
from projects.models import Company, Project, User
from projects.services import grant_level, set_accounting_approver, set_tool
from tests.factories import CompanyFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def northstar() -> Company:
    return CompanyFactory.create(name="Northstar Builders")


@pytest.fixture
def riverside(northstar: Company) -> Project:
    return ProjectFactory.create(
        company=northstar, number="2026-001", name="Riverside Tower", address="1 Quay, Portland"
    )


@pytest.fixture
def harbor(northstar: Company) -> Project:
    return ProjectFactory.create(company=northstar, number="2026-002", name="Harbor Bridge")


@pytest.fixture
def dora(northstar: Company) -> User:
    dora = UserFactory.create(username="dora")
    grant_level(user=dora, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=northstar)
    return dora


def page(person: User, url: str, **query: str) -> str:
    browser = Client()
    browser.force_login(person)
    answer = browser.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def portfolio(person: User, search: str = "") -> str:
    """What the page lists, without the project picker above it."""
    return page(person, "/", q=search).split('<main id="main"')[1]


def home(project: Project) -> str:
    return reverse("projects:project", args=[project.pk])


def test_a_visitor_is_asked_to_sign_in(client: Client) -> None:
    assert client.get("/")["Location"] == f"{reverse('account_login')}?next=/"


def test_a_stranger_sees_no_project(riverside: Project) -> None:
    stranger = UserFactory.create()
    listed = page(stranger, "/")

    assert "Riverside Tower" not in listed
    assert "You have not been given access to a project yet" in listed
    assert "Ask an administrator of your company" in listed


def test_projects_stand_under_their_company(dora: User, riverside: Project) -> None:
    listed = portfolio(dora)

    assert listed.index("Northstar Builders") < listed.index("Riverside Tower")
    assert "2026-001" in listed
    assert "1 Quay, Portland" in listed


def test_other_companies_projects_are_not_listed(dora: User, riverside: Project) -> None:
    ProjectFactory.create(name="Somebody Else's Mall")

    assert "Somebody Else" not in portfolio(dora)


def test_a_grant_on_one_project_opens_that_one_only(riverside: Project, harbor: Project) -> None:
    bob = UserFactory.create()
    grant_level(user=bob, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=harbor)
    listed = portfolio(bob)

    assert "Harbor Bridge" in listed
    assert "Riverside Tower" not in listed


def test_a_row_links_to_the_tools_that_are_open_to_the_person(
    dora: User, riverside: Project
) -> None:
    listed = portfolio(dora)

    assert reverse("commitments:list", args=[riverside.pk]) in listed
    assert reverse("erp_integrations:project_home", args=[riverside.pk]) not in listed


def test_a_project_without_tools_says_so(dora: User, riverside: Project) -> None:
    set_tool(project=riverside, tool=Tool.COMMITMENTS, is_active=False)

    assert "None are switched on" in portfolio(dora)


def test_an_approver_finds_the_erp_page_of_the_company(
    northstar: Company, riverside: Project
) -> None:
    eve = UserFactory.create()
    set_accounting_approver(user=eve, company=northstar, is_approver=True)
    listed = portfolio(eve)

    assert reverse("erp_integrations:company_home", args=[northstar.pk]) in listed
    assert "Riverside Tower" in listed


def test_standard_on_erp_integrations_opens_the_page_of_the_company(northstar: Company) -> None:
    eve = UserFactory.create()
    grant_level(user=eve, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=northstar)
    listed = portfolio(eve)

    assert reverse("erp_integrations:company_home", args=[northstar.pk]) in listed
    assert "No project of this company is open to you" in listed


def test_a_reader_of_commitments_does_not_get_the_erp_page(
    dora: User, northstar: Company, riverside: Project
) -> None:
    assert reverse("erp_integrations:company_home", args=[northstar.pk]) not in portfolio(dora)


@pytest.mark.parametrize("search", ["bridge", "2026-002", "NORTHSTAR harbor"])
def test_search_finds_by_number_name_and_company(
    dora: User, riverside: Project, harbor: Project, search: str
) -> None:
    listed = portfolio(dora, search)

    assert "Harbor Bridge" in listed
    assert "Riverside Tower" not in listed


def test_a_search_without_result_offers_the_way_back(dora: User, riverside: Project) -> None:
    listed = portfolio(dora, "<casino>")

    assert "No project matches “&lt;casino&gt;”" in listed
    assert "Show all projects" in listed


@pytest.mark.parametrize("projects", [1, 20])
def test_the_portfolio_costs_the_same_for_any_number_of_projects(
    dora: User, northstar: Company, projects: int, django_assert_num_queries: Any
) -> None:
    ProjectFactory.create_batch(projects, company=northstar)
    browser = Client()
    browser.force_login(dora)

    # session, person, projects, companies with ERP Integrations, projects of the picker
    with django_assert_num_queries(5):
        browser.get("/")


def test_the_home_of_a_project_says_what_its_tools_are_for(dora: User, riverside: Project) -> None:
    shown = page(dora, home(riverside))

    assert "1 Quay, Portland" in shown
    assert "Subcontracts and purchase orders" in shown
    assert reverse("commitments:list", args=[riverside.pk]) in shown


def test_the_home_of_a_project_takes_few_queries(
    dora: User, riverside: Project, django_assert_num_queries: Any
) -> None:
    browser = Client()
    browser.force_login(dora)

    # session, person, the project, the project of the top bar, projects of the picker
    with django_assert_num_queries(5):
        browser.get(home(riverside))


def test_a_project_one_may_not_see_does_not_exist(riverside: Project) -> None:
    browser = Client()
    browser.force_login(UserFactory.create())
    answer = browser.get(home(riverside))

    assert answer.status_code == 404
    assert "does not exist, or is not visible to you" in answer.content.decode()
    assert "Riverside Tower" not in answer.content.decode()


def test_an_address_that_does_not_exist_gets_a_page_without_signing_in(client: Client) -> None:
    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert "Sign in" in answer.content.decode()


def test_a_form_without_its_token_is_refused_with_an_explanation() -> None:
    answer = Client(enforce_csrf_checks=True).post(reverse("account_login"))

    assert answer.status_code == 403
    assert "The form is too old" in answer.content.decode()


def test_the_page_for_a_broken_server_needs_nothing() -> None:
    assert "Something broke on our side" in render_to_string("500.html")


def test_pages_bring_no_style_or_script_of_their_own(dora: User, riverside: Project) -> None:
    for shown in (page(dora, "/"), page(dora, home(riverside))):
        assert "<style" not in shown
        assert " style=" not in shown
        assert "<script>" not in shown
