"""What the ERP said, kept whether or not it can be shown. ``Payment`` is its projection."""

from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from commitments.models import SubcontractorInvoice
from erp_integrations.models.connection import ErpConnection
from erp_integrations.models.run import SyncRun
from payments.models import Payment, PaymentMethod
from projects.access import Person
from projects.models import Company
from projects.money import CurrencyField, MoneyField


class RemoteState(models.TextChoices):
    PENDING = "pending", "Pending in the ERP"
    ISSUED = "issued", "Issued"
    VOIDED = "voided", "Voided"


class WaitReason(models.TextChoices):
    """Why an allocation is not on a commitment's Payments Issued tab yet."""

    BILL_UNKNOWN = "bill_unknown", "Bill unknown"
    INVOICE_NOT_SYNCED = "invoice_not_synced", "Invoice not synced"
    TOOL_INACTIVE = "tool_inactive", "Commitments tool inactive"
    TAB_DISABLED = "tab_disabled", "Payments Issued tab disabled"
    PAYMENT_PENDING = "payment_pending", "Payment pending in the ERP"
    VENDOR_MISMATCH = "vendor_mismatch", "Vendor mismatch"
    CURRENCY_MISMATCH = "currency_mismatch", "Currency mismatch"
    AMOUNT_EXCEEDS_BILL = "amount_exceeds_bill", "Amount exceeds the bill"


class Outcome(models.TextChoices):
    APPLIED = "applied", "Applied"
    WAITING = "waiting", "Waiting"
    REMOVED = "removed", "Un-applied in the ERP"


class ErpPaymentQuerySet(models.QuerySet["ErpPayment"]):
    def with_first_invoice(self) -> Self:
        """Adds ``first_invoice``: the id of an invoice it pays, which says who may see it."""
        allocations = ErpAllocation.objects.filter(erp_payment=OuterRef("pk"))
        first = allocations.exclude(invoice=None).values("invoice")[:1]
        return self.annotate(first_invoice=Subquery(first))


class ErpPayment(models.Model):
    """One payment as the ERP stated it when it was last read."""

    # One key over both columns stands for the single ones (migration 0002).
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    connection = models.ForeignKey(
        ErpConnection,
        on_delete=models.PROTECT,
        related_name="payments",
        db_index=False,
        db_constraint=False,
    )
    remote_id = models.CharField(max_length=200)
    number = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=10, choices=RemoteState.choices)
    method = models.CharField(max_length=20, choices=PaymentMethod.choices)
    check_number = models.CharField(max_length=100, blank=True)
    date = models.DateField()
    currency = CurrencyField()
    total = MoneyField()
    vendor_ref = models.CharField(max_length=200, blank=True)
    vendor_name = models.CharField(max_length=200, blank=True)
    memo = models.CharField(max_length=500, blank=True)
    remote_modified_at = models.DateTimeField()
    content_hash = models.BinaryField(max_length=16)
    #: when it was first seen as voided
    voided_on = models.DateField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    vanished_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    last_run = models.ForeignKey(
        SyncRun, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    objects = models.Manager.from_queryset(ErpPaymentQuerySet)()

    class Meta:
        ordering = ["-date", "-pk"]
        verbose_name = "ERP payment"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "remote_id"], name="erp_payment_once_per_connection"
            ),
            models.CheckConstraint(
                condition=Q(total__gte=0), name="erp_payment_total_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(status__in=RemoteState.values), name="erp_payment_status_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "check_number"],
                condition=~Q(check_number=""),
                name="erp_payment_by_check",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number or self.remote_id} {self.total} {self.currency}"


class ErpAllocationQuerySet(models.QuerySet["ErpAllocation"]):
    def waiting(self) -> Self:
        return self.filter(outcome=Outcome.WAITING)

    def for_user(self, user: Person) -> Self:
        """Allocations whose invoice the person may see in the ERP Integrations tool.

        Those that belong to no invoice yet are shown to people with the tool on
        the whole company.
        """
        invoices = SubcontractorInvoice.objects.for_accounting(user)
        connections = ErpConnection.objects.for_user(user)
        whole_company = Q(company__in=Company.objects.with_accounting(user))
        return self.filter(erp_payment__connection__in=connections).filter(
            Q(invoice__in=invoices) | Q(invoice=None) & whole_company
        )


class ErpAllocation(models.Model):
    """The part of an ERP payment applied to one bill, and what became of it here.

    ``discount`` is remembered, not money that left. *Removed*: the ERP no longer
    applies the payment to this bill.
    """

    #: the ERP payment's own, copied by the statement that writes both
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    erp_payment = models.ForeignKey(
        ErpPayment, on_delete=models.CASCADE, related_name="allocations", db_index=False
    )
    bill_id = models.CharField(max_length=200)
    bill_number = models.CharField(max_length=100, blank=True)
    bill_line_id = models.CharField(max_length=200, blank=True)
    amount = MoneyField()
    discount = MoneyField(default=Decimal(0))
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.CharField(max_length=25, choices=WaitReason.choices, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    invoice = models.ForeignKey(
        SubcontractorInvoice, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    payment = models.OneToOneField(
        Payment, on_delete=models.SET_NULL, null=True, related_name="erp_allocation"
    )

    objects = models.Manager.from_queryset(ErpAllocationQuerySet)()

    class Meta:
        ordering = ["erp_payment", "pk"]
        verbose_name = "ERP allocation"
        constraints = [
            models.UniqueConstraint(
                fields=["erp_payment", "bill_id", "bill_line_id"],
                name="allocation_once_per_payment_and_bill",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="allocation_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.WAITING) & ~Q(reason="")
                | ~Q(outcome=Outcome.WAITING) & Q(reason=""),
                name="allocation_waits_exactly_when_it_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.APPLIED) | Q(payment__isnull=False),
                name="applied_allocation_has_a_payment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["company", "reason"],
                condition=Q(outcome="waiting"),
                name="allocation_waiting",
            ),
            models.Index(fields=["company", "bill_id"], name="allocation_by_bill"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} on bill {self.bill_number or self.bill_id}"
