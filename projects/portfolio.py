"""The projects of a person, by company."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.urls import reverse

from projects.models import Company, Project
from projects.navigation import COMPANY_ERP_PAGE, ToolLink, tool_links


@dataclass(frozen=True)
class ProjectRow:
    project: Project
    tools: list[ToolLink]


@dataclass
class CompanyGroup:
    """One company of the portfolio; ``erp_url`` for those who may open its ERP Integrations."""

    company: Company
    erp_url: str = ""
    rows: list[ProjectRow] = field(default_factory=list)


def by_company(
    projects: Iterable[Project], with_erp: Iterable[Company], *, is_search: bool = False
) -> list[CompanyGroup]:
    """Companies by name; one without a visible project only stands there for its ERP page."""
    groups = {company.pk: _with_erp(company) for company in with_erp}
    for project in projects:
        group = groups.setdefault(project.company_id, CompanyGroup(project.company))
        group.rows.append(ProjectRow(project, tool_links(project)))
    shown = [group for group in groups.values() if group.rows or not is_search]
    return sorted(shown, key=lambda group: group.company.name)


def _with_erp(company: Company) -> CompanyGroup:
    return CompanyGroup(company, reverse(COMPANY_ERP_PAGE, args=[company.pk]))
