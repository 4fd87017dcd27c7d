"""The rows of Companies, Jobs and Commitments: records here, and those only the ERP has."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from commitments.models import Commitment
from erp_integrations.directory.matches import code_of, name_of
from erp_integrations.models import DirectoryKind, StagedRecord
from erp_integrations.models.directory import StagedRecordQuerySet
from erp_integrations.places import Place, find_projects
from projects.models import Company, Project, Vendor

VIEWS = (
    ("all", "All"),
    ("linked", "Linked"),
    ("not_linked", "Not linked"),
    ("ready", "Ready To Import"),
    ("archived", "Archived"),
)
#: views of what only the ERP has
STAGED_VIEWS = ("ready", "archived")
#: what a search looks through
SEARCHED = {
    DirectoryKind.VENDORS: ("name", "code", "origin_code"),
    DirectoryKind.JOBS: ("name", "number", "origin_code"),
    DirectoryKind.COMMITMENTS: (
        *("title", "number", "origin_code", "vendor__name"),
        *("project__number", "project__name"),
    ),
}
STAGED_SEARCHED = ("code", "title", "vendor_name")
LINKED, NOT_LINKED, NOT_FOUND = "Linked", "Not linked", "Not found in the ERP any more"


@dataclass(frozen=True)
class Row:
    """A record here, and what it is linked to."""

    #: with ``erp_title`` and ``erp_gone_at`` annotated
    record: Any
    url: str

    @property
    def name(self) -> str:
        return name_of(self.record)

    @property
    def code(self) -> str:
        return code_of(self.record)

    @property
    def is_linked(self) -> bool:
        return bool(self.record.origin_id)

    @property
    def state(self) -> str:
        if not self.is_linked:
            return NOT_LINKED
        return NOT_FOUND if self.record.erp_gone_at else LINKED

    @property
    def mark(self) -> str:
        """Which drawing says the same; see the template tag ``erp_icon``."""
        return {LINKED: "linked", NOT_LINKED: "unlinked", NOT_FOUND: "lost"}[self.state]

    @property
    def tone(self) -> str:
        return {LINKED: "good", NOT_FOUND: "bad"}.get(self.state, "")

    @property
    def erp_id(self) -> str:
        return str(self.record.origin_code or self.record.origin_id)


def is_of_whole_company(place: Place) -> bool:
    """Whether the person works with all of the company's books, not with some projects only."""
    mine = Company.objects.filter(pk=place.company.pk)
    return mine.with_accounting(place.person).exists()


def records(place: Place, kind: DirectoryKind) -> QuerySet[Any]:
    """The records of a kind that exist for this person here, in the order of lists."""
    projects = find_projects(place.person).filter(company=place.company)
    if place.project:
        projects = projects.filter(pk=place.project.pk)
    commitments = Commitment.objects.filter(
        company=place.company, project__in=projects.values("pk")
    )
    if kind == DirectoryKind.COMMITMENTS:
        rows = commitments.select_related("vendor", "project")
        return rows.order_by("project__number", "number", "pk")
    whole = is_of_whole_company(place)
    if kind == DirectoryKind.JOBS:
        mine = Project.objects.filter(company=place.company) if whole else projects
        ordered: QuerySet[Any] = mine.order_by("number", "pk")
        return ordered
    vendors = Vendor.objects.filter(company=place.company)
    if not whole:
        vendors = vendors.filter(pk__in=commitments.values("vendor_id"))
    return vendors.order_by("name", "pk")


def staged_records(place: Place, kind: DirectoryKind) -> StagedRecordQuerySet:
    """What the ERP has of a kind, for the company's people; a project's page shows its own only."""
    rows = StagedRecord.objects.for_user(place.person).filter(company=place.company, kind=kind)
    if place.project:
        rows = rows.filter(project_ref=place.project.origin_id).exclude(project_ref="")
    return rows


def in_view(place: Place, kind: DirectoryKind, view: str, search: str) -> QuerySet[Any]:
    """The rows of one view with all words of the search somewhere."""
    if view in STAGED_VIEWS:
        staged = staged_records(place, kind)
        rows = staged.ready(kind) if view == "ready" else staged.archived(kind)
        return _having(rows.order_by("title", "pk"), search, STAGED_SEARCHED)
    found = with_counterparts(place, kind, records(place, kind))
    if view == "linked":
        found = found.exclude(origin_id="")
    elif view == "not_linked":
        found = found.filter(origin_id="")
    return _having(found, search, SEARCHED[kind])


def with_counterparts(place: Place, kind: DirectoryKind, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Adds what the ERP calls the linked record, and since when it is gone there."""
    staged = StagedRecord.objects.filter(
        connection=place.connection, kind=kind, remote_id=OuterRef("origin_id")
    )
    annotated: QuerySet[Any] = rows.annotate(
        erp_title=Subquery(staged.values("title")[:1]),
        erp_gone_at=Subquery(staged.values("gone_at")[:1]),
    )
    return annotated


def counts_of_views(place: Place, kind: DirectoryKind) -> dict[str, int]:
    """How many rows each view has, in three queries."""
    counts: dict[str, int] = (
        records(place, kind)
        .order_by()
        .aggregate(
            all=Count("pk"),
            linked=Count("pk", filter=~Q(origin_id="")),
            not_linked=Count("pk", filter=Q(origin_id="")),
        )
    )
    staged = staged_records(place, kind)
    return counts | {"ready": staged.ready(kind).count(), "archived": staged.archived(kind).count()}


def rows_of(place: Place, kind: DirectoryKind, found: list[Any]) -> list[Row]:
    return [Row(record, record_url(place, kind, record.pk)) for record in found]


def record_url(place: Place, kind: DirectoryKind, record_id: int, page: str = "record") -> str:
    """A page of one record; they are the company's, also where a project's list leads there."""
    name = f"erp_integrations:company_directory_{page}"
    return reverse(name, args=[place.company.pk, kind.value, record_id])


def _having(rows: QuerySet[Any], search: str, fields: tuple[str, ...]) -> QuerySet[Any]:
    for word in search.split():
        condition = Q()
        for field in fields:
            condition |= Q(**{f"{field}__icontains": word})
        rows = rows.filter(condition)
    return rows
