"""What payments add to the pages of commitments (see ``commitments.extensions``)."""

from typing import Any

from django.db.models import BigIntegerField, Case, CharField, F, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from commitments import extensions
from commitments.extensions import HISTORY_COLUMNS
from commitments.models import Commitment, SubcontractorInvoice
from commitments.pages import rows_per_commitment
from payments.models import EventKind, Payment, PaymentEvent
from payments.rows import PaymentRow
from projects.access import Person


def register() -> None:
    extensions.register_paid_amounts(
        on_commitment=lambda: Payment.objects.total_of("commitment"),
        on_invoice=lambda: Payment.objects.total_of("invoice"),
    )
    extensions.register_tab(
        extensions.Tab(
            code="payments_issued",
            label="Payments Issued",
            url_name="payments:payments_issued",
            count=_count,
            is_shown=lambda commitment: commitment.allow_payments,
        )
    )
    extensions.register_invoice_payments(of_invoice)
    extensions.register_history(history)


def _count() -> Combinable:
    return rows_per_commitment(Payment.objects.all())


def of_invoice(invoice: SubcontractorInvoice, person: Person) -> list[extensions.InvoicePayment]:
    rows = Payment.objects.for_user(person).filter(invoice=invoice).order_by("date", "pk")
    return [_on_invoice(PaymentRow(each, invoice.commitment)) for each in rows]


def _on_invoice(row: PaymentRow) -> extensions.InvoicePayment:
    payment = row.payment
    return extensions.InvoicePayment(
        name=row.name,
        url=row.url,
        date=payment.date,
        method=payment.get_method_display(),
        check_number=payment.check_number,
        amount=payment.amount,
        currency=payment.currency,
        is_counted=payment.is_counted,
        remark=row.voided_text or ("" if row.erp_state == "Synced" else row.erp_state),
    )


def history(commitment: Commitment) -> "QuerySet[Any, Any]":
    """What happened to the commitment's payments; nothing while its tab is switched off."""
    events = PaymentEvent.objects.filter(commitment=commitment)
    if not commitment.allow_payments:
        events = events.none()
    kinds = (When(kind=kind, then=Value(label)) for kind, label in EventKind.choices)
    # what waited is shown by no run in particular
    imported = Case(When(actor=None, then=Coalesce("import_id", 0)), output_field=BigIntegerField())
    return (
        events.order_by()
        .annotate(
            row_id=F("pk"),
            subject=F("label"),
            summary=Case(*kinds, output_field=CharField()),
            imported=imported,
        )
        .values_list(*("imported" if each == "import_id" else each for each in HISTORY_COLUMNS))
    )
