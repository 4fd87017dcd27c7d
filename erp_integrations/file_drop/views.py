"""The Files tab: drop files, say what their columns are, read what became of them."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commitments.exports import csv_response
from erp_integrations.file_drop import arrivals, linking, services
from erp_integrations.file_drop.file_pages import FileEntry, FileSheet, places_of
from erp_integrations.file_drop.forms import UploadForm
from erp_integrations.file_drop.problems import problem_rows
from erp_integrations.file_drop.starting_points import BY_CODE, STARTING_POINTS
from erp_integrations.frames import frame
from erp_integrations.models import DroppedFile, ErpConnection, FileSource, FileState
from erp_integrations.places import Place, find_place
from erp_integrations.preconditions import obstacles_to_run
from projects.models import User
from projects.paging import keyset_page

LONGEST_CHOICE = 200


@login_required
@require_GET
def files(request: HttpRequest, company_id: int) -> HttpResponse:
    """Where files are dropped, what came, and which invoices wait to be linked."""
    place, connection = _opened(request, company_id)
    return render(
        request, "erp_integrations/file_drop/files.html", _list(request, place, connection)
    )


@login_required
@require_POST
def upload(request: HttpRequest, company_id: int) -> HttpResponse:
    place, connection = _opened(request, company_id)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            made = services.receive(
                connection=connection,
                content=form.cleaned_data["file"],
                name=form.cleaned_data["file"].name,
                source=FileSource.UPLOAD,
                by=_person(request),
            )
        except ValidationError as error:
            form.add_error("file", error)
        else:
            messages.success(request, KNOWN if made.state == FileState.READY else ASKED)
            return HttpResponseRedirect(place.url("file", made.pk))
    context = {**_list(request, place, connection), "form": form}
    return render(request, "erp_integrations/file_drop/files.html", context, status=422)


@login_required
@require_http_methods(["GET", "POST"])
def file(request: HttpRequest, company_id: int, file_id: int) -> HttpResponse:
    """One file: its columns and how its first rows are read, or what became of it."""
    place, connection = _opened(request, company_id)
    found = _file(request, connection, file_id)
    sheet = FileSheet(found, request.POST or None, synced_up_to=services.synced_up_to(connection))
    is_saved = request.method == "POST" and "save" in request.POST
    if is_saved and sheet.is_readable and sheet.is_chosen:
        try:
            services.choose_columns(file=found, by=_person(request), **sheet.choice())
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, CHOSEN)
        return HttpResponseRedirect(place.url("file", found.pk))
    context = {
        **frame(place, "files"),
        "file": found,
        "sheet": sheet,
        "page": keyset_page(request, found.problem_rows.all(), ("line", "pk")),
        "file_url": place.url("file", found.pk),
        "original_url": place.url("file_original", found.pk) if found.file else "",
        "problems_url": place.url("file_problems", found.pk),
        "discard_url": place.url("file_discard", found.pk),
        "run_url": place.url("run", found.run_id) if found.run_id else "",
        "obstacles": obstacles_to_run(connection),
    }
    return render(request, "erp_integrations/file_drop/file.html", context)


@login_required
@require_GET
def original(request: HttpRequest, company_id: int, file_id: int) -> FileResponse:
    """The file as it came, always as a download."""
    _, connection = _opened(request, company_id)
    found = _file(request, connection, file_id)
    if not found.file:
        raise Http404
    response = FileResponse(
        found.file.open("rb"),
        as_attachment=True,
        filename=found.name,
        content_type=found.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_GET
def problems(request: HttpRequest, company_id: int, file_id: int) -> StreamingHttpResponse:
    """The rows that were not used, to be mended and dropped again."""
    _, connection = _opened(request, company_id)
    found = _file(request, connection, file_id)
    response = StreamingHttpResponse(problem_rows(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="to-mend-{found.pk}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def discard(request: HttpRequest, company_id: int, file_id: int) -> HttpResponse:
    place, connection = _opened(request, company_id)
    found = _file(request, connection, file_id)
    try:
        services.discard(file=found, by=_person(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return HttpResponseRedirect(place.url("file", found.pk))
    messages.success(request, f"“{found.name}” was taken away. Nothing was read from it.")
    return HttpResponseRedirect(place.url("files"))


@login_required
@require_POST
def look(request: HttpRequest, company_id: int) -> HttpResponse:
    """Look at the watched places now, also at one that has refused us."""
    place, connection = _opened(request, company_id)
    arrivals.ring_for(connection.pk)
    messages.success(request, LOOKED)
    return HttpResponseRedirect(place.url("files"))


@login_required
@require_POST
def link(request: HttpRequest, company_id: int) -> HttpResponse:
    """Link the ticked invoices to the bills of the files."""
    place, connection = _opened(request, company_id)
    values = [each[: LONGEST_CHOICE * 2] for each in request.POST.getlist("pair")][: linking.MOST]
    if not values:
        messages.error(request, "Tick at least one invoice first.")
        return HttpResponseRedirect(place.url("files"))
    linked, refused = linking.link(connection=connection, values=values, by=_person(request))
    if linked:
        messages.success(request, LINKED.format(count=linked))
    for sentence in refused:
        messages.error(request, sentence)
    return HttpResponseRedirect(place.url("files"))


@login_required
@require_GET
def starting_point(request: HttpRequest, company_id: int, code: str) -> HttpResponseBase:
    """A file with the columns that an ERP commonly has."""
    _opened(request, company_id)
    found = BY_CODE.get(code)
    if found is None:
        raise Http404
    return csv_response(name=f"payments-{code}", header=[*found.columns], rows=found.rows)


def _opened(request: HttpRequest, company_id: int) -> tuple[Place, ErpConnection]:
    """For whoever may drop files, where files are dropped; nobody else learns that there are."""
    place = find_place(request.user, company_id=company_id)
    connection = place.connection
    if connection is None or not place.drops_files:
        raise Http404
    return place, connection


def _file(request: HttpRequest, connection: ErpConnection, file_id: int) -> DroppedFile:
    rows = DroppedFile.objects.for_user(request.user).filter(connection=connection)
    return get_object_or_404(
        rows.select_related("mapping", "connection", "uploaded_by"), pk=file_id
    )


def _list(request: HttpRequest, place: Place, connection: ErpConnection) -> dict[str, Any]:
    rows = DroppedFile.objects.for_user(request.user).filter(connection=connection)
    page = keyset_page(request, rows.select_related("uploaded_by"), ("-pk",), counted=rows)
    reached = services.synced_up_to(connection)
    return {
        **frame(place, "files"),
        "form": UploadForm(),
        "page": page,
        "rows": [FileEntry(each, place.url("file", each.pk), reached) for each in page.rows],
        "pairs": linking.pairs_to_link(connection),
        "watched": places_of(connection),
        "points": [(each, place.url("file_starting_point", each.code)) for each in STARTING_POINTS],
        "obstacles": obstacles_to_run(connection),
        "limit": settings.FILE_DROP_MAX_BYTES // (1024 * 1024),
        "upload_url": place.url("file_upload"),
        "look_url": place.url("files_look"),
        "link_url": place.url("files_link"),
    }


def _person(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]  # login_required


KNOWN = "The file is here. Its columns are known, so it is read now."
ASKED = (
    "The file is here. Look at its first rows and say what its columns are; nothing is read yet."
)
CHOSEN = "The columns are saved. The file is read now, and its payments are synced after that."
LOOKED = "Looking now. A file is taken once it stays the same for half a minute."
LINKED = "{count} invoices linked. Their payments appear on Payments Issued."
