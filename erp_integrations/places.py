"""Where a page of the ERP Integrations tool stands: a company, or one of its projects."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.urls import reverse

from commitments.models import SubcontractorInvoice
from erp_integrations.models import (
    ErpAllocation,
    ErpConnection,
    PreviewRow,
    SyncIssue,
    SyncRun,
)
from erp_integrations.providers.registry import codes_of_files
from projects.access import Level, Person, Tool
from projects.models import Company, Project


@dataclass(frozen=True)
class Place:
    """What one person may see of one company's tool, or of one project's."""

    person: Person
    company: Company
    project: Project | None = None
    #: Admin on the company's tool; asked on the pages of the company only
    is_admin: bool = False
    #: books that arrive as files, which this person may drop; asked there only as well
    drops_files: bool = False

    @cached_property
    def connection(self) -> ErpConnection | None:
        visible = ErpConnection.objects.for_user(self.person)
        return visible.select_related("company").filter(company=self.company).first()

    @property
    def invoices(self) -> Any:
        rows = SubcontractorInvoice.objects.for_accounting(self.person)
        if self.project:
            return rows.filter(project=self.project)
        return rows.filter(company=self.company)

    @property
    def runs(self) -> Any:
        """Runs belong to the connection: every place of the company shows all of them."""
        return SyncRun.objects.for_user(self.person).filter(company=self.company)

    def issues(self, run: SyncRun) -> Any:
        rows = SyncIssue.objects.for_user(self.person).filter(run=run)
        return rows.filter(invoice__project=self.project) if self.project else rows

    @property
    def waiting(self) -> Any:
        rows = ErpAllocation.objects.for_user(self.person).waiting()
        if self.project:
            return rows.filter(invoice__project=self.project)
        return rows.filter(company=self.company)

    def sees(self, project: Project) -> bool:
        """Whether the person may know of this project of the company."""
        return project.pk in self._seen_projects

    @cached_property
    def _seen_projects(self) -> set[int]:
        seen = find_projects(self.person).filter(company=self.company)
        return set(seen.values_list("pk", flat=True))

    def preview_rows(self, run: SyncRun) -> Any:
        rows = PreviewRow.objects.for_user(self.person).filter(run=run)
        return rows.filter(invoice__project=self.project) if self.project else rows

    @property
    def time_zone(self) -> str:
        """In which times are shown here."""
        return (self.project.time_zone if self.project else "") or self.company.time_zone

    @property
    def elsewhere(self) -> str:
        """Where the rows are that this page counts but does not show."""
        return "outside this project" if self.project else "in projects you cannot see"

    def url(self, name: str, *args: Any) -> str:
        """The address of a page of this place."""
        kind, pk = ("project", self.project.pk) if self.project else ("company", self.company.pk)
        return reverse(f"erp_integrations:{kind}_{name}", args=[pk, *args])


def find_place(
    person: Person, *, company_id: int | None = None, project_id: int | None = None
) -> Place:
    """The place, for those to whom it exists. Raises ``Http404`` for everybody else."""
    if project_id is not None:
        project = find_projects(person).select_related("company").filter(pk=project_id).first()
        if project is None:
            raise Http404
        return Place(person, project.company, project)
    company = _companies(person).filter(pk=company_id).first()
    if company is None:
        raise Http404
    drops = company.has_files and (company.is_administered or company.is_approved)
    return Place(person, company, is_admin=company.is_administered, drops_files=drops)


def find_administered(person: Person, company_id: int) -> Place:
    """The company's place, for administrators of its tool. Raises ``Http404`` for others."""
    place = find_place(person, company_id=company_id)
    if not place.is_admin:
        raise Http404
    return place


def find_projects(person: Person) -> Any:
    """Projects where the tool is active, for Standard and up and for accounting approvers."""
    own = Project.objects.for_user(person, Tool.ERP_INTEGRATIONS, Level.STANDARD)
    approved = Company.objects.with_approver(person)
    active = Project.objects.with_tool(Tool.ERP_INTEGRATIONS)
    return active.filter(Q(pk__in=own.values("pk")) | Q(company__in=approved))


def _companies(person: Person) -> Any:
    """Companies of those projects, and those on which the person holds the level itself."""
    administered = Company.objects.with_level(person, Tool.ERP_INTEGRATIONS, Level.ADMIN)
    approved = Company.objects.with_approver(person)
    by_files = ErpConnection.objects.filter(provider__in=codes_of_files())
    return Company.objects.annotate(
        is_administered=Exists(administered.filter(pk=OuterRef("pk"))),
        is_approved=Exists(approved.filter(pk=OuterRef("pk"))),
        has_files=Exists(by_files.filter(company=OuterRef("pk"))),
    ).filter(
        Q(pk__in=find_projects(person).values("company_id"))
        | Q(pk__in=Company.objects.with_level(person, Tool.ERP_INTEGRATIONS, Level.STANDARD))
        | Q(pk__in=Company.objects.with_approver(person))
    )
