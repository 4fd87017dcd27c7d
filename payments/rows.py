"""Payments as the pages show them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse

from commitments.models import Commitment, SubcontractorInvoice
from payments.models import Payment, PaymentAttachment, PaymentStatus
from projects.access import Person
from projects.money import ZERO, display_money

#: the order of every list of payments
NEWEST_FIRST = ("-date", "-pk")
LOCKED = "The Contract Payment cannot be edited or deleted because it is synced with an ERP system"
MISSING = (
    "The last check of the ERP did not find this payment. It still counts until a second check "
    "agrees. An accountant can look for {name} in the ERP."
)
VANISHED = (
    "This payment is gone from the ERP and no longer counts here. An accountant can say why: it "
    "was deleted or taken off its bill there. A new payment comes by itself."
)


FROM_ERP_TOO = (
    "This payment seems to have come from the ERP as well, as payment {name}, and to count twice."
)
BY_HAND_TOO = (
    "This payment seems to be entered by hand as well, as payment {name}, and to count twice."
)


@dataclass(frozen=True)
class PaymentRow:
    """One payment with the words around it."""

    payment: Any
    commitment: Commitment
    #: the other half of a pair that seems to be one payment
    twin: Any = None

    @property
    def offer(self) -> str:
        """What the row says when the payment seems to be here twice."""
        if self.twin is None:
            return ""
        other = self.twin.payment_number or self.twin.origin_code or "without number"
        return (FROM_ERP_TOO if self.payment.origin_id == "" else BY_HAND_TOO).format(name=other)

    @property
    def url(self) -> str:
        return reverse("payments:detail", args=[*self._place, self.payment.pk])

    @property
    def name(self) -> str:
        """Its number, for links that have to say which payment they lead to."""
        payment = self.payment
        return str(payment.payment_number or payment.origin_code or payment.pk)

    @property
    def tab_url(self) -> str:
        """The Payments Issued tab that it stands on."""
        return reverse("payments:payments_issued", args=self._place)

    @property
    def invoice_url(self) -> str:
        if self.payment.invoice_id is None:
            return ""
        return reverse("commitments:invoice", args=[*self._place, self.payment.invoice_id])

    @property
    def invoice_text(self) -> str:
        invoice = self.payment.invoice
        return invoice_label(self.commitment, invoice) if invoice else ""

    @property
    def erp_state(self) -> str:
        """What the ERP column says beside its icon."""
        if self.payment.vanished_at:
            return "Gone from the ERP"
        if self.payment.missing_since:
            return "Missing in the ERP"
        return "Synced" if self.payment.is_synced else "Manual"

    @property
    def is_voided(self) -> bool:
        return bool(self.payment.status == PaymentStatus.VOIDED)

    @property
    def is_in_trouble(self) -> bool:
        return bool(self.payment.vanished_at or self.payment.missing_since)

    @property
    def trouble(self) -> str:
        """What is wrong and who can do what about it; empty when all is well."""
        if self.payment.vanished_at:
            return VANISHED
        if self.payment.missing_since:
            return MISSING.format(name=self.payment.origin_code or "it")
        return ""

    @property
    def lock_notice(self) -> str:
        return LOCKED if self.payment.is_synced else ""

    @property
    def voided_text(self) -> str:
        return f"Voided {self.payment.voided_on:%m/%d/%Y}" if self.is_voided else ""

    @property
    def _place(self) -> tuple[int, int]:
        return self.payment.project_id, self.payment.commitment_id


@dataclass(frozen=True)
class GrandTotal:
    """What one currency's payments come to; voided and vanished ones are left out."""

    currency: str
    amount: Any
    voided: int
    vanished: int
    #: all of them, counted or not
    rows: int

    @property
    def left_out(self) -> str:
        """Which rows are not in the amount, as a sentence; empty when all are."""
        parts = [
            f"{number} {word}"
            for number, word in ((self.voided, "voided"), (self.vanished, "gone from the ERP"))
            if number
        ]
        return f"Not counted: {' and '.join(parts)}." if parts else ""


def invoice_label(commitment: Commitment, invoice: SubcontractorInvoice) -> str:
    """``Subcontract #SC-0012 Invoice #3 - $5,000.00 - 06/01/2026 - 06/30/2026``."""
    dates = (invoice.period_start, invoice.period_end)
    amount = display_money(invoice.current_payment_due, commitment.currency)
    name = f"{commitment.get_kind_display()} #{commitment.number} Invoice #{invoice.position}"
    return " - ".join([name, amount, *(f"{date:%m/%d/%Y}" for date in dates if date)])


def grand_totals(rows: QuerySet[Any]) -> list[GrandTotal]:
    """One total per currency, summed by the database over all rows given."""
    counted = Q(status=PaymentStatus.ISSUED, vanished_at=None)
    found = (
        rows.order_by()
        .values("currency")
        .annotate(
            total=Sum("amount", filter=counted),
            rows=Count("pk"),
            voided=Count("pk", filter=Q(status=PaymentStatus.VOIDED)),
            vanished=Count("pk", filter=~Q(status=PaymentStatus.VOIDED) & ~Q(vanished_at=None)),
        )
    )
    return [_grand_total(each) for each in found.order_by("currency")]


def _grand_total(found: dict[str, Any]) -> GrandTotal:
    amount = found["total"] or ZERO
    return GrandTotal(found["currency"], amount, found["voided"], found["vanished"], found["rows"])


def with_attachment_counts(rows: QuerySet[Any]) -> QuerySet[Any]:
    files = PaymentAttachment.objects.filter(payment=OuterRef("pk")).order_by().values("payment")
    number = files.annotate(number=Count("pk")).values("number")
    counted: QuerySet[Any] = rows.annotate(
        attachment_count=Coalesce(Subquery(number), 0, output_field=IntegerField())
    )
    return counted


def visible_rows(commitment: Commitment, person: Person) -> QuerySet[Any]:
    """The commitment's payments as this person may see them, newest first."""
    rows: QuerySet[Any] = Payment.objects.for_user(person).filter(commitment=commitment)
    return rows.select_related("invoice").order_by(*NEWEST_FIRST)
