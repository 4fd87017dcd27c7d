"""Invoices on their way into the ERP: the row is the truth, the task is only a doorbell."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from commitments.models import SubcontractorInvoice
from erp_integrations.models.connection import ErpConnection
from projects.models import Company


class ExportState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Exported"
    FAILED = "failed", "Failed"


#: an invoice has at most one export in one of these
ACTIVE_STATES = (ExportState.QUEUED, ExportState.RUNNING)


class InvoiceExportQuerySet(models.QuerySet["InvoiceExport"]):
    def active(self) -> Self:
        return self.filter(state__in=ACTIVE_STATES)

    def abandoned(self) -> Self:
        """Exports whose worker gave no sign of life for a whole lease."""
        return self.filter(state=ExportState.RUNNING, lease_expires_at__lt=timezone.now())


class InvoiceExport(models.Model):
    """One attempt to make a bill of an invoice, from its acceptance to the ERP's answer.

    ``key`` is written into the ERP's bill. As long as it is not certain what
    became of it, every later export of the invoice takes the same key: by it
    the bill is found that was made when the answer was lost.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(ErpConnection, on_delete=models.PROTECT, related_name="exports")
    invoice = models.ForeignKey(
        SubcontractorInvoice, on_delete=models.CASCADE, related_name="erp_exports"
    )
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    #: the number that the bill gets, and the day it is booked on
    erp_number = models.CharField("ERP ID", max_length=200)
    accounting_date = models.DateField()
    is_direct = models.BooleanField("without an approver", default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=ExportState.choices, default=ExportState.QUEUED)
    created_at = models.DateTimeField(auto_now_add=True)
    #: no worker takes it up before; the sweeper rings again for rows nobody took after
    try_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    #: how often a worker took it up
    attempts = models.PositiveIntegerField(default=0)
    #: the ERP's id of the bill
    bill_id = models.CharField(max_length=200, blank=True)
    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.CharField(max_length=1000, blank=True)

    objects = models.Manager.from_queryset(InvoiceExportQuerySet)()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(state__in=ACTIVE_STATES),
                name="one_active_export_per_invoice",
            ),
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(state=ExportState.SUCCEEDED),
                name="export_key_makes_one_bill",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ExportState.values), name="export_state_is_one_we_have"
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, state__in=ACTIVE_STATES)
                | Q(finished_at__isnull=False) & ~Q(state__in=ACTIVE_STATES),
                name="export_is_finished_exactly_when_it_has_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(state=ExportState.RUNNING)
                | Q(lease__isnull=False, lease_expires_at__isnull=False),
                name="running_export_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state=ExportState.SUCCEEDED) | ~Q(bill_id=""),
                name="succeeded_export_has_its_bill",
            ),
        ]
        indexes = [
            models.Index(
                fields=["try_at"],
                condition=Q(state__in=ACTIVE_STATES),
                name="export_that_waits",
            ),
            models.Index(fields=["company", "-created_at"], name="export_by_company"),
        ]

    def __str__(self) -> str:
        return f"Export {self.pk} of invoice {self.invoice_id}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES
