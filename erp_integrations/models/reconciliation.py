"""What comparisons of both books found (domain sheet §9.3): totals are kept, rows of the newest."""

from typing import Self

from django.db import models
from django.db.models import Q

from commitments.models import SubcontractorInvoice
from erp_integrations.models.connection import ErpConnection
from erp_integrations.models.run import SyncRun
from projects.access import Person
from projects.models import Company, Project
from projects.money import CurrencyField, MoneyField


class Reconciliation(models.Model):
    """One comparison: of a whole company, or of one ``project``.

    It is there from the first page on and counts once ``finished_at`` is set.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(
        ErpConnection, on_delete=models.CASCADE, related_name="reconciliations"
    )
    run = models.OneToOneField(SyncRun, on_delete=models.CASCADE, related_name="reconciliation")
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    invoices = models.PositiveIntegerField(default=0)
    #: invoices on which the two books differ
    differences = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-finished_at", "-pk"]
        indexes = [
            models.Index(
                fields=["connection", "project", "-finished_at"],
                condition=Q(finished_at__isnull=False),
                name="reconciliation_finished",
            )
        ]

    def __str__(self) -> str:
        return f"Comparison {self.pk}"


class ReconciliationTotalQuerySet(models.QuerySet["ReconciliationTotal"]):
    def in_projects(self, projects: models.QuerySet[Project]) -> Self:
        return self.filter(project__in=projects)


class ReconciliationTotal(models.Model):
    """What one comparison came to on one project in one currency.

    Kept per project, so that everybody's sums are those of what they may see.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.CASCADE, related_name="totals"
    )
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()
    erp_paid = MoneyField()
    paid_here = MoneyField()
    unexplained = MoneyField()
    invoices = models.PositiveIntegerField()
    differences = models.PositiveIntegerField()

    objects = models.Manager.from_queryset(ReconciliationTotalQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reconciliation", "project", "currency"],
                name="reconciliation_total_once_per_project_and_currency",
            )
        ]

    def __str__(self) -> str:
        return f"{self.erp_paid} there, {self.paid_here} here, {self.currency}"


class ReconciliationLineQuerySet(models.QuerySet["ReconciliationLine"]):
    def for_user(self, user: Person) -> Self:
        return self.filter(invoice__in=SubcontractorInvoice.objects.for_accounting(user))

    def different(self) -> Self:
        return self.filter(is_different=True)


class ReconciliationLine(models.Model):
    """One invoice in both books. ``difference`` is the ERP's amount less ours.

    ``explanations`` are ``{"code", "amount", "names", ...}`` (see
    ``reconciliation.causes``); with ``unexplained`` they add up to the
    difference, to the cent.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.CASCADE, related_name="lines"
    )
    invoice = models.ForeignKey(SubcontractorInvoice, on_delete=models.CASCADE, related_name="+")
    currency = CurrencyField()
    #: None: the ERP has no such bill
    erp_total = MoneyField(null=True)
    erp_paid = MoneyField()
    paid_here = MoneyField()
    difference = MoneyField()
    unexplained = MoneyField()
    explanations = models.JSONField(default=list)
    is_different = models.BooleanField()
    #: what of the ERP's amount no payment that was read accounts for, and since when it is so
    unread = MoneyField(default=0)
    unread_since = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(ReconciliationLineQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reconciliation", "invoice"], name="reconciliation_line_once_per_invoice"
            )
        ]
        indexes = [
            models.Index(
                fields=["reconciliation"],
                condition=Q(is_different=True),
                name="reconciliation_differences",
            )
        ]

    def __str__(self) -> str:
        return f"{self.invoice}: {self.difference} {self.currency}"
