"""Projects and the tools that are switched on for them."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from projects.access import Level, Person, Tool, codenames_from, granted_ids, level_permissions
from projects.models.company import Company
from projects.models.origin import OriginMixin
from projects.time_zones import validate_time_zone


class ProjectQuerySet(models.QuerySet["Project"]):
    def for_user(
        self, user: Person, tool: Tool | None = None, level: Level = Level.READ_ONLY
    ) -> Self:
        """Projects on which the person holds at least ``level`` in ``tool`` (None: in any tool).

        With a tool, only projects where that tool is active: a tool that is
        switched off does not exist, for administrators neither.
        """
        projects = self if tool is None else self.with_tool(tool)
        if user.is_superuser:
            return projects
        tools = [tool] if tool else list(Tool)
        codes = [code for each in tools for code in codenames_from(each, level)]
        return projects.filter(self._granted(user, codes))

    def with_tool(self, tool: Tool) -> Self:
        active = ProjectTool.objects.filter(project=OuterRef("pk"), tool=tool, is_active=True)
        return self.filter(Exists(active))

    def _granted(self, user: Person, codes: list[str]) -> Q:
        from projects.models.grants import (
            CompanyGroupObjectPermission,
            CompanyUserObjectPermission,
            ProjectGroupObjectPermission,
            ProjectUserObjectPermission,
        )

        own = granted_ids(user, (ProjectUserObjectPermission, ProjectGroupObjectPermission), codes)
        tables = (CompanyUserObjectPermission, CompanyGroupObjectPermission)
        companies = Company.objects.filter(granted_ids(user, tables, codes))
        return own | Q(company_id__in=companies.values("pk"))


class Project(OriginMixin):
    """A job of the company; with an origin, it is linked to the ERP's job."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="projects")
    number = models.CharField(max_length=50)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=300, blank=True)
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text="Leave empty to use the company's.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = models.Manager.from_queryset(ProjectQuerySet)()

    class Meta:
        ordering = ["number"]
        permissions = [*level_permissions()]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "number"],
                name="project_number_once_per_company",
                violation_error_message="There is a project with this number already.",
            ),
            models.UniqueConstraint(
                fields=["company", "origin_id"],
                condition=~Q(origin_id=""),
                name="project_origin_once_per_company",
                violation_error_message="Another project is linked to this ERP job already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class ProjectTool(models.Model):
    """One tool of one project, switched on or off by an administrator."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tools")
    tool = models.CharField(max_length=30, choices=Tool.choices)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["project", "tool"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "tool"],
                name="tool_once_per_project",
                violation_error_message="This tool is listed for the project already.",
            ),
            models.CheckConstraint(
                condition=Q(tool__in=Tool.values), name="project_tool_is_one_we_have"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tool_display()} on {self.project}"
