"""Writes down what the ERP has: the only writer of staged records."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from django.db import transaction
from django.utils import timezone

from erp_integrations.directory.names import plain_name
from erp_integrations.models import DirectoryKind, ErpConnection, StagedRecord
from erp_integrations.providers.contract import RemoteCommitment, RemoteJob, RemoteVendor
from projects.models import Company, User

Remote: TypeAlias = RemoteVendor | RemoteJob | RemoteCommitment

BATCH = 1000
#: what a newer reading replaces; who archived a record and when it was first seen stays
REFRESHED = (
    "code",
    "title",
    "match_key",
    "vendor_ref",
    "vendor_name",
    "project_ref",
    "is_subcontract",
    "total",
    "currency",
    "ordered_on",
    "last_seen_at",
    "gone_at",
)
#: fewer than this may go at once without looking like a missing right
FEW = 20


def stage(
    *, connection: ErpConnection, kind: DirectoryKind, records: Iterable[Remote]
) -> list[StagedRecord]:
    """Store these records as they are in the ERP now, in the order given."""
    now = timezone.now()
    rows = {each.remote_id: _row(connection, kind, each, now) for each in records}
    StagedRecord.objects.bulk_create(
        rows.values(),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["connection", "kind", "remote_id"],
        update_fields=REFRESHED,
    )
    return _in_order(connection, kind, list(rows))


def mark_gone(*, connection: ErpConnection, kind: DirectoryKind, read_since: datetime) -> int:
    """What a whole reading did not see is gone from the ERP; how many were not known as gone.

    Raises ``NotTrusted`` when too much is missing at once: a user of the ERP who
    lost a right looks exactly like that.
    """
    known = StagedRecord.objects.filter(connection=connection, kind=kind, gone_at=None)
    missing = known.filter(last_seen_at__lt=read_since)
    total, count = known.count(), missing.count()
    if count and (count == total or count > max(FEW, total // 10)):
        raise NotTrusted(count, total, kind)
    return missing.update(gone_at=timezone.now())


class NotTrusted(Exception):
    """A reading that lacks so much that it says nothing about what is gone."""

    def __init__(self, missing: int, total: int, kind: DirectoryKind) -> None:
        what = {"vendors": "vendors", "jobs": "jobs", "commitments": "orders"}[kind.value]
        super().__init__(
            f"{missing:,} of {total:,} {what} were not in the ERP's answer. That looks like a "
            f"missing right, so nothing was marked as gone. Check what the ERP user may read."
        )


@transaction.atomic
def set_archived(
    *, company: Company, staged_ids: Sequence[int], is_archived: bool, by: User
) -> int:
    """Put records aside, or back among those to import; how many were moved."""
    rows = StagedRecord.objects.filter(company=company, pk__in=staged_ids)
    if is_archived:
        return rows.filter(archived_at=None).update(archived_at=timezone.now(), archived_by=by)
    return rows.exclude(archived_at=None).update(archived_at=None, archived_by=None)


def _in_order(
    connection: ErpConnection, kind: DirectoryKind, remote_ids: list[str]
) -> list[StagedRecord]:
    stored = StagedRecord.objects.filter(connection=connection, kind=kind)
    by_id = {row.remote_id: row for row in stored.filter(remote_id__in=remote_ids)}
    return [by_id[remote_id] for remote_id in remote_ids]


def _row(
    connection: ErpConnection, kind: DirectoryKind, remote: Remote, now: datetime
) -> StagedRecord:
    told = remote.title if isinstance(remote, RemoteCommitment) else remote.name
    title = _text(told, 300) or remote.remote_id
    row = StagedRecord(
        company_id=connection.company_id,
        connection=connection,
        kind=kind,
        remote_id=remote.remote_id,
        code=_text(remote.code, 200),
        title=title,
        match_key=plain_name(title)[:300],
        last_seen_at=now,
    )
    if isinstance(remote, RemoteCommitment):
        row.vendor_ref, row.vendor_name = remote.vendor_ref, _text(remote.vendor_name, 300)
        row.project_ref, row.is_subcontract = remote.project_ref, remote.is_subcontract
        row.total, row.currency, row.ordered_on = remote.total, remote.currency, remote.ordered_on
    return row


def _text(text: str, length: int) -> str:
    """Without what PostgreSQL cannot store, and no longer than its column."""
    return text.replace("\x00", "").strip()[:length]
