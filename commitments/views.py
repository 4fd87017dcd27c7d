"""The Commitments list of a project."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from commitments.commitment_list import (
    AMOUNTS,
    EXPORT_HEADER,
    CommitmentRow,
    export_line,
    totals,
    with_amounts,
)
from commitments.exports import csv_response
from commitments.filters import CommitmentFilter, sort_order, sorted_rows
from commitments.models import Commitment
from commitments.pages import open_project, page_of
from projects.access import Level, Tool
from projects.models import Project

NONE_YET_ADMIN = (
    "No commitment yet. Subcontracts and purchase orders are entered in the administration, under "
    "Commitments."
)
NONE_YET = (
    "No commitment that you may see yet. An administrator of Commitments enters them, and lists "
    "the people who see a private one."
)
NONE_FOUND = "No commitment fits these filters. Clear them to see all commitments."


@dataclass(frozen=True)
class Heading:
    """A column heading that sorts the list."""

    label: str
    #: for the address: what the list is sorted by after a click
    sort: str
    #: for ``aria-sort``; empty when the list is sorted by another column
    direction: str
    is_number: bool = False


_COLUMNS = (
    *(("number", "Number"), ("company", "Contract Company"), ("title", "Title")),
    *(("erp", "ERP Status"), ("status", "Status"), ("executed", "Executed")),
    *(("ssov", "SSOV Status"), *AMOUNTS.items()),
    *(("percent_paid", "% Paid"), ("remaining", "Remaining Balance Outstanding")),
    ("private", "Private"),
)
_NUMBERS = {*AMOUNTS, "percent_paid", "remaining"}


@login_required
@require_GET
def commitment_list(request: HttpRequest, project_id: int) -> HttpResponse:
    """Every commitment that the person may see, with what was billed and paid on it."""
    project = open_project(request, project_id)
    found = _found(request, project)
    page = page_of(request, sorted_rows(found.qs, request.GET.get("sort", "")))
    context = {
        "project": project,
        "company": project.company,
        "filter": found,
        "page": page,
        "rows": [CommitmentRow(each) for each in page],
        "totals": totals(found.qs),
        "headings": _headings(request.GET.get("sort", "")),
        "empty": NONE_FOUND if found.is_filtering else _empty(request, project),
        "page_url": reverse("commitments:list", args=[project.pk]),
        "export_url": reverse("commitments:export", args=[project.pk]),
    }
    return render(request, "commitments/list.html", context)


@login_required
@require_GET
def export(request: HttpRequest, project_id: int) -> HttpResponseBase:
    """The filtered and sorted list, for a spreadsheet."""
    project = open_project(request, project_id)
    rows = sorted_rows(_found(request, project).qs, request.GET.get("sort", ""))
    lines = (export_line(each) for each in rows.iterator())
    return csv_response(name="commitments", project=project, header=EXPORT_HEADER, rows=lines)


def _found(request: HttpRequest, project: Project) -> CommitmentFilter:
    visible: QuerySet[Any] = Commitment.objects.for_user(request.user).filter(project=project)
    rows = with_amounts(visible.select_related("vendor"))
    return CommitmentFilter(request.GET, visible=visible, rows=rows)


def _headings(wanted: str) -> list[Heading]:
    current, descends = sort_order(wanted)
    return [
        Heading(
            label=label,
            sort=f"-{column}" if column == current and not descends else column,
            direction=("descending" if descends else "ascending") if column == current else "",
            is_number=column in _NUMBERS,
        )
        for column, label in _COLUMNS
    ]


def _empty(request: HttpRequest, project: Project) -> str:
    administered = Project.objects.for_user(request.user, Tool.COMMITMENTS, Level.ADMIN)
    is_admin = administered.filter(pk=project.pk).exists()
    return NONE_YET_ADMIN if is_admin else NONE_YET
