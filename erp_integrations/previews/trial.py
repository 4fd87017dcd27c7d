"""The engine's own statements, executed, read out and undone.

A preview does to each page what a sync does, in a savepoint. Before it is rolled
back, what happened is read from the payments' new history and from the
allocations that wait; after it, that is kept as rows of the preview. The next
page meets the stored books as they were, so a payment that comes twice is
judged against them again, and its later reading replaces the earlier one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import transaction

from erp_integrations.acceptance import storable
from erp_integrations.models import PreviewKind, PreviewRow, SyncRun
from erp_integrations.providers.contract import RejectedRecord

#: what happened to payments: the new events of those that were just judged
EVENTS = """
SELECT h.kind, p.origin_data, p.invoice_id, p.commitment_id, h.label, e.vendor_name,
    p.invoice_number, p.check_number, p.date, p.amount, p.currency,
    CASE WHEN h.kind = 'voided' THEN p.void_reason ELSE '' END, h.changes
FROM judged j
JOIN erp_integrations_erppayment e ON e.id = j.erp_payment_id
CROSS JOIN LATERAL (
    SELECT * FROM payments_payment
    WHERE company_id = j.company_id AND origin_id = j.origin_id AND origin_id <> '' LIMIT 1
) p
CROSS JOIN LATERAL (
    SELECT * FROM payments_paymentevent
    WHERE payment_id = p.id AND import_id = %s ORDER BY at DESC LIMIT 1
) h
ORDER BY h.id
"""

#: what waits of everything on the page, whether or not it is new
WAITING = """
SELECT 'waiting', p.remote_id, a.invoice_id, i.commitment_id,
    left('Payment ' || coalesce(nullif(p.number, ''), p.remote_id), 250), p.vendor_name,
    coalesce(nullif(a.bill_number, ''), a.bill_id), p.check_number, p.date, a.amount, p.currency,
    a.reason, '{}'::jsonb
FROM erp_integrations_erppayment p
JOIN erp_integrations_erpallocation a ON a.erp_payment_id = p.id
LEFT JOIN commitments_subcontractorinvoice i ON i.id = a.invoice_id
WHERE p.connection_id = %s AND p.remote_id = ANY(%s) AND a.outcome = 'waiting'
ORDER BY a.id
"""

COLUMNS = (
    "kind", "remote_id", "invoice_id", "commitment_id", "label", "vendor_name", "bill_number",
    "check_number", "date", "amount", "currency", "reason", "changes",
)  # fmt: skip


@dataclass
class Tried:
    """``repeated``: payments of which this preview had rows already."""

    repeated: set[str] = field(default_factory=set)


@contextmanager
def trial(
    cursor: Any, run: SyncRun, remote_ids: Sequence[str], bad: Sequence[RejectedRecord] = ()
) -> Iterator[Tried]:
    """In a preview, what is written inside is read out and undone; else it is just written.

    Call inside a transaction that holds the connection's lock.
    """
    tried = Tried()
    if not run.is_preview:
        yield tried
        return
    with transaction.atomic():
        yield tried
        rows = _read_out(cursor, run, remote_ids)
        transaction.set_rollback(True)
    rows += [_unusable(run, each) for each in bad]
    tried.repeated = _forget(run, [*remote_ids, *(each.remote_id for each in bad)])
    PreviewRow.objects.bulk_create(rows)


def note_in_preview(run: SyncRun, reason: str) -> None:
    """A sentence about the preview as a whole."""
    row = {"kind": PreviewKind.UNUSABLE, "label": "Everything", "reason": reason}
    PreviewRow.objects.create(company_id=run.company_id, run=run, currency="", **row)


def _read_out(cursor: Any, run: SyncRun, remote_ids: Sequence[str]) -> list[PreviewRow]:
    cursor.execute("SELECT to_regclass('pg_temp.judged') IS NOT NULL")
    found: list[Any] = []
    if cursor.fetchone()[0]:  # not before the first page that changes anything
        cursor.execute(EVENTS, [run.pk])
        found += cursor.fetchall()
    cursor.execute(
        WAITING, [run.connection_id, [each for each in remote_ids if "\x00" not in each]]
    )
    found += cursor.fetchall()
    return [_row(run, dict(zip(COLUMNS, each, strict=True))) for each in found]


def _row(run: SyncRun, values: dict[str, Any]) -> PreviewRow:
    if isinstance(values["changes"], str):
        values["changes"] = msgspec.json.decode(values["changes"])
    return PreviewRow(company_id=run.company_id, run=run, **values)


def _unusable(run: SyncRun, bad: RejectedRecord) -> PreviewRow:
    label = f"Record {bad.remote_id}" if bad.remote_id else "A record without an id"
    return PreviewRow(
        company_id=run.company_id,
        run=run,
        kind=PreviewKind.UNUSABLE,
        remote_id=storable(bad.remote_id)[:200],
        label=storable(label)[:250],
        reason=storable(bad.reason)[:1000],
        currency="",
    )


def _forget(run: SyncRun, remote_ids: Sequence[str]) -> set[str]:
    """Take away what an earlier page said of these payments."""
    ids = [storable(each) for each in remote_ids if each]
    earlier = PreviewRow.objects.filter(run=run, remote_id__in=ids)
    repeated = set(earlier.values_list("remote_id", flat=True))
    if repeated:
        earlier.delete()
    return repeated
