"""What becomes of files: received once, read as a person says, given to the sync.

asking → ready → read, and from there the sync's cursor says how far it got.
``look_after`` rings again for files and syncs that nobody took up.
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import IntegrityError, transaction
from kombu.exceptions import KombuError, OperationalError

from erp_integrations import runs
from erp_integrations.file_drop import mappings, staging
from erp_integrations.file_drop.rights import require_right
from erp_integrations.file_drop.sniffing import FIRST_ROWS, first_rows, header_line_of, layout_of
from erp_integrations.file_drop.tables import Layout, NotATable
from erp_integrations.models import (
    DroppedFile,
    ErpConnection,
    FileMapping,
    FileSource,
    FileState,
    RunTrigger,
)
from erp_integrations.preconditions import obstacles_to_run
from projects.attachments import display_name, stored_name
from projects.models import User

log = logging.getLogger(__name__)

CHUNK = 1024 * 1024
TOO_LARGE = "“{name}” is larger than {limit:,} MB. Split it into parts."
TWICE = "This is the same file as “{name}” of {day:%m/%d/%Y}, so it was not taken again."
BUSY = "“{name}” is being read at this moment. Look again in a minute."
SYNCED = "“{name}” is read already, so it stays: its payments came from it."
SAME_COLUMN = "{one} and {other} cannot both be the column “{heading}”."
NEEDS = "Choose the column for: {labels}."


def receive(
    *,
    connection: ErpConnection,
    content: IO[bytes],
    name: str,
    source: FileSource,
    by: User | None = None,
) -> DroppedFile:
    """Keep a file, find its columns, and have it read if they are known.

    Raises ``ValidationError`` for one that is no table, is too large, or was
    dropped before; nothing is kept of these. Call it outside a transaction.
    """
    if by is not None:
        require_right(connection, by)
    name = display_name(name)
    size, digest = _measured(content, name)
    _check_first_time(connection, digest)
    file = DroppedFile(
        company_id=connection.company_id,
        connection=connection,
        name=name,
        size=size,
        sha256=digest,
        source=source,
        uploaded_by=by,
    )
    try:
        _look_into(file, content)
    except NotATable as error:
        raise ValidationError(f"“{name}” cannot be used. {error}") from error
    content.seek(0)
    file.file.save(stored_name(), File(content), save=False)
    try:
        _keep(file)
    except BaseException:
        file.file.delete(save=False)
        raise
    return file


def remember(
    *, connection: ErpConnection, name: str, size: int, sha256: str, source: FileSource, why: str
) -> DroppedFile:
    """A file of a watched place that was not taken, so that people read why."""
    is_known = DroppedFile.objects.filter(connection=connection, sha256=sha256).exists()
    return DroppedFile.objects.create(
        company_id=connection.company_id,
        connection=connection,
        name=display_name(name),
        size=size,
        sha256=sha256,
        source=source,
        state=FileState.REPEATED if is_known else FileState.REFUSED,
        message=why[:500],
    )


@transaction.atomic
def choose_columns(
    *,
    file: DroppedFile,
    layout: Layout,
    header_line: int,
    header: list[object],
    columns: Mapping[str, str],
    date_order: str,
    decimal_mark: str,
    method: str,
    by: User,
) -> DroppedFile:
    """Say what the columns mean, for this file and all with the same headings, and have it read.

    Raises ``ValidationError``.
    """
    require_right(file.connection, by)
    file = _locked(file)
    mapping, _ = FileMapping.objects.update_or_create(
        connection_id=file.connection_id,
        signature=mappings.signature(header),
        defaults={
            "company_id": file.company_id,
            "columns": dict(columns),
            "date_order": date_order,
            "decimal_mark": decimal_mark,
            "method": method,
            "encoding": layout.encoding,
            "changed_by": by,
        },
    )
    file.mapping, file.header_line = mapping, header_line
    file.encoding, file.delimiter, file.sheet = layout.encoding, layout.delimiter, layout.sheet
    file.state, file.message = FileState.READY, ""
    file.save()
    transaction.on_commit(lambda: ring_for(file.pk))
    return file


@transaction.atomic
def discard(*, file: DroppedFile, by: User) -> None:
    """Take a file away that was never read. Raises ``ValidationError``."""
    require_right(file.connection, by)
    file = _locked(file)
    if file.state == FileState.READ and file.payments:
        raise ValidationError(SYNCED.format(name=file.name))
    storage, stored = file.file.storage, file.file.name
    file.delete()
    if stored:
        transaction.on_commit(lambda: storage.delete(stored))


def read(file_id: int) -> DroppedFile | None:
    """Read a file that is ready, and ask for the sync that takes it."""
    file = staging.stage(file_id)
    if file is not None and file.state == FileState.READ and file.last_row:
        ask_for_sync(file)
    return file


def ask_for_sync(file: DroppedFile) -> None:
    """A run that takes what was read; where one is under way, ``look_after`` asks again."""
    connection = ErpConnection.objects.select_related("company").get(pk=file.connection_id)
    if obstacles_to_run(connection):
        return
    trigger = RunTrigger.BUTTON if file.uploaded_by else RunTrigger.SCHEDULE
    run = runs.request_run(connection=connection, trigger=trigger, requested_by=file.uploaded_by)
    if run.is_whole:
        DroppedFile.objects.filter(pk=file.pk).update(run=run)


def look_after() -> None:
    """Ring again for files nobody read, and ask for syncs that did not come to be."""
    for file_id in DroppedFile.objects.filter(state=FileState.READY).values_list("pk", flat=True):
        ring_for(file_id)
    done = DroppedFile.objects.filter(state=FileState.READ, last_row__gt=0)
    newest = done.order_by("connection", "-last_row").distinct("connection")
    for file in newest.select_related("connection", "run"):
        waits = file.last_row > synced_up_to(file.connection)
        # after a sync that failed the schedule tries again, in its own time
        if waits and (file.run is None or file.run.is_good):
            ask_for_sync(file)


def synced_up_to(connection: ErpConnection) -> int:
    """The last ``DroppedPayment`` that a sync has taken."""
    cursor: Any = connection.cursor
    return int(cursor.get("row", 0)) if isinstance(cursor, dict) else 0


def ring_for(file_id: int) -> None:
    """Tell a worker. A broker that is away is no loss: the row stays, and is rung for again."""
    from erp_integrations.tasks import read_dropped_file

    try:
        read_dropped_file.delay(file_id)
    except (OperationalError, KombuError, OSError) as error:
        log.warning("file %s stays ready, the broker does not answer: %s", file_id, error)


def _measured(content: IO[bytes], name: str) -> tuple[int, str]:
    """Size and hash, read in pieces. Raises ``ValidationError`` for one that is too large."""
    limit, size, digest = settings.FILE_DROP_MAX_BYTES, 0, hashlib.sha256()
    content.seek(0)
    while chunk := content.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise ValidationError(TOO_LARGE.format(name=name, limit=limit // (1024 * 1024)))
        digest.update(chunk)
    return size, digest.hexdigest()


def _check_first_time(connection: ErpConnection, digest: str) -> None:
    before = DroppedFile.objects.filter(connection=connection, sha256=digest)
    first = before.exclude(state=FileState.REPEATED).first()
    if first is not None:
        raise ValidationError(TWICE.format(name=first.name, day=first.received_at), code="twice")


def _look_into(file: DroppedFile, content: IO[bytes]) -> None:
    """Find its table and, by its headings, what the columns mean. Raises ``NotATable``."""
    saved = FileMapping.objects.filter(connection=file.connection_id).order_by("-changed_at")
    encoding = saved.values_list("encoding", flat=True).first() or ""
    layout = layout_of(content, otherwise=encoding)
    file.content_type, file.encoding = layout.content_type, layout.encoding
    file.delimiter, file.sheet = layout.delimiter, layout.sheet
    rows = first_rows(content, layout, FIRST_ROWS)
    file.header_line, file.state = header_line_of(rows), FileState.ASKING
    found = mappings.find_mapping(file.connection_id, rows)
    if found is None:
        return
    mapping, line = found
    file.header_line = line
    if mappings.fits(mapping, mappings.sample_of(content, layout, line)):
        file.mapping, file.state = mapping, FileState.READY


def _keep(file: DroppedFile) -> None:
    """The row; of two that drop the same file at once one wins."""
    try:
        with transaction.atomic():
            file.save(force_insert=True)
            if file.state == FileState.READY:
                transaction.on_commit(lambda: ring_for(file.pk))
    except IntegrityError:
        _check_first_time(file.connection, file.sha256)
        raise


def _locked(file: DroppedFile) -> DroppedFile:
    """The file for writing. Raises ``ValidationError`` while a worker reads it."""
    rows = DroppedFile.objects.select_for_update(skip_locked=True, of=["self"])
    found = rows.select_related("connection__company").filter(pk=file.pk).first()
    if found is None:
        raise ValidationError(BUSY.format(name=file.name))
    return found
