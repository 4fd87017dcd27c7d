"""Payments that were sent to us: into the mirror, matched and projected like those that were read.

One call is one transaction and one run, so what a sender is told is what
happened. Nothing is asked of anybody, so there is no network call in it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from commitments.erp_links import link_invoice_to_bill
from commitments.models import SubcontractorInvoice
from erp_integrations import ingest, runs
from erp_integrations.acceptance import check_payment, storable
from erp_integrations.models import (
    ErpAllocation,
    ErpConnection,
    PushedCall,
    RunMode,
    RunState,
    RunTrigger,
    SyncRun,
)
from erp_integrations.models.run import RunPhase
from erp_integrations.preconditions import obstacles_to_run
from erp_integrations.providers.contract import Page, RemotePayment
from erp_integrations.providers.errors import RecordError
from erp_integrations.push.rows import Row, RowError, read_row, require_text

MOST_ROWS = 1000
#: calls that are remembered, so that repeating one does nothing
REMEMBERED_FOR = dt.timedelta(days=30)
LONGEST_KEY = 200
Answer = dict[str, Any]

NO_INVOICE = "There is no invoice {number} in this company."
NOT_SYNCED = (
    "Invoice {number} is not linked to a bill of the ERP yet. Link it with external_data/sync, or "
    "name the bill by invoice_origin_id; the payment then waits for its invoice."
)
TWICE = "origin_id “{origin_id}” is in this call twice. A payment of two invoices is two rows."
OTHER_BODY = (
    "This Idempotency-Key came before with another body. Use a new key for every new call, and "
    "the same one only to repeat a call."
)


class NotTaken(Exception):
    """The whole call cannot be taken now; nothing of it was stored."""


class KeyUsedTwice(NotTaken):
    """The idempotency key belongs to another call."""


class Call(NamedTuple):
    """One call as it arrived. ``key`` is empty where the sender gave none."""

    rows: Sequence[Any]
    key: str
    body_hash: str


@transaction.atomic
def take_payments(*, connection: ErpConnection, call: Call) -> Answer:
    """Store the payments of one call; ``{"entities": […], "errors": […]}``, a row each.

    Raises ``NotTaken`` when the connection does not take payments now, and
    ``KeyUsedTwice``. Calls of one connection are done one after the other.
    """
    connection = ErpConnection.objects.select_for_update().get(pk=connection.pk)
    if before := _answered_before(connection, call):
        return before
    obstacles = [each for each in obstacles_to_run(connection) if each.code != "pushed"]
    if obstacles:
        raise NotTaken(obstacles[0].sentence)
    rows, errors = _read(call.rows)
    payments, more = _payments(connection, rows)
    run = _start(connection)
    ingest.apply_page(run, Page(list(payments.values()), (), {}))
    run = _finish(run, problems=len(errors) + len(more))
    answer = {
        "entities": _entities(connection, rows, payments),
        "errors": sorted(errors + more, key=lambda each: int(each["row"])),
    }
    _remember(connection, call, answer, run)
    return answer


def take_links(*, connection: ErpConnection, updates: Sequence[Any]) -> Answer:
    """Link invoices to bills of the ERP (``external_data/sync``); each by itself."""
    entities: list[Answer] = []
    errors: list[Answer] = []
    for number, said in enumerate(updates):
        try:
            entities.append(_link(connection, said))
        except (RowError, ValidationError) as error:
            message = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            errors.append({"row": number, "messages": [message]})
    return {"entities": entities, "errors": errors}


def forget_old_calls() -> int:
    """Calls that nobody repeats any more; how many."""
    old = PushedCall.objects.filter(received_at__lt=timezone.now() - REMEMBERED_FOR)
    return old.delete()[0]


# --------------------------------------------------------------------- one call
def _answered_before(connection: ErpConnection, call: Call) -> Answer | None:
    known = PushedCall.objects.filter(connection=connection, key=call.key) if call.key else None
    before = known.first() if known else None
    if before is None:
        return None
    if before.body_hash != call.body_hash:
        raise KeyUsedTwice(OTHER_BODY)
    answer: Answer = before.answer
    return answer


def _remember(connection: ErpConnection, call: Call, answer: Answer, run: SyncRun) -> None:
    if call.key:
        PushedCall.objects.create(
            company_id=connection.company_id,
            connection=connection,
            key=call.key,
            body_hash=call.body_hash,
            answer=answer,
            run=run,
        )


def _read(said: Sequence[Any]) -> tuple[dict[int, Row], list[Answer]]:
    """The rows that can be read, by their place in the call, and what is wrong with the others."""
    rows: dict[int, Row] = {}
    errors: list[Answer] = []
    seen: set[str] = set()
    for number, each in enumerate(said):
        try:
            row = read_row(each)
            if row.origin_id in seen:
                raise RowError(TWICE.format(origin_id=row.origin_id))
        except RowError as error:
            errors.append(_error(number, each, str(error)))
            continue
        seen.add(row.origin_id)
        rows[number] = row
    return rows, errors


def _payments(
    connection: ErpConnection, rows: Mapping[int, Row]
) -> tuple[dict[int, RemotePayment], list[Answer]]:
    """What the rows come to; those whose invoice or content cannot be right are errors."""
    ids = [row.invoice_id for row in rows.values() if row.invoice_id is not None]
    invoices = SubcontractorInvoice.objects.filter(company=connection.company_id).in_bulk(ids)
    payments: dict[int, RemotePayment] = {}
    errors: list[Answer] = []
    now = timezone.now()
    for number, row in rows.items():
        try:
            bill_id = row.invoice_origin_id or _bill_of(row.invoice_id, invoices)
            made = row.payment(bill_id=bill_id, currency=connection.currency, now=now)
            check_payment(made)
        except (RowError, RecordError) as error:
            errors.append(_error(number, row.said, str(error)))
        else:
            payments[number] = made
    return payments, errors


def _bill_of(invoice_id: int | None, invoices: Mapping[int, SubcontractorInvoice]) -> str:
    invoice = invoices.get(invoice_id or 0)
    if invoice is None:
        raise RowError(NO_INVOICE.format(number=invoice_id))
    if not invoice.origin_id:
        raise RowError(NOT_SYNCED.format(number=invoice.invoice_number))
    return invoice.origin_id


def _start(connection: ErpConnection) -> SyncRun:
    """A run that nobody else ever sees unfinished: it begins and ends in this transaction."""
    now = timezone.now()
    return SyncRun.objects.create(
        company_id=connection.company_id,
        connection=connection,
        trigger=RunTrigger.PUSH,
        mode=RunMode.PUSHED,
        state=RunState.RUNNING,
        phase=RunPhase.READING,
        queued_at=now,
        started_at=now,
        heartbeat_at=now,
        lease=uuid4(),
        lease_expires_at=now + runs.lease_time(),
        attempts=1,
    )


def _finish(run: SyncRun, *, problems: int) -> SyncRun:
    waiting = ErpAllocation.objects.waiting().filter(erp_payment__connection=run.connection_id)
    state = RunState.SUCCEEDED_WITH_ISSUES if problems else RunState.SUCCEEDED
    run.refresh_from_db()
    finished = runs.finish(
        run, state=state, waiting=waiting.count(), problems=run.problems + problems
    )
    ErpConnection.objects.filter(pk=run.connection_id).update(last_success_at=timezone.now())
    return finished


def _entities(
    connection: ErpConnection, rows: Mapping[int, Row], payments: Mapping[int, RemotePayment]
) -> list[Answer]:
    """What became of each payment: shown on its invoice, or waiting with a reason."""
    stored = ErpAllocation.objects.filter(
        erp_payment__connection=connection,
        erp_payment__remote_id__in=[each.remote_id for each in payments.values()],
    ).select_related("erp_payment")
    places = {(each.erp_payment.remote_id, each.bill_id): each for each in stored}
    entities = []
    for number, payment in payments.items():
        place = places.get((payment.remote_id, payment.allocations[0].bill_id))
        entities.append(
            {
                "row": number,
                "id": place.payment_id if place else None,
                "invoice_id": place.invoice_id if place else rows[number].invoice_id,
                "origin_id": payment.remote_id,
                "status": place.outcome if place else "",
                "reason": place.reason if place else "",
            }
        )
    return entities


def _error(number: int, said: Any, message: str) -> Answer:
    origin_id = said.get("origin_id") if isinstance(said, Mapping) else None
    shown = storable(str(origin_id))[:200] if isinstance(origin_id, str | int) else None
    return {"row": number, "origin_id": shown, "messages": [message]}


def _link(connection: ErpConnection, said: Any) -> Answer:
    if not isinstance(said, Mapping) or said.get("item_type") != "requisition":
        raise RowError("item_type has to be “requisition”: invoices are what can be linked here.")
    require_text(said)
    number, origin = str(said.get("item_id", "")), said.get("origin_id")
    if not isinstance(origin, str | int) or isinstance(origin, bool) or not str(origin).strip():
        raise RowError("origin_id is missing. People take a link away, on the invoice's page.")
    mine = SubcontractorInvoice.objects.filter(company=connection.company_id)
    invoice = mine.filter(pk=number).first() if number.isascii() and number.isdecimal() else None
    if invoice is None:
        raise RowError(NO_INVOICE.format(number=number[:40]))
    code = str(said.get("origin_code") or "")[:100]
    linked = link_invoice_to_bill(
        invoice=invoice, bill_id=str(origin).strip()[:200], bill_number=code, by=None
    )
    return {"item_type": "requisition", "id": linked.pk, "origin_id": linked.origin_id}
