"""Who holds a right on a company: ``for_user`` read the other way round."""

from django.db.models import Q, QuerySet

from projects.access import ACCOUNTING_APPROVER, Level, Tool, codenames_from
from projects.models import (
    Company,
    CompanyGroupObjectPermission,
    CompanyUserObjectPermission,
    User,
)


def administrators_of(company: Company, tool: Tool) -> "QuerySet[User]":
    """Active people with Admin on the company's tool, granted to them or to their group."""
    return _holders(company, codenames_from(tool, Level.ADMIN))


def approvers_of(company: Company) -> "QuerySet[User]":
    """Active accounting approvers of the company."""
    return _holders(company, [ACCOUNTING_APPROVER])


def _holders(company: Company, codes: list[str]) -> "QuerySet[User]":
    to_user = CompanyUserObjectPermission.objects.filter(
        content_object=company, permission__codename__in=codes
    )
    to_group = CompanyGroupObjectPermission.objects.filter(
        content_object=company, permission__codename__in=codes
    )
    members = User.groups.through.objects.filter(group__in=to_group.values("group"))
    return User.objects.filter(
        Q(pk__in=to_user.values("user")) | Q(pk__in=members.values("user")), is_active=True
    ).order_by("pk")
