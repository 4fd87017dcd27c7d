"""What a worker does with a run, from claiming it to its end.

Pages are read by a thread of their own, one ahead, while the page before is
written; nothing is read inside a transaction. While the ERP takes its time the
run keeps giving signs of life, and after a time slice it goes on in a new task.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.db.models.functions import Least
from django.utils import timezone

from erp_integrations import back_fill, reading, runs, scoped
from erp_integrations.models import (
    ErpAllocation,
    ErpConnection,
    PreviewKind,
    PreviewRow,
    RunMode,
    RunState,
    RunTrigger,
    SyncIssue,
    SyncRun,
    WaitReason,
)
from erp_integrations.models.run import RunPhase
from erp_integrations.notices import incidents
from erp_integrations.notifications import asking, looking
from erp_integrations.opening import open_provider
from erp_integrations.preconditions import may_sync, obstacles_to_run
from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    NotOffered,
    TransientError,
)
from erp_integrations.reconciliation import comparing
from erp_integrations.scoped import NothingToSync
from erp_integrations.scopes import scope_of

log = logging.getLogger(__name__)

#: failures in a row after which automatic runs rest, and for how long at the most
FAILURES_BEFORE_REST, LONGEST_REST = 3, timedelta(hours=4)


def _after_changes(run: SyncRun) -> dict[str, object]:
    return {"last_success_at": timezone.now(), "cursor": run.checkpoint}


def _after_sweep(run: SyncRun) -> dict[str, object]:
    now = timezone.now()
    swept = {"last_sweep_at": now, "next_sweep_at": now + timedelta(hours=24)}
    return {**_after_changes(run), **swept}


class Work(NamedTuple):
    """What a run of one mode does, and what its good end changes on the connection."""

    carry_out: Callable[[SyncRun, Provider], None]
    after: Callable[[SyncRun], dict[str, object]] = lambda run: {}


#: a mode that is not here cannot be run
WORK: dict[str, Work] = {
    RunMode.CHANGES: Work(reading.read_changes, _after_changes),
    RunMode.SWEEP: Work(reading.read_everything, _after_sweep),
    RunMode.SCOPED: Work(scoped.read_scope),
    RunMode.BACK_FILL: Work(back_fill.read_back),
    RunMode.NOTIFIED: Work(looking.look_at_notices),
    RunMode.RECONCILE: Work(comparing.compare),
}


#: what every run is read with
WITH_IT = (
    "connection__company",
    "requested_by",
    "project",
    "commitment__project",
    "invoice__project",
)


def work_on(run_id: int) -> None:
    """Take a run and bring it to its end, or to the end of this task's time slice."""
    try:
        lease = runs.claim(run_id)
    except runs.LeaseLost:
        return
    run = SyncRun.objects.select_related(*WITH_IT).get(pk=run_id)
    if run.lease != lease:
        return
    try:
        _carry_out(run)
    except runs.LeaseLost:
        log.info("run %s was taken over or cancelled", run_id)
    except reading.TimeSliceOver:
        runs.hand_back(run)
    except (OperationalError, InterfaceError) as error:
        # The database went away. The run stays as it is, its lease runs out, and it is resumed.
        log.warning("run %s lost its database and will be resumed: %s", run_id, error)
        connection.close()
        return
    except ErpError as error:
        _fail(run, error)
    except Exception:
        _fail(run, None)
        raise
    asking.ask_for_sync(run.connection_id)


def _carry_out(run: SyncRun) -> None:
    _check_rights_again(run)
    run.has_unusable_records = reading.unusable(run).exists()
    with open_provider(run.connection) as provider:
        run.meter = lambda: provider.calls
        try:
            WORK[run.mode].carry_out(run, provider)
        finally:
            runs.keep_calls(run)
    _succeed(run)


def _check_rights_again(run: SyncRun) -> None:
    """Minutes may lie between the click and now: what was allowed then must be allowed still."""
    obstacles = obstacles_to_run(run.connection)
    if obstacles:
        raise NotAllowedNow(obstacles[0].sentence)
    asked, project = run.requested_by, scope_of(run).right_on
    if run.trigger == RunTrigger.BUTTON and (
        asked is None or not asked.is_active or not may_sync(run.connection, asked, project)
    ):
        raise NotAllowedNow(f"{asked} may not start syncs any more, so this one was not done.")


class NotAllowedNow(ErpError):
    """A precondition went away between the click and the work."""


def _succeed(run: SyncRun) -> None:
    run.refresh_from_db(fields=["checkpoint"])
    runs.beat(run, RunPhase.FINISHING)
    if run.is_preview:
        waiting = PreviewRow.objects.filter(run=run, kind=PreviewKind.WAITING).count()
        runs.finish(run, state=RunState.SUCCEEDED, waiting=waiting)
        return
    within = scope_of(run).within
    waits = ErpAllocation.objects.waiting().filter(erp_payment__connection=run.connection_id)
    issues = SyncIssue.objects.open().filter(connection=run.connection_id)
    trouble = issues.exclude(Q(reason=WaitReason.PAYMENT_PENDING))
    in_trouble = within(trouble, "invoice").exists()
    state = RunState.SUCCEEDED_WITH_ISSUES if in_trouble else RunState.SUCCEEDED
    runs.finish(run, state=state, waiting=within(waits, "invoice").count())
    good = {**WORK[run.mode].after(run), "consecutive_failures": 0, "circuit_open_until": None}
    ErpConnection.objects.filter(pk=run.connection_id).update(**good)
    incidents.take_note(run)
    if run.misses_deletions:
        runs.request_run(connection=run.connection, trigger=RunTrigger.SCHEDULE, mode=RunMode.SWEEP)


def _fail(run: SyncRun, error: ErpError | None) -> None:
    """Write why, in words; what it means for the connection depends on the error's class."""
    message = str(error) if error else BUG
    code = type(error).__name__ if error else "bug"
    log.warning("run %s failed: %s %s", run.pk, code, error.detail if error else "")
    try:
        runs.finish(run, state=RunState.FAILED, error_code=code[:50], error_message=message[:1000])
    except runs.LeaseLost:
        return
    if not run.is_preview and not isinstance(error, NotAllowedNow | NothingToSync | NotOffered):
        _mark_connection(run, error)
        incidents.take_note(run)


def _mark_connection(run: SyncRun, error: ErpError | None) -> None:
    mine = ErpConnection.objects.filter(pk=run.connection_id)
    now = timezone.now()
    if isinstance(error, AuthenticationError | ConfigurationError):
        mine.update(stopped_at=now, stopped_reason=str(error)[:500])
        return
    if not run.is_whole:
        return  # what else was asked for says nothing about the schedule's own runs
    mine.update(consecutive_failures=F("consecutive_failures") + 1)
    failures = mine.values_list("consecutive_failures", flat=True).get()
    pause = timedelta(minutes=2) * 2 ** min(failures - 1, 10)
    if isinstance(error, TransientError):  # sooner than a daily schedule would
        again = now + max(pause, timedelta(seconds=error.retry_after or 0))
        mine.exclude(next_sync_at=None).update(next_sync_at=Least("next_sync_at", again))
    if failures >= FAILURES_BEFORE_REST:
        mine.update(circuit_open_until=now + min(pause, LONGEST_REST))


BUG = (
    "Something in this program went wrong. The technical details are in the worker's log; "
    "everything read until then was kept, and the next sync goes on from there."
)
