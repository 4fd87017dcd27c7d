"""Payments that wait, shown by themselves when the reason goes away.

Rung for when an invoice is linked or a tool or tab is switched on, and once a
minute as a net below that.
"""

from django.db import connection, transaction

from erp_integrations import matching
from erp_integrations.models import ErpAllocation, ErpConnection

BATCH = 1000

FILL = f"""
INSERT INTO candidate
SELECT p.id, p.company_id, {matching.ORIGIN_ID}, a.bill_id, a.bill_number, a.bill_line_id,
    a.amount, a.discount, false
FROM erp_integrations_erpallocation a
JOIN erp_integrations_erppayment p ON p.id = a.erp_payment_id
WHERE a.id = ANY(%s) AND a.outcome = 'waiting'
"""  # noqa: S608  a constant of ours


def project_waiting(*, company_id: int | None = None) -> int:
    """Judge again what waits, of one company or of all; how many are shown now."""
    connections = ErpConnection.objects.all()
    if company_id is not None:
        connections = connections.filter(company_id=company_id)
    return sum(_project_connection(pk) for pk in connections.values_list("pk", flat=True))


def _project_connection(connection_id: int) -> int:
    waiting = ErpAllocation.objects.waiting().filter(erp_payment__connection=connection_id)
    shown, after = 0, 0
    while ids := list(
        waiting.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        shown += _project_batch(connection_id, ids)
        after = ids[-1]
    return shown


@transaction.atomic
def _project_batch(connection_id: int, allocation_ids: list[int]) -> int:
    with connection.cursor() as cursor:
        matching.lock_connection(cursor, connection_id)
        cursor.execute(matching.CREATE_TABLES)
        cursor.execute(FILL, [allocation_ids])
        matching.settle_candidates(cursor, run_id=None)
        cursor.execute("SELECT count(*) FROM judged WHERE outcome = 'applied'")
        return int(cursor.fetchone()[0])
