"""From a file to what the sync reads: every row once, in one transaction, in flat memory.

Rows go through COPY into a temporary table, where those of one payment find
each other wherever they stand; payments are made of them group by group. A
worker that dies leaves nothing behind, because its transaction does not end.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby, islice
from typing import Any, NamedTuple, cast

import msgspec
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from erp_integrations.file_drop.mappings import layout_of_file, reading_of
from erp_integrations.file_drop.tables import Broken, NotATable, Row, opened_rows
from erp_integrations.matching import LOCK_SPACE
from erp_integrations.models import (
    DroppedFile,
    DroppedPayment,
    DroppedProblem,
    FileMapping,
    FileState,
    ProblemKind,
)
from erp_integrations.providers.contract import RemotePayment
from erp_integrations.providers.file_drop.amounts import DecimalMark
from erp_integrations.providers.file_drop.mapper import (
    NothingKnown,
    Refused,
    payment_of,
    without_repeats,
)
from erp_integrations.providers.file_drop.rows import Line, Reading, Trouble, line_of

ROWS_AT_ONCE, PAYMENTS_AT_ONCE = 5000, 500
#: the first key of the lock that lets one file of a connection be read at a time
FILES = LOCK_SPACE + 1
_pack, _unpack = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Line)
_json, _payment = msgspec.json.Encoder(), msgspec.json.Decoder(RemotePayment)

CREATE = """
CREATE TEMPORARY TABLE IF NOT EXISTS dropped_row (
    line integer NOT NULL, key text NOT NULL, content bytea, cells jsonb NOT NULL,
    columns text NOT NULL, reason text NOT NULL
) ON COMMIT DROP;
DELETE FROM dropped_row;
"""
COPY = "COPY dropped_row (line, key, content, cells, columns, reason) FROM STDIN"
COPY_PAYMENTS = """
COPY erp_integrations_droppedpayment (company_id, connection_id, file_id, remote_id, content)
FROM STDIN
"""
SORT = """
CREATE INDEX IF NOT EXISTS dropped_row_in_order ON dropped_row (key, line);
ANALYZE dropped_row
"""
TROUBLES = """
INSERT INTO erp_integrations_droppedproblem (
    company_id, file_id, kind, line, "column", reason, cells)
SELECT %(company)s, %(file)s, 'bad', line, columns, reason, cells FROM dropped_row
WHERE content IS NULL
UNION ALL
SELECT %(company)s, %(file)s, 'bad', good.line, '',
    format(%(beside)s, min(bad.line)), (array_agg(good.cells))[1]
FROM dropped_row good JOIN dropped_row bad ON bad.key = good.key AND bad.content IS NULL
WHERE good.content IS NOT NULL AND good.key <> '' GROUP BY good.line
"""
NEXT = """
SELECT key, line, content, cells FROM dropped_row good
WHERE (key, line) > (%s, %s) AND content IS NOT NULL AND NOT EXISTS (
    SELECT FROM dropped_row bad WHERE bad.key = good.key AND bad.content IS NULL)
