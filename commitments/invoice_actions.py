"""What is done to ticked invoices of a list: send, retrieve, change their status."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from commitments.erp_states import retrieve_from_erp, send_to_erp
from commitments.invoice_list import InvoiceRow
from commitments.invoices import for_each, set_status
from commitments.models import InvoiceStatus, SubcontractorInvoice
from projects.access import Level, Tool
from projects.models import Project, User

NONE_CHOSEN = "Tick at least one invoice first."
NO_SUCH_ACTION = "Choose what to do with the ticked invoices."
NOT_THERE = "{number} of the ticked invoices are not there any more."
NOTHING_TO_SEND = (
    "Nothing on this page can be sent to the ERP. The column Send to ERP says why for each invoice."
)
TOOL_IS_OFF = (
    "Nothing can be sent: ERP Integrations is switched off on this project. Staff of your company "
    "switch it on in the administration, on the project."
)
NOTHING_TO_RETRIEVE = (
    "Nothing on this page can be retrieved: only what waits for an accounting approver can be."
)

Act = Callable[[SubcontractorInvoice], SubcontractorInvoice]


class Action(NamedTuple):
    """How to do it to one invoice, and the words for what was done."""

    act: Act
    past: str


@dataclass(frozen=True)
class BulkBar:
    """The buttons above a list, and why some of them rest."""

    url: str
    rows: list[InvoiceRow]
    tool_is_on: bool

    @property
    def why_not_send(self) -> str:
        if not self.tool_is_on:
            return TOOL_IS_OFF
        return "" if any(row.can_be_sent for row in self.rows) else NOTHING_TO_SEND

    @property
    def why_not_retrieve(self) -> str:
        return "" if any(row.can_be_retrieved for row in self.rows) else NOTHING_TO_RETRIEVE

    @property
    def statuses(self) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in InvoiceStatus.choices]


def administers(request: HttpRequest, project: Project) -> bool:
    """Whether the person is Admin of Commitments on the project."""
    granted = Project.objects.for_user(request.user, Tool.COMMITMENTS, Level.ADMIN)
    return granted.filter(pk=project.pk).exists()


def require_administrator(request: HttpRequest, project: Project) -> None:
    """Who may look but not write is told so (403)."""
    if not administers(request, project):
        raise PermissionDenied


def act_on_ticked(
    request: HttpRequest, invoices: "QuerySet[Any, Any]", only: list[int] | None = None
) -> None:
    """Do what the pressed button says to each ticked invoice, and tell how it went.

    ``only``: to these, because the page is about them.
    """
    action, ids = _action(request), set(only or _ids(request))
    if action is None or not ids:
        messages.error(request, NONE_CHOSEN if action else NO_SUCH_ACTION)
        return
    found = list(invoices.filter(pk__in=ids).order_by("pk"))
    batch = for_each(found, action.act)
    if batch.done:
        messages.success(request, f"{_counted(batch.done)} {action.past}.")
    for invoice, reason in batch.refused:
        messages.error(request, f"{invoice.invoice_number} was not {action.past}: {reason}")
    if missing := len(ids) - len(found):
        messages.warning(request, NOT_THERE.format(number=missing))


def _action(request: HttpRequest) -> Action | None:
    by: User = request.user  # type: ignore[assignment]  # login_required
    status = request.POST.get("status", "")
    actions = {
        "send": Action(lambda invoice: send_to_erp(invoice=invoice, by=by), "sent to the ERP"),
        "retrieve": Action(
            lambda invoice: retrieve_from_erp(invoice=invoice, by=by), "retrieved from the ERP"
        ),
    }
    if status in InvoiceStatus.values:
        actions["status"] = Action(
            lambda invoice: set_status(invoice=invoice, status=status, by=by),
            f"changed to {InvoiceStatus(status).label}",
        )
    return actions.get(request.POST.get("action", ""))


def _ids(request: HttpRequest) -> set[int]:
    ticked = request.POST.getlist("invoice")
    return {int(each) for each in ticked if each.isascii() and each.isdecimal() and len(each) < 19}


def _counted(invoices: Iterable[SubcontractorInvoice]) -> str:
    """``ACME-1 was``, ``5 invoices were``."""
    numbers = [each.invoice_number for each in invoices]
    return f"{numbers[0]} was" if len(numbers) == 1 else f"{len(numbers)} invoices were"
