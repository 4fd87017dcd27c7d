"""What an invoice still needs before it can be exported: our part, then the rooms' to the right."""

from django.urls import reverse

from commitments import extensions
from commitments.erp_states import erp_tool_is_on
from commitments.extensions import ChecklistItem
from commitments.models import SubcontractorInvoice
from projects.access import Level, Person
from projects.models import ErpStatus

#: once the ERP has it, or receives it now, there is nothing left to prepare
DONE = (ErpStatus.EXPORTING, ErpStatus.SYNCED)


def checklist(invoice: SubcontractorInvoice, person: Person) -> list[ChecklistItem]:
    """In the order in which things are cured; empty for an invoice that the ERP has."""
    if invoice.erp_status in DONE:
        return []
    return [*_own(invoice, person), *extensions.export_checklist(invoice, person)]


def _own(invoice: SubcontractorInvoice, person: Person) -> list[ChecklistItem]:
    edit_url = _edit_url(invoice, person)
    label = "Edit the invoice" if edit_url else ""
    is_on = erp_tool_is_on(invoice.project_id)
    return [
        ChecklistItem(
            "status",
            "Its status is Approved, Approved as Noted or Pending Owner Approval.",
            invoice.is_sendable,
            edit_url,
            label,
        ),
        ChecklistItem(
            "invoice_number",
            "It has an invoice number.",
            bool(invoice.invoice_number),
            edit_url,
            label,
        ),
        ChecklistItem(
            "billing_date",
            "It has a billing date.",
            invoice.billing_date is not None,
            edit_url,
            label,
        ),
        ChecklistItem("tool", "ERP Integrations is switched on for the project.", is_on),
    ]


def _edit_url(invoice: SubcontractorInvoice, person: Person) -> str:
    administered = SubcontractorInvoice.objects.for_user(person, Level.ADMIN)
    if not administered.filter(pk=invoice.pk).exists():
        return ""
    place = [invoice.project_id, invoice.commitment_id, invoice.pk]
    return reverse("commitments:invoice_edit", args=place)
