"""The Companies, Jobs and Commitments tabs, and the page of each record on them."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from commitments.history import change_lines
from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.directory import lists
from erp_integrations.directory.linking import Record, check_unlink
from erp_integrations.directory.matches import Match, name_of, same_here, suggestions
from erp_integrations.directory.panel import RefreshPanel
from erp_integrations.directory.searching import SearchFailed, search_erp
from erp_integrations.frames import frame
from erp_integrations.models import DirectoryKind, StagedRecord
from erp_integrations.models.directory import COUNTERPARTS
from erp_integrations.places import Place, find_place
from projects.models import Project, Vendor

PER_PAGE = 50
EVENTS = 20
STOP_POLLING = 286
LONGEST_SEARCH = 100


@login_required
@require_GET
def vendors(request: HttpRequest, **where: int) -> HttpResponse:
    return _list(request, DirectoryKind.VENDORS, where)


@login_required
@require_GET
def jobs(request: HttpRequest, **where: int) -> HttpResponse:
    return _list(request, DirectoryKind.JOBS, where)


@login_required
@require_GET
def commitments(request: HttpRequest, **where: int) -> HttpResponse:
    return _list(request, DirectoryKind.COMMITMENTS, where)


@login_required
@require_GET
def progress(request: HttpRequest, kind: str, **where: int) -> HttpResponse:
    """The panel of the reading, asked for every second until it is over."""
    place = find_place(request.user, **where)
    panel = RefreshPanel(place, kind_of(kind))
    context = {"panel": panel, "zone": place.time_zone, "announcement": panel.announcement}
    response = render(request, "erp_integrations/directory/_refresh.html", context)
    if panel.active is None:
        response.status_code = STOP_POLLING
        response["HX-Trigger-After-Swap"] = "directory-refreshed"
    return response


@login_required
@require_GET
def record(request: HttpRequest, kind: str, record_id: int, **where: int) -> HttpResponse:
    """One record: what it is linked to, what it could be linked to, and who linked it when."""
    place, which = find_place(request.user, **where), kind_of(kind)
    found = find_record(place, which, record_id)
    panel = RefreshPanel(place, which)
    context: dict[str, Any] = {
        **frame(place, which.value),
        "panel": panel,
        "kind": which,
        "row": lists.Row(found, request.path),
        "facts": _facts(found),
        "events": _events(found),
        "link_url": lists.record_url(place, which, record_id, "link"),
        "unlink_url": lists.record_url(place, which, record_id, "unlink"),
        "list_url": place.url(which.value),
    }
    if found.origin_id:
        context |= _unlinking(found)
    elif panel.may_link:
        context |= _candidates(request, place, which, found)
    return render(request, "erp_integrations/directory/record.html", context)


def kind_of(text: str) -> DirectoryKind:
    """The kind that an address names. Raises ``Http404``."""
    if text not in DirectoryKind.values:
        raise Http404
    return DirectoryKind(text)


def find_record(place: Place, kind: DirectoryKind, record_id: int) -> Any:
    """The record, for those to whom it exists. Raises ``Http404``."""
    visible = lists.with_counterparts(place, kind, lists.records(place, kind))
    return get_object_or_404(visible.select_related("company"), pk=record_id)


def _list(request: HttpRequest, kind: DirectoryKind, where: dict[str, int]) -> HttpResponse:
    place = find_place(request.user, **where)
    view = request.GET.get("view", "")
    view = view if view in dict(lists.VIEWS) else "all"
    search = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    found = lists.in_view(place, kind, view, search)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    panel = RefreshPanel(place, kind)
    context = {
        **frame(place, kind.value),
        **_views(place, kind, view, search),
        "kind": kind,
        "noun": NOUNS[kind],
        "panel": panel,
        "page": page,
        "is_staged": view in lists.STAGED_VIEWS,
        "may_change": panel.may_link and place.project is None,
    }
    if view in lists.STAGED_VIEWS:
        context["rows"] = _staged_rows(place, kind, list(page.object_list))
    else:
        context["rows"] = lists.rows_of(place, kind, list(page.object_list))
    return render(request, "erp_integrations/directory/list.html", context)


def _staged_rows(
    place: Place, kind: DirectoryKind, found: list[StagedRecord]
) -> list[dict[str, Any]]:
    """Each with a record here that looks the same, so that nobody imports it twice."""
    alike = same_here(kind, place.company.pk, found)
    visible = lists.records(place, kind).filter(pk__in=[each.pk for each in alike.values()])
    allowed = set(visible.values_list("pk", flat=True)) if alike else set()
    return [
        {
            "staged": each,
            "alike": record if record and record.pk in allowed else None,
            "alike_url": lists.record_url(place, kind, record.pk) if record else "",
            "import_url": _import_url(place, kind, each),
        }
        for each in found
        for record in [alike.get(each.pk)]
    ]


def _import_url(place: Place, kind: DirectoryKind, staged: StagedRecord) -> str:
    if kind != DirectoryKind.COMMITMENTS:
        return ""
    company = Place(place.person, place.company)
    return company.url("commitment_import", staged.pk)


def _views(place: Place, kind: DirectoryKind, chosen: str, search: str) -> dict[str, Any]:
    counts = lists.counts_of_views(place, kind)
    url = place.url(kind.value)
    keep = {"q": search} if search else {}
    views = [
        {
            "label": label,
            "count": counts[code],
            "is_chosen": code == chosen,
            "url": f"{url}?{urlencode({'view': code, **keep})}",
        }
        for code, label in lists.VIEWS
    ]
    company = Place(place.person, place.company)
    return {
        "views": views,
        "chosen_view": chosen,
        "search": search,
        "list_url": url,
        "url_without_search": f"{url}?{urlencode({'view': chosen})}",
        "empty": NOTHING_FOUND if search else EMPTY[chosen].format(**WORDS[kind]),
        "matches_url": company.url("directory_matches", kind.value),
        "import_url": company.url("directory_import", kind.value),
        "archive_url": company.url("directory_archive", kind.value),
    }


def _candidates(
    request: HttpRequest, place: Place, kind: DirectoryKind, found: Record
) -> dict[str, Any]:
    """What the record could be linked to; with words, the ERP itself is asked."""
    words = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    context: dict[str, Any] = {"words": words, "can_search": True}
    if place.connection:
        context["suggestions"] = suggestions(place.connection, kind, found)
    if not words:
        return context
    try:
        staged, has_more = search_erp(place.connection, kind, words)
    except SearchFailed as failure:
        return {**context, "failure": str(failure)}
    taken = _taken(kind, place, staged)
    results = [(Match(found, each, ()), taken.get(each.remote_id)) for each in staged]
    return {**context, "results": results, "has_more": has_more, "searched": True}


def _taken(kind: DirectoryKind, place: Place, staged: list[StagedRecord]) -> dict[str, str]:
    """By the ERP's id: what here is linked to it already."""
    model: Any = COUNTERPARTS[kind]
    ids = [each.remote_id for each in staged]
    linked = model.objects.filter(company=place.company, origin_id__in=ids)
    return {each.origin_id: str(each) for each in linked}


