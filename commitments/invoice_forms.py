"""The form of a subcontractor invoice. ``invoices`` decides what may be stored."""

import datetime as dt
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from commitments.commitment_list import with_amounts
from commitments.invoice_list import G702_LINES
from commitments.invoices import ENTERED_AMOUNTS, InvoiceEntry, check_entry
from commitments.models import BillingPeriod, Commitment, InvoiceStatus, SubcontractorInvoice
from commitments.models.invoice import PeriodStatus
from projects.money import ZERO, rounded

if TYPE_CHECKING:
    ModelChoiceField = forms.ModelChoiceField[BillingPeriod]
else:
    ModelChoiceField = forms.ModelChoiceField

LINES = {name: f"{number} {label}" for number, label, name in G702_LINES}


def _date(label: str, *, required: bool) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget)


class InvoiceEntryForm(forms.Form):
    """What a person knows of an invoice; the other lines of the G702 are worked out."""

    invoice_number = forms.CharField(
        label="Invoice #",
        max_length=50,
        help_text="The subcontractor's number. The ERP's bill gets it too, so payments find it.",
    )
    status = forms.ChoiceField(label="Status", choices=InvoiceStatus.choices)
    billing_date = _date("Billing Date", required=True)
    period_start = _date("Period Start", required=False)
    period_end = _date("Period End", required=False)
    is_final = forms.BooleanField(
        label="Final", required=False, help_text="The last invoice of this commitment."
    )
    comments = forms.CharField(
        label="Overall Comments",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    #: ``updated_at`` of the invoice that the person saw
    seen_at = forms.CharField(required=False, widget=forms.HiddenInput, max_length=50)

    field_order = (
        *("invoice_number", "status", "billing_period", "billing_date"),
        *("period_start", "period_end", *ENTERED_AMOUNTS, "is_final", "comments", "seen_at"),
    )

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commitment = commitment
        periods: QuerySet[BillingPeriod] = BillingPeriod.objects.filter(
            project_id=commitment.project_id
        )
        self.fields["billing_period"] = ModelChoiceField(
            periods, label="Billing Period", required=False, empty_label="None"
        )
        for name in ENTERED_AMOUNTS:
            self.fields[name] = forms.DecimalField(
                label=f"{LINES[name]} ({commitment.currency})",
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                check_entry(self.commitment, self.entry)
            except ValidationError as error:
                self.add_error(None, error)
        return data

    @property
    def entry(self) -> InvoiceEntry:
        names = [each.name for each in fields(InvoiceEntry)]
        return InvoiceEntry(**{name: self.cleaned_data[name] for name in names})

    @property
    def seen(self) -> dt.datetime | None:
        """When the invoice that the person saw was written; nonsense is as good as nothing."""
        try:
            return dt.datetime.fromisoformat(self.cleaned_data["seen_at"])
        except ValueError:
            return None


def initial_of(invoice: SubcontractorInvoice) -> dict[str, Any]:
    """The invoice as the form shows it."""
    currency = invoice.commitment.currency
    return {
        **{each.name: getattr(invoice, each.name) for each in fields(InvoiceEntry)},
        **{name: rounded(getattr(invoice, name), currency) for name in ENTERED_AMOUNTS},
        "seen_at": invoice.updated_at.isoformat(),
    }


def initial_for(commitment: Commitment) -> dict[str, Any]:
    """A new invoice: it goes on where the last one ended, in the open billing period."""
    last = commitment.invoices.order_by("position").last()
    amounts: Any = with_amounts(Commitment.objects.filter(pk=commitment.pk)).get()
    periods = BillingPeriod.objects.filter(project_id=commitment.project_id)
    period = periods.filter(status=PeriodStatus.OPEN).first()
    billed: dict[str, Decimal] = {
        "original_contract_sum": amounts.original_amount,
        "net_change_by_change_orders": amounts.approved_changes,
        "total_completed_and_stored_to_date": ZERO,
        "total_retainage": last.total_retainage if last else ZERO,
        "less_previous_certificates": last.total_earned_less_retainage if last else ZERO,
    }
    return {
        "status": InvoiceStatus.DRAFT,
        "billing_period": period,
        "billing_date": period.ends_on if period else None,
        "period_start": period.starts_on if period else None,
        "period_end": period.ends_on if period else None,
        **{name: rounded(amount, commitment.currency) for name, amount in billed.items()},
    }
