"""Linking an invoice to its bill in the ERP by hand, and taking the link away again.

Exporting makes this link by itself; by hand it is for bills that were in the
ERP first. One bill is one invoice.
"""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from commitments.erp_states import record
from commitments.models import SubcontractorInvoice
from projects.models import ErpStatus, User
from projects.services import announce_enabled

LONGEST_NUMBER = 50
NO_BILL = "Enter the ID of the bill in the ERP."
TAKEN = "Invoice {number} of {commitment} is linked to this ERP bill already."
HAS_PAYMENTS = (
    "Payments came for this invoice, so it stays linked to its bill. Void or remove them in the "
    "ERP first."
)
IS_EXPORTING = "The ERP is receiving this invoice now. Wait for the end of its export."
NOT_EXPORTING = "The invoice is {state} by now, so bill {number} of the ERP was not linked to it."
OTHER_BILL = "The invoice is linked to another bill by now, so it was not unlinked."


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
def record_exported(
    *,
    invoice: SubcontractorInvoice,
    bill_id: str,
    bill_number: str,
    bill_total: Decimal,
    overrides_number: bool,
    by: User | None,
) -> SubcontractorInvoice:
    """The export made this bill: the invoice is synced with it from here on.

    ``overrides_number``: the bill's number becomes the invoice's too. Raises
    ``ValidationError`` when something else happened to the invoice meanwhile.
    """
    invoice = _locked(invoice)
    if invoice.erp_status != ErpStatus.EXPORTING:
        state = invoice.get_erp_status_display().lower()
        raise ValidationError(NOT_EXPORTING.format(state=state, number=bill_number))
    check_taken(invoice=invoice, bill_id=bill_id)
    changes = {
        "ERP Status": [invoice.get_erp_status_display(), str(ErpStatus.SYNCED.label)],
        "ERP ID": ["", bill_number],
    }
    if overrides_number and bill_number != invoice.invoice_number:
        changes["Invoice #"] = [invoice.invoice_number, bill_number]
        invoice.invoice_number = bill_number[:LONGEST_NUMBER]
    invoice.origin_id, invoice.origin_code = bill_id, bill_number
    invoice.erp_status, invoice.erp_message = ErpStatus.SYNCED, ""
    same = bill_total == invoice.current_payment_due
    invoice.erp_bill_total = None if same else bill_total
    invoice.save()
    record(invoice, by=by, summary=f"Exported as ERP bill {bill_number}", changes=changes)
    announce_enabled(invoice.company_id)
    return invoice


@transaction.atomic
def unlink_invoice(
    *, invoice: SubcontractorInvoice, by: User, bill_id: str = ""
) -> SubcontractorInvoice:
    """Take the link away; only while no payment from the ERP counts on it.

    ``bill_id``: the bill that somebody looked at before; it has to be that one still.
    """
    invoice = _locked(invoice)
    if bill_id and invoice.origin_id != bill_id:
        raise ValidationError(OTHER_BILL)
    check_unlink(invoice=invoice)
    before = invoice.origin_code or invoice.origin_id
    invoice.origin_id = invoice.origin_code = ""
    invoice.erp_status, invoice.erp_bill_total = ErpStatus.NOT_SENT, None
    invoice.save()
    _record_link(invoice, by, f"Unlinked from ERP bill {before}", before)
    announce_enabled(invoice.company_id)
    return invoice


def check_link(*, invoice: SubcontractorInvoice, bill_id: str) -> None:
    """Raises ``ValidationError`` when the invoice cannot be linked to this bill."""
    if not bill_id:
        raise ValidationError(NO_BILL)
    if invoice.erp_status == ErpStatus.EXPORTING:
        raise ValidationError(IS_EXPORTING)
    if invoice.origin_id not in ("", bill_id):
        check_unlink(invoice=invoice)
    check_taken(invoice=invoice, bill_id=bill_id)


def check_taken(*, invoice: SubcontractorInvoice, bill_id: str) -> None:
    """Raises ``ValidationError`` when another invoice has the bill: one bill is one invoice."""
    others = SubcontractorInvoice.objects.filter(
        company_id=invoice.company_id, origin_id=bill_id
    ).exclude(pk=invoice.pk)
    other = others.select_related("commitment").first()
    if other is not None:
        raise ValidationError(
            TAKEN.format(number=other.invoice_number, commitment=other.commitment.number)
        )


def check_unlink(*, invoice: SubcontractorInvoice) -> None:
    """Raises ``ValidationError`` while payments from the ERP count on the invoice.

    One that was voided there, or is gone from there, stays in the history and is no obstacle.
    """
    if invoice.payments.counted().exclude(origin_id="").exists():
        raise ValidationError(HAS_PAYMENTS)


def _locked(invoice: SubcontractorInvoice) -> SubcontractorInvoice:
    return SubcontractorInvoice.objects.select_for_update().get(pk=invoice.pk)


def _record_link(invoice: SubcontractorInvoice, by: User | None, summary: str, before: str) -> None:
    record(invoice, by=by, summary=summary, changes={"ERP ID": [before, invoice.origin_code]})
