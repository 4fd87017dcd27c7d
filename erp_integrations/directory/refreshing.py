"""The job that reads the ERP's vendors, jobs and commitments into the staging table.

queued → running → succeeded | succeeded in part | failed. A connection has one
at a time. A worker that dies loses its lease; the job then counts as failed, and
the next one reads everything again: a reading is short and can be repeated.
"""

import logging
import uuid
from datetime import timedelta
from itertools import islice

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from kombu.exceptions import KombuError, OperationalError

from erp_integrations.directory import staging
from erp_integrations.directory.rights import listed_kinds, may_link, obstacles_to_asking
from erp_integrations.models import DirectoryKind, DirectoryRefresh, ErpConnection, SyncSchedule
from erp_integrations.models.directory import RefreshState
from erp_integrations.opening import open_provider
from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import ConfigurationError, ErpError, ProtocolError
from projects.models import User

log = logging.getLogger(__name__)

#: longer than any single question to an ERP may take, with all its repetitions
LEASE = timedelta(minutes=5)
INTERVAL = timedelta(hours=1)
KEPT = timedelta(days=30)
#: of one kind; whoever has more searches the ERP for the others
MOST = 50_000
TOO_MANY = (
    "{name} has more than {most:,} {kind}; the first {most:,} are listed here. Find the others by "
    "searching the ERP when linking."
)
STOPPED = "The worker that read the ERP stopped. Refresh again; nothing was lost."
NOT_ALLOWED_NOW = "{person} may not link records any more, so nothing was read."
BUG = (
    "Something in this program went wrong. The technical details are in the worker's log; tell "
    "whoever runs this program."
)


class LeaseLost(Exception):
    """The job is not this worker's any more."""


def request_refresh(
    *, connection: ErpConnection, requested_by: User | None = None
) -> DirectoryRefresh:
    """Start a reading, or join the one under way: pressing twice is one."""
    try:
        with transaction.atomic():
            refresh = DirectoryRefresh.objects.create(
                company_id=connection.company_id,
                connection=connection,
                requested_by=requested_by,
                queued_at=timezone.now(),
            )
            transaction.on_commit(lambda: ring_for(refresh.pk))
            return refresh
    except IntegrityError:
        active = DirectoryRefresh.objects.active().filter(connection=connection).first()
        return active or request_refresh(connection=connection, requested_by=requested_by)


def ring_for(refresh_id: int) -> None:
    """Tell a worker; the row stays and is rung for again where nobody hears."""
    from erp_integrations.tasks import refresh_directory

    try:
        refresh_directory.delay(refresh_id)
    except (OperationalError, KombuError, OSError) as error:
        log.warning("refresh %s stays queued, the broker does not answer: %s", refresh_id, error)


def work_on(refresh_id: int) -> None:
    """Take a reading and bring it to its end, whatever that is."""
    refresh = _claim(refresh_id)
    if refresh is None:
        return
    try:
        _check_again(refresh)
        problems = _read(refresh)
    except LeaseLost:
        log.info("refresh %s was given up for this worker", refresh_id)
    except ErpError as error:
        log.warning("refresh %s failed: %s %s", refresh_id, error, error.detail)
        _finish(refresh, RefreshState.FAILED, str(error))
    except Exception:
        _finish(refresh, RefreshState.FAILED, BUG)
        raise
    else:
        state = RefreshState.INCOMPLETE if problems else RefreshState.SUCCEEDED
        _finish(refresh, state, " ".join(problems))


def look_after() -> None:
    """What the clock does: give up what stopped, ring again, start what is due."""
    now = timezone.now()
    DirectoryRefresh.objects.abandoned().update(
        state=RefreshState.FAILED, finished_at=now, lease=None, message=STOPPED
    )
    forgotten = DirectoryRefresh.objects.filter(
        state=RefreshState.QUEUED, queued_at__lt=now - timedelta(minutes=2)
    )
    for refresh_id in forgotten.values_list("pk", flat=True):
        again = DirectoryRefresh.objects.filter(pk=refresh_id, state=RefreshState.QUEUED)
        if again.filter(queued_at__lt=now - timedelta(minutes=1)).update(queued_at=now):
            ring_for(refresh_id)
    start_due()
    DirectoryRefresh.objects.filter(finished_at__lt=now - KEPT).delete()


