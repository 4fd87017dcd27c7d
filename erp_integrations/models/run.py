"""Runs of a sync: the row is the truth, the task that works on it is only a doorbell."""

from collections.abc import Callable
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.models.connection import ErpConnection
from projects.access import Person
from projects.models import Company, Project


class RunState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    SUCCEEDED_WITH_ISSUES = "succeeded_with_issues", "Succeeded with issues"
    FAILED = "failed", "Failed"
    STALE = "stale", "Stopped, will resume"
    CANCELLED = "cancelled", "Cancelled"


#: a connection has at most one run in one of these
ACTIVE_STATES = (RunState.QUEUED, RunState.RUNNING, RunState.STALE)


class RunTrigger(models.TextChoices):
    BUTTON = "button", "Button"
    SCHEDULE = "schedule", "Schedule"
    COMMAND = "command", "Command line"
    NOTIFICATION = "notification", "Notification of the ERP"
    PUSH = "push", "Sent by the ERP"


class RunMode(models.TextChoices):
    CHANGES = "changes", "Changes since the last sync"
    SWEEP = "sweep", "Sweep of everything"
    SCOPED = "scoped", "Payments of some invoices"
    BACK_FILL = "back_fill", "Payments since a day"
    NOTIFIED = "notified", "Payments that the ERP told of"
    RECONCILE = "reconcile", "Comparison of both books"
    PUSHED = "pushed", "Payments that the ERP sent"


#: modes that bring all that is new
WHOLE_MODES = (RunMode.CHANGES, RunMode.SWEEP)


class RunPhase(models.TextChoices):
    WAITING = "waiting", "Waiting for a worker"
    CONNECTING = "connecting", "Connecting to the ERP"
    READING = "reading", "Reading payments"
    RETRYING = "retrying", "Asking again for records with problems"
    SWEEPING = "sweeping", "Looking for payments that are gone"
    COMPARING = "comparing", "Comparing both books"
    FINISHING = "finishing", "Finishing"
    DONE = "done", "Done"


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def for_user(self, user: Person) -> Self:
        """Runs of connections that the person may see; details are filtered by project."""
        return self.filter(connection__in=ErpConnection.objects.for_user(user))

    def active(self) -> Self:
        return self.filter(state__in=ACTIVE_STATES)

    def whole(self) -> Self:
        """Runs that bring all that is new, as the schedule wants it."""
        return self.filter(mode__in=WHOLE_MODES, is_preview=False)

    def abandoned(self) -> Self:
        """Runs that claim to be running but gave no sign of life for a whole lease."""
        return self.filter(state=RunState.RUNNING, lease_expires_at__lt=timezone.now())


class SyncRun(models.Model):
    """One reading of an ERP. ``created`` … ``vanished`` count payments, not allocations.

    ``project``, ``commitment`` and ``invoice`` narrow it (at most one is set).
    A preview reads and judges like any other run and writes nothing but what it
    found.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(ErpConnection, on_delete=models.PROTECT, related_name="runs")
    trigger = models.CharField(max_length=15, choices=RunTrigger.choices)
    mode = models.CharField(max_length=10, choices=RunMode.choices, default=RunMode.CHANGES)
    is_preview = models.BooleanField(default=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    commitment = models.ForeignKey(
        Commitment, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    invoice = models.ForeignKey(
        SubcontractorInvoice, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: the first day of a back-fill
    since = models.DateField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=25, choices=RunState.choices, default=RunState.QUEUED)
    phase = models.CharField(max_length=15, choices=RunPhase.choices, default=RunPhase.WAITING)

    created_at = models.DateTimeField(auto_now_add=True)
    #: when it was last put into the queue; the sweeper rings again for rows nobody took
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    #: how often a worker took the run up
    attempts = models.PositiveIntegerField(default=0)
    #: where this run had got to; resuming goes on exactly after it
    checkpoint = models.JSONField(null=True, blank=True)

    pages = models.PositiveIntegerField(default=0)
    payments_read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    vanished = models.PositiveIntegerField(default=0)
    #: allocations of this connection that wait for something, counted when the run ended
    waiting = models.PositiveIntegerField(default=0)
    #: records that could not be used
    problems = models.PositiveIntegerField(default=0)
    #: requests sent to the ERP
    calls = models.PositiveIntegerField(default=0)

    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.CharField(max_length=1000, blank=True)

    #: not stored: whether the connection has open issues that a good record may resolve
    has_unusable_records = True
    #: not stored: counts what the worker that has the run now has asked of the ERP
    meter: Callable[[], int] = staticmethod(lambda: 0)
    #: not stored: whether the ERP could not tell what was deleted since the cursor
    misses_deletions = False

    objects = models.Manager.from_queryset(SyncRunQuerySet)()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(state__in=ACTIVE_STATES),
                name="one_active_run_per_connection",
            ),
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="run_state_is_one_we_have"
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, state__in=ACTIVE_STATES)
                | Q(finished_at__isnull=False) & ~Q(state__in=ACTIVE_STATES),
                name="run_is_finished_exactly_when_it_has_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.RUNNING)
                | Q(lease__isnull=False, lease_expires_at__isnull=False),
                name="running_run_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(project=None, commitment=None)
                | Q(project=None, invoice=None)
                | Q(commitment=None, invoice=None),
                name="run_is_narrowed_in_one_way",
            ),
            models.CheckConstraint(
                condition=Q(mode=RunMode.BACK_FILL, since__isnull=False)
                | ~Q(mode=RunMode.BACK_FILL) & Q(since=None),
                name="back_fill_has_a_first_day",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "-created_at"], name="run_by_connection"),
            models.Index(fields=["company", "-created_at", "-id"], name="run_by_company"),
        ]

    def __str__(self) -> str:
        return f"Sync {self.pk} of {self.connection_id}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES

    @property
    def calls_so_far(self) -> int:
        """Those of earlier workers, as stored when this one took the run, and its own."""
        return self.calls + self.meter()

    @property
    def is_whole(self) -> bool:
        return self.mode in WHOLE_MODES and not self.is_preview

    @property
    def is_good(self) -> bool:
        return self.state in (RunState.SUCCEEDED, RunState.SUCCEEDED_WITH_ISSUES)


class SweepSighting(models.Model):
    """A payment that a sweep has seen; what is stored but was not seen is missing.

    Rows live as long as their run, so that a sweep that is taken up again still
    knows what it saw before.
    """

    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, db_index=False)
    remote_id = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "remote_id"], name="sighting_once_per_run")
        ]

    def __str__(self) -> str:
        return self.remote_id
