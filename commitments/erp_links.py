"""Linking an invoice to its bill in the ERP by hand, and taking the link away again.

Exporting makes this link by itself; by hand it is for bills that were in the
ERP first. One bill is one invoice.
"""

from django.core.exceptions import ValidationError
from django.db import transaction

from commitments.erp_states import record
from commitments.models import SubcontractorInvoice
from projects.models import ErpStatus, User
from projects.services import announce_enabled

NO_BILL = "Enter the ID of the bill in the ERP."
TAKEN = "Invoice {number} of {commitment} is linked to this ERP bill already."
HAS_PAYMENTS = (
    "Payments came for this invoice, so it stays linked to its bill. Void or remove them in the "
    "ERP first."
)


@transaction.atomic
def link_invoice_to_bill(
    *, invoice: SubcontractorInvoice, bill_id: str, bill_number: str = "", by: User | None
) -> SubcontractorInvoice:
    """Make the invoice *synced* with this bill; payments that waited for it are shown then."""
    invoice = _locked(invoice)
    check_link(invoice=invoice, bill_id=bill_id)
    before = invoice.origin_code or invoice.origin_id
    invoice.origin_id, invoice.origin_code = bill_id, bill_number or bill_id
    invoice.erp_status, invoice.erp_message = ErpStatus.SYNCED, ""
    invoice.save()
    _record_link(invoice, by, f"Linked to ERP bill {invoice.origin_code}", before)
    announce_enabled(invoice.company_id)
    return invoice


@transaction.atomic
def unlink_invoice(*, invoice: SubcontractorInvoice, by: User) -> SubcontractorInvoice:
    """Take the link away; only while no synced payment stands on it."""
    invoice = _locked(invoice)
    check_unlink(invoice=invoice)
    before = invoice.origin_code or invoice.origin_id
    invoice.origin_id = invoice.origin_code = ""
    invoice.erp_status = ErpStatus.NOT_SENT
    invoice.save()
    _record_link(invoice, by, f"Unlinked from ERP bill {before}", before)
    announce_enabled(invoice.company_id)
    return invoice


def check_link(*, invoice: SubcontractorInvoice, bill_id: str) -> None:
    """Raises ``ValidationError`` when the invoice cannot be linked to this bill."""
    if not bill_id:
        raise ValidationError(NO_BILL)
    if invoice.origin_id not in ("", bill_id):
        check_unlink(invoice=invoice)
    others = SubcontractorInvoice.objects.filter(
        company_id=invoice.company_id, origin_id=bill_id
    ).exclude(pk=invoice.pk)
    other = others.select_related("commitment").first()
    if other is not None:
        raise ValidationError(
            TAKEN.format(number=other.invoice_number, commitment=other.commitment.number)
        )


def check_unlink(*, invoice: SubcontractorInvoice) -> None:
    """Raises ``ValidationError`` while payments from the ERP stand on the invoice."""
    if invoice.payments.exclude(origin_id="").exists():
        raise ValidationError(HAS_PAYMENTS)


def _locked(invoice: SubcontractorInvoice) -> SubcontractorInvoice:
    return SubcontractorInvoice.objects.select_for_update().get(pk=invoice.pk)


def _record_link(invoice: SubcontractorInvoice, by: User | None, summary: str, before: str) -> None:
    record(invoice, by=by, summary=summary, changes={"ERP ID": [before, invoice.origin_code]})
