"""Filters of the lists of payments, validated; choices come from what the person may see."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from commitments.models import Commitment
from payments.models import Payment, PaymentMethod, PaymentStatus
from projects.access import Person, Tool
from projects.models import Company, Project, Vendor

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

#: of the filters of all payments
FIELD_ORDER = ["q", "project", "vendor", "check", "paid_from", "paid_to", "method", "status", "erp"]


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


def _day_field(label: str, lookup: str) -> django_filters.DateFilter:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return django_filters.DateFilter(
        label=label, field_name="date", lookup_expr=lookup, widget=widget
    )


class CompanyPaymentFilter(PaymentFilter):
    """Of all payments of a company."""

    project = django_filters.ModelChoiceFilter(
        label="Project",
        field_name="commitment__project",
        queryset=Project.objects.none(),
        empty_label="All",
    )
    vendor = django_filters.ModelChoiceFilter(
        label="Contract company",
        field_name="commitment__vendor",
        queryset=Vendor.objects.none(),
        empty_label="All",
    )
    check = django_filters.CharFilter(
        label="Check #", field_name="check_number", lookup_expr="icontains", max_length=100
    )
    paid_from = _day_field("Paid from", "gte")
    paid_to = _day_field("Paid to", "lte")

    def __init__(self, data: Any, *, company: Company, person: Person) -> None:
        self.company = company
        rows = Payment.objects.for_user(person).filter(company=company)
        super().__init__(data, queryset=rows)
        projects = Project.objects.for_user(person, Tool.COMMITMENTS).filter(company=company)
        self.filters["project"].queryset = projects
        seen = Commitment.objects.for_user(person).filter(company=company, allow_payments=True)
        self.filters["vendor"].queryset = Vendor.objects.filter(pk__in=seen.values("vendor_id"))
        self.filters["q"].label = "Search"

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Every word has to be found somewhere in the row."""
        of_company = Commitment.objects.filter(company=self.company)
        for word in value.split():
            rows = rows.filter(
                Q(commitment__in=of_company.matching(word).order_by().values("pk"))
                | Q(check_number__icontains=word)
                | Q(invoice_number__icontains=word)
                | Q(payment_number__icontains=word)
                | Q(origin_code__icontains=word)
                | Q(notes__icontains=word)
            )
        return rows

    def get_form_class(self) -> type[forms.Form]:
        made: type[forms.Form] = super().get_form_class()
        made.field_order = FIELD_ORDER
        return made
