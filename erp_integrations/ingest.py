"""One page of an ERP's payments into the database, in one short transaction.

Rows whose content hash is known are skipped before anything is sent. The others
go through COPY into temporary tables, and from there in a constant number of
statements into the mirror, the payments and their history; the run's checkpoint
and the connection's cursor move in the same transaction. The cost of a page
does not depend on how much is stored.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import msgspec
from django.db import DataError, IntegrityError, connection, transaction

from erp_integrations import matching, runs
from erp_integrations.acceptance import (
    LONGEST_MEMO,
    LONGEST_NAME,
    check_payment,
    rejected,
    storable,
)
from erp_integrations.models import RunMode, SyncRun
from erp_integrations.previews.trial import trial
from erp_integrations.providers.contract import Cursor, Page, RejectedRecord, RemotePayment
from erp_integrations.providers.errors import RecordError

#: goes into every hash: raise it when the mapping of unchanged records changes
HASH_VERSION = 1

_encoder = msgspec.msgpack.Encoder()

CREATE_STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged_payment (
    remote_id text, number text, status text, method text, check_number text, date date,
    currency text, total numeric, vendor_ref text, vendor_name text, memo text,
    remote_modified_at timestamptz, content_hash bytea
) ON COMMIT DELETE ROWS;
DELETE FROM staged_payment;
"""

COPY_PAYMENTS = "COPY staged_payment FROM STDIN"
COPY_CANDIDATES = "COPY candidate FROM STDIN"

UPSERT_PAYMENTS = """
INSERT INTO erp_integrations_erppayment AS p (
    company_id, connection_id, remote_id, number, status, method, check_number, date, currency,
    total, vendor_ref, vendor_name, memo, remote_modified_at, content_hash, voided_on,
    first_seen_at, changed_at, last_run_id)
SELECT %(company)s, %(connection)s, remote_id, number, status, method, check_number, date,
    currency, total, vendor_ref, vendor_name, memo, remote_modified_at, content_hash,
    CASE WHEN status = 'voided' THEN current_date END, now(), now(), %(run)s
FROM staged_payment
ON CONFLICT (connection_id, remote_id) DO UPDATE SET
    number = EXCLUDED.number, status = EXCLUDED.status, method = EXCLUDED.method,
    check_number = EXCLUDED.check_number, date = EXCLUDED.date, currency = EXCLUDED.currency,
    -- Some ERPs void by taking the amount out of the record: what was voided is known here.
    total = CASE WHEN EXCLUDED.status = 'voided' AND EXCLUDED.total = 0
        THEN p.total ELSE EXCLUDED.total END,
    vendor_ref = EXCLUDED.vendor_ref,
    vendor_name = EXCLUDED.vendor_name, memo = EXCLUDED.memo,
    remote_modified_at = EXCLUDED.remote_modified_at, content_hash = EXCLUDED.content_hash,
    voided_on = CASE WHEN EXCLUDED.status = 'voided' THEN coalesce(p.voided_on, current_date) END,
    missing_since = NULL, vanished_at = NULL, changed_at = now(), last_run_id = EXCLUDED.last_run_id
RETURNING remote_id, id
"""

# What the ERP applied when it was last read, and does not any more.
ADD_REMOVED = f"""
INSERT INTO candidate
SELECT p.id, p.company_id, {matching.ORIGIN_ID}, a.bill_id, a.bill_number, a.bill_line_id,
    a.amount, a.discount, true
FROM erp_integrations_erpallocation a
JOIN erp_integrations_erppayment p ON p.id = a.erp_payment_id
WHERE a.erp_payment_id = ANY(%s) AND NOT EXISTS (
    SELECT FROM candidate c
    WHERE c.erp_payment_id = a.erp_payment_id AND c.bill_id = a.bill_id
        AND c.bill_line_id = a.bill_line_id
)
"""  # noqa: S608  a constant of ours

CHECKPOINT = """
WITH kept AS (
    UPDATE erp_integrations_syncrun SET
        heartbeat_at = now(), lease_expires_at = now() + %(lease_time)s, phase = %(phase)s,
        checkpoint = coalesce(%(cursor)s::jsonb, checkpoint), pages = pages + %(pages)s,
        payments_read = payments_read + %(read)s, created = created + %(created)s,
        updated = updated + %(updated)s, unchanged = unchanged + %(unchanged)s,
        problems = problems + %(problems)s, calls = greatest(calls, %(calls)s)
    WHERE id = %(run)s AND lease = %(lease)s AND state = 'running'
    RETURNING connection_id
), moved AS (
    UPDATE erp_integrations_erpconnection c SET cursor = %(cursor)s::jsonb
    FROM kept WHERE c.id = kept.connection_id AND %(moves_cursor)s AND %(cursor)s IS NOT NULL
)
SELECT count(*) FROM kept
"""

