"""Buttons of the three tabs: refresh, link, unlink, link all, import, archive."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from erp_integrations.directory import linking, lists, refreshing, staging
from erp_integrations.directory.forms import CommitmentImportForm
from erp_integrations.directory.linking import Record
from erp_integrations.directory.matches import MOST_SHOWN, Match, exact_matches
from erp_integrations.directory.rights import may_link, obstacles_to_asking
from erp_integrations.directory.views import find_record, kind_of
from erp_integrations.frames import frame
from erp_integrations.models import DirectoryKind, StagedRecord
from erp_integrations.places import Place, find_place
from projects.models import Project, User

#: what one click may import or link
MOST_AT_ONCE = 200
#: sentences about single records that one page shows
MOST_SENTENCES = 5


@login_required
@require_POST
def refresh(request: HttpRequest, kind: str, **where: int) -> HttpResponse:
    """Read the ERP again. Pressing it twice, or by two people, is one reading."""
    place = find_linker(request, where)
    obstacles = obstacles_to_asking(place.connection)
    for obstacle in obstacles:
        messages.error(request, obstacle.sentence)
    if place.connection and not obstacles:
        refreshing.request_refresh(connection=place.connection, requested_by=_person(request))
    return HttpResponseRedirect(place.url(kind_of(kind).value))


@login_required
@require_POST
def link(request: HttpRequest, kind: str, record_id: int, **where: int) -> HttpResponse:
    place, which = find_linker(request, where), kind_of(kind)
    record = find_record(place, which, record_id)
    staged_rows = lists.staged_records(place, which)
    staged = get_object_or_404(staged_rows, pk=_number(request.POST.get("staged")))
    try:
        linking.link(record=record, staged=staged, by=_person(request))
    except ValidationError as error:
        _tell(request, error)
    else:
        messages.success(request, f"{record} is linked to {staged} in the ERP.")
    return HttpResponseRedirect(lists.record_url(place, which, record_id))


@login_required
@require_POST
def unlink(request: HttpRequest, kind: str, record_id: int, **where: int) -> HttpResponse:
    place, which = find_linker(request, where), kind_of(kind)
    record = find_record(place, which, record_id)
    try:
        linking.unlink(record=record, by=_person(request))
    except ValidationError as error:
        _tell(request, error)
    else:
        messages.success(request, f"{record} is not linked to the ERP any more.")
    return HttpResponseRedirect(lists.record_url(place, which, record_id))


@login_required
@require_http_methods(["GET", "POST"])
def matches(request: HttpRequest, kind: str, **where: int) -> HttpResponse:
    """Pairs that fit each other and nothing else; those that are ticked are linked."""
    place, which = find_linker(request, where), kind_of(kind)
    if request.method == "POST":
        pairs = [each.split(":") for each in request.POST.getlist("pair")[:MOST_AT_ONCE]]
        _each(request, pairs, lambda pair: _link_pair(place, which, pair, request), LINKED)
        return HttpResponseRedirect(place.url("directory_matches", which.value))
    unlinked = lists.records(place, which).filter(origin_id="")
    found: list[Match] = []
    has_more = False
    if place.connection:
        found, has_more = exact_matches(place.connection, which, unlinked)
    context = {
        **frame(place, which.value),
        "kind": which,
        "matches": found,
        "has_more": has_more,
        "most": MOST_SHOWN,
        "list_url": place.url(which.value),
    }
    return render(request, "erp_integrations/directory/matches.html", context)


@login_required
@require_POST
def import_selected(request: HttpRequest, kind: str, **where: int) -> HttpResponse:
    """Vendors or jobs of the ERP that are ticked become records here, linked."""
    place, which = find_linker(request, where), kind_of(kind)
    imports = {
        DirectoryKind.VENDORS: linking.import_vendor,
        DirectoryKind.JOBS: linking.import_job,
    }
    if which not in imports:
        raise PermissionDenied
    chosen = _chosen(request, place, which)

    def bring(staged: StagedRecord) -> None:
        imports[which](staged=staged, by=_person(request))

    _each(request, chosen, bring, IMPORTED)
    return HttpResponseRedirect(f"{place.url(which.value)}?view=ready")


@login_required
@require_POST
def archive(request: HttpRequest, kind: str, **where: int) -> HttpResponse:
    """Put ERP records aside that nobody will import, or take them back."""
    place, which = find_linker(request, where), kind_of(kind)
    restore = request.POST.get("restore") == "1"
    ids = [staged.pk for staged in _chosen(request, place, which)]
    count = staging.set_archived(
        company=place.company, staged_ids=ids, is_archived=not restore, by=_person(request)
    )
    done = "back under Ready To Import" if restore else "archived"
    messages.success(request, f"{count:,} {'record is' if count == 1 else 'records are'} {done}.")
    view = "archived" if restore else "ready"
    return HttpResponseRedirect(f"{place.url(which.value)}?view={view}")


@login_required
@require_http_methods(["GET", "POST"])
def commitment_import(request: HttpRequest, staged_id: int, **where: int) -> HttpResponse:
    """A subcontract or purchase order of the ERP becomes a commitment here."""
    place = find_linker(request, where)
    kind = DirectoryKind.COMMITMENTS
    ready = lists.staged_records(place, kind).ready(kind)
    staged = get_object_or_404(ready.select_related("company"), pk=staged_id)
    projects = Project.objects.filter(
        pk__in=lists.records(place, DirectoryKind.JOBS).values("pk"), is_active=True
    ).order_by("number")
    form = CommitmentImportForm(staged, projects, request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := _bring(request, form)):
        messages.success(request, f"{made} is imported and linked to {staged.code} in the ERP.")
        url = lists.record_url(place, DirectoryKind.COMMITMENTS, made.pk)
        return HttpResponseRedirect(url)
    context = {
        **frame(place, DirectoryKind.COMMITMENTS.value),
        "form": form,
        "staged": staged,
        "back_url": f"{place.url('commitments')}?view=ready",
    }
    return render(request, "erp_integrations/directory/commitment_import.html", context)


def find_linker(request: HttpRequest, where: dict[str, int]) -> Place:
    """The company's tool, for those who may link there; others who see it are refused."""
    place = find_place(request.user, **where)
    if not may_link(place.company, request.user):
        raise PermissionDenied
    return place


