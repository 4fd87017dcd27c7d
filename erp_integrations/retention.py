"""Forgets what ERPs sent as it was, once the company's days for it are over."""

from datetime import timedelta

from django.utils import timezone

from erp_integrations.models import (
    ErpConnection,
    InboundNotification,
    NotificationState,
    SyncIssue,
)

BATCH = 1_000
#: notifications that a sync has yet to look at keep what they are looked at by
_OVER = (NotificationState.DONE, NotificationState.UNREADABLE)


def forget_raw_payloads() -> int:
    """Empty raw payloads that are older than their connection keeps them; how many."""
    connections = ErpConnection.objects.values_list("pk", "raw_retention_days")
    return sum(_forget(pk, days) for pk, days in connections)


def _forget(connection_id: int, days: int) -> int:
    before = timezone.now() - timedelta(days=days)
    issues = SyncIssue.objects.filter(connection=connection_id, created_at__lt=before)
    notifications = InboundNotification.objects.filter(
        connection=connection_id, received_at__lt=before, state__in=_OVER
    )
    done = 0
    while ids := list(issues.exclude(raw="").values_list("pk", flat=True)[:BATCH]):
        done += SyncIssue.objects.filter(pk__in=ids).update(raw="")
    while ids := list(notifications.exclude(payload="").values_list("pk", flat=True)[:BATCH]):
        done += InboundNotification.objects.filter(pk__in=ids).update(payload="")
    return done
