"""The limit that the engine is compared with: the same rows by plain COPY and one merge each.

The same download and decoding, then COPY into staging tables and one diffing
``INSERT … ON CONFLICT DO UPDATE`` a table, for the four tables that the engine
writes: what the ERP said, its allocations, the payments, their history. No
matching, no checks, no checkpoint, no resuming; everything in one transaction.
The tables have the columns, indexes, checks and foreign keys of the real ones.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from erp_integrations.ingest import content_hash
from erp_integrations.providers.contract import RemotePayment

TABLES = {
    "limit_erp_payment": (
        "erp_integrations_erppayment",
        "id, company_id, connection_id, remote_id, number, status, method, check_number, date, "
        "currency, total, vendor_ref, vendor_name, memo, remote_modified_at, content_hash, "
        "first_seen_at, changed_at",
        "(connection_id, remote_id)",
        ("number", "status", "check_number", "date", "total", "content_hash"),
    ),
    "limit_allocation": (
        "erp_integrations_erpallocation",
        "id, company_id, erp_payment_id, bill_id, bill_number, bill_line_id, amount, discount, "
        "outcome, reason, invoice_id, payment_id",
        "(erp_payment_id, bill_id, bill_line_id)",
        ("amount", "discount", "outcome"),
    ),
    "limit_payment": (
        "payments_payment",
        "id, company_id, project_id, commitment_id, invoice_id, amount, currency, method, date, "
        "payment_number, invoice_number, check_number, notes, status, void_reason, origin_id, "
        "origin_code, origin_data, created_at, updated_at",
        "(company_id, origin_id) WHERE origin_id <> ''",
        ("amount", "method", "date", "check_number", "status"),
    ),
    "limit_event": (
        "payments_paymentevent",
        "company_id, commitment_id, payment_id, label, kind, at, changes",
        "(payment_id)",
        ("label",),
    ),
}


def create_tables() -> None:
    with connection.cursor() as cursor:
        for table, (real, columns, *_) in TABLES.items():
            cursor.execute(f"CREATE TABLE {table} (LIKE {real} INCLUDING ALL)")
            cursor.execute(
                f"CREATE TEMP TABLE staged_{table} AS SELECT {columns} FROM {real} LIMIT 0"
            )
        cursor.execute("CREATE UNIQUE INDEX ON limit_event (payment_id)")
        for table, (real, *_) in TABLES.items():
            cursor.execute(FOREIGN_KEYS, [real])
            for (definition,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} ADD {_among_limits(definition)}")


FOREIGN_KEYS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype = 'f'
"""


def _among_limits(definition: str) -> str:
    for table, (real, *_) in TABLES.items():
        definition = definition.replace(f"REFERENCES {real}(", f"REFERENCES {table}(")
    return definition


class Limit:
    """Copies and merges; the ids that the engine looks up are known here beforehand."""

    def __init__(self, ids: dict[str, int], invoices: dict[str, int], now: Any) -> None:
        self.ids, self.invoices, self.now = ids, invoices, now

    def load(self, pages: Iterator[list[RemotePayment]]) -> int:
        """Everything the pages hold, in one transaction; how many payments."""
        with transaction.atomic(), connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"TRUNCATE staged_{table}")
            count = sum(self._copy(cursor, page) for page in pages)
            for table, (_, columns, key, compared) in TABLES.items():
                cursor.execute(_merge(table, columns, key, compared))
        return count

    def _copy(self, cursor: Any, page: list[RemotePayment]) -> int:
        rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in TABLES}
        for payment in page:
            self._rows_of(payment, rows)
        for table, (_, columns, *_rest) in TABLES.items():
            with cursor.copy(f"COPY staged_{table} ({columns}) FROM STDIN") as copy:
                for row in rows[table]:
                    copy.write_row(row)
        return len(page)

    def _rows_of(self, p: RemotePayment, rows: dict[str, list[tuple[Any, ...]]]) -> None:
        i, now = self.ids, self.now
        number = int(p.number.removeprefix("PAY-"))
        rows["limit_erp_payment"].append(
            (number, i["company"], i["connection"], p.remote_id, p.number, p.status.value,
             p.method.value, p.check_number, p.date, p.currency, p.total, p.vendor_ref,
             p.vendor_name, p.memo, p.modified_at, content_hash(p), now, now)
        )  # fmt: skip
        for index, a in enumerate(p.allocations):
            key, invoice = number * 4 + index, self.invoices[a.bill_id]
            origin = f"{i['connection']}/{p.remote_id}/{a.bill_id}"
            rows["limit_allocation"].append(
                (key, i["company"], number, a.bill_id, a.bill_number, "", a.amount, a.discount,
                 "applied", "", invoice, key)
            )  # fmt: skip
            rows["limit_payment"].append(
                (key, i["company"], i["project"], i["commitment"], invoice, a.amount, p.currency,
                 p.method.value, p.date, p.number, a.bill_number, p.check_number, p.memo, "issued",
                 "", origin, p.number, p.remote_id, now, now)
            )  # fmt: skip
            rows["limit_event"].append(
                (i["company"], i["commitment"], key, f"Payment {p.number}", "created", now, "{}")
            )


def _merge(table: str, columns: str, key: str, compared: tuple[str, ...]) -> str:
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in compared)
    old = ", ".join(f"{table}.{name}" for name in compared)
    new = ", ".join(f"EXCLUDED.{name}" for name in compared)
    return (
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM staged_{table} "
        f"ON CONFLICT {key} DO UPDATE SET {sets} WHERE ({old}) IS DISTINCT FROM ({new})"
    )
