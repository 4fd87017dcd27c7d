"""The invoices of a commitment as its pages show them (domain sheet §3.2, §3.7)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse

from commitments import extensions
from commitments.erp_states import obstacle_to_sending
from commitments.models import InvoiceAttachment, SubcontractorInvoice
from projects.access import Person
from projects.models import ErpStatus

#: the nine lines of a G702, in its order
G702_LINES = (
    ("1", "Original Contract Sum", "original_contract_sum"),
    ("2", "Net Change By Change Orders", "net_change_by_change_orders"),
    ("3", "Contract Sum To Date", "contract_sum_to_date"),
    ("4", "Total Completed and Stored To Date", "total_completed_and_stored_to_date"),
    ("5", "Total Retainage", "total_retainage"),
    ("6", "Total Earned Less Retainage", "total_earned_less_retainage"),
    ("7", "Less Previous Certificates For Payment", "less_previous_certificates"),
    ("8", "Current Payment Due", "current_payment_due"),
    ("9", "Balance To Finish, Including Retainage", "balance_to_finish"),
)

#: what the ERP status means and who does what next
ERP_SENTENCES: dict[str, str] = {
    ErpStatus.NOT_SENT: "Not sent to the ERP. An administrator of Commitments can send it once it "
    "is approved; until then no payment can come for it from the ERP.",
    ErpStatus.SENT: "Sent. An accounting approver accepts or rejects it in ERP Integrations.",
    ErpStatus.RETRIEVED: "Taken back before it was accepted. It can be changed and sent again.",
    ErpStatus.REJECTED: "An accounting approver rejected it. It can be changed and sent again.",
    ErpStatus.EXPORTING: "The ERP is receiving it now.",
    ErpStatus.FAILED: "The export failed. An accounting approver can try again in ERP "
    "Integrations once the reason is gone.",
    ErpStatus.SYNCED: "The invoice is not editable because it has been synced with ERP. Its "
    "payments come from there by themselves.",
}


#: the colour of the ribbon, as that of the icon
TONES: dict[str, str] = {
    ErpStatus.NOT_SENT: "plain",
    ErpStatus.SENT: "info",
    ErpStatus.RETRIEVED: "warn",
    ErpStatus.REJECTED: "warn",
    ErpStatus.EXPORTING: "info",
    ErpStatus.FAILED: "bad",
    ErpStatus.SYNCED: "good",
}

#: why it is not to be sent, in the few words that a column has room for
NOT_NOW: dict[str, str] = {
    ErpStatus.SENT: "Waits for an approver",
    ErpStatus.EXPORTING: "Being exported",
    ErpStatus.FAILED: "Export failed",
    ErpStatus.SYNCED: "Synced",
}


@dataclass(frozen=True)
class InvoiceRow:
    """One invoice with its place among the payments, and on its way to the ERP."""

    invoice: Any
    #: whether the project has the ERP Integrations tool
    tool_is_on: bool = True

    @property
    def obstacle(self) -> str:
        """Why it cannot be sent to the ERP, as a sentence; empty when it can."""
        return obstacle_to_sending(self.invoice, tool_is_on=self.tool_is_on)

    @property
    def can_be_sent(self) -> bool:
        return not self.obstacle

    @property
    def can_be_retrieved(self) -> bool:
        return bool(self.invoice.erp_status == ErpStatus.SENT)

    @property
    def sending(self) -> str:
        """The same as ``obstacle`` for a column: *Ready to send*, or what is in the way."""
        if self.invoice.erp_status in NOT_NOW:
            return NOT_NOW[self.invoice.erp_status]
        if not self.invoice.is_sendable:
            return f"{self.invoice.get_status_display()}: not approved"
        if not self.invoice.invoice_number:
            return "No invoice number"
        return "Ready to send" if self.tool_is_on else "ERP Integrations is off"

    @property
    def tone(self) -> str:
        return TONES[self.invoice.erp_status]

    @property
    def url(self) -> str:
        invoice = self.invoice
        return reverse(
            "commitments:invoice", args=[invoice.project_id, invoice.commitment_id, invoice.pk]
        )

    @property
    def dates(self) -> str:
        """``06/01/2026 – 06/30/2026``."""
        dates = (self.invoice.period_start, self.invoice.period_end)
        return " – ".join(f"{date:%m/%d/%Y}" for date in dates if date)

    @property
    def payment_status(self) -> str:
        return payment_status(self.invoice.paid, self.invoice.current_payment_due)

    @property
    def percent_complete(self) -> str:
        whole = self.invoice.contract_sum_to_date
        done = self.invoice.total_completed_and_stored_to_date
        return f"{done * 100 / whole:.2f}%" if whole else "—"

    @property
    def lines(self) -> list[tuple[str, str, Decimal]]:
        """The nine lines: number, label, amount."""
        return [(number, label, getattr(self.invoice, name)) for number, label, name in G702_LINES]

    @property
    def is_in_trouble(self) -> bool:
        return bool(self.invoice.erp_status == ErpStatus.FAILED)

    @property
    def erp_sentence(self) -> str:
        return ERP_SENTENCES[self.invoice.erp_status]


def payment_status(paid: Decimal, due: Decimal) -> str:
    """Unpaid at zero, Paid from the amount due on, Partially Paid between."""
    if paid == 0:
        return "Unpaid"
    return "Paid" if paid >= due else "Partially Paid"


def visible_invoices(person: Person, commitment: Any) -> "QuerySet[Any, Any]":
    """The commitment's invoices with what was paid on each, newest first."""
    rows = SubcontractorInvoice.objects.for_user(person).filter(commitment=commitment)
    shown = rows.annotate(paid=extensions.paid_on("invoice"), attachment_count=_attachment_count())
    related = shown.select_related("billing_period", "commitment")
    return related.order_by("-position")


def _attachment_count() -> Coalesce:
    files = InvoiceAttachment.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    number = files.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(number), 0, output_field=IntegerField())


def invoice_totals(rows: "QuerySet[Any, Any]") -> dict[str, Any]:
    """What the invoices come to: payments due, and paid."""
    return rows.order_by().aggregate(due=Sum("current_payment_due"), paid_total=Sum("paid"))
