"""What every page of a commitment has around it: whose it is, its tabs and their counts."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from commitments import extensions
from commitments.models import ChangeOrder, Commitment, SubcontractorInvoice
from projects.access import Level, Person, Tool
from projects.models import Project

PER_PAGE = 50


@dataclass(frozen=True)
class TabLink:
    code: str
    label: str
    url: str
    count: int | None = None
    is_current: bool = False


@dataclass(frozen=True)
class CommitmentPage:
    """One commitment as one person sees it."""

    person: Person
    #: with the counts of the tabs and ``is_administered`` annotated
    commitment: Any
    current: str

    @property
    def is_admin(self) -> bool:
        """Whether the person is Admin of Commitments here."""
        return bool(self.commitment.is_administered)

    @property
    def sees_schedule(self) -> bool:
        return self.is_admin or self.commitment.viewers_see_schedule

    def url(self, name: str, *args: int) -> str:
        """The address of a page of this commitment, e.g. ``commitments:invoice``."""
        return reverse(name, args=[self.commitment.project_id, self.commitment.pk, *args])

    @cached_property
    def tabs(self) -> list[TabLink]:
        """The tabs that are there for this person, in Procore's order."""
        shown = [self._tab("general", "General")]
        if self.sees_schedule:
            shown.append(self._tab("schedule_of_values", "Schedule of Values"))
        shown += [
            self._tab("change_orders", "Change Orders", self.commitment.change_order_count),
            self._tab("invoices", "Invoices", self.commitment.invoice_count),
            *(self._registered(tab) for tab in extensions.tabs() if tab.is_shown(self.commitment)),
            self._tab("history", "Change History"),
        ]
        if self.is_admin:
            shown.append(self._tab("advanced_settings", "Advanced Settings"))
        return shown

    def _tab(self, code: str, label: str, count: int | None = None) -> TabLink:
        url = self.url(f"commitments:{code}")
        return TabLink(code, label, url, count, is_current=code == self.current)

    def _registered(self, tab: extensions.Tab) -> TabLink:
        count = getattr(self.commitment, f"{tab.code}_count")
        is_current = tab.code == self.current
        return TabLink(tab.code, tab.label, self.url(tab.url_name), count, is_current=is_current)

    @property
    def general_url(self) -> str:
        return self.url("commitments:general")

    @property
    def context(self) -> dict[str, Any]:
        """For the template ``commitments/_frame.html``."""
        project: Project = self.commitment.project
        return {
            "frame": self,
            "commitment": self.commitment,
            "currency": self.commitment.currency,
            "project": project,
            "company": project.company,
            "zone": project.time_zone or project.company.time_zone,
            "commitments_url": reverse("commitments:list", args=[project.pk]),
        }


def open_commitment(
    request: HttpRequest,
    project_id: int,
    commitment_id: int,
    current: str,
    level: Level = Level.READ_ONLY,
) -> CommitmentPage:
    """The page's frame, in one query. Raises ``Http404`` for whoever lacks the level."""
    rows = _with_counts(Commitment.objects.for_user(request.user, level), request.user)
    rows = rows.select_related("project__company", "vendor").filter(project_id=project_id)
    return CommitmentPage(request.user, get_object_or_404(rows, pk=commitment_id), current)


def open_project(request: HttpRequest, project_id: int) -> Project:
    """The project, for whoever may read its commitments. Raises ``Http404`` otherwise."""
    visible = Project.objects.for_user(request.user, Tool.COMMITMENTS)
    project: Project = get_object_or_404(visible.select_related("company"), pk=project_id)
    return project


def require(condition: bool) -> None:
    """What is not there for this person does not exist."""
    if not condition:
        raise Http404


def page_of(request: HttpRequest, rows: "QuerySet[Any, Any]") -> "Page[Any]":
    """Fifty rows; a page number that makes no sense is the first or the last page."""
    page: Page[Any] = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return page


def rows_per_commitment(rows: "QuerySet[Any, Any]") -> Coalesce:
    """How many of the rows the outer commitment has, as a subquery."""
    counted = rows.filter(commitment=OuterRef("pk")).order_by().values("commitment")
    number = counted.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(number), 0, output_field=IntegerField())


def _with_counts(rows: "QuerySet[Any, Any]", person: Person) -> "QuerySet[Any, Any]":
    administered = Commitment.objects.for_user(person, Level.ADMIN).filter(pk=OuterRef("pk"))
    registered = {f"{tab.code}_count": tab.count() for tab in extensions.tabs()}
    counted: QuerySet[Any, Any] = rows.annotate(
        is_administered=Exists(administered),
        change_order_count=rows_per_commitment(ChangeOrder.objects.all()),
        invoice_count=rows_per_commitment(SubcontractorInvoice.objects.all()),
        **registered,
    )
    return counted
