"""Who sees the ERP Integrations tool, and where."""

import pytest

from projects.access import Level, Tool
from projects.models import Company, Project, User
from projects.services import grant_level, set_tool
from tests.erp_integrations.pages.reading import browser, text, url
from tests.factories import (
    CommitmentFactory,
    InvoiceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


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
