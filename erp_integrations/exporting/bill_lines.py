"""What of an invoice stands on its bill: the work of the period, less the retainage held."""

from decimal import Decimal
from typing import NamedTuple

from commitments.models import InvoiceStatus, SubcontractorInvoice
from erp_integrations.models import InvoiceExport
from erp_integrations.providers.contract import BillLine, BillToExport
from projects.money import ZERO

#: what every ERP takes as a description
LONGEST_TEXT = 200


class _SoFar(NamedTuple):
    work: Decimal
    retainage: Decimal


def bill_to_export(export: InvoiceExport) -> BillToExport:
    """The export's invoice in the words of the contract."""
    invoice = export.invoice
    commitment = invoice.commitment
    return BillToExport(
        key=str(export.key),
        number=export.erp_number,
        vendor_ref=commitment.vendor.origin_id,
        commitment_ref=commitment.origin_id,
        project_ref=invoice.project.origin_id,
        billing_date=invoice.billing_date,
        accounting_date=export.accounting_date,
        currency=commitment.currency,
        description=f"{invoice.project} · {commitment}"[:LONGEST_TEXT],
        lines=_lines(invoice),
    )


def _lines(invoice: SubcontractorInvoice) -> tuple[BillLine, ...]:
    """They add up to the payment due; where the G702 of the period before does not fit, one line.

    Retainage that is released in the period is a line above zero.
    """
    due = invoice.current_payment_due
    before = _billed_before(invoice)
    work = invoice.total_completed_and_stored_to_date - before.work
    retainage = invoice.total_retainage - before.retainage
    name = f"Invoice {invoice.invoice_number}"
    if not retainage or work - retainage != due:
        return (BillLine(name[:LONGEST_TEXT], due),)
    held = "Retainage held" if retainage > 0 else "Retainage released"
    lines = (BillLine(name[:LONGEST_TEXT], work), BillLine(held, -retainage, is_retainage=True))
    return tuple(line for line in lines if line.amount)


def _billed_before(invoice: SubcontractorInvoice) -> _SoFar:
    earlier = SubcontractorInvoice.objects.filter(
        commitment=invoice.commitment_id, position__lt=invoice.position
    ).exclude(status=InvoiceStatus.DRAFT)
    last = earlier.order_by("-position").first()
    if last is None:
        return _SoFar(ZERO, ZERO)
    return _SoFar(last.total_completed_and_stored_to_date, last.total_retainage)
