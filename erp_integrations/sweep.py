"""What incremental reading cannot see: payments that are simply gone.

A sweep reads everything; what is stored and was not seen is *missing*. It is
flagged, and confirmed as *vanished* — out of the totals — only when the ERP,
asked for that one id, says that it does not exist, or when a second sweep
misses it again. A question that fails confirms nothing. And when much is
missing at once, the sweep itself is doubted, not the books.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from erp_integrations import ingest, matching, runs
from erp_integrations.models import ErpPayment, SyncIssue, SyncRun
from erp_integrations.models.issue import IssueCode
from erp_integrations.models.mirror import RemoteState
from erp_integrations.models.run import RunPhase
from erp_integrations.previews.trial import note_in_preview, trial
from erp_integrations.providers.contract import Page, Provider, RemotePayment
from erp_integrations.providers.errors import RecordError, RecordNotFound, TransientError

#: at most this share of the stored payments may be missing at once, or this many
DOUBT_SHARE, DOUBT_COUNT = 0.1, 20
#: single questions to the ERP in one sweep; the rest waits for the next sweep
QUESTIONS = 200

FLAG = """
UPDATE erp_integrations_erppayment SET
    missing_since = coalesce(missing_since, now()),
    vanished_at = CASE WHEN %(confirmed)s THEN coalesce(vanished_at, now()) ELSE vanished_at END,
    changed_at = now(), last_run_id = %(run)s
WHERE connection_id = %(connection)s AND remote_id = ANY(%(ids)s)
"""

FILL = f"""
INSERT INTO candidate
SELECT p.id, p.company_id, {matching.ORIGIN_ID}, a.bill_id, a.bill_number, a.bill_line_id,
    a.amount, a.discount, a.outcome = 'removed'
FROM erp_integrations_erpallocation a
JOIN erp_integrations_erppayment p ON p.id = a.erp_payment_id
WHERE p.connection_id = %(connection)s AND p.remote_id = ANY(%(ids)s)
"""  # noqa: S608  a constant of ours


def look_for_vanished(run: SyncRun, provider: Provider) -> None:
    """The last phase of a sweep: judge what was not seen."""
    runs.beat(run, RunPhase.SWEEPING)
    missing = list(_missing(run).values_list("remote_id", "missing_since"))
    if not missing:
        return
    known = ErpPayment.objects.filter(connection=run.connection_id, vanished_at=None).count()
    if is_doubtful(len(missing), known):
        doubt(run, len(missing), known)
        return
    twice = [remote_id for remote_id, since in missing if since]
    flag_missing(run, twice, confirmed=True)
    once = [remote_id for remote_id, since in missing if not since]
    for remote_id in once[:QUESTIONS]:
        _ask_or_flag(run, provider, remote_id)
    flag_missing(run, once[QUESTIONS:], confirmed=False)


def _missing(run: SyncRun) -> QuerySet[ErpPayment]:
    """Stored before this sweep began, not voided, and not seen by it."""
    seen = run.sweepsighting_set.values("remote_id")
    stored = ErpPayment.objects.filter(
        connection=run.connection_id, vanished_at=None, first_seen_at__lt=run.started_at
    )
    return stored.exclude(status=RemoteState.VOIDED).exclude(remote_id__in=seen)


def _ask_or_flag(run: SyncRun, provider: Provider, remote_id: str) -> None:
    try:
        ask(run, provider, remote_id)
    except (TransientError, RecordError):
        flag_missing(run, [remote_id], confirmed=False)


def ask(run: SyncRun, provider: Provider, remote_id: str) -> None:
    """Take in one payment as it is now; gone for good if the ERP says that it does not exist."""
    runs.beat(run)
    try:
        payment = provider.payment(remote_id)
    except RecordNotFound:
        flag_missing(run, [remote_id], confirmed=True)
    else:
        take_in(run, payment)


def is_doubtful(missing: int, known: int) -> bool:
    """Whether so much is missing that the answer is to be doubted, not the books."""
    return missing > max(DOUBT_COUNT, known * DOUBT_SHARE)


def take_in(run: SyncRun, payment: RemotePayment) -> None:
    """Store one payment that was asked for by its id."""
    ingest.apply_page(run, Page(payments=[payment], rejected=[], cursor={}))


def take_out(run: SyncRun, remote_ids: Sequence[str]) -> None:
    """Payments that the ERP itself says were deleted: gone for good, those that are stored.

    One that was voided stays as it was, as a sweep leaves it.
    """
    if not remote_ids:
        return
    runs.beat(run)
    ids = [each for each in remote_ids if "\x00" not in each]
    stored = ErpPayment.objects.filter(
        connection=run.connection_id, vanished_at=None, remote_id__in=ids
    )
    known = stored.exclude(status=RemoteState.VOIDED).order_by("pk")
    flag_missing(run, list(known.values_list("remote_id", flat=True)), confirmed=True)


@transaction.atomic
def flag_missing(run: SyncRun, remote_ids: Iterable[str], *, confirmed: bool) -> None:
    """Mark payments red; with ``confirmed`` they also leave the totals."""
    ids = list(remote_ids)
    if not ids:
        return
    here: dict[str, Any] = {
        "connection": run.connection_id,
        "run": run.pk,
        "ids": ids,
        "confirmed": confirmed,
    }
    with connection.cursor() as cursor:
        matching.lock_connection(cursor, run.connection_id)
        with trial(cursor, run, ids):
            cursor.execute(matching.CREATE_TABLES)
            cursor.execute(FLAG, here)
            cursor.execute(FILL, here)
            matching.settle_candidates(cursor, run_id=run.pk)
            _note(run, ids, IssueCode.VANISHED if confirmed else IssueCode.MISSING)
    if confirmed:
        run.vanished += len(ids)
        SyncRun.objects.filter(pk=run.pk).update(vanished=run.vanished)


def _note(run: SyncRun, remote_ids: list[str], code: IssueCode) -> None:
    payments: Any = ErpPayment.objects.filter(
        connection=run.connection_id, remote_id__in=remote_ids
    )
    SyncIssue.objects.open().filter(code=IssueCode.MISSING, erp_payment__in=payments).update(
        resolved_at=timezone.now()
    )
    SyncIssue.objects.bulk_create(
        SyncIssue(
            company_id=run.company_id,
            connection_id=run.connection_id,
            run=run,
            code=code,
            message=f"Payment {payment} is no longer in the ERP.",
            remote_id=payment.remote_id,
            erp_payment=payment,
            invoice_id=payment.first_invoice,
        )
        for payment in payments.with_first_invoice()
    )


def doubt(run: SyncRun, missing: int, known: int) -> None:
    """Say why nothing was done about what is missing."""
    message = NOT_TRUSTED.format(missing=missing, known=known)
    if run.is_preview:
        note_in_preview(run, message)
        return
    SyncIssue.objects.open().filter(
        connection=run.connection_id, code=IssueCode.SWEEP_NOT_TRUSTED
    ).update(resolved_at=timezone.now())
    SyncIssue.objects.create(
        company_id=run.company_id,
        connection_id=run.connection_id,
        run=run,
        code=IssueCode.SWEEP_NOT_TRUSTED,
        message=message,
    )


NOT_TRUSTED = (
    "{missing} of {known} payments were not found in the ERP. So many at once usually means that "
    "the ERP user lost a right or another database answered, so nothing was changed here. Check "
    "the ERP user's rights and sync again."
)
