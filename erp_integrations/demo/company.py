"""Writes the demo's companies, projects and people. What exists stays as people left it."""

import datetime as dt
from collections.abc import Iterable

from commitments.models import BillingPeriod
from commitments.models.invoice import PeriodStatus
from erp_integrations.demo.story import (
    FIRST_MONTH,
    LAST_MONTH,
    PASSWORD,
    TIME_ZONE,
    DemoPerson,
    DemoProject,
)
from projects.access import Tool
from projects.models import Company, Project, User
from projects.services import grant_level, set_accounting_approver, set_tool


def write_company(name: str, projects: Iterable[DemoProject]) -> Company:
    company, _ = Company.objects.get_or_create(
        name=name, defaults={"currency": "USD", "time_zone": TIME_ZONE}
    )
    for each in projects:
        _write_project(company, each)
    return company


def write_person(company: Company, person: DemoPerson) -> User:
    """Rights and password are given once: somebody may have changed them since."""
    user, is_new = User.objects.get_or_create(
        username=person.username,
        defaults={
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": f"{person.username}@example.com",
            "is_staff": person.is_superuser,
            "is_superuser": person.is_superuser,
        },
    )
    if is_new:
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
        _give_rights(user, company, person)
    return user


def _give_rights(user: User, company: Company, person: DemoPerson) -> None:
    for right in person.rights:
        on = company.projects.get(number=right.project) if right.project else company
        grant_level(user=user, tool=right.tool, level=right.level, on=on)
    if person.is_approver:
        set_accounting_approver(user=user, company=company, is_approver=True)


def _write_project(company: Company, demo: DemoProject) -> Project:
    project, is_new = Project.objects.get_or_create(
        company=company, number=demo.number, defaults={"name": demo.name, "address": demo.address}
    )
    if is_new:
        for tool in Tool:
            set_tool(project=project, tool=tool, is_active=True)
        _write_periods(project)
    return project


def _write_periods(project: Project) -> None:
    """A billing period a month; the last one is open."""
    start = FIRST_MONTH
    while start <= LAST_MONTH:
        following = (start + dt.timedelta(days=32)).replace(day=1)
        end = following - dt.timedelta(days=1)
        BillingPeriod.objects.create(
            company=project.company,
            project=project,
            starts_on=start,
            ends_on=end,
            due_on=end + dt.timedelta(days=10),
            status=PeriodStatus.OPEN if start == LAST_MONTH else PeriodStatus.CLOSED,
        )
        start = following
