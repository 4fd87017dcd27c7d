"""The table of what a sync would do, and its download."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from commitments.exports import csv_response
from erp_integrations.frames import frame
from erp_integrations.models import PreviewKind, PreviewRow, SyncRun
from erp_integrations.places import Place, find_place
from erp_integrations.preconditions import may_sync
from erp_integrations.previews.keeping import KEPT
from erp_integrations.progress import Progress
from erp_integrations.scopes import scope_of
from projects.money import rounded
from projects.paging import keyset_page

HEADER = (
    *("What", "Payment", "Vendor", "Commitment", "Invoice", "Check Number", "Date Paid"),
    *("Amount", "Currency", "Why", "Changes"),
)
_SHOWN = ("invoice", "commitment__project")


def preview_page(request: HttpRequest, place: Place, run: SyncRun) -> HttpResponse:
    """A preview's own page: counts on top, rows below, and the button that does it."""
    kind = request.GET.get("kind", "")
    visible = place.preview_rows(run)
    counts = _counts(visible)
    found = visible.filter(kind=kind) if kind in PreviewKind.values else visible
    everything = PreviewRow.objects.filter(run=run).count()
    scope = scope_of(run)
    context = {
        **frame(place, "runs"),
        "run": run,
        "progress": Progress(place, run),
        "kinds": _kinds(place.url("run", run.pk), counts, kind),
        "page": keyset_page(request, found.select_related(*_SHOWN), ("pk",)),
        "hidden": everything - sum(counts.values()),
        "days": KEPT.days,
        "is_forgotten": run.is_good and not everything and bool(run.created or run.updated),
        "is_outdated": _is_outdated(run),
        "csv_url": place.url("preview_csv", run.pk),
        "apply_url": place.url("preview_apply", run.pk)
        if run.is_good and may_sync(run.connection, request.user, scope.right_on or place.project)
        else "",
    }
    return render(request, "erp_integrations/preview.html", context)


@login_required
@require_GET
def preview_csv(request: HttpRequest, preview_id: int, **where: int) -> HttpResponseBase:
    """Every row that the person may see."""
    place = find_place(request.user, **where)
    run = get_object_or_404(place.runs, is_preview=True, pk=preview_id)
    rows = place.preview_rows(run).select_related(*_SHOWN)
    return csv_response(name=f"preview-{run.pk}", header=HEADER, rows=map(_line, rows.iterator()))


def _counts(rows: QuerySet[Any]) -> dict[str, int]:
    found = rows.order_by().values_list("kind").annotate(number=Count("pk"))
    return dict(found)


def _kinds(url: str, counts: dict[str, int], chosen: str) -> Iterator[dict[str, Any]]:
    total = sum(counts.values())
    yield {"label": "All", "count": total, "is_chosen": chosen not in counts, "url": url}
    for value, label in PreviewKind.choices:
        if value in counts:
            yield {
                "label": label,
                "count": counts[value],
                "is_chosen": value == chosen,
                "url": f"{url}?kind={value}",
            }


def _is_outdated(run: SyncRun) -> bool:
    """Whether a sync has brought something since."""
    later = SyncRun.objects.filter(connection=run.connection_id, is_preview=False)
    return run.is_good and later.filter(finished_at__gt=run.created_at).exists()


def _line(row: PreviewRow) -> Sequence[object]:
    changes = "; ".join(f"{name}: {old} → {new}" for name, (old, new) in row.changes.items())
    return (
        *(row.get_kind_display(), row.label, row.vendor_name),
        *(row.commitment.number if row.commitment else "", row.bill_number, row.check_number),
        *(row.date, "" if row.amount is None else rounded(row.amount, row.currency)),
        *(row.currency, row.explanation, changes),
    )
