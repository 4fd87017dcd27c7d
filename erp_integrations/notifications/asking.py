"""Who asks for the syncs that notifications want: one run for all that wait.

Asked for when something arrives, when a run ends, and once a minute below that,
so that nothing is lost with a broker or a worker. While another run is under way
they wait.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from erp_integrations import runs
from erp_integrations.models import (
    ErpConnection,
    InboundNotification,
    NotificationState,
    RunMode,
    RunState,
    RunTrigger,
    SyncRun,
)

#: after a run of notifications that failed, doubled with every one
PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(hours=4)


def start_waiting() -> list[SyncRun]:
    """Ask for every connection whose notifications wait; safe to call from several places."""
    wanted = InboundNotification.objects.filter(
        state__in=[NotificationState.WAITING, NotificationState.TAKEN]
    )
    found = [ask_for_sync(pk) for pk in wanted.values_list("connection", flat=True).distinct()]
    return [run for run in found if run]


def ask_for_sync(connection_id: int) -> SyncRun | None:
    """A run for what waits; None when nothing does, or another run is under way."""
    give_back(connection_id)
    able = ErpConnection.objects.able_to_sync().filter(pk=connection_id)
    resting = Q(circuit_open_until__gt=timezone.now())
    connection = able.exclude(resting).first()
    if connection is None or not _waiting(connection_id).exists():
        return None
    if connection.runs.active().exists():
        return None
    run = runs.request_run(
        connection=connection, trigger=RunTrigger.NOTIFICATION, mode=RunMode.NOTIFIED
    )
    return run if run.mode == RunMode.NOTIFIED else None


def take(run: SyncRun) -> None:
    """Everything that waits belongs to this run now."""
    _waiting(run.connection_id).update(state=NotificationState.TAKEN, run=run)


@transaction.atomic
def give_back(connection_id: int) -> None:
    """What a run took that did not come to a good end waits again, each time for longer."""
    ended = [RunState.FAILED, RunState.CANCELLED]
    taken = InboundNotification.objects.select_for_update(skip_locked=True).filter(
        connection=connection_id, state=NotificationState.TAKEN, run__state__in=ended
    )
    now = timezone.now()
    for attempts in set(taken.values_list("attempts", flat=True)):
        pause = min(PAUSE * 2 ** min(attempts, 10), LONGEST_PAUSE)
        taken.filter(attempts=attempts).update(
            state=NotificationState.WAITING,
            run=None,
            attempts=F("attempts") + 1,
            not_before=now + pause,
        )


def forget_old() -> int:
    """Delete notifications that are done, as long ago as the connection keeps raw payloads."""
    now, deleted = timezone.now(), 0
    for connection in ErpConnection.objects.all():
        old = now - timedelta(days=connection.raw_retention_days)
        rows = connection.notifications.filter(received_at__lt=old)
        over = [NotificationState.DONE, NotificationState.UNREADABLE]
        deleted += rows.filter(state__in=over).delete()[0]
    return deleted


def _waiting(connection_id: int) -> QuerySet[InboundNotification]:
    ready = Q(not_before=None) | Q(not_before__lte=timezone.now())
    rows = InboundNotification.objects.filter(
        connection=connection_id, state=NotificationState.WAITING
    )
    return rows.filter(ready)
