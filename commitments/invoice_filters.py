"""Filters of the project's invoice list, validated; choices come from what the person may see."""

from typing import Any

import django_filters
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from commitments import extensions
from commitments.models import (
    BillingPeriod,
    CommitmentKind,
    InvoiceStatus,
    SubcontractorInvoice,
)
from projects.models import ErpStatus, Project, Vendor

PAYMENT_STATUSES = (("unpaid", "Unpaid"), ("partial", "Partially Paid"), ("paid", "Paid"))
#: the same as ``invoice_list.payment_status``, for the database
_PAID = ~Q(paid=0) & Q(paid__gte=F("current_payment_due"))
_IN_PAYMENT_STATUS = {"unpaid": Q(paid=0), "partial": ~Q(paid=0) & ~_PAID, "paid": _PAID}


class ProjectInvoiceFilter(django_filters.FilterSet):
    period = django_filters.ModelChoiceFilter(
        label="Billing period",
        field_name="billing_period",
        queryset=BillingPeriod.objects.none(),
        empty_label="All",
    )
    vendor = django_filters.ModelChoiceFilter(
        label="Contract company",
        field_name="commitment__vendor",
        queryset=Vendor.objects.none(),
        empty_label="All",
    )
    status = django_filters.ChoiceFilter(
        label="Invoice status", choices=InvoiceStatus.choices, empty_label="All"
    )
    payment = django_filters.ChoiceFilter(
        label="Payment status", choices=PAYMENT_STATUSES, method="by_payment", empty_label="All"
    )
    erp = django_filters.ChoiceFilter(
        label="ERP status", field_name="erp_status", choices=ErpStatus.choices, empty_label="All"
    )
    kind = django_filters.ChoiceFilter(
        label="Contract type",
        field_name="commitment__kind",
        choices=CommitmentKind.choices,
        empty_label="All",
    )
    q = django_filters.CharFilter(
        label="Number, contract or company", method="search", max_length=100, strip=True
    )

    class Meta:
        model = SubcontractorInvoice
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any, *, project: Project, visible: QuerySet[Any]) -> None:
        super().__init__(data, queryset=visible)
        self.filters["period"].queryset = BillingPeriod.objects.filter(project=project)
        # asked of the commitments, of which there are far fewer
        billed = project.commitments.filter(Exists(visible.filter(commitment=OuterRef("pk"))))
        vendors = Vendor.objects.filter(pk__in=billed.order_by().values("vendor_id"))
        self.filters["vendor"].queryset = vendors

    def by_payment(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        paid: QuerySet[Any] = rows.annotate(paid=extensions.paid_on("invoice"))
        return paid.filter(_IN_PAYMENT_STATUS[value])

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Every word has to be found somewhere in the row."""
        for word in value.split():
            found = Q(invoice_number__icontains=word) | Q(origin_code__icontains=word)
            contract = Q(commitment__number__icontains=word) | Q(commitment__title__icontains=word)
            rows = rows.filter(found | contract | Q(commitment__vendor__name__icontains=word))
        return rows

    @property
    def is_filtering(self) -> bool:
        """Whether a person narrowed the list, so that an empty one says how to widen it."""
        self.form.is_valid()
        return any(self.form.cleaned_data.values())
