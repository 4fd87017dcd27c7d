"""What both books say of some invoices, in a constant number of queries."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from commitments.models import SubcontractorInvoice
from erp_integrations.models import ErpAllocation, ReconciliationLine, SyncRun
from erp_integrations.models.mirror import Outcome
from erp_integrations.providers.contract import RemoteBill
from erp_integrations.reconciliation.causes import BothBooks, Code, Entered, Stage, Stated
from payments.duplicates import check_key, pairs_among
from payments.models import Payment
from projects.money import ZERO


@dataclass(frozen=True)
class Invoice:
    """A synced invoice of one page, with what was paid on it here."""

    id: int
    project_id: int
    bill_id: str
    currency: str
    paid_here: Decimal


@dataclass(frozen=True)
class Earlier:
    """What the last comparison left unread of an invoice's bill, and since when."""

    unread: Decimal
    since: dt.datetime | None


def next_invoices(run: SyncRun, *, after: int, size: int) -> list[Invoice]:
    """The next synced invoices of the company, or of the run's project, by id."""
    rows = SubcontractorInvoice.objects.synced().filter(company=run.company_id, pk__gt=after)
    if run.project_id is not None:
        rows = rows.filter(project=run.project_id)
    with_paid: Any = rows.annotate(paid=Payment.objects.total_of("invoice")).order_by("pk")
    names = ("pk", "project_id", "origin_id", "commitment__currency", "paid")
    return [Invoice(*row) for row in with_paid.values_list(*names)[:size]]


def earlier_lines(run: SyncRun, invoices: Sequence[Invoice]) -> dict[int, Earlier]:
    """Of the newest comparison before this one, by invoice."""
    lines = ReconciliationLine.objects.filter(
        reconciliation__connection=run.connection_id,
        reconciliation__finished_at__isnull=False,
        invoice__in=[each.id for each in invoices],
    ).order_by("reconciliation__finished_at")
    rows = lines.values_list("invoice_id", "unread", "unread_since")
    return {invoice_id: Earlier(unread, since) for invoice_id, unread, since in rows}


def both_books(
    invoices: Sequence[Invoice],
    bills: Mapping[str, RemoteBill],
    *,
    company_id: int,
) -> list[BothBooks]:
    """Payments are looked at only where the amounts differ."""
    differing = [each for each in invoices if not agrees(each, bills.get(each.bill_id))]
    stated = _stated(company_id, [each.bill_id for each in differing])
    entered = _entered([each.id for each in differing])
    bill_of = {each.id: each.bill_id for each in differing}
    return [
        BothBooks(
            invoice_id=each.id,
            erp_paid=erp_paid(each, bills.get(each.bill_id)),
            paid_here=each.paid_here,
            stated=stated.get(each.bill_id, []),
            entered=_with_bills(entered.get(each.id, []), bill_of[each.id])
            if each.id in bill_of
            else [],
            trouble=trouble(each, bills.get(each.bill_id)),
        )
        for each in invoices
    ]


def agrees(invoice: Invoice, bill: RemoteBill | None) -> bool:
    return trouble(invoice, bill) is None and erp_paid(invoice, bill) == invoice.paid_here


def trouble(invoice: Invoice, bill: RemoteBill | None) -> Code | None:
    """Why there is no bill to compare the invoice with."""
    if bill is None:
        return Code.BILL_MISSING
    if bill.is_cancelled:
        return Code.BILL_CANCELLED
    if bill.currency != invoice.currency:
        return Code.BILL_CURRENCY
    return None


def erp_paid(invoice: Invoice, bill: RemoteBill | None) -> Decimal:
    """Nothing where there is no bill, or one in another currency."""
    return bill.paid if bill and trouble(invoice, bill) is None else ZERO


def _stated(company_id: int, bill_ids: list[str]) -> dict[str, list[Stated]]:
    rows = ErpAllocation.objects.filter(company=company_id, bill_id__in=bill_ids)
    by_bill: dict[str, list[Stated]] = defaultdict(list)
    shown = rows.exclude(outcome=Outcome.REMOVED, erp_payment__vanished_at=None)
    for each in shown.select_related("erp_payment", "payment").order_by("pk"):
        by_bill[each.bill_id].append(_statement(each))
    return by_bill


def _statement(allocation: ErpAllocation) -> Stated:
    payment, here = allocation.erp_payment, allocation.payment
    return Stated(
        allocation_id=allocation.pk,
        name=payment.check_number or payment.number or payment.remote_id,
        check=check_key(payment.check_number),
        amount=allocation.amount,
        stage=Stage.VANISHED if payment.vanished_at else Stage(payment.status),
        waits_for=allocation.reason,
        is_missing=payment.missing_since is not None,
        invoice_id=here.invoice_id if here else None,
        is_counted=bool(here and here.is_counted),
    )


def _entered(invoice_ids: list[int]) -> dict[int, list[Payment]]:
    """Counted payments with the bill that their allocation is of."""
    rows: Any = Payment.objects.counted().filter(invoice__in=invoice_ids).order_by("pk")
    by_invoice: dict[int, list[Payment]] = defaultdict(list)
    for each in rows.select_related("erp_allocation"):
        by_invoice[each.invoice_id].append(each)
    return by_invoice


def _with_bills(payments: list[Payment], bill_id: str) -> list[Entered]:
    duplicates = {pair.payment.pk for pair in pairs_among(payments)}
    return [
        Entered(
            payment_id=each.pk,
            name=each.check_number or each.payment_number or each.origin_code or "without number",
            check=check_key(each.check_number),
            amount=each.amount,
            is_synced=each.is_synced,
            is_of_other_bill=_bill_of(each) not in ("", bill_id),
            is_duplicate=each.pk in duplicates,
        )
        for each in payments
    ]


def _bill_of(payment: Payment) -> str:
    allocation = getattr(payment, "erp_allocation", None)
    return str(allocation.bill_id) if allocation else ""