ORDER BY key, line LIMIT %s
"""
KNOWN = """
SELECT DISTINCT ON (remote_id) content FROM erp_integrations_droppedpayment
WHERE connection_id = %s AND file_id <> %s AND remote_id = ANY(%s)
ORDER BY remote_id, id DESC
"""


class Staged(NamedTuple):
    """A usable row, and its cells as they are given back where its payment is refused."""

    line: Line
    cells: list[str]


def stage(file_id: int) -> DroppedFile | None:
    """Read a file that is ready; None for one that is read already or being read now."""
    with transaction.atomic():
        ready = DroppedFile.objects.select_for_update(skip_locked=True, of=["self"])
        file = (
            ready.select_related("mapping", "connection")
            .filter(pk=file_id, state=FileState.READY)
            .first()
        )
        if file is None:
            return None
        with database.cursor() as cursor:
            # ids of payments grow in the order in which their files become visible
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [FILES, file.connection_id])
        try:
            with transaction.atomic():
                _read(file)
        except NotATable as error:
            file.state, file.message = FileState.REFUSED, str(error)[:500]
        except FileNotFoundError:
            file.state, file.message = FileState.REFUSED, NOT_THERE
        file.save(update_fields=CHANGED)
    return file


CHANGED = [
    "state", "message", "lines", "payments", "problems", "remarks", "read_at", "last_row"
]  # fmt: skip


def _read(file: DroppedFile) -> None:
    file.problem_rows.all().delete()
    DroppedPayment.objects.filter(file=file).delete()
    with database.cursor() as cursor:
        cursor.execute(CREATE)
        file.lines = _copy_rows(cursor, file)
        cursor.execute(SORT)
        here: dict[str, str | int] = {"company": file.company_id, "file": file.pk, "beside": BESIDE}
        cursor.execute(TROUBLES, here)
        file.payments = sum(_store(cursor, file, groups) for groups in _batches(_groups(cursor)))
    mine = DroppedPayment.objects.filter(file=file)
    file.last_row = mine.order_by("-pk").values_list("pk", flat=True).first() or 0
    for kind, name in ((ProblemKind.BAD, "problems"), (ProblemKind.REMARK, "remarks")):
        setattr(file, name, file.problem_rows.filter(kind=kind).count())
    file.state, file.message, file.read_at = FileState.READ, "", timezone.now()


def _copy_rows(cursor: Any, file: DroppedFile) -> int:
    """Every row below the heading into the temporary table; how many there are."""
    count = 0
    with (
        file.file.open("rb") as content,
        opened_rows(content, layout_of_file(file)) as rows,
    ):
        reading = _reading(file, rows)
        with database.wrap_database_errors, cursor.copy(COPY) as copy:
            for line, row in rows:
                copy.write_row(_entry(line, row, reading))
                count += 1
    return count


def _reading(file: DroppedFile, rows: Iterator[tuple[int, Row]]) -> Reading:
    """Goes on to the row below the headings. Raises ``NotATable`` where they are not."""
    header = next((row for line, row in rows if line == file.header_line), [])
    mapping = cast(FileMapping, file.mapping)  # a file that is ready has one
    reading = reading_of(mapping, header, currency=file.connection.currency)
    missing = [each for name, each in mapping.columns.items() if name not in reading.places]
    if missing:
        raise NotATable(NO_HEADING.format(missing[0], file.header_line))
    return reading


def _entry(line: int, row: Row, reading: Reading) -> tuple[Any, ...]:
    if row and isinstance(row[0], Broken):
        return line, "", None, "[]", "", row[0].reason
    read = line_of(row, line, reading)
    cells = _json.encode([_cell(each, reading.decimal_mark) for each in row]).decode()
    cells = cells.replace("\\u0000", "�")
    if isinstance(read, Trouble):
        columns, reason = ", ".join(read.columns)[:200], " ".join(read.sentences)[:1000]
        return line, _storable(read.key), None, cells, columns, _storable(reason)
    return line, read.key, _pack.encode(read), cells, "", ""


def _batches(groups: Iterator[list[Staged]]) -> Iterator[list[list[Staged]]]:
    while batch := list(islice(groups, PAYMENTS_AT_ONCE)):
        yield batch


def _groups(cursor: Any) -> Iterator[list[Staged]]:
    """The rows of one payment after the other."""
    for _, rows in groupby(_good(cursor), key=lambda row: row[0]):
        yield [Staged(_unpack.decode(content), cells) for _, _, content, cells in rows]


def _good(cursor: Any) -> Iterator[tuple[str, int, bytes, list[str]]]:
    after: tuple[str, int] = ("", 0)
    while True:
        cursor.execute(NEXT, [*after, ROWS_AT_ONCE])
        found = cursor.fetchall()
        for key, line, content, cells in found:
            yield key, line, bytes(content), _decoded(cells)
        if len(found) < ROWS_AT_ONCE:
            return
        after = found[-1][0], found[-1][1]


def _store(cursor: Any, file: DroppedFile, groups: Sequence[list[Staged]]) -> int:
    """Payments of these groups, and what is wrong with the others; how many payments."""
    known = _known(file, groups)
    made: list[RemotePayment] = []
    problems: list[DroppedProblem] = []
    for group in groups:
        kept, repeated = without_repeats([each.line for each in group])
        by_line = {each.line.line: each for each in group}
        problems += [
            _problem(file, by_line[line.line], REPEATS.format(first.line), kind=ProblemKind.REMARK)
            for line, first in repeated
        ]
        before = known.get(kept[0].key)
        try:
            payment = payment_of(kept, stated_at=file.received_at, known=before)
        except Refused as refusal:
            is_remark = isinstance(refusal, NothingKnown)
            kind = ProblemKind.REMARK if is_remark else ProblemKind.BAD
            problems += [_problem(file, by_line[line.line], refusal, kind=kind) for line in kept]
        else:
            made.append(payment)
    DroppedProblem.objects.bulk_create(problems, batch_size=PAYMENTS_AT_ONCE)
    with database.wrap_database_errors, cursor.copy(COPY_PAYMENTS) as copy:
        for payment in made:
            content = _json.encode(payment)
            copy.write_row(
                (file.company_id, file.connection_id, file.pk, payment.remote_id, content)
            )
    return len(made)


def _known(file: DroppedFile, groups: Iterable[list[Staged]]) -> dict[str, RemotePayment]:
    """What earlier files said of the payments that are only voided here."""
    keys = [
        group[0].line.key
        for group in groups
        if not any(each.line.amount > 0 and not each.line.is_void for each in group)
    ]
    if not keys:
        return {}
    with database.cursor() as cursor:
        cursor.execute(KNOWN, [file.connection_id, file.pk, keys])
        found = [_payment.decode(bytes(content)) for (content,) in cursor]
    return {each.remote_id: each for each in found}


def _problem(
    file: DroppedFile, row: Staged, why: Refused | str, *, kind: ProblemKind
) -> DroppedProblem:
    columns = why.columns if isinstance(why, Refused) else ()
    return DroppedProblem(
        company_id=file.company_id,
        file=file,
        kind=kind,
        line=row.line.line,
        column=", ".join(columns),
        reason=f"{why}."[:1000],
        cells=row.cells,
    )


def _cell(cell: object, mark: DecimalMark) -> str:
    """As it can be dropped again: dates with the year first, numbers with the file's own mark."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, float | Decimal):
        return format(cell, ".15g").replace(".", mark) if isinstance(cell, float) else str(cell)
    return _storable(str(cell))


def _storable(text: str) -> str:
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def _decoded(cells: Any) -> list[str]:
    return cells if isinstance(cells, list) else msgspec.json.decode(cells, type=list[str])


BESIDE = (
    "This row is right, but line %s of the same payment is not. A payment goes in whole: mend that "
    "line, and drop both again."
)
REPEATS = "It repeats line {} word by word, so it was counted once"
NOT_THERE = (
    "The worker does not find this file. The operator of this server has to let web and workers "
    "share MEDIA_ROOT; then drop it again."
)
NO_HEADING = "There is no column “{}” in line {} of the file, where its headings should be."
