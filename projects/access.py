"""Who may do what, decided once, in querysets.

A person holds one level per tool, on a company or on a project; a grant on the
company counts on each of its projects. A level is a permission of the company
or the project (``commitments_admin``), granted with django-guardian in its
direct foreign-key tables. What a person may not see does not exist for them:
views look rows up in ``for_user(...)`` querysets and answer 404.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db import models

if TYPE_CHECKING:
    from projects.models import User

Person: TypeAlias = "User | AnonymousUser"

ACCOUNTING_APPROVER = "accounting_approver"


class Tool(models.TextChoices):
    COMMITMENTS = "commitments", "Commitments"
    ERP_INTEGRATIONS = "erp_integrations", "ERP Integrations"


class Level(models.IntegerChoices):
    NONE = 0, "None"
    READ_ONLY = 1, "Read-Only"
    STANDARD = 2, "Standard"
    ADMIN = 3, "Admin"


def codename(tool: Tool, level: Level) -> str:
    """``commitments_read_only``: the permission that carries this level."""
    return f"{tool.value}_{level.name.lower()}"


def codenames_from(tool: Tool, level: Level) -> list[str]:
    """The permissions that give at least this level."""
    return [codename(tool, each) for each in Level if each >= max(level, Level.READ_ONLY)]


def level_permissions() -> list[tuple[str, str]]:
    """``Meta.permissions`` of a model on which levels are granted."""
    return [
        (codename(tool, level), f"{tool.label}: {level.label}")
        for tool in Tool
        for level in Level
        if level is not Level.NONE
    ]


def granted_ids(
    user: Person, grants: tuple[type[models.Model], type[models.Model]], codes: list[str]
) -> models.Q:
    """A condition on ``pk``: granted to the person or to one of their groups.

    Subqueries, not joins: no DISTINCT, and one plan whatever the number of grants.
    """
    by_user, by_group = grants
    to_user: models.QuerySet[Any] = by_user._default_manager.filter(
        user_id=user.pk, permission__codename__in=codes
    )
    to_group: models.QuerySet[Any] = by_group._default_manager.filter(
        group__user=user.pk, permission__codename__in=codes
    )
    return models.Q(pk__in=to_user.values("content_object_id")) | models.Q(
        pk__in=to_group.values("content_object_id")
    )
