"""Where an invoice stands on its way to the ERP (domain sheet §1.4 and Appendix A).

::

    not sent ──send──▶ sent ──retrieve──▶ retrieved ──send──▶ …
                        │ ├──reject──▶ rejected ──send──▶ …
                        │ └──accept──▶ exporting ──▶ synced        (erp_links)
                        │                   └──────▶ failed ──accept or reject──▶ …

Every step locks the row and looks again: of two people, or two clicks, one wins
and the other reads who was first. Who may do it is asked here too, so that no
road around it is left open.
"""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal

from commitments.models import CommitmentEvent, SubcontractorInvoice
from projects.access import Level, Person, Tool
from projects.models import Company, ErpStatus, Project, User

#: sent with ``invoice_id`` and ``sent_by_id`` after the commit that sent an invoice
invoice_was_sent = Signal()
#: sent with ``invoice`` and ``by`` in the transaction that rejected it
invoice_was_rejected = Signal()
#: by which the history knows who sent an invoice
SENT_SUMMARY = "Sent to the ERP"

ACCEPTABLE_STATES = (ErpStatus.SENT, ErpStatus.FAILED)

NOT_APPROVED = (
    "It is {status}. Only invoices that are Approved, Approved as Noted or Pending Owner Approval "
    "can be sent."
)
NO_NUMBER = "It has no invoice number. Give it one first."
NO_TOOL = "ERP Integrations is switched off on project {project}."
NOT_ADMIN = "Only administrators of Commitments on this project can do this."
#: why an invoice in these states cannot be sent
NOT_NOW: dict[str, str] = {
    ErpStatus.SENT: "It was sent already and waits for an accounting approver.",
    ErpStatus.EXPORTING: "The ERP is receiving it now.",
    ErpStatus.FAILED: "Its export failed. An accounting approver tries again or rejects it.",
    ErpStatus.SYNCED: "It is synced with the ERP already.",
}
NOT_APPROVER = (
    "Only accounting approvers with Standard on the project's ERP Integrations tool can do this."
)
CHANGED = "It is {state} by now, so this was not done."
NO_REASON = "Say why, so that whoever sent it knows what to change."
LONGEST_REASON = 500


@transaction.atomic
def send_to_erp(*, invoice: SubcontractorInvoice, by: User) -> SubcontractorInvoice:
    """Hand the invoice to the accounting approvers. Raises ``ValidationError`` with the reason."""
    invoice = _locked(invoice)
    _require_administrator(invoice, by)
    check_sendable(invoice)
    _move(invoice, ErpStatus.SENT, by=by, summary=SENT_SUMMARY)
    sent: dict[str, int] = {"invoice_id": invoice.pk, "sent_by_id": by.pk}
    transaction.on_commit(lambda: invoice_was_sent.send(SubcontractorInvoice, **sent))
    return invoice


def check_sendable(invoice: SubcontractorInvoice) -> None:
    """Raises ``ValidationError`` with why the invoice cannot be sent now."""
    is_on = erp_tool_is_on(invoice.project_id)
    if obstacle := obstacle_to_sending(invoice, tool_is_on=is_on):
        raise ValidationError(obstacle)


def erp_tool_is_on(project_id: int) -> bool:
    """Whether the project has the ERP Integrations tool."""
    return Project.objects.with_tool(Tool.ERP_INTEGRATIONS).filter(pk=project_id).exists()


def obstacle_to_sending(invoice: SubcontractorInvoice, *, tool_is_on: bool) -> str:
    """Why it cannot be sent, in one sentence; empty when it can. Costs no query."""
    if invoice.erp_status in NOT_NOW:
        return NOT_NOW[invoice.erp_status]
    if not invoice.is_sendable:
        return NOT_APPROVED.format(status=invoice.get_status_display())
    if not invoice.invoice_number:
        return NO_NUMBER
    return "" if tool_is_on else NO_TOOL.format(project=invoice.project)


@transaction.atomic
def retrieve_from_erp(*, invoice: SubcontractorInvoice, by: User) -> SubcontractorInvoice:
    """Take it back before an approver has answered."""
    invoice = _locked(invoice)
    _require_administrator(invoice, by)
    _require_state(invoice, [ErpStatus.SENT])
    return _move(invoice, ErpStatus.RETRIEVED, by=by, summary="Retrieved from the ERP")


