"""Forms of payments. ``services`` decide what may be stored; these say so beside the field."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from commitments.models import Commitment, SubcontractorInvoice
from payments import services
from payments.models import Payment, PaymentMethod
from payments.rows import invoice_label
from projects.money import rounded

if TYPE_CHECKING:
    ModelChoiceField = forms.ModelChoiceField[SubcontractorInvoice]
else:
    ModelChoiceField = forms.ModelChoiceField


class InvoiceChoice(ModelChoiceField):
    """The commitment's invoices in the words of the Payments Issued list."""

    def __init__(self, commitment: Commitment) -> None:
        self.commitment = commitment
        rows = SubcontractorInvoice.objects.filter(commitment=commitment).order_by("-position")
        super().__init__(rows, label="Invoice", required=False, empty_label="No invoice")

    def label_from_instance(self, obj: SubcontractorInvoice) -> str:
        return f"{invoice_label(self.commitment, obj)} ({obj.invoice_number})"


class PaymentForm(forms.Form):
    """Procore's form (domain sheet §5.3)."""

    method = forms.ChoiceField(label="Payment Method", choices=PaymentMethod.choices)
    date = forms.DateField(
        label="Date", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    payment_number = forms.CharField(label="Payment #", max_length=100, required=False)
    invoice_number = forms.CharField(
        label="Invoice #",
        max_length=100,
        required=False,
        help_text="Leave empty to use the number of the invoice.",
    )
    check_number = forms.CharField(label="Check #", max_length=100, required=False)
    notes = forms.CharField(
        label="Notes", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )
    amount = forms.DecimalField(
        label="Amount",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    field_order = (
        *("invoice", "method", "date", "payment_number"),
        *("invoice_number", "check_number", "notes", "amount"),
    )

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commitment = commitment
        self.fields["invoice"] = InvoiceChoice(commitment)
        self.fields["amount"].label = f"Amount ({commitment.currency})"
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                services.check_entry(self.commitment, self.entry)
            except ValidationError as error:
                self.add_error(None, error)
        return data

    @property
    def entry(self) -> services.Entry:
        """What the person filled in."""
        return services.Entry(**self.cleaned_data)


class PaymentNumberForm(forms.Form):
    """All that can be changed on a synced payment."""

    payment_number = forms.CharField(
        label="Payment #",
        max_length=100,
        required=False,
        help_text="The next sync keeps what you enter here.",
    )


def initial_of(payment: Payment) -> dict[str, Any]:
    """The payment as the form shows it."""
    return {
        **{name: getattr(payment, name) for name in services.LABELS},
        "amount": rounded(payment.amount, payment.currency),
    }


def initial_for(invoice: SubcontractorInvoice | None) -> dict[str, Any]:
    """A new payment's form, filled from the invoice it was opened for."""
    if invoice is None:
        return {}
    return {"invoice": invoice, "invoice_number": invoice.invoice_number}
