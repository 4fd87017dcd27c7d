"""When the books are compared by themselves: once a night, each connection at its own minute."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from erp_integrations import runs
from erp_integrations.models import ErpConnection, RunMode, RunTrigger, SyncRun

#: local hours between which comparisons are scattered
FIRST_HOUR, LAST_HOUR = 1, 5
#: while a sync is under way the comparison waits
TRY_AGAIN = dt.timedelta(minutes=10)
AT_ONCE = 500


def start_due() -> list[SyncRun]:
    """Start every comparison whose night has come; safe to call from several places at once."""
    started = []
    with transaction.atomic():
        for connection in _claimed():
            if run := _start(connection):
                started.append(run)
    return started


def _claimed() -> list[ErpConnection]:
    due = Q(next_comparison_at=None) | Q(next_comparison_at__lte=timezone.now())
    able = ErpConnection.objects.able_to_sync().filter(due)
    locked = able.select_for_update(skip_locked=True, of=["self"]).select_related("company")
    return list(locked.order_by("next_comparison_at")[:AT_ONCE])


def _start(connection: ErpConnection) -> SyncRun | None:
    """The run; None for a connection that only learns its hour, or that is busy just now."""
    is_first_look = connection.next_comparison_at is None
    busy = not is_first_look and connection.runs.active().exists()
    connection.next_comparison_at = (
        timezone.now() + TRY_AGAIN if busy else next_night(connection, timezone.now())
    )
    connection.save(update_fields=["next_comparison_at", "updated_at"])
    if is_first_look or busy:
        return None
    return runs.request_run(
        connection=connection, trigger=RunTrigger.SCHEDULE, mode=RunMode.RECONCILE
    )


def next_night(connection: ErpConnection, moment: dt.datetime) -> dt.datetime:
    """A minute of the coming night where the company is."""
    local = moment.astimezone(ZoneInfo(connection.company.time_zone))
    tomorrow = local.date() + dt.timedelta(days=1)
    start = dt.datetime.combine(tomorrow, dt.time(FIRST_HOUR), local.tzinfo)
    minutes = (LAST_HOUR - FIRST_HOUR) * 60
    return start + dt.timedelta(minutes=random.uniform(0, minutes))  # noqa: S311  not a secret