@transaction.atomic
def reject(*, invoice: SubcontractorInvoice, reason: str, by: User) -> SubcontractorInvoice:
    """Give it back to the project with a reason; it can be changed and sent again."""
    invoice, reason = _locked(invoice), reason.strip()[:LONGEST_REASON]
    require_approver(invoice, by)
    _require_state(invoice, ACCEPTABLE_STATES)
    if not reason:
        raise ValidationError(NO_REASON)
    _move(invoice, ErpStatus.REJECTED, by=by, summary="Rejected", message=reason)
    invoice_was_rejected.send(SubcontractorInvoice, invoice=invoice, by=by)
    return invoice


@transaction.atomic
def begin_export(
    *, invoice: SubcontractorInvoice, by: User, is_direct: bool = False
) -> SubcontractorInvoice:
    """Accept it: from here on a job brings it into the ERP. One of two approvers wins.

    ``is_direct``: whoever sent it exports it, because the company asks for no approver.
    """
    invoice = _locked(invoice)
    require_exporter(invoice, by, is_direct=is_direct)
    _require_state(invoice, ACCEPTABLE_STATES)
    summary = "Sent on to the ERP at once" if is_direct else "Accepted for export"
    return _move(invoice, ErpStatus.EXPORTING, by=by, summary=summary)


def require_exporter(invoice: SubcontractorInvoice, person: User, *, is_direct: bool) -> None:
    """Raises ``ValidationError`` unless the person may have the invoice exported."""
    if is_direct:
        _require_administrator(invoice, person)
    else:
        require_approver(invoice, person)


@transaction.atomic
def fail_export(*, invoice: SubcontractorInvoice, message: str) -> SubcontractorInvoice:
    """The export job could not bring it into the ERP; ``message`` says what to do."""
    invoice = _locked(invoice)
    _require_state(invoice, [ErpStatus.EXPORTING])
    message = message[:LONGEST_REASON]
    return _move(invoice, ErpStatus.FAILED, by=None, summary="Export failed", message=message)


def require_approver(invoice: SubcontractorInvoice, person: User) -> None:
    """Raises ``ValidationError`` unless the person accepts this invoice (§6, C4).

    That is an accounting approver of the company with Standard on the project's ERP Integrations.
    """
    if not person.is_active or not acceptable_by(person).filter(pk=invoice.pk).exists():
        raise ValidationError(NOT_APPROVER)


def acceptable_by(person: Person) -> QuerySet[SubcontractorInvoice]:
    """Invoices that this person may accept or reject, whatever their state."""
    projects = Project.objects.for_user(person, Tool.ERP_INTEGRATIONS, Level.STANDARD)
    approved = Company.objects.with_approver(person)
    return SubcontractorInvoice.objects.filter(project__in=projects, company__in=approved)


def record(
    invoice: SubcontractorInvoice,
    *,
    by: User | None,
    summary: str,
    changes: dict[str, list[str]] | None = None,
) -> CommitmentEvent:
    """One line in the history of the invoice and of its commitment."""
    return CommitmentEvent.objects.create(
        company_id=invoice.company_id,
        commitment_id=invoice.commitment_id,
        invoice=invoice,
        actor=by,
        subject=f"Invoice {invoice.invoice_number}",
        summary=summary,
        changes=changes or {},
    )


def _move(
    invoice: SubcontractorInvoice,
    state: ErpStatus,
    *,
    by: User | None,
    summary: str,
    message: str = "",
) -> SubcontractorInvoice:
    before = invoice.get_erp_status_display()
    invoice.erp_status, invoice.erp_message = state, message
    invoice.save(update_fields=["erp_status", "erp_message", "updated_at"])
    changes = {"ERP Status": [before, str(state.label)]}
    if message:
        changes["Reason"] = ["", message]
    record(invoice, by=by, summary=summary, changes=changes)
    return invoice


def _locked(invoice: SubcontractorInvoice) -> SubcontractorInvoice:
    rows = SubcontractorInvoice.objects.select_for_update(of=["self"])
    return rows.select_related("project", "commitment").get(pk=invoice.pk)


def _require_administrator(invoice: SubcontractorInvoice, person: User) -> None:
    visible = SubcontractorInvoice.objects.for_user(person, Level.ADMIN)
    if not person.is_active or not visible.filter(pk=invoice.pk).exists():
        raise ValidationError(NOT_ADMIN)


def _require_state(invoice: SubcontractorInvoice, states: Collection[str]) -> None:
    if invoice.erp_status not in states:
        state = invoice.get_erp_status_display()
        raise ValidationError(CHANGED.format(state=f"{state[:1].lower()}{state[1:]}"))
