"""What people do with invoices that were sent: accept them, reject them."""

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from commitments.erp_states import begin_export
from commitments.models import SubcontractorInvoice
from erp_integrations.exporting.jobs import ring_for
from erp_integrations.exporting.requirements import (
    NO_CONNECTION,
    obstacles_to_export,
    problem_with_entry,
)
from erp_integrations.models import ErpConnection, ExportState, InvoiceExport
from projects.models import User


@transaction.atomic
def accept(
    *,
    invoice: SubcontractorInvoice,
    erp_number: str,
    accounting_date: dt.date | None,
    by: User,
) -> InvoiceExport:
    """Accept it and bring it on its way. Of two approvers one wins.

    Raises ``ValidationError`` with every reason why it cannot be exported now.
    """
    invoice = begin_export(invoice=invoice, by=by)
    connection = ErpConnection.objects.filter(company=invoice.company_id).first()
    if connection is None:
        raise ValidationError(NO_CONNECTION)
    erp_number = erp_number.strip()
    problems = [each.missing for each in obstacles_to_export(invoice, connection)]
    problems.append(
        problem_with_entry(
            invoice, connection, erp_number=erp_number, accounting_date=accounting_date
        )
    )
    if any(problems) or accounting_date is None:
        raise ValidationError([each for each in problems if each])
    return _enqueue(invoice, connection, erp_number, accounting_date, by, is_direct=False)


@transaction.atomic
def export_directly(
    *, invoice: SubcontractorInvoice, connection: ErpConnection, by: User
) -> InvoiceExport:
    """Export what was just sent, because the company asks for no approver.

    What is missing makes the export fail, so that it is seen where failures are seen.
    """
    invoice = begin_export(invoice=invoice, by=by, is_direct=True)
    number, date = invoice.invoice_number, invoice.billing_date
    return _enqueue(invoice, connection, number, date, by, is_direct=True)


def _enqueue(
    invoice: SubcontractorInvoice,
    connection: ErpConnection,
    erp_number: str,
    accounting_date: dt.date,
    by: User,
    *,
    is_direct: bool,
) -> InvoiceExport:
    export = InvoiceExport.objects.create(
        company_id=invoice.company_id,
        connection=connection,
        invoice=invoice,
        key=_key(invoice),
        erp_number=erp_number,
        accounting_date=accounting_date,
        is_direct=is_direct,
        requested_by=by,
        try_at=timezone.now(),
    )
    transaction.on_commit(lambda: ring_for(export.pk))
    return export


def _key(invoice: SubcontractorInvoice) -> uuid.UUID:
    """The last export's, as long as that one did not end with a bill."""
    last = InvoiceExport.objects.filter(invoice=invoice).first()
    if last is None or last.state == ExportState.SUCCEEDED:
        return uuid.uuid4()
    return last.key
