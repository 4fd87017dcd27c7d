"""The only writer of companies, projects, their tools and grants."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal

from projects.access import ACCOUNTING_APPROVER, Level, Tool, codename, codenames_from
from projects.models import (
    Company,
    CompanyUserObjectPermission,
    Project,
    ProjectTool,
    ProjectUserObjectPermission,
    User,
)

#: sent with ``company_id`` after a commit that may let waiting records be shown
something_was_enabled = Signal()


def announce_enabled(company_id: int) -> None:
    """Tell the rooms to the right, after the commit, that a reason to wait may be gone."""
    transaction.on_commit(lambda: something_was_enabled.send(Company, company_id=company_id))


@transaction.atomic
def set_tool(*, project: Project, tool: Tool, is_active: bool) -> ProjectTool:
    """Switch a tool of a project on or off."""
    row, _ = ProjectTool.objects.update_or_create(
        project=project,
        tool=tool,
        defaults={"is_active": is_active, "company_id": project.company_id},
    )
    if is_active:
        announce_enabled(project.company_id)
    return row


@transaction.atomic
def grant_level(*, user: User, tool: Tool, level: Level, on: Company | Project) -> Level:
    """Give a person exactly this level in a tool, on a company or one project."""
    grants = _grants(user, on).filter(
        permission__codename__in=codenames_from(tool, Level.READ_ONLY)
    )
    grants.delete()
    if level is not Level.NONE:
        _grant(user, on, codename(tool, level))
    return level


@transaction.atomic
def set_accounting_approver(*, user: User, company: Company, is_approver: bool) -> bool:
    """Make a person an accounting approver of the company, or not."""
    _grants(user, company).filter(permission__codename=ACCOUNTING_APPROVER).delete()
    if is_approver:
        _grant(user, company, ACCOUNTING_APPROVER)
    return is_approver


def _grants(user: User, on: Company | Project) -> "QuerySet[Any]":
    if isinstance(on, Company):
        return CompanyUserObjectPermission.objects.filter(user=user, content_object=on)
    return ProjectUserObjectPermission.objects.filter(user=user, content_object=on)


def _grant(user: User, on: Company | Project, code: str) -> None:
    permission = Permission.objects.get(
        content_type__app_label="projects", content_type__model=on._meta.model_name, codename=code
    )
    table = CompanyUserObjectPermission if isinstance(on, Company) else ProjectUserObjectPermission
    table.objects.create(user=user, content_object=on, permission=permission)
