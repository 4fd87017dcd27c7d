"""The subcontractor invoices of a project, all commitments together (domain sheet §3.2)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from commitments import extensions
from commitments.erp_states import erp_tool_is_on
from commitments.exports import csv_response
from commitments.invoice_actions import (
    BulkBar,
    act_on_ticked,
    administers,
    require_administrator,
)
from commitments.invoice_filters import ProjectInvoiceFilter
from commitments.invoice_list import InvoiceRow
from commitments.models import Commitment, SubcontractorInvoice
from commitments.pages import open_project
from projects.models import Project
from projects.money import ZERO, MoneyField, rounded
from projects.paging import KeysetPage, keyset_page

NONE_YET = (
    "No invoice that you may see yet. Administrators of Commitments add them on the Invoices tab "
    "of a commitment."
)
NONE_FOUND = "No invoice fits these filters. Clear them to see all invoices."
ORDER = ("-billing_date", "-pk")
EXPORT_HEADER = (
    *("Invoice #", "Invoice Status", "Contract Company", "Billing Period", "Billing Date"),
    *("Currency", "Gross Amount", "Net Amount", "Paid Amount", "Payment Status", "Contract"),
    *("% Complete", "ERP Status", "ERP ID", "ERP error or reason"),
)


class ProjectInvoiceRow(InvoiceRow):
    """One line of the list."""

    @property
    def currency(self) -> str:
        return str(self.invoice.commitment.currency)

    @property
    def contract_url(self) -> str:
        place = [self.invoice.project_id, self.invoice.commitment_id]
        return reverse("commitments:invoices", args=place)


@dataclass(frozen=True)
class Total:
    """What all filtered invoices of one currency come to; None is not added up."""

    currency: str
    gross: Decimal | None
    net: Decimal
    paid: Decimal | None


@login_required
@require_GET
def invoice_list(request: HttpRequest, project_id: int) -> HttpResponse:
    """Every invoice that the person may see, newest billing date first."""
    project = open_project(request, project_id)
    found = _found(request, project)
    page = _page(request, found.qs)
    is_admin = administers(request, project)
    tool_is_on = is_admin and erp_tool_is_on(project.pk)
    rows = [ProjectInvoiceRow(each, tool_is_on=tool_is_on) for each in page]
    url = reverse("commitments:project_invoices_act", args=[project.pk])
    context = {
        "project": project,
        "company": project.company,
        "filter": found,
        "page": page,
        "rows": rows,
        "totals": totals(found.qs, in_full=page.total.is_exact),
        "bulk": BulkBar(url, list(rows), tool_is_on) if is_admin else None,
        "empty": NONE_FOUND if found.is_filtering else NONE_YET,
        "page_url": reverse("commitments:project_invoices", args=[project.pk]),
        "export_url": reverse("commitments:project_invoices_export", args=[project.pk]),
    }
    return render(request, "commitments/project_invoices.html", context)


@login_required
@require_POST
def act(request: HttpRequest, project_id: int) -> HttpResponse:
    """Send, retrieve, or change the status of the ticked invoices."""
    project = open_project(request, project_id)
    require_administrator(request, project)
    act_on_ticked(request, _visible(request, project))
    url = reverse("commitments:project_invoices", args=[project.pk])
    return redirect(f"{url}?{request.GET.urlencode()}")


@login_required
@require_GET
def export(request: HttpRequest, project_id: int) -> HttpResponseBase:
    """The filtered list, for a spreadsheet."""
    project = open_project(request, project_id)
    rows = with_amounts(_found(request, project).qs).order_by(*ORDER)
    lines = (_line(ProjectInvoiceRow(each)) for each in rows.iterator(chunk_size=1000))
    return csv_response(name="invoices", project=project, header=EXPORT_HEADER, rows=lines)


def with_amounts(rows: "QuerySet[Any, Any]") -> "QuerySet[Any, Any]":
    """Adds what a line shows besides its own fields: what was billed this time, and paid."""
    related = rows.select_related("commitment__vendor", "billing_period")
    shown: QuerySet[Any, Any] = related.annotate(gross=_gross(), paid=extensions.paid_on("invoice"))
    return shown


def totals(rows: "QuerySet[Any, Any]", *, in_full: bool) -> list[Total]:
    """One per currency, added up by the database over all rows, not only this page's.

    Gross and paid ask for other rows of each invoice: ``in_full`` only where those are few.
    """
    sums = {"net_sum": Sum("current_payment_due")}
    amounts = rows.order_by()
    if in_full:
        amounts = amounts.annotate(gross=_gross(), paid=extensions.paid_on("invoice"))
        sums |= {"gross_sum": Sum("gross"), "paid_sum": Sum("paid")}
    found = amounts.values(currency=F("commitment__currency")).annotate(**sums)
    return [
        Total(each["currency"], each.get("gross_sum"), each["net_sum"], each.get("paid_sum"))
        for each in found.order_by("currency")
    ]


def _gross() -> Any:
    """What was completed and stored since the invoice before, retainage not yet taken off."""
    earlier = SubcontractorInvoice.objects.filter(
        commitment=OuterRef("commitment"), position__lt=OuterRef("position")
    ).order_by("-position")
    before = Subquery(earlier.values("total_completed_and_stored_to_date")[:1])
    return F("total_completed_and_stored_to_date") - Coalesce(
        before, ZERO, output_field=MoneyField()
    )


def _page(request: HttpRequest, rows: "QuerySet[Any, Any]") -> KeysetPage:
    return keyset_page(request, with_amounts(rows), ORDER, counted=rows)


def _visible(request: HttpRequest, project: Project) -> "QuerySet[Any, Any]":
    """All but those of commitments that the person may not see.

    The hidden ones are few and asked for first: a list of 100,000 invoices then needs no join.
    """
    here = Commitment.objects.filter(project=project)
    seen = Commitment.objects.for_user(request.user).values("pk")
    hidden = list(here.exclude(pk__in=seen).values_list("pk", flat=True))
    rows: QuerySet[Any, Any] = SubcontractorInvoice.objects.filter(project=project)
    return rows.exclude(commitment_id__in=hidden) if hidden else rows


def _found(request: HttpRequest, project: Project) -> ProjectInvoiceFilter:
    return ProjectInvoiceFilter(request.GET, project=project, visible=_visible(request, project))


def _line(row: ProjectInvoiceRow) -> tuple[object, ...]:
    """One line of the CSV file, in the order of ``EXPORT_HEADER``."""
    invoice, currency = row.invoice, row.currency
    amounts = (invoice.gross, invoice.current_payment_due, invoice.paid)
    return (
        invoice.invoice_number,
        invoice.get_status_display(),
        invoice.commitment.vendor.name,
        str(invoice.billing_period or ""),
        invoice.billing_date,
        currency,
        *(rounded(amount, currency) for amount in amounts),
        row.payment_status,
        str(invoice.commitment),
        row.percent_complete,
        invoice.get_erp_status_display(),
        invoice.origin_code,
        invoice.erp_message,
    )
