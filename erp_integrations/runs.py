"""The life of a run; the only writer of ``SyncRun`` outside a page's own transaction.

queued → running → succeeded | succeeded with issues | failed | cancelled, with
*stale* between a worker that died and the next one. Every state that is not the
end has somebody who looks after it: ``recover_stopped`` rings again for queued
rows nobody took and for running rows whose lease ran out.
"""

import logging
import random
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from kombu.exceptions import KombuError, OperationalError

from erp_integrations.models import (
    ErpConnection,
    ErpPayment,
    RunMode,
    RunState,
    RunTrigger,
    SyncRun,
)
from erp_integrations.models.run import ACTIVE_STATES, RunPhase
from erp_integrations.providers.registry import find_provider
from erp_integrations.scopes import EVERYTHING, Order, Scope, can_be_narrowed
from projects.models import Project, User

log = logging.getLogger(__name__)

#: a run that had to be taken up this often without finishing has a fault of its own
MAX_ATTEMPTS = 50
#: payments that fit on one page of any ERP
SMALL_BOOKS = 100


class LeaseLost(Exception):
    """Another worker has the run, or it was cancelled: stop without a word."""


def request_run(
    *,
    connection: ErpConnection,
    trigger: RunTrigger,
    requested_by: User | None = None,
    mode: RunMode | None = None,
    project: Project | None = None,
    order: Order | None = None,
) -> SyncRun:
    """Start a sync, or give the one that is under way: pressing twice is one run.

    Whether that one does what was asked, ``order.fits(run)`` says. Without an
    order: a run of this mode, of the project or of everything; else all that is new.
    """
    order = order or Order(mode or cheapest_mode(connection), Scope(project))
    try:
        with transaction.atomic():
            run = SyncRun.objects.create(
                company_id=connection.company_id,
                connection=connection,
                trigger=trigger,
                mode=order.mode,
                project=order.scope.project,
                commitment=order.scope.commitment,
                invoice=order.scope.invoice,
                since=order.since,
                is_preview=order.is_preview,
                requested_by=requested_by,
                queued_at=timezone.now(),
            )
            transaction.on_commit(lambda: ring_for(run.pk))
            return run
    except IntegrityError:
        active = connection.runs.active().first()
        if active is None:  # it ended between our attempt and this look
            return request_run(
                connection=connection, trigger=trigger, requested_by=requested_by, order=order
            )
        return active


def order_for(
    connection: ErpConnection, scope: Scope = EVERYTHING, *, is_preview: bool = False
) -> Order:
    """The cheapest order for what somebody wants synced.

    An ERP that cannot be asked for single bills is asked for all that is new.
    """
    if scope and can_be_narrowed(connection):
        return Order(RunMode.SCOPED, scope, is_preview=is_preview)
    return Order(cheapest_mode(connection), is_preview=is_preview)


def cheapest_mode(connection: ErpConnection) -> RunMode:
    """Small books are read whole every time: it costs no more calls, and sees deletions at once."""
    small = ErpPayment.objects.filter(connection=connection)[: SMALL_BOOKS + 1].count()
    provider = find_provider(connection.provider)
    if small > SMALL_BOOKS or provider is None or not provider.capabilities.sweep:
        return RunMode.CHANGES
    return RunMode.SWEEP


def ring_for(run_id: int) -> None:
    """Tell a worker. A broker that is away is no loss: the row stays, and is rung for again."""
    from erp_integrations.tasks import run_sync

    try:
        run_sync.delay(run_id)
    except (OperationalError, KombuError, OSError) as error:
        log.warning("run %s stays queued, the broker does not answer: %s", run_id, error)


def claim(run_id: int) -> uuid.UUID:
    """Take the run for this worker. Raises ``LeaseLost`` when it is not to be had."""
    lease, now = uuid.uuid4(), timezone.now()
    free = SyncRun.objects.filter(pk=run_id, state__in=[RunState.QUEUED, RunState.STALE])
    expired = SyncRun.objects.filter(pk=run_id).abandoned()
    for claimable in (free, expired):
        taken = claimable.update(
            state=RunState.RUNNING,
            phase=RunPhase.CONNECTING,
            lease=lease,
            lease_expires_at=now + lease_time(),
            heartbeat_at=now,
            attempts=F("attempts") + 1,
        )
        if taken:
            SyncRun.objects.filter(pk=run_id, started_at=None).update(started_at=now)
            return lease
    raise LeaseLost


def beat(run: SyncRun, phase: RunPhase | None = None) -> None:
    """A sign of life. Raises ``LeaseLost`` when the run belongs to somebody else by now."""
    now = timezone.now()
    run.phase = phase or run.phase
    kept = _held(run).update(heartbeat_at=now, lease_expires_at=now + lease_time(), phase=run.phase)
    if not kept:
        raise LeaseLost


def reach(run: SyncRun, checkpoint: dict[str, object], *, pages: int = 0) -> None:
    """Store how far a run has come that does not go by the connection's cursor.

    Raises ``LeaseLost`` when the run belongs to somebody else by now.
    """
    run.checkpoint = checkpoint
    if not _held(run).update(checkpoint=checkpoint, pages=F("pages") + pages):
        raise LeaseLost


def want_sweep(run: SyncRun) -> None:
    """Only a sweep can tell what was deleted: soon, even if this run does not come to its end."""
    if run.mode != RunMode.CHANGES or run.is_preview:
        return
    run.misses_deletions = True
    ErpConnection.objects.filter(pk=run.connection_id).update(next_sweep_at=timezone.now())


