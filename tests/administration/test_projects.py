"""The Django admin of companies, projects and people."""

from typing import Any

import pytest
from django.urls import reverse

from projects.access import Level, Tool
from projects.models import Company, Project, ProjectTool, User
from projects.services import grant_level, set_accounting_approver, something_was_enabled
from tests.commitments.fixtures import browser
from tests.factories import CompanyFactory, ProjectFactory, UserFactory, VendorFactory

pytestmark = pytest.mark.django_db

PEOPLE = "companyuserobjectpermission_set"
TOOLS = "tools"


def formset(prefix: str, rows: list[dict[str, Any]], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def company_form(
    company: Company, people: list[dict[str, Any]], initial: int = 0
) -> dict[str, Any]:
    return {
        "name": company.name,
        "currency": "USD",
        "time_zone": "America/Chicago",
        **formset(PEOPLE, people, initial),
        **formset("companygroupobjectpermission_set", []),
    }


def permission_id(codename: str, model: str = "company") -> int:
    from django.contrib.auth.models import Permission

    return Permission.objects.get(codename=codename, content_type__model=model).pk


def change(obj: Any) -> str:
    return reverse(f"admin:projects_{obj._meta.model_name}_change", args=[obj.pk])


@pytest.mark.parametrize("model", ["company", "project", "vendor", "user"])
def test_every_list_opens_for_a_superuser(root: User, model: str) -> None:
    ProjectFactory()
    VendorFactory()
    assert browser(root).get(reverse(f"admin:projects_{model}_changelist")).status_code == 200


@pytest.mark.parametrize("model", ["company", "project", "vendor"])
def test_staff_see_only_rows_of_their_company(
    alice: User, northstar: Company, mallory: User, model: str
) -> None:
    for company in Company.objects.all():
        ProjectFactory(company=company, name=f"Tower of {company}")
        VendorFactory(company=company, name=f"Vendor of {company}")
    page = browser(mallory).get(reverse(f"admin:projects_{model}_changelist"))
    assert "Mallory and Sons" in page.content.decode()
    assert "Northstar" not in page.content.decode()


def test_another_companys_row_does_not_exist(mallory: User, northstar: Company) -> None:
    project = ProjectFactory(company=northstar)
    for row in (northstar, project):
        page = browser(mallory).get(change(row))
        assert page.status_code == 302 and page["Location"] == reverse("admin:index")


def test_another_companys_project_cannot_be_made(mallory: User, northstar: Company) -> None:
    data = {"company": northstar.pk, "number": "1", "name": "Stolen", "is_active": "on"}
    data |= formset(TOOLS, []) | formset("projectuserobjectpermission_set", [])
    page = browser(mallory).post(reverse("admin:projects_project_add"), data)
    assert "Select a valid choice" in page.content.decode()
    assert not Project.objects.exists()


def test_autocomplete_offers_own_companies_only(mallory: User, northstar: Company) -> None:
    query = {"app_label": "projects", "model_name": "project", "field_name": "company"}
    found = browser(mallory).get(reverse("admin:autocomplete"), query).json()["results"]
    assert [each["text"] for each in found] == ["Mallory and Sons"]


def test_staff_without_a_grant_find_an_empty_house(northstar: Company) -> None:
    client = browser(UserFactory(is_staff=True))
    assert client.get(reverse("admin:projects_company_changelist")).status_code == 403


def test_people_are_for_superusers(alice: User) -> None:
    client = browser(alice)
    assert client.get(reverse("admin:projects_user_changelist")).status_code == 403
    assert client.get(change(alice)).status_code == 403


def test_a_level_is_granted_on_the_companys_page(root: User, northstar: Company) -> None:
    bob = UserFactory(username="bob")
    row = {"user": bob.pk, "permission": permission_id("commitments_standard")}
    browser(root).post(change(northstar), company_form(northstar, [row]))
    standard = Company.objects.with_level(bob, Tool.COMMITMENTS, Level.STANDARD)
    assert northstar in standard
    assert northstar not in Company.objects.with_level(bob, Tool.COMMITMENTS, Level.ADMIN)


def test_an_approver_is_named_on_the_companys_page(root: User, northstar: Company) -> None:
    carla = UserFactory(username="carla")
    row = {"user": carla.pk, "permission": permission_id("accounting_approver")}
    browser(root).post(change(northstar), company_form(northstar, [row]))
    assert northstar in Company.objects.with_approver(carla)


def test_two_levels_of_one_tool_are_refused_with_a_sentence(root: User, northstar: Company) -> None:
    bob = UserFactory(first_name="Bob", last_name="Builder")
    rows = [
        {"user": bob.pk, "permission": permission_id("commitments_standard")},
        {"user": bob.pk, "permission": permission_id("commitments_admin")},
    ]
    page = browser(root).post(change(northstar), company_form(northstar, rows))
    assert "Bob Builder has two levels for Commitments. Keep one of them." in page.content.decode()
    assert not Company.objects.with_level(bob, Tool.COMMITMENTS, Level.READ_ONLY).exists()


def test_a_level_is_changed_and_taken_away(root: User, northstar: Company) -> None:
    bob = UserFactory()
    grant_level(user=bob, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=northstar)
    grant = bob.companyuserobjectpermission_set.get()
    row = {"id": grant.pk, "user": bob.pk, "permission": permission_id("commitments_read_only")}
    browser(root).post(change(northstar), company_form(northstar, [row], initial=1))
    assert not Company.objects.with_level(bob, Tool.COMMITMENTS, Level.STANDARD).exists()

    row |= {"id": bob.companyuserobjectpermission_set.get().pk, "DELETE": "on"}
    browser(root).post(change(northstar), company_form(northstar, [row], initial=1))
    assert not bob.companyuserobjectpermission_set.exists()


def test_staff_cannot_grant_what_they_do_not_hold(northstar: Company) -> None:
    dora = UserFactory(username="dora", is_staff=True)
    grant_level(user=dora, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=northstar)
    for codename in ("erp_integrations_admin", "accounting_approver"):
        row = {"user": dora.pk, "permission": permission_id(codename)}
        page = browser(dora).post(change(northstar), company_form(northstar, [row]))
        assert "Select a valid choice" in page.content.decode()
    assert not Company.objects.with_level(dora, Tool.ERP_INTEGRATIONS, Level.STANDARD).exists()


def test_staff_cannot_grant_here_what_they_hold_elsewhere(alice: User) -> None:
    other = CompanyFactory()
    grant_level(user=alice, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=other)
    row = {"user": alice.pk, "permission": permission_id("erp_integrations_admin")}
    page = browser(alice).post(change(other), company_form(other, [row]))
    assert "you do not hold it here" in page.content.decode()


def test_an_approver_who_administers_the_tool_names_another(
    alice: User, northstar: Company
) -> None:
    carla = UserFactory()
    grant_level(user=carla, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=northstar)
    set_accounting_approver(user=alice, company=northstar, is_approver=True)
    grants = alice.companyuserobjectpermission_set.order_by("permission__name")
    rows = [{"id": g.pk, "user": alice.pk, "permission": g.permission_id} for g in grants]
    held = carla.companyuserobjectpermission_set.get()
    rows.append({"id": held.pk, "user": carla.pk, "permission": held.permission_id})
    rows.append({"user": carla.pk, "permission": permission_id("accounting_approver")})
    browser(alice).post(change(northstar), company_form(northstar, rows, initial=4))
    assert northstar in Company.objects.with_approver(carla)
    assert northstar in Company.objects.with_level(carla, Tool.COMMITMENTS, Level.READ_ONLY)


def test_switching_a_tool_on_rings_for_what_waits(
    root: User, northstar: Company, django_capture_on_commit_callbacks: Any
) -> None:
    project = ProjectFactory(company=northstar, tools=[])
    rung = []
    receiver = lambda **kwargs: rung.append(kwargs["company_id"])  # noqa: E731
    something_was_enabled.connect(receiver)
    data = {
        "number": project.number,
        "name": project.name,
        "is_active": "on",
        **formset(TOOLS, [{"tool": "commitments", "is_active": "on"}]),
        **formset("projectuserobjectpermission_set", []),
        **formset("projectgroupobjectpermission_set", []),
    }
    with django_capture_on_commit_callbacks(execute=True):
        page = browser(root).post(change(project), data)
    something_was_enabled.disconnect(receiver)
    assert page.status_code == 302
    assert ProjectTool.objects.get(project=project, tool="commitments").is_active
    assert rung == [northstar.pk]


def test_a_wrong_time_zone_is_answered_by_a_sentence(root: User, northstar: Company) -> None:
    data = company_form(northstar, []) | {"time_zone": "Chicago"}
    page = browser(root).post(change(northstar), data)
    assert "“Chicago” is not a time zone. Try one such as America/Chicago." in (
        page.content.decode()
    )
