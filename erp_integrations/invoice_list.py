"""The rows of the Subcontractor Invoices page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.urls import reverse

from commitments.erp_states import ACCEPTABLE_STATES
from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.exporting.requirements import Requirement, obstacles_to_export
from erp_integrations.exporting.rights import Exporter
from payments.models import Payment
from projects.models import ErpStatus

#: the order of the list
NEWEST_FIRST = ("-billing_date", "-pk")
NOTHING_MISSING = "Nothing is missing here any more. Export it again."


class Entry(NamedTuple):
    """What stands in the fields of a row: the number the bill gets, and the day it is booked on."""

    erp_number: str
    #: ``2026-11-22``, or whatever was typed instead
    accounting_date: str
    #: why this row was refused just now
    refusal: str = ""


@dataclass(frozen=True)
class Row:
    """An invoice and where its links may lead this person (empty: nowhere)."""

    invoice: SubcontractorInvoice
    paid: Decimal
    payment_status: str
    commitment_url: str
    invoice_url: str
    #: its fields, where this person may accept it now
    entry: Entry | None = None
    can_be_unlinked: bool = False
    obstacles: Sequence[Requirement] = field(default_factory=list)

    @property
    def error(self) -> str:
        """Why the export failed, in the ERP's words or ours."""
        if self.invoice.erp_status != ErpStatus.FAILED:
            return ""
        return self.invoice.erp_message or "The export failed, and the ERP gave no reason."

    @property
    def is_exporting(self) -> bool:
        return self.invoice.erp_status == ErpStatus.EXPORTING

    @property
    def has_remarks(self) -> bool:
        """Whether there is anything to say in its last column."""
        refusal = self.entry.refusal if self.entry else ""
        return bool(self.error or self.obstacles or self.is_exporting or refusal)

    @property
    def advice(self) -> str:
        """What is next for one that failed, where no Fix link says it."""
        return NOTHING_MISSING if self.error and self.entry and not self.obstacles else ""


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


def rows_for(
    exporter: Exporter, invoices: list[Any], typed: Mapping[int, Entry] | None = None
) -> list[Row]:
    """The invoices of one page, with what this person may see and do of each.

    ``typed``: what stood in the fields of rows that were refused just now.
    """
    ids = {invoice.commitment_id for invoice in invoices}
    visible = Commitment.objects.for_user(exporter.person).filter(pk__in=ids)
    allowed = set(visible.values_list("pk", flat=True))
    acceptable, unlinkable = exporter.acceptable(invoices), exporter.unlinkable(invoices)
    made = []
    for invoice in invoices:
        entry, obstacles = None, list[Requirement]()
        if invoice.erp_status in ACCEPTABLE_STATES:
            obstacles = obstacles_to_export(invoice, exporter.connection)
            if invoice.pk in acceptable:
                entry = (typed or {}).get(invoice.pk) or entry_of(invoice)
        is_visible = invoice.commitment_id in allowed
        made.append(
            Row(
                invoice=invoice,
                paid=invoice.paid,
                payment_status=invoice.payment_status,
                commitment_url=_commitment_url(invoice) if is_visible else "",
                invoice_url=_invoice_url(invoice) if is_visible else "",
                entry=entry,
                can_be_unlinked=invoice.pk in unlinkable,
                obstacles=obstacles,
            )
        )
    return made


def entry_of(invoice: SubcontractorInvoice) -> Entry:
    """Prefilled: the invoice's own number, and its billing date (domain sheet §3.3)."""
    return Entry(invoice.invoice_number, invoice.billing_date.isoformat())


def _commitment_url(invoice: SubcontractorInvoice) -> str:
    return reverse("payments:payments_issued", args=[invoice.project_id, invoice.commitment_id])


def _invoice_url(invoice: SubcontractorInvoice) -> str:
    place = [invoice.project_id, invoice.commitment_id, invoice.pk]
    return reverse("commitments:invoice", args=place)
