"""What a preview found that a sync would do."""

from typing import Self

from django.db import models
from django.db.models import Q

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.models.connection import ErpConnection
from erp_integrations.models.mirror import WaitReason
from erp_integrations.models.run import SyncRun
from projects.access import Person
from projects.models import Company
from projects.money import CurrencyField, MoneyField


class PreviewKind(models.TextChoices):
    CREATED = "created", "Would be created"
    CHANGED = "changed", "Would change"
    VOIDED = "voided", "Would be voided"
    RESTORED = "restored", "Would be restored"
    MISSING = "missing", "Would be marked as missing"
    VANISHED = "vanished", "Would be marked as gone"
    WAITING = "waiting", "Would wait"
    UNUSABLE = "unusable", "Could not be used"


class PreviewRowQuerySet(models.QuerySet["PreviewRow"]):
    def for_user(self, user: Person) -> Self:
        """Rows of invoices the person may see; the others for the whole company's people."""
        invoices = SubcontractorInvoice.objects.for_accounting(user)
        whole_company = Q(company__in=Company.objects.with_accounting(user))
        connections = ErpConnection.objects.for_user(user)
        return self.filter(run__connection__in=connections).filter(
            Q(invoice__in=invoices) | Q(invoice=None) & whole_company
        )


class PreviewRow(models.Model):
    """One thing that a sync of the same kind would do to one payment; kept for some days.

    ``changes`` is ``{label: [old, new]}``, as in a payment's history. ``reason``
    is a ``WaitReason``, why a payment would be voided, or what is wrong with a
    record.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    run = models.ForeignKey(
        SyncRun, on_delete=models.CASCADE, related_name="preview_rows", db_index=False
    )
    kind = models.CharField(max_length=10, choices=PreviewKind.choices)
    remote_id = models.CharField(max_length=200, blank=True)
    invoice = models.ForeignKey(
        SubcontractorInvoice, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    commitment = models.ForeignKey(
        Commitment, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    label = models.CharField(max_length=250)
    vendor_name = models.CharField(max_length=200, blank=True)
    bill_number = models.CharField(max_length=200, blank=True)
    check_number = models.CharField(max_length=100, blank=True)
    date = models.DateField(null=True)
    amount = MoneyField(null=True)
    currency = CurrencyField(blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    changes = models.JSONField(default=dict)

    objects = models.Manager.from_queryset(PreviewRowQuerySet)()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["run", "remote_id"], name="preview_row_by_payment"),
            models.Index(fields=["run", "kind"], name="preview_row_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.get_kind_display()}"

    @property
    def explanation(self) -> str:
        """The reason in words."""
        if self.kind == PreviewKind.WAITING:
            return str(WaitReason(self.reason).label)
        return self.reason