def start_due() -> list[DirectoryRefresh]:
    """Start the hourly readings; safe to call from several places at once."""
    now = timezone.now()
    recent = DirectoryRefresh.objects.filter(
        connection=OuterRef("pk"), created_at__gt=now - INTERVAL
    )
    due = ErpConnection.objects.filter(~Exists(recent), is_active=True, stopped_at=None)
    due = due.exclude(sync_schedule=SyncSchedule.NEVER).exclude(circuit_open_until__gt=now)
    with transaction.atomic():
        claimed = due.select_for_update(skip_locked=True, of=["self"]).order_by("pk")[:200]
        return [request_refresh(connection=each) for each in claimed if listed_kinds(each)]


def _claim(refresh_id: int) -> DirectoryRefresh | None:
    now = timezone.now()
    free = DirectoryRefresh.objects.filter(pk=refresh_id, state=RefreshState.QUEUED)
    taken = free.update(
        state=RefreshState.RUNNING, started_at=now, lease=uuid.uuid4(), lease_expires_at=now + LEASE
    )
    if not taken:
        return None
    rows = DirectoryRefresh.objects.select_related("connection__company", "requested_by")
    return rows.get(pk=refresh_id)


def _check_again(refresh: DirectoryRefresh) -> None:
    """What was allowed at the click must be allowed still."""
    if obstacles := obstacles_to_asking(refresh.connection):
        raise ConfigurationError(obstacles[0].sentence)
    asked = refresh.requested_by
    if asked and not (asked.is_active and may_link(refresh.connection.company, asked)):
        raise ConfigurationError(NOT_ALLOWED_NOW.format(person=asked))


def _read(refresh: DirectoryRefresh) -> list[str]:
    """Every kind that the ERP lists; the sentences about those that could not be read whole.

    Raises the error when no kind could be read.
    """
    problems: list[str] = []
    errors: list[ErpError] = []
    kinds = listed_kinds(refresh.connection)
    with open_provider(refresh.connection) as provider:
        for kind in kinds:
            try:
                problems += _read_kind(refresh, provider, kind)
            except (ConfigurationError, ProtocolError) as error:
                log.warning("refresh %s, %s: %s %s", refresh.pk, kind, error, error.detail)
                errors.append(error)
            finally:
                refresh.calls = provider.calls
    if errors and len(errors) == len(kinds):
        raise errors[0]
    return [*map(str, errors), *problems]


def _read_kind(refresh: DirectoryRefresh, provider: Provider, kind: DirectoryKind) -> list[str]:
    connection, began, count = refresh.connection, timezone.now(), 0
    records = iter(getattr(provider, kind.value)())
    while batch := list(islice(records, min(staging.BATCH, MOST - count))):
        _beat(refresh)
        count += len(staging.stage(connection=connection, kind=kind, records=batch))
        setattr(refresh, kind.value, count)
    if next(records, None) is not None:
        label = kind.label.lower()
        return [TOO_MANY.format(name=connection.name, most=MOST, kind=label)]
    try:
        refresh.gone += staging.mark_gone(connection=connection, kind=kind, read_since=began)
    except staging.NotTrusted as doubt:
        return [str(doubt)]
    return []


def _beat(refresh: DirectoryRefresh) -> None:
    """A sign of life. Raises ``LeaseLost``."""
    held = DirectoryRefresh.objects.filter(pk=refresh.pk, lease=refresh.lease)
    if not held.update(lease_expires_at=timezone.now() + LEASE):
        raise LeaseLost


def _finish(refresh: DirectoryRefresh, state: RefreshState, message: str) -> None:
    held = DirectoryRefresh.objects.filter(
        pk=refresh.pk, lease=refresh.lease, state=RefreshState.RUNNING
    )
    held.update(
        state=state,
        finished_at=timezone.now(),
        lease=None,
        message=message[:1000],
        vendors=refresh.vendors,
        jobs=refresh.jobs,
        commitments=refresh.commitments,
        gone=refresh.gone,
        calls=refresh.calls,
    )