ISSUES = """
INSERT INTO erp_integrations_syncissue (
    company_id, connection_id, run_id, code, reason, message, remote_id, raw, created_at)
SELECT %s, %s, %s, 'unusable_record', '', message, remote_id, raw, now()
FROM unnest(%s::text[], %s::text[], %s::text[]) AS bad(message, remote_id, raw)
ON CONFLICT (connection_id, remote_id)
    WHERE code = 'unusable_record' AND resolved_at IS NULL AND remote_id <> ''
DO UPDATE SET message = EXCLUDED.message, raw = EXCLUDED.raw, run_id = EXCLUDED.run_id
"""

RESOLVE_ISSUES = """
UPDATE erp_integrations_syncissue SET resolved_at = now()
WHERE connection_id = %s AND code = 'unusable_record' AND resolved_at IS NULL
    AND remote_id <> '' AND remote_id = ANY(%s)
"""

SIGHTINGS = """
INSERT INTO erp_integrations_sweepsighting (company_id, run_id, remote_id)
SELECT %s, %s, unnest(%s::text[]) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class PageWork:
    """What a page turned out to need."""

    read: int
    changed: Sequence[tuple[RemotePayment, bytes]]
    #: ids of the changed ones that were stored before
    known: Sequence[str]
    bad: list[RejectedRecord] = field(default_factory=list)

    @property
    def updated(self) -> int:
        return len(self.known)

    @property
    def created(self) -> int:
        return len(self.changed) - len(self.known)

    @property
    def unchanged(self) -> int:
        return self.read - len(self.changed) - len(self.bad)


def apply_page(run: SyncRun, page: Page) -> None:
    """Store one page and move the checkpoint. Raises ``LeaseLost`` and then stores nothing.

    A record that the database refuses although we accepted it takes only itself
    out: the page is halved until it stands alone, and becomes an issue.
    """
    try:
        _apply(run, page)
    except (DataError, IntegrityError) as error:
        if len(page.payments) <= 1:
            _apply(run, _without_payments(page, error))
            return
        half = len(page.payments) // 2
        apply_page(
            run,
            msgspec.structs.replace(page, payments=page.payments[:half], rejected=(), cursor={}),
        )
        apply_page(run, msgspec.structs.replace(page, payments=page.payments[half:]))


def _without_payments(page: Page, error: Exception) -> Page:
    reason = RecordError(f"The database does not accept this record: {error}"[:900])
    refused = [rejected(payment, reason) for payment in page.payments]
    return msgspec.structs.replace(page, payments=(), rejected=[*page.rejected, *refused])


def _apply(run: SyncRun, page: Page) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        matching.lock_connection(cursor, run.connection_id)
        work = _sort_out(cursor, run, page)
        with trial(cursor, run, _ids(page, ()), work.bad) as tried:
            if work.changed:
                _store(cursor, run, work)
            _keep_issues(cursor, run, page, work)
        work = _without_repeats(work, tried.repeated)
        if run.mode == RunMode.SWEEP:
            # an unusable record is there all the same: it did not vanish
            ids = [*_ids(page, ()), *(each.remote_id for each in page.rejected)]
            seen = [storable(each)[:200] for each in ids]
            cursor.execute(SIGHTINGS, [run.company_id, run.pk, seen])
        _move_checkpoint(cursor, run, page.cursor, work)


def _sort_out(cursor: Any, run: SyncRun, page: Page) -> PageWork:
    """Which records are new, changed, known or bad. Of one read twice the newest counts."""
    newest: dict[str, RemotePayment] = {}
    for payment in page.payments:
        seen = newest.get(payment.remote_id)
        if seen is None or seen.modified_at <= payment.modified_at:
            newest[payment.remote_id] = payment
    stored = _stored(cursor, run.connection_id, newest)
    changed, known, bad = [], [], list(page.rejected)
    for remote_id, payment in newest.items():
        try:
            digest = content_hash(payment)
            before = stored.get(remote_id)
            if before and (
                before[0] == digest and not before[2] or before[1] > payment.modified_at
            ):
                continue
            check_payment(payment)
        except RecordError as error:
            bad.append(rejected(payment, error))
            continue
        changed.append((payment, digest))
        if before:
            known.append(remote_id)
    return PageWork(len(page.payments) + len(page.rejected), changed, known, bad)


def _stored(
    cursor: Any, connection_id: int, ids: Iterable[str]
) -> dict[str, tuple[bytes, Any, bool]]:
    """``{remote_id: (hash, modified at, whether it is missed)}`` of what is stored already."""
    cursor.execute(
        "SELECT remote_id, content_hash, remote_modified_at, missing_since IS NOT NULL "
        "FROM erp_integrations_erppayment WHERE connection_id = %s AND remote_id = ANY(%s)",
        [connection_id, [each for each in ids if "\x00" not in each]],
    )
    return {row[0]: (bytes(row[1]), row[2], row[3]) for row in cursor}


def content_hash(payment: RemotePayment) -> bytes:
    """16 bytes that change when anything changes that we keep; a mere touch does not."""
    p = payment
    content = (
        HASH_VERSION, p.number, p.status, p.method, p.check_number, p.date, p.currency,
        p.total.normalize(), p.vendor_ref, p.vendor_name, p.memo,
        sorted(
            (a.bill_id, a.bill_line_id, a.bill_number, str(a.amount.normalize()),
             str(a.discount.normalize()))
            for a in p.allocations
        ),
    )  # fmt: skip
    try:
        return blake2b(_encoder.encode(content), digest_size=16).digest()
    except UnicodeEncodeError as error:
        raise RecordError("The payment has characters in its texts that are not text.") from error


def _without_repeats(work: PageWork, repeated: AbstractSet[str]) -> PageWork:
    """What a preview has counted before, on an earlier page, is not counted again."""
    if not repeated:
        return work
    changed = [each for each in work.changed if each[0].remote_id not in repeated]
    known = [remote_id for remote_id in work.known if remote_id not in repeated]
    return replace(work, changed=changed, known=known)


def _store(cursor: Any, run: SyncRun, work: PageWork) -> None:
    # COPY goes past Django's cursor, so its errors are given Django's names here.
    cursor.execute(CREATE_STAGING + matching.CREATE_TABLES)
    with connection.wrap_database_errors, cursor.copy(COPY_PAYMENTS) as copy:
        for p, digest in work.changed:
            copy.write_row(
                (p.remote_id, p.number, p.status.value, p.method.value, p.check_number, p.date,
                 p.currency, p.total, p.vendor_ref, p.vendor_name[:LONGEST_NAME],
                 p.memo[:LONGEST_MEMO], p.modified_at, digest)
            )  # fmt: skip
    here = {"company": run.company_id, "connection": run.connection_id, "run": run.pk}
    cursor.execute(UPSERT_PAYMENTS, here)
    ids = dict(cursor.fetchall())
    with connection.wrap_database_errors, cursor.copy(COPY_CANDIDATES) as copy:
        for p, _ in work.changed:
            for a in p.allocations:
                copy.write_row(
                    (ids[p.remote_id], run.company_id, matching.origin_id(run.connection_id, p, a),
                     a.bill_id, a.bill_number, a.bill_line_id, a.amount, a.discount, False)
                )  # fmt: skip
    cursor.execute(ADD_REMOVED, [[ids[remote_id] for remote_id in work.known]])
    matching.settle_candidates(cursor, run_id=run.pk)


def _keep_issues(cursor: Any, run: SyncRun, page: Page, work: PageWork) -> None:
    if work.bad:
        once = {bad.remote_id or id(bad): bad for bad in work.bad}.values()
        columns = [
            [storable(getattr(bad, name))[:limit] for bad in once]
            for name, limit in (("reason", 1000), ("remote_id", 200), ("raw", 4000))
        ]
        cursor.execute(ISSUES, [run.company_id, run.connection_id, run.pk, *columns])
    if run.has_unusable_records:
        cursor.execute(RESOLVE_ISSUES, [run.connection_id, _ids(page, work.bad)])
    run.has_unusable_records = run.has_unusable_records or bool(work.bad)


def _ids(page: Page, bad: Iterable[RejectedRecord]) -> list[str]:
    """Ids of the page that were usable."""
    unusable = {each.remote_id for each in bad}
    return [p.remote_id for p in page.payments if p.remote_id not in unusable]


def _move_checkpoint(cursor: Any, run: SyncRun, position: Cursor, work: PageWork) -> None:
    cursor.execute(
        CHECKPOINT,
        {
            "run": run.pk,
            "lease": run.lease,
            "lease_time": runs.lease_time(),
            "phase": run.phase,
            "cursor": msgspec.json.encode(position).decode() if position else None,
            "moves_cursor": run.mode == RunMode.CHANGES and not run.is_preview,
            "pages": 1 if position else 0,
            "read": work.read,
            "created": work.created,
            "updated": work.updated,
            "unchanged": work.unchanged,
            "problems": len(work.bad),
            "calls": run.calls_so_far,
        },
    )
    if not cursor.fetchone()[0]:
        raise runs.LeaseLost
