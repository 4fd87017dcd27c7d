"""A sync of some invoices only: their payments are asked for bill by bill.

It has a checkpoint of its own, the last invoice that is done; the connection's
cursor is none of its business. What the ERP did not name although it is stored
is asked for by its id: deleted, or no longer applied to the bill.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from commitments.models import SubcontractorInvoice
from erp_integrations import ingest, runs, sweep
from erp_integrations.models import ErpAllocation, ErpPayment, SyncRun
from erp_integrations.models.mirror import Outcome, RemoteState
from erp_integrations.models.run import RunPhase
from erp_integrations.providers.contract import Page, Provider, RejectedRecord
from erp_integrations.providers.errors import ErpError, RecordError
from erp_integrations.reading import TimeSlice, one_ahead
from erp_integrations.scopes import scope_of

#: bills in one question to the provider, and between two checkpoints
BILLS_AT_ONCE = 200


class NothingToSync(ErpError):
    """What the run was for was deleted meanwhile."""


def read_scope(run: SyncRun, provider: Provider) -> None:
    """What a run of mode *scoped* does."""
    scope = scope_of(run)
    if not scope:
        raise NothingToSync("The invoice that this sync was for does not exist any more.")
    invoices = scope.within(SubcontractorInvoice.objects.filter(company=run.company_id))
    synced = invoices.synced().exclude(origin_id="").order_by("pk")
    runs.beat(run, RunPhase.READING)
    time_slice = TimeSlice()
    while some := _next(synced, run):
        pages = read_bills(run, provider, [invoice.origin_id for invoice in some])
        runs.reach(run, {"invoice": some[-1].pk}, pages=pages)
        time_slice.check()


def _next(invoices: Any, run: SyncRun) -> list[SubcontractorInvoice]:
    done = (run.checkpoint or {}).get("invoice", 0)
    return list(invoices.filter(pk__gt=done).only("pk", "origin_id")[:BILLS_AT_ONCE])


def read_bills(run: SyncRun, provider: Provider, bill_ids: Sequence[str]) -> int:
    """Store the payments of these bills, and judge those that are gone; how many pages came."""
    seen: set[str] = set()
    pages = 0
    for page in one_ahead(provider.payments_on(bill_ids), run):
        seen.update(each.remote_id for each in page.payments)
        seen.update(each.remote_id for each in page.rejected)
        ingest.apply_page(run, msgspec.structs.replace(page, cursor={}))
        pages += 1
    _judge_missing(run, provider, bill_ids, seen)
    return pages


def _judge_missing(
    run: SyncRun, provider: Provider, bill_ids: Sequence[str], seen: set[str]
) -> None:
    """A payment that was not named may be un-applied only, so each one is asked for."""
    stored = ErpPayment.objects.filter(connection=run.connection_id, vanished_at=None)
    applied = stored.exclude(status=RemoteState.VOIDED).filter(
        allocations__in=_applied_to(run, bill_ids)
    )
    known = set(applied.values_list("remote_id", flat=True))
    missing = sorted(known - seen)
    if sweep.is_doubtful(len(missing), len(known)):
        sweep.doubt(run, len(missing), len(known))
        return
    for remote_id in missing[: sweep.QUESTIONS]:
        ask_or_note(run, provider, remote_id)


def ask_or_note(run: SyncRun, provider: Provider, remote_id: str) -> None:
    """Take in one payment as it is now; one that makes no sense becomes an issue."""
    try:
        sweep.ask(run, provider, remote_id)
    except RecordError as error:
        note_unusable(run, remote_id, error)


def note_unusable(run: SyncRun, remote_id: str, error: RecordError) -> None:
    """An issue of its own, as if the record had come on a page."""
    bad = RejectedRecord(remote_id=remote_id, reason=str(error), raw=error.detail)
    ingest.apply_page(run, Page(payments=(), rejected=[bad], cursor={}))


def _applied_to(run: SyncRun, bill_ids: Sequence[str]) -> Any:
    rows = ErpAllocation.objects.filter(company=run.company_id, bill_id__in=bill_ids)
    return rows.exclude(outcome=Outcome.REMOVED)
