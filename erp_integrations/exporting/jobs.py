"""The life of an export; with ``services`` the only writer of ``InvoiceExport``.

queued → running → succeeded | failed, and back to queued where the ERP could
not be reached or the worker died. ``recover_stopped`` looks after what nobody
works on.
"""

import logging
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import KombuError, OperationalError

from commitments.erp_links import record_exported
from commitments.erp_states import fail_export
from erp_integrations.models import ExportState, InvoiceExport
from erp_integrations.providers.contract import RemoteBill
from erp_integrations.providers.errors import TransientError
from erp_integrations.providers.http import AGAIN
from erp_integrations.runs import LeaseLost
from projects.models import ErpStatus

log = logging.getLogger(__name__)

#: seconds until the next attempt, when the ERP could not be reached; after the last it has failed
PAUSES = (5, 15, 60, 300, 900)
GAVE_UP = (
    "{reason} That happened {attempts} times, so it is left to you: export it again. If the ERP "
    "made the bill meanwhile, it is found and not made twice."
)
NEVER_ENDED = (
    "The export was started {attempts} times and never came to its end. The log of the worker "
    "says why. Export it again; if the ERP made the bill meanwhile, it is found."
)


def ring_for(export_id: int, *, after: float = 0) -> None:
    """Tell a worker. A broker that is away is no loss: the row stays, and is rung for again."""
    from erp_integrations.tasks import export_invoice

    try:
        export_invoice.apply_async((export_id,), countdown=after)
    except (OperationalError, KombuError, OSError) as error:
        log.warning("export %s stays queued, the broker does not answer: %s", export_id, error)


def claim(export_id: int) -> uuid.UUID:
    """Take the export for this worker. Raises ``LeaseLost`` when it is not to be had."""
    lease, now = uuid.uuid4(), timezone.now()
    waiting = Q(state=ExportState.QUEUED, try_at__lte=now)
    abandoned = Q(state=ExportState.RUNNING, lease_expires_at__lt=now)
    taken = InvoiceExport.objects.filter(waiting | abandoned, pk=export_id).update(
        state=ExportState.RUNNING,
        lease=lease,
        lease_expires_at=now + _lease_time(),
        attempts=F("attempts") + 1,
    )
    if not taken:
        raise LeaseLost
    InvoiceExport.objects.filter(pk=export_id, started_at=None).update(started_at=now)
    return lease


def beat(export: InvoiceExport) -> None:
    """A sign of life. Raises ``LeaseLost`` when the export belongs to somebody else by now."""
    if not _held(export).update(lease_expires_at=timezone.now() + _lease_time()):
        raise LeaseLost


@transaction.atomic
def succeed(export: InvoiceExport, bill: RemoteBill) -> InvoiceExport:
    """Keep the ERP's id, once, and make the invoice synced. Raises ``ValidationError``."""
    _end(export, ExportState.SUCCEEDED, bill_id=bill.remote_id)
    record_exported(
        invoice=export.invoice,
        bill_id=bill.remote_id,
        bill_number=bill.number or export.erp_number,
        bill_total=bill.total,
        overrides_number=export.connection.override_invoice_number,
        by=export.requested_by,
    )
    return export


@transaction.atomic
def fail(export: InvoiceExport, *, code: str, message: str) -> InvoiceExport:
    """The invoice goes to *Failed to Export*, with the sentence that says what to do."""
    _end(export, ExportState.FAILED, error_code=code[:50], error_message=message[:1000])
    export.invoice.refresh_from_db(fields=["erp_status"])
    if export.invoice.erp_status == ErpStatus.EXPORTING:
        fail_export(invoice=export.invoice, message=message)
    return export


def try_again(export: InvoiceExport, error: TransientError) -> None:
    """Later; or never again, when it was tried often enough."""
    if export.attempts > len(PAUSES):
        reason = str(error).removesuffix(AGAIN).strip()
        message = GAVE_UP.format(reason=reason, attempts=export.attempts)
        fail(export, code=type(error).__name__, message=message)
        return
    pause = max(PAUSES[export.attempts - 1], error.retry_after or 0)
    later = timezone.now() + timedelta(seconds=pause)
    kept = _held(export).update(
        state=ExportState.QUEUED, lease=None, try_at=later, error_message=str(error)[:1000]
    )
    if not kept:
        raise LeaseLost
    ring_for(export.pk, after=pause)


def recover_stopped() -> list[int]:
    """Ring again for exports that no worker is working on; the ids rung for."""
    now = timezone.now()
    for export in _worn_out(now):
        fail(export, code="gave_up", message=NEVER_ENDED.format(attempts=export.attempts))
    abandoned = InvoiceExport.objects.abandoned()
    abandoned.update(state=ExportState.QUEUED, lease=None, try_at=now - _patience())
    rung = []
    forgotten = InvoiceExport.objects.filter(
        state=ExportState.QUEUED, try_at__lte=now - _patience()
    )
    for export_id in forgotten.values_list("pk", flat=True):
        waiting = forgotten.filter(pk=export_id)
        if waiting.update(try_at=now):  # of two sweepers one rings
            ring_for(export_id)
            rung.append(export_id)
    return rung


def _worn_out(now: datetime) -> list[InvoiceExport]:
    """Abandoned too often, each claimed for its end."""
    lease, found = uuid.uuid4(), InvoiceExport.objects.abandoned()
    found.filter(attempts__gt=2 * len(PAUSES)).update(
        lease=lease, lease_expires_at=now + _lease_time()
    )
    return list(InvoiceExport.objects.filter(lease=lease).select_related("invoice"))


def _end(export: InvoiceExport, state: ExportState, **fields: object) -> None:
    done = _held(export).update(state=state, finished_at=timezone.now(), lease=None, **fields)
    if not done:
        raise LeaseLost


def _held(export: InvoiceExport) -> QuerySet[InvoiceExport]:
    return InvoiceExport.objects.filter(pk=export.pk, lease=export.lease, state=ExportState.RUNNING)


def _lease_time() -> timedelta:
    return timedelta(seconds=settings.SYNC_LEASE_SECONDS)


def _patience() -> timedelta:
    """How long a row may wait for a worker before it is rung for again."""
    return 2 * _lease_time()
