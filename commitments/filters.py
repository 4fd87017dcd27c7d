"""Filters of the Commitments list, validated; choices come from what the person may see."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from commitments.models import Commitment, CommitmentKind, CommitmentStatus
from projects.models import ErpStatus, Vendor

YES_NO = (("yes", "Yes"), ("no", "No"))

#: what the list can be sorted by: the column's name in the address → the field
SORTS = {
    "number": "number",
    "company": "vendor__name",
    "title": "title",
    "erp": "erp_status",
    "status": "status",
    "executed": "is_executed",
    "ssov": "ssov_status",
    "original_amount": "original_amount",
    "approved_changes": "approved_changes",
    "revised_amount": "revised_amount",
    "pending_changes": "pending_changes",
    "draft_changes": "draft_changes",
    "invoiced": "invoiced",
    "payments_issued": "payments_issued",
    "percent_paid": "percent_paid",
    "remaining": "remaining_balance",
    "private": "is_private",
}


class CommitmentFilter(django_filters.FilterSet):
    vendor = django_filters.ModelChoiceFilter(
        label="Contract company", queryset=Vendor.objects.none(), empty_label="All"
    )
    kind = django_filters.ChoiceFilter(
        label="Contract type", choices=CommitmentKind.choices, empty_label="All"
    )
    erp = django_filters.ChoiceFilter(
        label="ERP status", field_name="erp_status", choices=ErpStatus.choices, empty_label="All"
    )
    status = django_filters.ChoiceFilter(
        label="Status", choices=CommitmentStatus.choices, empty_label="All"
    )
    executed = django_filters.ChoiceFilter(
        label="Executed", choices=YES_NO, method="by_executed", empty_label="All"
    )
    ssov = django_filters.ChoiceFilter(
        label="SSOV status", field_name="ssov_status", choices=(), empty_label="All"
    )
    q = django_filters.CharFilter(
        label="Number, title or company", method="search", max_length=100, strip=True
    )

    class Meta:
        model = Commitment
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any, *, visible: QuerySet[Any], rows: QuerySet[Any]) -> None:
        """``visible``: every commitment of the list; ``rows``: the same with their amounts."""
        super().__init__(data, queryset=rows)
        vendors = Vendor.objects.filter(pk__in=visible.order_by().values("vendor_id"))
        self.filters["vendor"].queryset = vendors
        stored = visible.exclude(ssov_status="").order_by("ssov_status")
        names = stored.values_list("ssov_status", flat=True).distinct()
        self.filters["ssov"].extra["choices"] = [(name, name) for name in names]

    def by_executed(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(is_executed=value == "yes")

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Every word has to be found somewhere in the row."""
        for word in value.split():
            found = Q(number__icontains=word) | Q(title__icontains=word)
            rows = rows.filter(found | Q(vendor__name__icontains=word))
        return rows

    @property
    def is_filtering(self) -> bool:
        """Whether a person narrowed the list, so that an empty one says how to widen it."""
        self.form.is_valid()
        return any(self.form.cleaned_data.values())


def sort_order(wanted: str) -> tuple[str, bool]:
    """The column and whether it descends: ``-invoiced`` → ``("invoiced", True)``."""
    column = wanted.removeprefix("-")
    return (column, wanted.startswith("-")) if column in SORTS else ("number", False)


def sorted_rows(rows: QuerySet[Any], wanted: str) -> QuerySet[Any]:
    """By the wanted column, and by id where that is the same."""
    column, descends = sort_order(wanted)
    sign = "-" if descends else ""
    return rows.order_by(f"{sign}{SORTS[column]}", f"{sign}pk")