def _bring(request: HttpRequest, form: CommitmentImportForm) -> Any:
    """The imported commitment; None when it was refused, and the form says why."""
    try:
        values = form.values()
        return linking.import_commitment(staged=form.staged, by=_person(request), **values)
    except ValidationError as error:
        fields = error.message_dict if hasattr(error, "error_dict") else {None: error.messages}
        for name, sentences in fields.items():
            field = name if name in form.fields else None
            for sentence in sentences:
                form.add_error(field, sentence)
        return None


def _link_pair(place: Place, kind: DirectoryKind, pair: list[str], request: HttpRequest) -> None:
    if len(pair) != 2:
        raise ValidationError("Choose pairs from the list.")
    record: Record | None = lists.records(place, kind).filter(pk=_number(pair[0])).first()
    staged = lists.staged_records(place, kind).filter(pk=_number(pair[1])).first()
    if record is None or staged is None:
        raise ValidationError("One of the records is not there any more. Reload the page.")
    linking.link(record=record, staged=staged, by=_person(request))


def _chosen(request: HttpRequest, place: Place, kind: DirectoryKind) -> list[StagedRecord]:
    ids = [_number(each) for each in request.POST.getlist("staged")[:MOST_AT_ONCE]]
    rows = lists.staged_records(place, kind).select_related("company")
    return list(rows.filter(pk__in=ids).order_by("pk"))


def _each(
    request: HttpRequest, items: Any, act: Callable[[Any], None], done: tuple[str, str]
) -> None:
    """Do it to each; one that is refused says why and does not stop the others."""
    count, refused = 0, []
    for item in items:
        try:
            act(item)
        except ValidationError as error:
            refused += error.messages
        else:
            count += 1
    if count:
        messages.success(request, done[0] if count == 1 else done[1].format(count=count))
    for sentence in refused[:MOST_SENTENCES]:
        messages.error(request, sentence)
    if len(refused) > MOST_SENTENCES:
        messages.error(request, f"{len(refused) - MOST_SENTENCES} more were refused.")
    if not count and not refused:
        messages.info(request, "Nothing was selected.")


def _tell(request: HttpRequest, error: ValidationError) -> None:
    for sentence in error.messages:
        messages.error(request, sentence)


def _number(text: Any) -> int:
    """An id from a form; 0, which nothing has, for what is none."""
    return int(text) if str(text or "").isdecimal() and len(str(text)) < 18 else 0


def _person(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]  # login_required


LINKED = ("1 record is linked.", "{count:,} records are linked.")
IMPORTED = ("1 record is imported and linked.", "{count:,} records are imported and linked.")
