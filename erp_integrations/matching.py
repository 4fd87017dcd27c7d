"""Allocation → synced invoice → commitment, or the reason why not; one statement for many.

Whoever calls fills ``candidate`` (allocations to judge: just read, or waiting
for long) and gets the outcome in ``erp_allocation``, the payment on the
commitment, and an open issue for each one that waits.

* An allocation that was shown before stays shown: amounts, voids and
  un-applications follow the ERP even if a tool or tab is switched off meanwhile.
* A pending payment is remembered, not shown. One that goes back to pending
  after it was shown is voided here until it is issued again.
"""

from typing import Any

from erp_integrations.providers.contract import RemoteAllocation, RemotePayment
from payments.projection import CREATE_INCOMING, project_incoming

CREATE_TABLES = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS candidate (
    erp_payment_id bigint NOT NULL,
    company_id bigint NOT NULL,
    origin_id text NOT NULL,
    bill_id text NOT NULL,
    bill_number text NOT NULL,
    bill_line_id text NOT NULL,
    amount numeric NOT NULL,
    discount numeric NOT NULL,
    is_removed boolean NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS judged (
    erp_payment_id bigint NOT NULL,
    bill_id text NOT NULL,
    bill_number text NOT NULL,
    bill_line_id text NOT NULL,
    amount numeric NOT NULL,
    discount numeric NOT NULL,
    company_id bigint NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    invoice_id bigint,
    origin_id text NOT NULL
) ON COMMIT DELETE ROWS;
{CREATE_INCOMING};
DELETE FROM candidate; DELETE FROM judged; DELETE FROM incoming_payment;
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off;
"""  # noqa: S608  constants of ours
# The tables are emptied at every commit too; inside a transaction of the caller there is none.
# Stored tables are joined by LATERAL … LIMIT 1, that is, row by row through an index: a planner
# without statistics of the temporary tables would read and sort whole tables instead, and a page
# would cost more the more is stored.

#: The key of the payment that an allocation ``a`` of the ERP payment ``p`` becomes. It stands in
#: ``candidate`` already, so that joining on it can go by the index.
ORIGIN_ID = """
    p.connection_id || '/' || p.remote_id || '/' || a.bill_id
        || CASE WHEN a.bill_line_id = '' THEN '' ELSE '/' || a.bill_line_id END
"""


def origin_id(connection_id: int, payment: RemotePayment, allocation: RemoteAllocation) -> str:
    """The same in Python, for what was just read."""
    line = f"/{allocation.bill_line_id}" if allocation.bill_line_id else ""
    return f"{connection_id}/{payment.remote_id}/{allocation.bill_id}{line}"


# One look at everything: what was shown already keeps its commitment and invoice, the rest goes
# where its invoice is; what can be shown is handed to the projection in the same statement.
JUDGE = """
WITH known AS (
    SELECT c.*, e.number, e.remote_id, e.status, e.method, e.check_number, e.date,
        e.currency, e.memo, e.vendor_ref, e.voided_on, e.missing_since, e.vanished_at,
        CASE
            WHEN e.status = 'voided' THEN 'Voided in the ERP'
            WHEN c.is_removed THEN 'No longer applied to this invoice in the ERP'
            WHEN e.status = 'pending' THEN 'Back to pending in the ERP'
            ELSE ''
        END AS void_reason
    FROM candidate c CROSS JOIN LATERAL (
        SELECT * FROM erp_integrations_erppayment WHERE id = c.erp_payment_id LIMIT 1
    ) e
), matched AS (
    SELECT k.*, shown.id AS shown_id, shown.voided_on AS shown_voided_on,
        i.invoice_number, unsynced.id AS unsynced_id,
        coalesce(shown.invoice_id, i.id) AS invoice_id,
        coalesce(shown.commitment_id, i.commitment_id) AS commitment_id,
        coalesce(shown.project_id, i.project_id) AS project_id,
        CASE
            WHEN shown.id IS NOT NULL THEN ''
            WHEN k.status = 'pending' THEN 'payment_pending'
            WHEN i.id IS NULL AND unsynced.id IS NOT NULL THEN 'invoice_not_synced'
            WHEN i.id IS NULL THEN 'bill_unknown'
            WHEN t.id IS NULL THEN 'tool_inactive'
            WHEN NOT c.allow_payments THEN 'tab_disabled'
            WHEN v.origin_id <> '' AND k.vendor_ref <> '' AND v.origin_id <> k.vendor_ref
                THEN 'vendor_mismatch'
            WHEN c.currency <> k.currency THEN 'currency_mismatch'
            WHEN k.amount > coalesce(i.erp_bill_total, i.current_payment_due)
                THEN 'amount_exceeds_bill'
            ELSE ''
        END AS obstacle
    FROM known k
    LEFT JOIN LATERAL (
        SELECT * FROM payments_payment p
        WHERE p.company_id = k.company_id AND p.origin_id = k.origin_id AND p.origin_id <> ''
        LIMIT 1
    ) shown ON true
    LEFT JOIN LATERAL (
        SELECT * FROM commitments_subcontractorinvoice s
        WHERE s.company_id = k.company_id AND s.origin_id = k.bill_id AND s.origin_id <> ''
        LIMIT 1
    ) i ON true
    LEFT JOIN LATERAL (
        SELECT u.id FROM commitments_subcontractorinvoice u
        WHERE i.id IS NULL AND k.bill_number <> '' AND u.company_id = k.company_id
            AND u.invoice_number = k.bill_number AND u.origin_id = ''
        LIMIT 1
    ) unsynced ON true
    LEFT JOIN commitments_commitment c ON c.id = i.commitment_id
    LEFT JOIN projects_vendor v ON v.id = c.vendor_id
    LEFT JOIN projects_projecttool t
        ON t.project_id = c.project_id AND t.tool = 'commitments' AND t.is_active
), decided AS (
    SELECT m.*, CASE
        WHEN is_removed OR vanished_at IS NOT NULL AND shown_id IS NULL THEN 'removed'
        WHEN obstacle = '' THEN 'applied'
        ELSE 'waiting'
    END AS outcome
    FROM matched m
), recorded AS (
    INSERT INTO judged (
        erp_payment_id, bill_id, bill_number, bill_line_id, amount, discount, company_id, outcome,
        reason, invoice_id, origin_id)
    SELECT erp_payment_id, bill_id, bill_number, bill_line_id, amount, discount, company_id,
        outcome, CASE WHEN outcome = 'waiting' THEN obstacle ELSE '' END,
        coalesce(invoice_id, unsynced_id), origin_id
    FROM decided
)
INSERT INTO incoming_payment
SELECT origin_id, coalesce(nullif(number, ''), remote_id), remote_id, company_id, project_id,
    commitment_id, invoice_id, amount, currency, method, date,
    coalesce(nullif(bill_number, ''), invoice_number, ''), check_number, memo,
    CASE WHEN void_reason = '' THEN 'issued' ELSE 'voided' END,
    CASE WHEN void_reason <> '' THEN coalesce(voided_on, shown_voided_on, current_date) END,
    void_reason, missing_since, vanished_at
FROM decided
WHERE outcome = 'applied' OR shown_id IS NOT NULL
"""

RECORD = """
INSERT INTO erp_integrations_erpallocation AS a (
    company_id, erp_payment_id, bill_id, bill_number, bill_line_id, amount, discount, outcome,
    reason, waiting_since, invoice_id, payment_id)
SELECT j.company_id, j.erp_payment_id, j.bill_id, j.bill_number, j.bill_line_id, j.amount,
    j.discount, j.outcome, j.reason, CASE WHEN j.outcome = 'waiting' THEN now() END, j.invoice_id,
    p.id
FROM judged j
LEFT JOIN LATERAL (
    SELECT id FROM payments_payment
    WHERE company_id = j.company_id AND origin_id = j.origin_id AND origin_id <> '' LIMIT 1
) p ON true
ON CONFLICT (erp_payment_id, bill_id, bill_line_id) DO UPDATE SET
    bill_number = EXCLUDED.bill_number, amount = EXCLUDED.amount, discount = EXCLUDED.discount,
    outcome = EXCLUDED.outcome, reason = EXCLUDED.reason, invoice_id = EXCLUDED.invoice_id,
    payment_id = EXCLUDED.payment_id,
    waiting_since = CASE WHEN EXCLUDED.outcome = 'waiting'
        THEN coalesce(a.waiting_since, now()) END
WHERE (a.bill_number, a.amount, a.discount, a.outcome, a.reason, a.invoice_id, a.payment_id)
    IS DISTINCT FROM (EXCLUDED.bill_number, EXCLUDED.amount, EXCLUDED.discount,
        EXCLUDED.outcome, EXCLUDED.reason, EXCLUDED.invoice_id, EXCLUDED.payment_id)
"""

OPEN_AND_RESOLVE_ISSUES = """
WITH stored AS (
    SELECT j.*, a.id AS allocation_id FROM judged j CROSS JOIN LATERAL (
        SELECT id FROM erp_integrations_erpallocation
        WHERE erp_payment_id = j.erp_payment_id AND bill_id = j.bill_id
            AND bill_line_id = j.bill_line_id LIMIT 1
    ) a
), resolved AS (
    UPDATE erp_integrations_syncissue s SET resolved_at = now()
    FROM (
        SELECT open.id FROM stored j CROSS JOIN LATERAL (
            SELECT id FROM erp_integrations_syncissue
            WHERE allocation_id = j.allocation_id AND code = 'waiting' AND resolved_at IS NULL
            LIMIT 1
        ) open
        WHERE j.outcome <> 'waiting'
    ) over WHERE s.id = over.id
)
INSERT INTO erp_integrations_syncissue AS s (
    company_id, connection_id, run_id, code, reason, message, remote_id, raw, allocation_id,
    erp_payment_id, invoice_id, created_at)
SELECT j.company_id, e.connection_id, %s, 'waiting', j.reason, '', e.remote_id, '',
    j.allocation_id, e.id, j.invoice_id, now()
FROM stored j
CROSS JOIN LATERAL (
    SELECT * FROM erp_integrations_erppayment WHERE id = j.erp_payment_id LIMIT 1
) e
WHERE j.outcome = 'waiting'
ON CONFLICT (allocation_id) WHERE code = 'waiting' AND resolved_at IS NULL DO UPDATE
SET reason = EXCLUDED.reason, invoice_id = EXCLUDED.invoice_id
WHERE (s.reason, s.invoice_id) IS DISTINCT FROM (EXCLUDED.reason, EXCLUDED.invoice_id)
"""


def settle_candidates(cursor: Any, *, run_id: int | None) -> None:
    """Judge what ``candidate`` holds, show what can be shown, record every outcome.

    Call inside a transaction that holds the connection's lock. A constant
    number of statements, whatever the number of rows.
    """
    cursor.execute(JUDGE)
    project_incoming(cursor, import_id=run_id)
    cursor.execute(RECORD)
    cursor.execute(OPEN_AND_RESOLVE_ISSUES, [run_id])


def lock_connection(cursor: Any, connection_id: int) -> None:
    """One writer a connection: pages, late projections and sweeps come one after the other."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, connection_id])


#: the first key of our advisory locks, so that they meet nobody else's
LOCK_SPACE = 7_021_951
