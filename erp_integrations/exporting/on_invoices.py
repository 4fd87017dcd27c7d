"""What the way out adds to the pages of invoices: what is missing, and *Unlink*."""

from django.urls import reverse

from commitments import extensions
from commitments.extensions import ChecklistItem, InvoiceAction
from commitments.models import SubcontractorInvoice
from erp_integrations.exporting.requirements import requirements
from erp_integrations.exporting.rights import unlinkable_by
from erp_integrations.models import ErpConnection
from projects.access import Person
from projects.models import Company

#: what the page says already, in words of its own
SAID_THERE = {"status"}


def register() -> None:
    extensions.register_export_checklist(checklist)
    extensions.register_invoice_actions(unlink_button)


def checklist(invoice: SubcontractorInvoice, person: Person) -> list[ChecklistItem]:
    """What this company's ERP asks for; links for those who see its whole tool."""
    connection = ErpConnection.objects.filter(company=invoice.company_id).first()
    companies = Company.objects.with_accounting(person)
    sees_company = companies.filter(pk=invoice.company_id).exists()
    return [
        ChecklistItem(
            code=each.code,
            sentence=each.needed if each.is_met else each.missing,
            is_done=each.is_met,
            url=each.url if sees_company else "",
            link_label=each.label if sees_company else "",
        )
        for each in requirements(invoice, connection)
        if each.code not in SAID_THERE
    ]


def unlink_button(invoice: SubcontractorInvoice, person: Person) -> list[InvoiceAction]:
    if not invoice.is_synced or not unlinkable_by(person, [invoice.pk]):
        return []
    url = reverse("erp_integrations:project_invoice_unlink", args=[invoice.project_id, invoice.pk])
    return [InvoiceAction("Unlink from the ERP", url, "x")]
