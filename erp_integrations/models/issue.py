"""Trouble with single records, each with a sentence that says what to do."""

from typing import Self

from django.db import models
from django.db.models import Q

from commitments.models import SubcontractorInvoice
from erp_integrations.models.connection import ErpConnection
from erp_integrations.models.mirror import ErpAllocation, ErpPayment
from erp_integrations.models.run import SyncRun
from projects.access import Person
from projects.models import Company


class IssueCode(models.TextChoices):
    UNUSABLE_RECORD = "unusable_record", "Record could not be used"
    WAITING = "waiting", "Waiting"
    MISSING = "missing", "Missing in the ERP"
    VANISHED = "vanished", "Gone from the ERP"
    SWEEP_NOT_TRUSTED = "sweep_not_trusted", "Sweep not trusted"


class SyncIssueQuerySet(models.QuerySet["SyncIssue"]):
    def open(self) -> Self:
        return self.filter(resolved_at=None)

    def for_user(self, user: Person) -> Self:
        """Issues on invoices the person may see; the others for the whole company's people."""
        invoices = SubcontractorInvoice.objects.for_accounting(user)
        whole_company = Q(company__in=Company.objects.with_accounting(user))
        return self.filter(connection__in=ErpConnection.objects.for_user(user)).filter(
            Q(invoice__in=invoices) | Q(invoice=None) & whole_company
        )


class SyncIssue(models.Model):
    """One thing that is wrong with one record, from the run that found it until it is resolved.

    ``reason`` is a ``WaitReason`` for waiting allocations. A record that could
    not be used is asked for again, by ``remote_id``, in every run until it can.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(ErpConnection, on_delete=models.PROTECT, related_name="issues")
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="issues", null=True)
    code = models.CharField(max_length=20, choices=IssueCode.choices)
    reason = models.CharField(max_length=25, blank=True)
    message = models.CharField(max_length=1000)
    remote_id = models.CharField(max_length=200, blank=True)
    raw = models.TextField(blank=True)
    allocation = models.ForeignKey(ErpAllocation, on_delete=models.CASCADE, null=True)
    erp_payment = models.ForeignKey(ErpPayment, on_delete=models.CASCADE, null=True)
    invoice = models.ForeignKey(
        SubcontractorInvoice, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(SyncIssueQuerySet)()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "remote_id"],
                condition=Q(code=IssueCode.UNUSABLE_RECORD, resolved_at=None) & ~Q(remote_id=""),
                name="one_open_issue_per_unusable_record",
            ),
            models.UniqueConstraint(
                fields=["allocation"],
                condition=Q(code=IssueCode.WAITING, resolved_at=None),
                name="one_open_issue_per_waiting_allocation",
            ),
        ]
        indexes = [
            models.Index(fields=["connection"], condition=Q(resolved_at=None), name="issue_open")
        ]

    def __str__(self) -> str:
        return self.message
