"""What an invoice needs before it can become a bill in the ERP (domain sheet §3.6, §1.4).

Asked by the approver's page, the invoice's checklist and, once more, by the job
itself: minutes lie between them.
"""

import datetime as dt
from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.models import DirectoryKind, ErpConnection
from erp_integrations.providers.contract import Capabilities
from erp_integrations.providers.registry import find_provider
from projects.models import Project, Vendor


class Requirement(NamedTuple):
    """``needed`` says what has to be, done or not; ``missing`` what is wrong when it is not.

    ``url`` leads to the place that cures it, for people who see the company's
    whole tool; empty where there is none.
    """

    code: str
    is_met: bool
    needed: str
    missing: str
    url: str = ""
    label: str = ""


#: a bill is booked within reach of today; anything else is a typing error
FURTHEST = dt.timedelta(days=3 * 366)
NO_NUMBER = "Invoice ID can't be blank."
LONG_NUMBER = (
    "Invoice ID cannot be more than {length} characters in {erp}; “{number}” has {count}. "
    "Shorten it."
)
NO_DATE = "Please choose a date for the accounting date of invoice {number}."
ODD_DATE = "The accounting date {date:%m/%d/%Y} is years away. Please choose a date."
NO_CONNECTION = "No ERP is connected to this company. An administrator can connect one."


def obstacles_to_export(
    invoice: SubcontractorInvoice, connection: ErpConnection | None
) -> list[Requirement]:
    """What is missing; empty when the invoice can go out.

    No query for an invoice with its ``project`` and ``commitment__vendor``.
    """
    return [each for each in requirements(invoice, connection) if not each.is_met]


def requirements(
    invoice: SubcontractorInvoice, connection: ErpConnection | None
) -> list[Requirement]:
    """Everything that this ERP asks for, met or not."""
    if connection is None:
        return [Requirement("connection", False, "An ERP is connected.", NO_CONNECTION)]
    return [*_of_connection(connection), *_of_links(invoice, connection), *_of_invoice(invoice)]


def _of_connection(connection: ErpConnection) -> list[Requirement]:
    name, stopped = connection.name, connection.stopped_reason
    return [
        Requirement(
            "erp",
            capabilities_of(connection).export_bills,
            f"{name} takes bills from other programs.",
            f"{name} takes no bills from other programs. Enter the bill there, then link it.",
        ),
        Requirement(
            "connection",
            connection.is_active and not connection.stopped_at,
            f"The connection to {name} is switched on and works.",
            f"The connection to {name} has stopped: {stopped}"
            if connection.stopped_at
            else f"The connection to {name} is switched off.",
        ),
        Requirement(
            "feature",
            connection.export_subcontractor_invoices,
            "Export Subcontractor Invoices is switched on.",
            "Export Subcontractor Invoices is switched off. An administrator of ERP Integrations "
            "can switch it on.",
        ),
    ]


def _of_links(invoice: SubcontractorInvoice, connection: ErpConnection) -> list[Requirement]:
    offered, name = capabilities_of(connection), connection.name
    vendor, commitment, project = invoice.commitment.vendor, invoice.commitment, invoice.project
    links = [
        Requirement(
            "vendor",
            vendor.has_origin,
            f"{vendor} is linked to a vendor in {name}.",
            f"{vendor} is not linked to a vendor in {name}.",
            _record(DirectoryKind.VENDORS, vendor),
            "Link the company",
        )
    ]
    if offered.jobs and (offered.bills_need_links or project.has_origin):
        links.append(
            Requirement(
                "project",
                project.has_origin,
                f"Project {project} is linked to a job in {name}.",
                f"Project {project} is not linked to a job in {name}.",
                _record(DirectoryKind.JOBS, project),
                "Link the project",
            )
        )
    if offered.commitments and (offered.bills_need_links or commitment.has_origin):
        links.append(
            Requirement(
                "commitment",
                commitment.has_origin,
                f"Commitment {commitment.number} is linked to its counterpart in {name}.",
                f"Commitment {commitment.number} is not linked to a commitment in {name}.",
                _record(DirectoryKind.COMMITMENTS, commitment),
                "Link the commitment",
            )
        )
    return links


def _of_invoice(invoice: SubcontractorInvoice) -> list[Requirement]:
    status = invoice.get_status_display()
    return [
        Requirement(
            "status",
            invoice.is_sendable,
            "It is Approved, Approved as Noted or Pending Owner Approval.",
            f"It is {status} by now. Reject it, so that the project can approve it and send it "
            f"again.",
        ),
        Requirement(
            "amount",
            invoice.current_payment_due > 0,
            "Its payment due is above zero.",
            "Its payment due is not above zero, so there is no bill to make.",
        ),
    ]


def capabilities_of(connection: ErpConnection) -> Capabilities:
    """What the connection's ERP can do; nothing where its provider is not installed."""
    provider = find_provider(connection.provider)
    return provider.capabilities if provider else Capabilities(payment_sync=False)


def longest_number(connection: ErpConnection) -> int:
    """How long an ERP ID may be; as the invoice's own number it has to fit there too."""
    return min(
        capabilities_of(connection).bill_number_length,
        SubcontractorInvoice._meta.get_field("invoice_number").max_length or 0,
    )


def problem_with_entry(
    invoice: SubcontractorInvoice,
    connection: ErpConnection,
    *,
    erp_number: str,
    accounting_date: dt.date | None,
) -> str:
    """What is wrong with what the approver entered; empty when nothing is."""
    if not erp_number:
        return NO_NUMBER
    length = longest_number(connection)
    if len(erp_number) > length:
        return LONG_NUMBER.format(
            length=length, erp=connection.name, number=erp_number, count=len(erp_number)
        )
    if accounting_date is None:
        return NO_DATE.format(number=invoice.invoice_number)
    if abs(accounting_date - timezone.localdate()) > FURTHEST:
        return ODD_DATE.format(date=accounting_date)
    return ""


def _record(kind: DirectoryKind, record: Vendor | Project | Commitment) -> str:
    """The page on which this record is linked."""
    return reverse(
        "erp_integrations:company_directory_record",
        args=[record.company_id, kind.value, record.pk],
    )
