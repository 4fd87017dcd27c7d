"""The run that compares both books: a page of invoices, a question to the ERP, a page of lines."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from erp_integrations import runs
from erp_integrations.models import (
    Reconciliation,
    ReconciliationLine,
    ReconciliationTotal,
    RunMode,
    RunState,
    SyncRun,
)
from erp_integrations.models.run import RunPhase
from erp_integrations.providers.contract import Provider, RemoteBill
from erp_integrations.reading import TimeSlice
from erp_integrations.reconciliation.causes import BothBooks, Cause, explain, unexplained
from erp_integrations.reconciliation.ledgers import (
    Earlier,
    Invoice,
    both_books,
    earlier_lines,
    next_invoices,
)

#: runs that read every change; only such a run can have read what was unread
READING_MODES = (RunMode.CHANGES, RunMode.SWEEP)


def compare(run: SyncRun, provider: Provider) -> None:
    """What a run of mode *reconcile* does, from where it had got to."""
    runs.beat(run, RunPhase.COMPARING)
    reconciliation = _started(run)
    time_slice = TimeSlice()
    size = provider.capabilities.page_size
    while invoices := next_invoices(run, after=_reached(run), size=size):
        bills = _ask(run, provider, [each.bill_id for each in invoices])
        _store(run, reconciliation, invoices, bills)
        time_slice.check()
    _finish(run, reconciliation)


def _started(run: SyncRun) -> Reconciliation:
    found, _ = Reconciliation.objects.get_or_create(
        run=run,
        defaults={
            "company_id": run.company_id,
            "connection_id": run.connection_id,
            "project_id": run.project_id,
        },
    )
    return found


def _reached(run: SyncRun) -> int:
    return int((run.checkpoint or {}).get("invoice", 0))


def _ask(run: SyncRun, provider: Provider, bill_ids: Sequence[str]) -> dict[str, RemoteBill]:
    """The bills, asked for in a thread, while the run keeps giving signs of life."""
    with ThreadPoolExecutor(1, thread_name_prefix="erp-reader") as reader:
        coming = reader.submit(lambda: {bill.remote_id: bill for bill in provider.bills(bill_ids)})
        while True:
            try:
                return coming.result(timeout=settings.SYNC_LEASE_SECONDS / 3)
            except NotYet:
                runs.beat(run)


@transaction.atomic
def _store(
    run: SyncRun,
    reconciliation: Reconciliation,
    invoices: Sequence[Invoice],
    bills: dict[str, RemoteBill],
) -> None:
    """One page of lines and the checkpoint after it. Raises ``LeaseLost`` and stores nothing."""
    earlier = earlier_lines(run, invoices)
    books = both_books(invoices, bills, company_id=run.company_id)
    read_at = _last_read(run)
    lines = [
        _line(reconciliation, invoice, bills.get(invoice.bill_id), each, earlier, read_at)
        for invoice, each in zip(invoices, books, strict=True)
    ]
    ReconciliationLine.objects.bulk_create(lines)
    differing = sum(line.is_different for line in lines)
    run.checkpoint = {"invoice": invoices[-1].id}
    runs.keep_checkpoint(run, unchanged=len(lines) - differing, problems=differing)


def _last_read(run: SyncRun) -> Any:
    good = SyncRun.objects.filter(
        connection=run.connection_id,
        mode__in=READING_MODES,
        is_preview=False,
        state__in=[RunState.SUCCEEDED, RunState.SUCCEEDED_WITH_ISSUES],
    )
    return good.aggregate(at=Max("started_at"))["at"]


def _line(
    reconciliation: Reconciliation,
    invoice: Invoice,
    bill: RemoteBill | None,
    books: BothBooks,
    earlier: dict[int, Earlier],
    read_at: Any,
) -> ReconciliationLine:
    is_different = bool(books.difference or books.trouble)
    unread = books.unread if is_different and not books.trouble else Decimal(0)
    since = None
    if unread:
        before = earlier.get(invoice.id)
        since = before.since if before and before.unread == unread else timezone.now()
        books = replace(books, was_read_since=bool(since and read_at and read_at > since))
    causes = explain(books) if is_different else []
    return ReconciliationLine(
        company_id=reconciliation.company_id,
        reconciliation=reconciliation,
        invoice_id=invoice.id,
        currency=invoice.currency,
        erp_total=bill.total if bill and bill.currency == invoice.currency else None,
        erp_paid=books.erp_paid,
        paid_here=books.paid_here,
        difference=books.difference,
        unexplained=unexplained(causes),
        explanations=[_as_json(each) for each in causes],
        is_different=is_different,
        unread=unread,
        unread_since=since,
    )


def _as_json(cause: Cause) -> dict[str, Any]:
    values = {
        "code": cause.code.value,
        "amount": str(cause.amount),
        "name": cause.name,
        "reason": cause.reason,
        "payment": cause.payment_id,
        "allocation": cause.allocation_id,
    }
    return {name: value for name, value in values.items() if value not in ("", None)}


@transaction.atomic
def _finish(run: SyncRun, reconciliation: Reconciliation) -> None:
    """Add up, once, while the run is still ours. Raises ``LeaseLost`` and changes nothing."""
    runs.beat(run)
    if reconciliation.finished_at is None:
        _add_up(reconciliation)
        _forget_older_lines(reconciliation)


def _add_up(reconciliation: Reconciliation) -> None:
    """The totals, by the database, and with them the end of the comparison."""
    found = list(
        reconciliation.lines.order_by()
        .values("invoice__project", "currency")
        .annotate(
            there=Sum("erp_paid"),
            here=Sum("paid_here"),
            open=Sum("unexplained"),
            invoices=Count("pk"),
            differing=Count("pk", filter=Q(is_different=True)),
        )
    )
    ReconciliationTotal.objects.bulk_create(
        ReconciliationTotal(
            company_id=reconciliation.company_id,
            reconciliation=reconciliation,
            project_id=each["invoice__project"],
            currency=each["currency"],
            erp_paid=each["there"],
            paid_here=each["here"],
            unexplained=each["open"],
            invoices=each["invoices"],
            differences=each["differing"],
        )
        for each in found
    )
    reconciliation.invoices = sum(each["invoices"] for each in found)
    reconciliation.differences = sum(each["differing"] for each in found)
    reconciliation.finished_at = timezone.now()
    reconciliation.save(update_fields=["invoices", "differences", "finished_at"])


def _forget_older_lines(reconciliation: Reconciliation) -> None:
    """Totals are kept for the chart; lines of an older comparison only while none replaces them."""
    older = Reconciliation.objects.filter(connection=reconciliation.connection_id).exclude(
        pk=reconciliation.pk
    )
    if reconciliation.project_id is not None:
        older = older.filter(project=reconciliation.project_id)
    ReconciliationLine.objects.filter(reconciliation__in=older).delete()
