"""Taking an invoice's link to its bill away, after the ERP was asked (domain sheet §1.5)."""

from django.core.exceptions import ValidationError

from commitments.erp_links import check_unlink, unlink_invoice
from commitments.models import SubcontractorInvoice
from erp_integrations.exporting.rights import unlinkable_by
from erp_integrations.models import ErpConnection
from erp_integrations.opening import open_provider
from erp_integrations.providers.errors import ErpError
from projects.models import User

STILL_THERE = "The requisition is still in {erp}. Please delete it before retrying."
NOT_ASKED = (
    "{erp} could not be asked whether the bill is gone, so nothing was changed. {reason} Try again "
    "later."
)
NOT_ALLOWED = (
    "Unlinking needs Admin on Commitments, Standard on ERP Integrations, and being an accounting "
    "approver."
)
NO_CONNECTION = (
    "No working ERP connection is there to ask whether the bill is gone, so nothing was changed."
)


class StillThere(ValidationError):
    """The ERP has the bill."""


class NotAsked(ValidationError):
    """Nobody knows whether the ERP has the bill."""


def unlink(*, invoice: SubcontractorInvoice, by: User) -> SubcontractorInvoice:
    """Ask the ERP, then unlink. Call it outside a transaction.

    Raises ``StillThere`` when the ERP has the bill, ``NotAsked`` when it could
    not be asked, and ``ValidationError`` when it is not this person's to do or
    payments still count on the invoice.
    """
    if not by.is_active or not unlinkable_by(by, [invoice.pk]):
        raise ValidationError(NOT_ALLOWED)
    check_unlink(invoice=invoice)
    bill_id = invoice.origin_id
    connection = ErpConnection.objects.filter(company=invoice.company_id, is_active=True).first()
    if connection is None:
        raise NotAsked(NO_CONNECTION)
    if bill_id and _is_there(connection, bill_id):
        raise StillThere(STILL_THERE.format(erp=connection.name))
    return unlink_invoice(invoice=invoice, by=by, bill_id=bill_id)


def _is_there(connection: ErpConnection, bill_id: str) -> bool:
    """Cancelled is as good as deleted. An empty answer counts only from an ERP that is well."""
    try:
        with open_provider(connection) as provider:
            found = list(provider.bills([bill_id]))
            if not found:
                provider.check()
    except ErpError as error:
        raise NotAsked(NOT_ASKED.format(erp=connection.name, reason=error)) from error
    return any(not bill.is_cancelled for bill in found)
