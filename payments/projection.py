"""Payments that mirror another system's, written many at a time.

The second of the two writers of payments (``services`` writes what people
enter). It knows nothing about ERPs: whoever imports fills the temporary table
``incoming_payment`` and calls ``project_incoming``; one statement then writes
the payments that differ, and their history with old and new values. Locked
fields follow the other system; a payment number that a person typed, notes and
attachments stay.
"""

from typing import Any, Protocol

CREATE_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_payment (
    origin_id text NOT NULL,
    origin_code text NOT NULL,
    origin_data text NOT NULL,
    company_id bigint NOT NULL,
    project_id bigint NOT NULL,
    commitment_id bigint NOT NULL,
    invoice_id bigint,
    amount numeric NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    date date NOT NULL,
    invoice_number text NOT NULL,
    check_number text NOT NULL,
    notes text NOT NULL,
    status text NOT NULL,
    voided_on date,
    void_reason text NOT NULL,
    missing_since timestamptz,
    vanished_at timestamptz
) ON COMMIT DELETE ROWS
"""

#: columns that follow the other system, with the label the history shows (empty: not shown)
_FOLLOWED = {
    "origin_code": "ERP ID",
    "origin_data": "",
    "amount": "Amount",
    "currency": "Currency",
    "method": "Payment Method",
    "date": "Date Paid",
    "invoice_number": "Invoice #",
    "check_number": "Check #",
    "status": "Status",
    "voided_on": "Voided on",
    "void_reason": "Void reason",
    "missing_since": "Missing in the ERP since",
    "vanished_at": "Gone from the ERP since",
}


def _assignments() -> str:
    return ", ".join(f"{name} = EXCLUDED.{name}" for name in _FOLLOWED)


def _row(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in _FOLLOWED)


def _differences() -> str:
    """``{label: [old, new]}`` of a changed payment, as a jsonb expression."""
    parts = [
        f"CASE WHEN b.{name} IS DISTINCT FROM w.{name} THEN "
        f"jsonb_build_object('{label}', jsonb_build_array(b.{name}::text, w.{name}::text)) "
        "ELSE '{}' END"
        for name, label in _FOLLOWED.items()
        if label
    ]
    return " || ".join(parts)


#: what the history says of a payment that is new
_FIRST_AMOUNT = "jsonb_build_object('Amount', jsonb_build_array(NULL, w.amount::text))"


# The names in it are the constants above; values come from the temporary table and %s.
PROJECT = f"""
WITH before AS MATERIALIZED (
    SELECT p.* FROM incoming_payment i CROSS JOIN LATERAL (
        SELECT * FROM payments_payment
        WHERE company_id = i.company_id AND origin_id = i.origin_id AND origin_id <> '' LIMIT 1
    ) p
), written AS (
    INSERT INTO payments_payment (
        origin_id, origin_code, origin_data, company_id, project_id, commitment_id, invoice_id,
        amount, currency, method, date, invoice_number, check_number, notes, status, voided_on,
        void_reason, missing_since, vanished_at, payment_number, created_at, updated_at)
    SELECT
        origin_id, origin_code, origin_data, company_id, project_id, commitment_id, invoice_id,
        amount, currency, method, date, invoice_number, check_number, notes, status, voided_on,
        void_reason, missing_since, vanished_at, origin_code, now(), now()
    FROM incoming_payment
    ON CONFLICT (company_id, origin_id) WHERE origin_id <> '' DO UPDATE
    SET {_assignments()}, updated_at = now()
    WHERE ({_row("payments_payment")}) IS DISTINCT FROM ({_row("EXCLUDED")})
    RETURNING *
)
INSERT INTO payments_paymentevent
    (company_id, commitment_id, payment_id, label, kind, at, import_id, changes)
SELECT w.company_id, w.commitment_id, w.id, left('Payment ' || w.origin_code, 250),
    CASE
        WHEN b.id IS NULL THEN 'created'
        WHEN w.vanished_at IS NOT NULL AND b.vanished_at IS NULL THEN 'vanished'
        WHEN w.missing_since IS NOT NULL AND b.missing_since IS NULL THEN 'missing'
        WHEN w.status = 'voided' AND b.status <> 'voided' THEN 'voided'
        WHEN b.status = 'voided' AND w.status <> 'voided' THEN 'restored'
        WHEN b.missing_since IS NOT NULL AND w.missing_since IS NULL THEN 'restored'
        ELSE 'changed'
    END,
    now(), %s,
    CASE WHEN b.id IS NULL THEN {_FIRST_AMOUNT} ELSE {_differences()} END
FROM written w LEFT JOIN before b ON b.id = w.id
"""  # noqa: S608


class Cursor(Protocol):
    """The part of a database cursor that is needed here."""

    def execute(self, sql: str, params: Any = None, /) -> Any: ...


def project_incoming(cursor: Cursor, *, import_id: int | None) -> None:
    """Write what ``incoming_payment`` holds; ``import_id`` goes into the history.

    Call inside a transaction. One statement, whatever the number of rows.
    """
    cursor.execute(PROJECT, [import_id])
