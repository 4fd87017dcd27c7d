"""The form of a subcontractor invoice in the Django admin."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from commitments import erp_links
from projects.company_scope import WholeRowForm
from projects.models import User


class InvoiceForm(WholeRowForm):
    """Adds the link to the ERP's bill, which only the services in ``erp_links`` write."""

    bill_id = forms.CharField(
        label="ERP bill ID",
        required=False,
        max_length=200,
        help_text="The bill's key in the ERP. Filling it in links the invoice and makes it synced; "
        "emptying it takes the link away.",
    )
    bill_number = forms.CharField(
        label="ERP bill number",
        required=False,
        max_length=200,
        help_text="The number people see in the ERP. Empty: the ID is shown.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("bill_id", self.instance.origin_id)
        self.initial.setdefault("bill_number", self.instance.origin_code)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.changes_link and not self.errors:
            try:
                self._check_link(data.get("bill_id", ""))
            except ValidationError as error:
                self.add_error("bill_id", error)
        return data

    def _check_link(self, bill_id: str) -> None:
        if bill_id:
            # The company comes with the commitment, which the form may only now have set.
            commitment = self.cleaned_data.get("commitment")
            if self.instance.company_id is None and commitment is not None:
                self.instance.company_id = commitment.company_id
            erp_links.check_link(invoice=self.instance, bill_id=bill_id)
        elif self.instance.pk:
            erp_links.check_unlink(invoice=self.instance)

    @property
    def changes_link(self) -> bool:
        return bool({"bill_id", "bill_number"} & set(self.changed_data))

    def store_link(self, *, by: User) -> None:
        """Write the link, after the invoice itself."""
        bill_id = self.cleaned_data.get("bill_id", "")
        if not self.changes_link:
            return
        if bill_id:
            erp_links.link_invoice_to_bill(
                invoice=self.instance,
                bill_id=bill_id,
                bill_number=self.cleaned_data.get("bill_number", ""),
                by=by,
            )
        elif self.instance.origin_id:
            erp_links.unlink_invoice(invoice=self.instance, by=by)
