"""The connection of a company to its ERP."""

from datetime import timedelta
from typing import Self

from django.contrib.postgres.functions import RandomUUID
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from erp_integrations.credentials import EncryptedCredentials, EncryptedCredentialsField
from projects.access import Level, Person, Tool
from projects.models import Company, Project
from projects.money import CurrencyField


class SyncSchedule(models.TextChoices):
    """Procore's own choices (domain sheet §1.6). *Never* stops the clock, not the button."""

    HOURLY = "hourly", "Hourly"
    EVERY_2_HOURS = "every_2_hours", "Every 2 Hours"
    EVERY_4_HOURS = "every_4_hours", "Every 4 Hours"
    DAILY = "daily", "Daily"
    NEVER = "never", "Never"

    @property
    def interval(self) -> timedelta | None:
        hours = {"hourly": 1, "every_2_hours": 2, "every_4_hours": 4, "daily": 24}
        return timedelta(hours=hours[self.value]) if self.value in hours else None


class ErpConnectionQuerySet(models.QuerySet["ErpConnection"]):
    def for_user(self, user: Person) -> Self:
        """Connections of companies in whose ERP Integrations tool the person may look."""
        projects = Project.objects.for_user(user, Tool.ERP_INTEGRATIONS, Level.STANDARD)
        return self.filter(
            Q(company__in=projects.values("company_id"))
            | Q(company__in=Company.objects.with_level(user, Tool.ERP_INTEGRATIONS, Level.STANDARD))
            | Q(company__in=Company.objects.with_approver(user))
        )

    def able_to_sync(self) -> Self:
        return self.filter(is_active=True, export_subcontractor_invoices=True, stopped_at=None)

    def due(self) -> Self:
        """Connections whose next automatic run has come and which are not resting."""
        now = timezone.now()
        resting = Q(circuit_open_until__gt=now)
        return self.able_to_sync().filter(next_sync_at__lte=now).exclude(resting)


class ErpConnection(models.Model):
    """How to reach the company's ERP, what is switched on, and how far it was read.

    ``stopped_at``: credentials or settings were refused; somebody has to act.
    ``circuit_open_until``: the ERP failed several times; automatic runs rest.
    """

    company = models.OneToOneField(Company, on_delete=models.PROTECT, related_name="erp_connection")
    name = models.CharField(max_length=100, help_text="What people call this ERP, e.g. Tryton.")
    provider = models.CharField("ERP", max_length=50)
    settings = models.JSONField(default=dict, blank=True)
    credentials = EncryptedCredentialsField(default=EncryptedCredentials, editable=False)
    currency = CurrencyField()
    is_active = models.BooleanField(
        "connected", default=True, help_text="Off: nothing is read from the ERP, nothing is lost."
    )
    export_subcontractor_invoices = models.BooleanField(
        "Export Subcontractor Invoices",
        default=False,
        help_text="The feature that payment sync is part of.",
    )
    direct_export = models.BooleanField(
        "ERP Direct Exports",
        default=False,
        help_text="On: Send to ERP exports at once; no accounting approver has to accept first.",
    )
    override_invoice_number = models.BooleanField(
        "Override Subcontractor Invoice Number",
        default=False,
        help_text="On: the ERP ID that an approver enters becomes the invoice number too.",
    )
    sends_email = models.BooleanField(
        "e-mail", default=True, help_text="Off: nobody gets e-mail about this connection."
    )
    payment_email_delay_hours = models.PositiveSmallIntegerField(
        "wait before “payment recorded” e-mail",
        default=24,
        validators=[MaxValueValidator(24 * 30)],
        help_text="Hours. A payment that is voided or gone before they are over is not announced.",
    )
    raw_retention_days = models.PositiveSmallIntegerField(
        "retention of raw payloads",
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="Days for which the ERP's own text of an unusable record is kept.",
    )
    sync_schedule = models.CharField(
        "sync payments for synced invoices",
        max_length=20,
        choices=SyncSchedule.choices,
        default=SyncSchedule.HOURLY,
        help_text="“Never” stops the automatic sync; the button still works.",
    )
    next_sync_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_sweep_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: when both books are compared next; None: not yet decided
    next_comparison_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: the part of the address for the ERP's notifications that nobody can guess
    public_id = models.UUIDField(unique=True, editable=False, db_default=RandomUUID())
    #: what the provider said about how far it was read; only the provider can read it
    cursor = models.JSONField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_sweep_at = models.DateTimeField(null=True, blank=True, editable=False)
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    circuit_open_until = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_reason = models.CharField(max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = models.Manager.from_queryset(ErpConnectionQuerySet)()

    class Meta:
        verbose_name = "ERP connection"
        constraints = [
            # what ERP payments point at, so that their tenant cannot differ
            models.UniqueConstraint(fields=["id", "company"], name="connection_with_its_tenant"),
            models.CheckConstraint(
                condition=Q(sync_schedule__in=SyncSchedule.values),
                name="connection_schedule_is_one_we_have",
                violation_error_message="Choose one of the schedules in the list.",
            ),
        ]
        indexes = [models.Index(fields=["next_sync_at"], name="connection_by_next_sync")]

    def __str__(self) -> str:
        return f"{self.name} ({self.company})"

    @property
    def schedule(self) -> SyncSchedule:
        return SyncSchedule(self.sync_schedule)
