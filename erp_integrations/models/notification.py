"""What an ERP told us of, kept until it was looked at."""

from django.db import models
from django.db.models import Q

from erp_integrations.models.connection import ErpConnection
from erp_integrations.models.run import SyncRun
from projects.models import Company


class NotificationState(models.TextChoices):
    WAITING = "waiting", "Waiting for a sync"
    TAKEN = "taken", "Being looked at"
    DONE = "done", "Looked at"
    UNREADABLE = "unreadable", "Could not be read"


class InboundNotification(models.Model):
    """One event of an ERP: what it names was, is being or will be asked for.

    It is only a hint where to look; what is true is asked of the ERP.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(
        ErpConnection, on_delete=models.CASCADE, related_name="notifications"
    )
    #: the ERP's own; the same when it sends the same event again
    event_id = models.CharField(max_length=200)
    payment_ids = models.JSONField(default=list)
    bill_ids = models.JSONField(default=list)
    #: what was sent, cut to a size that is safe to keep
    payload = models.TextField(blank=True)
    state = models.CharField(
        max_length=10, choices=NotificationState.choices, default=NotificationState.WAITING
    )
    run = models.ForeignKey(SyncRun, on_delete=models.SET_NULL, null=True, related_name="+")
    attempts = models.PositiveIntegerField(default=0)
    #: after a sync that failed: not before this moment again
    not_before = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "event_id"], name="notification_once_per_connection"
            ),
            models.CheckConstraint(
                condition=Q(state__in=NotificationState.values),
                name="notification_state_is_one_we_have",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection"],
                condition=Q(state__in=["waiting", "taken"]),
                name="notification_to_look_at",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_id}: {self.get_state_display()}"
