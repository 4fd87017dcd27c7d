"""What the top bar shows: where the person is, and the tools that are there for them.

Everything is worked out when a page first asks for it, so a fragment that draws
no top bar costs no query; and always in the same few queries.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from projects.access import Level, Person, Tool
from projects.models import Company, Project

PICKER_LENGTH = 50

#: Reversed by name, because these pages belong to the applications that build on this one.
HOME_PAGES = {
    Tool.COMMITMENTS: "commitments:list",
    Tool.ERP_INTEGRATIONS: "erp_integrations:project_home",
}
COMPANY_ERP_PAGE = "erp_integrations:company_home"
COMPANY_PAYMENTS_PAGE = "payments:company"

SENTENCES = {
    Tool.COMMITMENTS: "Subcontracts and purchase orders, their invoices, and the payments issued.",
    Tool.ERP_INTEGRATIONS: "Invoices that go to the ERP, and payments that come back from it.",
}


@dataclass(frozen=True)
class ToolLink:
    """A tool of a project, for those who may open it."""

    tool: Tool
    url: str
    is_current: bool = False

    @property
    def label(self) -> str:
        return str(self.tool.label)

    @property
    def icon(self) -> str:
        return {Tool.COMMITMENTS: "file-text", Tool.ERP_INTEGRATIONS: "refresh-cw"}[self.tool]

    @property
    def sentence(self) -> str:
        return SENTENCES[self.tool]


@dataclass(frozen=True)
class CompanyLink:
    """A page of a company as a whole."""

    label: str
    url: str
    is_current: bool = False


def visible_projects(person: Person) -> "QuerySet[Project]":
    """Every project the person may see, knowing which tools they may open there.

    Accounting approvers see the projects whose invoices they approve: those with
    the ERP Integrations tool.
    """
    commitments = Project.objects.for_user(person, Tool.COMMITMENTS)
    erp = _erp_projects(person)
    seen = Project.objects.for_user(person)
    return (
        Project.objects.filter(Q(pk__in=seen.values("pk")) | Q(pk__in=erp.values("pk")))
        .annotate(
            sees_commitments=Exists(commitments.filter(pk=OuterRef("pk"))),
            sees_erp_integrations=Exists(erp.filter(pk=OuterRef("pk"))),
        )
        .select_related("company")
        .order_by("company__name", "company_id", "number")
    )


def _erp_projects(person: Person) -> "QuerySet[Project]":
    granted = Project.objects.for_user(person, Tool.ERP_INTEGRATIONS, Level.STANDARD)
    approved = Company.objects.with_approver(person)
    return Project.objects.with_tool(Tool.ERP_INTEGRATIONS).filter(
        Q(pk__in=granted.values("pk")) | Q(company__in=approved.values("pk"))
    )


def erp_companies(person: Person) -> "QuerySet[Company]":
    """Companies whose own ERP Integrations page the person may open."""
    granted = Company.objects.with_level(person, Tool.ERP_INTEGRATIONS, Level.STANDARD)
    approved = Company.objects.with_approver(person)
    return Company.objects.filter(
        Q(pk__in=granted.values("pk"))
        | Q(pk__in=approved.values("pk"))
        | Q(pk__in=_erp_projects(person).values("company_id"))
    )


def visible_companies(person: Person) -> "QuerySet[Company]":
    """Companies that have a page of their own for the person.

    All payments for everybody who may see commitments there or uses the ERP
    Integrations tool; that tool's own page for the latter.
    """
    erp = erp_companies(person)
    readers = Project.objects.for_user(person, Tool.COMMITMENTS)
    return Company.objects.filter(
        Q(pk__in=erp.values("pk")) | Q(pk__in=readers.values("company_id"))
    ).annotate(sees_erp_integrations=Exists(erp.filter(pk=OuterRef("pk"))))


def company_links(company: Company, current: str = "") -> list[CompanyLink]:
    """The pages of a company of ``visible_companies``; ``current`` is the application shown."""
    pages = [("All payments", COMPANY_PAYMENTS_PAGE, "payments")]
    if getattr(company, "sees_erp_integrations", False):
        pages.insert(0, ("ERP Integrations", COMPANY_ERP_PAGE, "erp_integrations"))
    return [
        CompanyLink(label, reverse(page, args=[company.pk]), application == current)
        for label, page, application in pages
    ]


def tool_links(project: Project, current: str = "") -> list[ToolLink]:
    """The tools the person may open on a project of ``visible_projects``."""
    return [
        ToolLink(tool, reverse(HOME_PAGES[tool], args=[project.pk]), tool.value == current)
        for tool in Tool
        if getattr(project, f"sees_{tool.value}")
    ]


class Navigation:
    """The top bar of one page, for one person."""

    def __init__(self, request: HttpRequest) -> None:
        self._person = request.user
        match = request.resolver_match
        self._project_id = match.kwargs.get("project_id") if match else None
        self._company_id = match.kwargs.get("company_id") if match else None
        # Payments are shown on commitments, so their pages belong to that tool.
        self._application = match.app_name if match else ""
        is_payments = self._application == "payments"
        self._tool = Tool.COMMITMENTS.value if is_payments else self._application

    @cached_property
    def project(self) -> Project | None:
        if self._project_id is None:
            return None
        return visible_projects(self._person).filter(pk=self._project_id).first()

    @cached_property
    def company(self) -> Company | None:
        """The company of the page, be it the company's own or one of its projects'."""
        if self.project:
            return self.project.company
        if self._company_id is None:
            return None
        return visible_companies(self._person).filter(pk=self._company_id).first()

    @cached_property
    def tools(self) -> list[ToolLink] | list[CompanyLink]:
        if self.project:
            return tool_links(self.project, self._tool)
        return company_links(self.company, self._application) if self.company else []

    @cached_property
    def tool(self) -> ToolLink | CompanyLink | None:
        return next((tool for tool in self.tools if tool.is_current), None)

    @cached_property
    def _picked(self) -> list[Project]:
        active = visible_projects(self._person).filter(is_active=True)
        return list(active[: PICKER_LENGTH + 1])

    @property
    def projects(self) -> list[Project]:
        return self._picked[:PICKER_LENGTH]

    @property
    def has_more_projects(self) -> bool:
        return len(self._picked) > PICKER_LENGTH


def navigation(request: HttpRequest) -> dict[str, Any]:
    return {"navigation": Navigation(request)} if hasattr(request, "user") else {}
