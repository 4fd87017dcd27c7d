"""Filters of the lists, validated."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.models import RunState, SyncRun
from projects.models import ErpStatus
from projects.paging import BoundedCount, bounded_counts

#: Procore's views of the list (domain sheet §1.3)
VIEWS = (
    ("all", "All"),
    ("ready", "Ready to Export"),
    ("failed", "Failed to Export"),
    ("synced", "Synced"),
)
_IN_VIEW = {
    "all": Q(),
    "ready": Q(erp_status__in=[ErpStatus.SENT, ErpStatus.EXPORTING]),
    "failed": Q(erp_status=ErpStatus.FAILED),
    "synced": Q(erp_status=ErpStatus.SYNCED),
}


class InvoiceFilter(django_filters.FilterSet):
    view = django_filters.ChoiceFilter(choices=VIEWS, method="in_view")
    q = django_filters.CharFilter(method="search", label="Search", max_length=100, strip=True)

    class Meta:
        model = SubcontractorInvoice
        fields: tuple[str, ...] = ()

    def in_view(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(_IN_VIEW[value])

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Every word has to be found somewhere in the row."""
        for word in value.split():
            rows = rows.filter(
                Q(invoice_number__icontains=word)
                | Q(origin_code__icontains=word)
                | Q(commitment__in=Commitment.objects.matching(word).order_by().values("pk"))
            )
        return rows


class RunFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=RunState.choices, empty_label="All states")

    class Meta:
        model = SyncRun
        fields = ("state",)


def counts_of_views(rows: QuerySet[Any]) -> dict[str, BoundedCount]:
    """How many invoices each view holds, in one query that stops counting early."""
    return bounded_counts({name: rows.filter(condition) for name, condition in _IN_VIEW.items()})
