"""Unlinking a payment that vanished: the ERP is asked first, outside any transaction."""

from django.core.exceptions import ValidationError

from erp_integrations.asking import ask
from erp_integrations.models import ErpAllocation, ErpConnection
from erp_integrations.models.mirror import Outcome
from erp_integrations.providers.errors import ErpError, RecordNotFound
from payments.linking import check_reason, unlink_vanished
from payments.models import Payment
from projects.models import Company, User

NOT_APPROVER = (
    "Only accounting approvers who administer Commitments on this project can unlink payments."
)
NO_CONNECTION = "No ERP is connected, so it cannot be asked whether the payment is gone."
STILL_THERE = (
    "{erp} still has payment {number}, so it stays linked. Sync payments: it then counts again."
)
NOT_ASKED = (
    "{erp} could not be asked whether payment {number} is really gone, so nothing was changed. "
    "{why} Try again later."
)


def may_unlink(payment: Payment, person: User) -> bool:
    """Accounting approver; that the person administers the commitment is asked beside this."""
    return Company.objects.filter(pk=payment.company_id).with_approver(person).exists()


def unlink_payment(*, payment: Payment, reason: str, by: User) -> Payment:
    """Take the link to the ERP away. Raises ``ValidationError`` with why it stays."""
    if not may_unlink(payment, by):
        raise ValidationError(NOT_APPROVER)
    reason = check_reason(reason)
    _require_gone(payment)
    return unlink_vanished(payment=payment, reason=reason, by=by)


def forget_payment(payment: Payment) -> None:
    """The ERP's part stays as history and shows nothing; if it comes back it is judged anew."""
    ErpAllocation.objects.filter(payment=payment).update(
        outcome=Outcome.REMOVED, reason="", waiting_since=None, payment=None
    )


def _require_gone(payment: Payment) -> None:
    connection = ErpConnection.objects.filter(company=payment.company_id).first()
    if connection is None:
        raise ValidationError(NO_CONNECTION)
    number = payment.origin_code or payment.origin_data
    try:
        ask(connection, lambda provider: provider.payment(payment.origin_data))
    except RecordNotFound:
        return
    except ErpError as error:
        raise ValidationError(
            NOT_ASKED.format(erp=connection.name, number=number, why=error)
        ) from error
    raise ValidationError(STILL_THERE.format(erp=connection.name, number=number))
