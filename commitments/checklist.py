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

NOT_APPROVED = "It is {}. It has to be Approved, Approved as Noted or Pending Owner Approval."
NUMBER, NO_NUMBER = "It has an invoice number.", "It has no invoice number."
DATE, NO_DATE = "It has a billing date.", "It has no billing date."
TOOL = "ERP Integrations is switched on for the project."
NO_TOOL = (
    "ERP Integrations is switched off for the project. Staff of your company switch it on in the "
    "administration."
)


def checklist(invoice: SubcontractorInvoice, person: Person) -> list[ChecklistItem]:
    """In the order in which things are cured; empty for an invoice that the ERP has."""
    if invoice.erp_status in DONE:
        return []
    return [*_own(invoice, person), *extensions.export_checklist(invoice, person)]


def _own(invoice: SubcontractorInvoice, person: Person) -> list[ChecklistItem]:
    edit_url = _edit_url(invoice, person)
    link = (edit_url, "Edit the invoice" if edit_url else "")
    is_on = erp_tool_is_on(invoice.project_id)
    status = invoice.get_status_display()
    return [
        _item("status", invoice.is_sendable, f"It is {status}.", NOT_APPROVED.format(status), link),
        _item("invoice_number", bool(invoice.invoice_number), NUMBER, NO_NUMBER, link),
        _item("billing_date", invoice.billing_date is not None, DATE, NO_DATE, link),
        _item("tool", is_on, TOOL, NO_TOOL, ("", "")),
    ]


def _item(
    code: str, is_done: bool, done: str, missing: str, link: tuple[str, str]
) -> ChecklistItem:
    return ChecklistItem(code, done if is_done else missing, is_done, *link)


def _edit_url(invoice: SubcontractorInvoice, person: Person) -> str:
    administered = SubcontractorInvoice.objects.for_user(person, Level.ADMIN)
    if not administered.filter(pk=invoice.pk).exists():
        return ""
    place = [invoice.project_id, invoice.commitment_id, invoice.pk]
    return reverse("commitments:invoice_edit", args=place)
