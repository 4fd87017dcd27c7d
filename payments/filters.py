"""Filters of Payments Issued, validated."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from payments.models import Payment, PaymentMethod, PaymentStatus

ERP_STATES = (
    ("synced", "Synced"),
    ("manual", "Manual"),
    ("missing", "Missing or gone"),
)
_MISSING = ~Q(missing_since=None) | ~Q(vanished_at=None)
_IN_STATE = {
    "synced": ~Q(origin_id="") & ~_MISSING,
    "manual": Q(origin_id=""),
    "missing": _MISSING,
}


class PaymentFilter(django_filters.FilterSet):
    erp = django_filters.ChoiceFilter(
        label="ERP status", choices=ERP_STATES, method="in_state", empty_label="All"
    )
    method = django_filters.ChoiceFilter(
        label="Payment method", choices=PaymentMethod.choices, empty_label="All"
    )
    status = django_filters.ChoiceFilter(
        label="Status", choices=PaymentStatus.choices, empty_label="All"
    )
    q = django_filters.CharFilter(
        label="Check, invoice or payment #", method="search", max_length=100, strip=True
    )

    class Meta:
        model = Payment
        fields: tuple[str, ...] = ()

    def in_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(_IN_STATE[value])

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Any of the three numbers, in part."""
        return rows.filter(
            Q(check_number__icontains=value)
            | Q(invoice_number__icontains=value)
            | Q(payment_number__icontains=value)
        )

    @property
    def is_filtering(self) -> bool:
        """Whether a person narrowed the list, so that an empty one says how to widen it."""
        self.form.is_valid()
        return any(self.form.cleaned_data.values())
