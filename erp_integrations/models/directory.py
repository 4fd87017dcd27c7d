"""What the ERP has that records here can be linked to, and the jobs that read it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from commitments.models import Commitment
from erp_integrations.models.connection import ErpConnection
from projects.access import Person
from projects.models import Company, Project, Vendor
from projects.money import CurrencyField, MoneyField


class DirectoryKind(models.TextChoices):
    """The values stand in addresses of pages."""

    VENDORS = "vendors", "Companies"
    JOBS = "jobs", "Jobs"
    COMMITMENTS = "commitments", "Commitments"


#: what a record of each kind is linked to here
COUNTERPARTS: dict[str, type[Vendor] | type[Project] | type[Commitment]] = {
    DirectoryKind.VENDORS: Vendor,
    DirectoryKind.JOBS: Project,
    DirectoryKind.COMMITMENTS: Commitment,
}


class StagedRecordQuerySet(models.QuerySet["StagedRecord"]):
    def for_user(self, user: Person) -> Self:
        """Records of the ERP belong to no project, so they are for the whole company's people."""
        return self.filter(
            company__in=Company.objects.with_accounting(user),
            connection__in=ErpConnection.objects.for_user(user),
        )

    def unlinked(self, kind: str) -> Self:
        """Those of a kind that nothing here is linked to; the link is the only truth about that.

        ``exclude`` looks superfluous and lets the partial index of links be used.
        """
        linked = COUNTERPARTS[kind]._default_manager.filter(
            company_id=OuterRef("company_id"), origin_id=OuterRef("remote_id")
        )
        return self.filter(~Exists(linked.exclude(origin_id="")), kind=kind)

    def ready(self, kind: str) -> Self:
        """What can be imported: not linked, not archived, still in the ERP.

        A commitment only once its project is linked, where the ERP tells which
        one that is (domain sheet §1.3).
        """
        project = Project.objects.filter(
            company_id=OuterRef("company_id"), origin_id=OuterRef("project_ref")
        )
        rows = self.unlinked(kind).filter(archived_at=None, gone_at=None)
        if kind != DirectoryKind.COMMITMENTS:
            return rows
        return rows.filter(Q(project_ref="") | Exists(project.exclude(origin_id="")))

    def archived(self, kind: str) -> Self:
        return self.unlinked(kind).exclude(archived_at=None)


class StagedRecord(models.Model):
    """A vendor, job, subcontract or purchase order of the ERP as it was last read.

    Pages read these rows and never wait for the ERP. Whether a record is linked
    is not written here: the ``origin_id`` of the records here says so.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(ErpConnection, on_delete=models.CASCADE, related_name="staged")
    kind = models.CharField(max_length=15, choices=DirectoryKind.choices)
    remote_id = models.CharField(max_length=200)
    code = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=300)
    #: the title without case, punctuation and words such as LLC; see ``directory.names``
    match_key = models.CharField(max_length=300, blank=True)
    vendor_ref = models.CharField(max_length=200, blank=True)
    vendor_name = models.CharField(max_length=300, blank=True)
    project_ref = models.CharField(max_length=200, blank=True)
    #: None: the ERP does not tell subcontracts and purchase orders apart
    is_subcontract = models.BooleanField(null=True)
    total = MoneyField(null=True)
    currency = CurrencyField(blank=True, default="")
    ordered_on = models.DateField(null=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField()
    #: since when the ERP does not list it any more
    gone_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    archived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = models.Manager.from_queryset(StagedRecordQuerySet)()

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "remote_id"], name="staged_once_per_connection"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DirectoryKind.values), name="staged_kind_is_one_we_have"
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "kind", "match_key"], name="staged_by_name"),
            models.Index(fields=["connection", "kind", "title", "id"], name="staged_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}".strip()


class RefreshState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    INCOMPLETE = "incomplete", "Succeeded in part"
    FAILED = "failed", "Failed"


ACTIVE_REFRESHES = (RefreshState.QUEUED, RefreshState.RUNNING)


class DirectoryRefreshQuerySet(models.QuerySet["DirectoryRefresh"]):
    def active(self) -> Self:
        return self.filter(state__in=ACTIVE_REFRESHES)

    def abandoned(self) -> Self:
        """Those that claim to be running and gave no sign of life for a whole lease."""
        return self.filter(state=RefreshState.RUNNING, lease_expires_at__lt=timezone.now())


class DirectoryRefresh(models.Model):
    """One reading of the ERP's vendors, jobs and commitments. The row is the truth about it.

    Without ``requested_by`` the schedule asked for it. ``message`` says, for
    people, what could not be read and what to do.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(
        ErpConnection, on_delete=models.CASCADE, related_name="refreshes"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    state = models.CharField(
        max_length=15, choices=RefreshState.choices, default=RefreshState.QUEUED
    )
    created_at = models.DateTimeField(auto_now_add=True)
    #: when it was last rung for
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    vendors = models.PositiveIntegerField(default=0)
    jobs = models.PositiveIntegerField(default=0)
    commitments = models.PositiveIntegerField(default=0)
    #: records that the ERP does not list any more
    gone = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=1000, blank=True)

    objects = models.Manager.from_queryset(DirectoryRefreshQuerySet)()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "directory refreshes"
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(state__in=ACTIVE_REFRESHES),
                name="one_active_refresh_per_connection",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, state__in=ACTIVE_REFRESHES)
                | Q(finished_at__isnull=False) & ~Q(state__in=ACTIVE_REFRESHES),
                name="refresh_is_finished_exactly_when_it_has_an_end",
            ),
        ]
        indexes = [
            models.Index(F("connection"), F("created_at").desc(), name="refresh_by_connection")
        ]

    def __str__(self) -> str:
        return f"Refresh {self.pk} of {self.connection_id}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_REFRESHES
