"""The rows of the Subcontractor Invoices page."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.urls import reverse

from commitments.models import Commitment, SubcontractorInvoice
from payments.models import Payment
from projects.access import Person
from projects.models import ErpStatus

#: the order of the list
NEWEST_FIRST = ("-billing_date", "-pk")


@dataclass(frozen=True)
class Row:
    """An invoice and where its links may lead this person (empty: nowhere)."""

    invoice: SubcontractorInvoice
    paid: Decimal
    payment_status: str
    commitment_url: str

    @property
    def error(self) -> str:
        """Why the export failed, in the ERP's words or ours."""
        if self.invoice.erp_status != ErpStatus.FAILED:
            return ""
        return self.invoice.erp_message or "The export failed, and the ERP gave no reason."


def with_payment_status(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Adds ``paid`` and ``payment_status``: Unpaid, Partially Paid or Paid (domain sheet §3.7)."""
    status = Case(
        When(paid=0, then=Value("Unpaid")),
        When(paid__gte=F("current_payment_due"), then=Value("Paid")),
        default=Value("Partially Paid"),
        output_field=CharField(),
    )
    with_paid: QuerySet[Any] = rows.annotate(paid=Payment.objects.total_of("invoice"))
    annotated: QuerySet[Any] = with_paid.annotate(payment_status=status)
    return annotated


def with_shown(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With everything that a row shows."""
    return with_payment_status(
        rows.select_related("project", "commitment__vendor", "billing_period")
    )


def rows_for(person: Person, invoices: list[Any]) -> list[Row]:
    """The invoices of one page, with links only to commitments that the person may see."""
    ids = {invoice.commitment_id for invoice in invoices}
    visible = Commitment.objects.for_user(person).filter(pk__in=ids)
    allowed = set(visible.values_list("pk", flat=True))
    return [
        Row(
            invoice=invoice,
            paid=invoice.paid,
            payment_status=invoice.payment_status,
            commitment_url=_commitment_url(invoice) if invoice.commitment_id in allowed else "",
        )
        for invoice in invoices
    ]


def _commitment_url(invoice: SubcontractorInvoice) -> str:
    return reverse("payments:payments_issued", args=[invoice.project_id, invoice.commitment_id])
