"""What a worker does with an export, from claiming it to its end.

The ERP is asked outside any transaction, in a thread of its own, while this one
keeps giving signs of life. Whatever happens, the export can be taken up again:
the provider finds by the export's key what an earlier attempt has made.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError
from django.db import connection as database
from django.utils import timezone

from commitments.erp_states import require_exporter
from erp_integrations.exporting import jobs
from erp_integrations.exporting.bill_lines import bill_to_export
from erp_integrations.exporting.requirements import obstacles_to_export, problem_with_entry
from erp_integrations.models import ErpConnection, InvoiceExport
from erp_integrations.opening import open_provider
from erp_integrations.providers.contract import BillToExport, RemoteBill
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    RecordError,
    TransientError,
)
from erp_integrations.runs import LeaseLost

log = logging.getLogger(__name__)

BUG = (
    "Something in this program went wrong; the technical details are in the worker's log. Export "
    "it again: if the ERP made the bill already, it is found and not made twice."
)
NOT_DIRECT = (
    "ERP Direct Exports was switched off meanwhile, so an accounting approver has to export it."
)


class NotAllowedNow(ErpError):
    """Something that was right at the click is not right any more."""


def work_on(export_id: int) -> None:
    """Take an export and bring it to its end, or put it off when the ERP is away."""
    try:
        lease = jobs.claim(export_id)
    except LeaseLost:
        return
    related = ("connection__company", "invoice__project", "invoice__commitment__vendor")
    export = InvoiceExport.objects.select_related(*related, "requested_by").get(pk=export_id)
    if export.lease != lease:
        return
    try:
        _carry_out(export)
    except LeaseLost:
        log.info("export %s was taken over", export_id)
    except (OperationalError, InterfaceError) as error:
        # The database went away. The row stays as it is, its lease runs out, and it is resumed.
        log.warning("export %s lost its database and will be resumed: %s", export_id, error)
        database.close()


def _carry_out(export: InvoiceExport) -> None:
    try:
        _check_again(export)
        jobs.succeed(export, _exported(export))
    except TransientError as error:
        log.warning("export %s has to wait: %s %s", export.pk, error, error.detail)
        jobs.try_again(export, error)
    except ErpError as error:
        log.warning("export %s failed: %s %s", export.pk, error, error.detail)
        if isinstance(error, AuthenticationError | ConfigurationError):
            _stop(export.connection, error)
        jobs.fail(export, code=type(error).__name__, message=str(error))
    except ValidationError as error:
        jobs.fail(export, code="not_linked", message=" ".join(error.messages))
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except Exception:
        jobs.fail(export, code="bug", message=BUG)
        raise


def _check_again(export: InvoiceExport) -> None:
    """Minutes may lie between the click and now: what was allowed then must be allowed still."""
    invoice, connection, person = export.invoice, export.connection, export.requested_by
    if export.is_direct and not connection.direct_export:
        raise NotAllowedNow(NOT_DIRECT)
    try:
        require_exporter(invoice, person, is_direct=export.is_direct)
    except ValidationError as error:
        raise NotAllowedNow(f"{person} may not export it any more. {error.messages[0]}") from error
    if obstacles := obstacles_to_export(invoice, connection):
        raise NotAllowedNow(" ".join(each.missing for each in obstacles))
    entered = {"erp_number": export.erp_number, "accounting_date": export.accounting_date}
    if problem := problem_with_entry(invoice, connection, **entered):  # type: ignore[arg-type]
        raise NotAllowedNow(problem)


def _exported(export: InvoiceExport) -> RemoteBill:
    """The ERP's bill for it, made now or by an earlier attempt."""
    bill = bill_to_export(export)
    with ThreadPoolExecutor(1, thread_name_prefix="erp-writer") as writer:
        made = _await(writer.submit(_make, export.connection, bill), export)
    if made.currency != bill.currency:
        raise RecordError(
            f"The ERP made bill {made.number} in {made.currency}, and the invoice is in "
            f"{bill.currency}. Cancel that bill in the ERP and correct the vendor's currency there."
        )
    return made


def _make(connection: ErpConnection, bill: BillToExport) -> RemoteBill:
    """In a thread without a database connection."""
    with open_provider(connection) as provider:
        return provider.create_bill(bill)


def _await(coming: "Future[RemoteBill]", export: InvoiceExport) -> RemoteBill:
    while True:
        try:
            return coming.result(timeout=settings.SYNC_LEASE_SECONDS / 3)
        except NotYet:
            jobs.beat(export)


def _stop(connection: ErpConnection, error: ErpError) -> None:
    """Somebody has to act before the ERP can be asked again."""
    ErpConnection.objects.filter(pk=connection.pk).update(
        stopped_at=timezone.now(), stopped_reason=str(error)[:500]
    )
