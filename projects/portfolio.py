"""The projects of a person, by company."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from projects.models import Company, Project
from projects.navigation import CompanyLink, ToolLink, company_links, tool_links


@dataclass(frozen=True)
class ProjectRow:
    project: Project
    tools: list[ToolLink]


@dataclass
class CompanyGroup:
    """One company of the portfolio, with the pages it has as a whole."""

    company: Company
    links: list[CompanyLink] = field(default_factory=list)
    rows: list[ProjectRow] = field(default_factory=list)


def by_company(
    projects: Iterable[Project], companies: Iterable[Company], *, is_search: bool = False
) -> list[CompanyGroup]:
    """Companies by name; one without a visible project only stands there for its own pages."""
    groups = {company.pk: CompanyGroup(company, company_links(company)) for company in companies}
    for project in projects:
        group = groups.setdefault(project.company_id, CompanyGroup(project.company))
        group.rows.append(ProjectRow(project, tool_links(project)))
    shown = [group for group in groups.values() if group.rows or not is_search]
    return sorted(shown, key=lambda group: group.company.name)
