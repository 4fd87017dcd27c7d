"""Hears what happens to the left: a reason to wait is gone, an invoice was sent."""

import contextlib
from typing import Any

from django.core.exceptions import ValidationError
from django.dispatch import receiver

from commitments.erp_states import invoice_was_sent
from commitments.models import SubcontractorInvoice
from erp_integrations.exporting.services import export_directly
from erp_integrations.models import ErpAllocation, ErpConnection
from erp_integrations.vanished.services import forget_payment
from payments.actions import payment_takes_over, payment_unlinked
from payments.models import Payment
from projects.models import User
from projects.services import something_was_enabled


@receiver(something_was_enabled)
def project_what_waits(*, company_id: int, **_: Any) -> None:
    from erp_integrations.tasks import project_waiting_payments

    project_waiting_payments.delay(company_id)


@receiver(invoice_was_sent)
def export_what_needs_no_approver(*, invoice_id: int, sent_by_id: int, **_: Any) -> None:
    """*ERP Direct Exports*: sending is exporting."""
    invoice = SubcontractorInvoice.objects.get(pk=invoice_id)
    direct = ErpConnection.objects.filter(company=invoice.company_id, direct_export=True).first()
    if direct is None:
        return
    by = User.objects.get(pk=sent_by_id)
    with contextlib.suppress(ValidationError):  # somebody was faster; the row says what happened
        export_directly(invoice=invoice, connection=direct, by=by)


@receiver(payment_takes_over)
def move_allocation(*, payment: Payment, twin: Payment, **_: Any) -> None:
    ErpAllocation.objects.filter(payment=twin).update(payment=payment)


@receiver(payment_unlinked)
def forget_unlinked(*, payment: Payment, **_: Any) -> None:
    forget_payment(payment)