def keep_calls(run: SyncRun) -> None:
    """Store how many requests were sent, however the work ended and whoever has the run now."""
    calls = run.calls_so_far
    SyncRun.objects.filter(pk=run.pk, calls__lt=calls).update(calls=calls)


def keep_checkpoint(run: SyncRun, **counted: int) -> None:
    """Store where the run has got to, and add what it counted. Raises ``LeaseLost``."""
    now = timezone.now()
    added = {name: F(name) + number for name, number in counted.items()}
    kept = _held(run).update(
        checkpoint=run.checkpoint,
        heartbeat_at=now,
        lease_expires_at=now + lease_time(),
        pages=F("pages") + 1,
        **added,
    )
    if not kept:
        raise LeaseLost


def hand_back(run: SyncRun) -> None:
    """End this task's time slice: the run goes on in a new task, from its checkpoint."""
    now = timezone.now()
    if _held(run).update(state=RunState.QUEUED, phase=RunPhase.WAITING, lease=None, queued_at=now):
        ring_for(run.pk)


def finish(run: SyncRun, *, state: RunState, **fields: object) -> SyncRun:
    """Write the end of a run that this worker holds."""
    done = _held(run).update(
        state=state, phase=RunPhase.DONE, finished_at=timezone.now(), lease=None, **fields
    )
    if not done:
        raise LeaseLost
    run.refresh_from_db()
    run.sweepsighting_set.all().delete()
    return run


@transaction.atomic
def cancel_run(*, run: SyncRun, by: User) -> SyncRun:
    """Stop a run after the page it is writing. What was read stays."""
    SyncRun.objects.filter(pk=run.pk, state__in=ACTIVE_STATES).update(
        state=RunState.CANCELLED,
        phase=RunPhase.DONE,
        finished_at=timezone.now(),
        lease=None,
        error_code="cancelled",
        error_message=f"Stopped by {by}. "
        + ("Nothing was written." if run.is_preview else "Everything read until then was kept."),
    )
    run.refresh_from_db()
    run.sweepsighting_set.all().delete()
    return run


def recover_stopped() -> list[int]:
    """Ring again for runs that no worker is working on; the ids rung for."""
    now = timezone.now()
    SyncRun.objects.abandoned().filter(attempts__gte=MAX_ATTEMPTS).update(
        state=RunState.FAILED,
        phase=RunPhase.DONE,
        finished_at=now,
        lease=None,
        error_code="gave_up",
        error_message="This sync was started many times and never came to its end. The log of "
        "the worker says why; the next sync starts anew.",
    )
    SyncRun.objects.abandoned().update(state=RunState.STALE, lease=None, queued_at=now)
    return _ring_again(now)


def _ring_again(now: datetime) -> list[int]:
    """Claim the forgotten rows by moving ``queued_at``, so that two sweepers do not both ring."""
    patience = now - timedelta(seconds=2 * settings.SYNC_LEASE_SECONDS)
    stale = SyncRun.objects.filter(state=RunState.STALE, queued_at__lte=now)
    forgotten = SyncRun.objects.filter(state=RunState.QUEUED, queued_at__lt=patience)
    rung = []
    for run_id in (stale | forgotten).values_list("pk", flat=True):
        waiting = SyncRun.objects.filter(pk=run_id, state__in=[RunState.QUEUED, RunState.STALE])
        if waiting.update(state=RunState.QUEUED, queued_at=timezone.now()):
            ring_for(run_id)
            rung.append(run_id)
    return rung


def start_due() -> list[SyncRun]:
    """Start every automatic sync whose time has come; safe to call from several places at once.

    Where another kind of run is under way, such as one of a single invoice, the
    sync stays due until that is over.
    """
    started = []
    with transaction.atomic():
        due = ErpConnection.objects.due().select_for_update(skip_locked=True, of=["self"])
        for connection in due.order_by("next_sync_at")[:500]:
            run = request_run(
                connection=connection, trigger=RunTrigger.SCHEDULE, mode=_mode_due(connection)
            )
            if run.is_whole:
                schedule_next(connection)
                started.append(run)
    return started


def _mode_due(connection: ErpConnection) -> RunMode | None:
    """The daily sweep, if it is time for it and the ERP can be read whole."""
    provider = find_provider(connection.provider)
    if provider and not provider.capabilities.sweep:
        return RunMode.CHANGES
    due = connection.next_sweep_at is None or connection.next_sweep_at <= timezone.now()
    return RunMode.SWEEP if due else None


def schedule_next(connection: ErpConnection) -> None:
    """Set the next automatic sync, a little scattered, and the next sweep if one is due now."""
    now = timezone.now()
    if _mode_due(connection) == RunMode.SWEEP:
        connection.next_sweep_at = now + timedelta(hours=24)
    connection.next_sync_at = next_sync_after(now, connection)
    connection.save(update_fields=["next_sync_at", "next_sweep_at", "updated_at"])


def next_sync_after(moment: datetime, connection: ErpConnection) -> datetime | None:
    """One interval on, plus up to 5 % so that connections do not all call in the same second."""
    interval = connection.schedule.interval
    if interval is None:
        return None
    return moment + interval * random.uniform(1.0, 1.05)  # noqa: S311  not a secret


def _held(run: SyncRun) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(pk=run.pk, lease=run.lease, state=RunState.RUNNING)


def lease_time() -> timedelta:
    return timedelta(seconds=settings.SYNC_LEASE_SECONDS)
