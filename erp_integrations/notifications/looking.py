"""What a run of notifications does: asks for the payments and bills that they name."""

from collections.abc import Iterable

from erp_integrations import runs, sweep
from erp_integrations.models import (
    ErpPayment,
    InboundNotification,
    NotificationState,
    SyncRun,
)
from erp_integrations.models.run import RunPhase
from erp_integrations.notifications.asking import take
from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import RecordError, RecordNotFound
from erp_integrations.reading import TimeSlice
from erp_integrations.scoped import BILLS_AT_ONCE, ask_or_note, note_unusable, read_bills

#: notifications between two checkpoints
AT_ONCE = 200


def look_at_notices(run: SyncRun, provider: Provider) -> None:
    """What a run of mode *notified* does; its checkpoint is the last notification that is done."""
    if run.checkpoint is None:
        take(run)
    runs.beat(run, RunPhase.READING)
    time_slice = TimeSlice()
    mine = InboundNotification.objects.filter(run=run, state=NotificationState.TAKEN)
    while some := list(mine.order_by("pk")[:AT_ONCE]):
        _read_payments(run, provider, {each for notice in some for each in notice.payment_ids})
        pages = _read_bills(run, provider, {each for notice in some for each in notice.bill_ids})
        mine.filter(pk__in=[each.pk for each in some]).update(state=NotificationState.DONE)
        runs.reach(run, {"notification": some[-1].pk}, pages=pages)
        time_slice.check()


def _read_payments(run: SyncRun, provider: Provider, remote_ids: Iterable[str]) -> None:
    """A payment that the ERP does not know matters only if it is stored here."""
    wanted = sorted(remote_ids)
    stored = ErpPayment.objects.filter(connection=run.connection_id, remote_id__in=wanted)
    known = set(stored.values_list("remote_id", flat=True))
    for remote_id in wanted:
        if remote_id in known:
            ask_or_note(run, provider, remote_id)
        else:
            _take_in_new(run, provider, remote_id)


def _take_in_new(run: SyncRun, provider: Provider, remote_id: str) -> None:
    runs.beat(run)
    try:
        payment = provider.payment(remote_id)
    except RecordNotFound:
        return
    except RecordError as error:
        note_unusable(run, remote_id, error)
    else:
        sweep.take_in(run, payment)


def _read_bills(run: SyncRun, provider: Provider, bill_ids: Iterable[str]) -> int:
    """Where the ERP cannot be asked for bills, the next normal sync brings their payments."""
    wanted = sorted(bill_ids)
    if not provider.capabilities.scoped_sync:
        return 0
    starts = range(0, len(wanted), BILLS_AT_ONCE)
    return sum(read_bills(run, provider, wanted[at : at + BILLS_AT_ONCE]) for at in starts)