def _unlinking(found: Record) -> dict[str, Any]:
    """What unlinking would do, or why it cannot be done."""
    try:
        check_unlink(found)
    except ValidationError as error:
        return {"unlink_refusal": error.messages[0]}
    synced = _invoices_of(found).synced().count()
    consequences = CONSEQUENCES[type(found)]
    if synced:
        count = "1 synced invoice" if synced == 1 else f"{synced:,} synced invoices"
        consequences = (STAYS.format(count=count), *consequences)
    return {"consequences": consequences}


def _invoices_of(found: Record) -> Any:
    if isinstance(found, Commitment):
        return SubcontractorInvoice.objects.filter(commitment=found)
    if isinstance(found, Vendor):
        return SubcontractorInvoice.objects.filter(commitment__vendor=found)
    return SubcontractorInvoice.objects.filter(project=found)


def _facts(found: Record) -> list[tuple[str, str]]:
    if isinstance(found, Vendor):
        return [("Code", found.code or "—")]
    if isinstance(found, Project):
        return [("Number", found.number), ("Address", found.address or "—")]
    return [
        ("Type", found.get_kind_display()),
        ("Contract Company", found.vendor.name),
        ("Project", str(found.project)),
    ]


def _events(found: Any) -> list[dict[str, Any]]:
    """The newest changes of the link, for the timeline."""
    rows = found.events.filter(changes__has_key="ERP ID").select_related("actor")[:EVENTS]
    return [
        {
            "subject": name_of(found),
            "summary": event.summary,
            "who": str(event.actor or "The program"),
            "at": event.at,
            "changes": change_lines(event.changes),
        }
        for event in rows
    ]


NOUNS = {
    DirectoryKind.VENDORS: "company",
    DirectoryKind.JOBS: "job",
    DirectoryKind.COMMITMENTS: "commitment",
}
WORDS = {
    DirectoryKind.VENDORS: {
        "ours": "companies",
        "made": "Vendors are entered in the administration, or imported from the ERP here.",
        "theirs": "vendors",
    },
    DirectoryKind.JOBS: {
        "ours": "projects",
        "made": "Projects are entered in the administration, or imported from the ERP here.",
        "theirs": "jobs",
    },
    DirectoryKind.COMMITMENTS: {
        "ours": "commitments",
        "made": "Commitments are entered in the administration, or imported from the ERP here.",
        "theirs": "subcontracts and purchase orders",
    },
}
EMPTY = {
    "all": "There are no {ours} yet. {made}",
    "linked": "None of the {ours} here is linked to the ERP yet. Open one under “Not linked” to "
    "link it.",
    "not_linked": "All {ours} here are linked to the ERP. There is nothing to do.",
    "ready": "The ERP has no {theirs} that are missing here, or its list was not read yet. "
    "The time of the last reading stands above.",
    "archived": "Nothing was put aside. {theirs} that will never be imported can be archived "
    "under “Ready To Import”.",
}
NOTHING_FOUND = "Nothing here has all these words. Clear the search to see the others."
STAYS = "{count} stay linked to their bills, and payments that came stay as they are."
CONSEQUENCES: dict[type, tuple[str, ...]] = {
    Vendor: (
        "New invoices of this vendor cannot be exported until it is linked again.",
        "Payments are no longer compared with this vendor: one that the ERP made to somebody "
        "else would not be noticed.",
    ),
    Project: ("New invoices of this project cannot be exported until it is linked again.",),
    Commitment: (
        "Invoices of this commitment cannot be exported until it is linked again.",
        "It can be edited again where it was locked by the ERP.",
    ),
}
