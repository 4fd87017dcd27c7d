"""Payments that wait, shown by themselves when the reason goes away.

Rung for when an invoice is linked or a tool or tab is switched on, and once a
minute as a net below that.
"""

from django.db import connection as database
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from commitments.models import SubcontractorInvoice
from erp_integrations import matching
from erp_integrations.models import ErpAllocation, ErpConnection, WaitReason

BATCH = 1000

FILL = f"""
INSERT INTO candidate
SELECT p.id, p.company_id, {matching.ORIGIN_ID}, a.bill_id, a.bill_number, a.bill_line_id,
    a.amount, a.discount, false
FROM unnest(%s::bigint[]) AS wanted(id)
CROSS JOIN LATERAL (
    SELECT * FROM erp_integrations_erpallocation
    WHERE id = wanted.id AND outcome = 'waiting' LIMIT 1
) a
CROSS JOIN LATERAL (
    SELECT * FROM erp_integrations_erppayment WHERE id = a.erp_payment_id LIMIT 1
) p
"""  # noqa: S608  a constant of ours


def project_waiting(*, company_id: int | None = None) -> int:
    """Judge again what waits, of one company or of all; how many are shown now."""
    connections = ErpConnection.objects.all()
    if company_id is not None:
        connections = connections.filter(company_id=company_id)
    return sum(map(_project_connection, connections))


def _project_connection(connection: ErpConnection) -> int:
    waiting = _worth_another_look(connection.company_id)
    ids = list(waiting.order_by().values_list("pk", flat=True))
    return sum(
        _project_batch(connection.pk, ids[start : start + BATCH])
        for start in range(0, len(ids), BATCH)
    )


def _worth_another_look(company_id: int) -> QuerySet[ErpAllocation]:
    """What may be judged otherwise by now.

    Most of what a company pays is for bills of which nobody here has an invoice.
    It waits for ever, and to judge all of it every minute would cost more and
    more. Invoices are looked up row by row, ``LIMIT 1``, for the reason that
    ``matching`` gives.
    """
    waiting = ErpAllocation.objects.waiting().filter(company=company_id)
    invoices = SubcontractorInvoice.objects.filter(company=OuterRef("company"))
    linked = invoices.filter(origin_id=OuterRef("bill_id")).exclude(origin_id="")
    of_that_number = invoices.filter(invoice_number=OuterRef("bill_number"), origin_id="")
    unsynced = of_that_number.exclude(invoice_number="")
    reason, nobody = WaitReason, Value(0)
    return waiting.annotate(
        linked=Subquery(linked.order_by().values("pk")[:1]),
        unsynced=Subquery(unsynced.order_by().values("pk")[:1]),
        named=Coalesce("invoice", nobody),
    ).filter(
        ~Q(reason__in=[reason.BILL_UNKNOWN, reason.INVOICE_NOT_SYNCED, reason.PAYMENT_PENDING])
        | Q(reason=reason.INVOICE_NOT_SYNCED, linked__isnull=False)
        | ~Q(named=Coalesce("linked", "unsynced", nobody))
    )


@transaction.atomic
def _project_batch(connection_id: int, allocation_ids: list[int]) -> int:
    with database.cursor() as cursor:
        matching.lock_connection(cursor, connection_id)
        cursor.execute(matching.CREATE_TABLES)
        cursor.execute(FILL, [allocation_ids])
        matching.settle_candidates(cursor, run_id=None)
        cursor.execute("SELECT count(*) FROM judged WHERE outcome = 'applied'")
        return int(cursor.fetchone()[0])
