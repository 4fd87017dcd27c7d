"""All payments of a company, over its projects: what one person may see of them."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from commitments.exports import csv_response, xlsx_response
from payments.filters import CompanyPaymentFilter
from payments.rows import NEWEST_FIRST, PaymentRow, grand_totals, with_attachment_counts
from projects.models import Company
from projects.money import rounded
from projects.navigation import visible_companies
from projects.paging import BoundedCount, keyset_page

NONE_YET = (
    "No payment that you may see yet. You see payments of commitments that are open to you, where "
    "payments are enabled. They appear here by themselves after the next sync of the ERP."
)
NONE_FOUND = "No payment fits these filters. Clear them to see all payments."
#: writing a longer workbook takes minutes; the CSV file is sent while it is written
EXCEL_ROWS = 50_000
TOO_MANY = (
    f"An Excel file holds at most {EXCEL_ROWS:,} payments here. Narrow the filters, or take the "
    "CSV file, which has no limit."
)
EXPORT_HEADER = (
    *("ERP Status", "Project Number", "Project", "Commitment", "Title", "Contract Company"),
    *("Invoice", "Amount", "Currency", "Date Paid", "Payment Method", "Payment Number"),
    *("Invoice Number", "Check Number", "Notes", "Status", "Voided On", "Attachments"),
)


@login_required
@require_GET
def company_payments(request: HttpRequest, company_id: int) -> HttpResponse:
    """Every payment of the company that the person may see, newest first."""
    company = _company(request, company_id)
    found = CompanyPaymentFilter(request.GET, company=company, person=request.user)
    totals = grand_totals(found.qs)
    number = BoundedCount(sum(each.rows for each in totals))
    page = keyset_page(request, _shown(found.qs), NEWEST_FIRST, total=number)
    context = {
        "company": company,
        "filter": found,
        "page": page,
        "rows": [PaymentRow(each, each.commitment) for each in page],
        "totals": totals,
        "empty": NONE_FOUND if found.is_filtering else NONE_YET,
        "page_url": reverse("payments:company", args=[company.pk]),
        "csv_url": reverse("payments:company_csv", args=[company.pk]),
        "xlsx_url": reverse("payments:company_xlsx", args=[company.pk]),
        "too_many": TOO_MANY if number.number > EXCEL_ROWS else "",
    }
    return render(request, "payments/company.html", context)


@login_required
@require_GET
def company_csv(request: HttpRequest, company_id: int) -> HttpResponseBase:
    """The filtered rows as a CSV file."""
    lines = _lines(request, _company(request, company_id))
    return csv_response(name="payments", header=EXPORT_HEADER, rows=lines)


@login_required
@require_GET
def company_xlsx(request: HttpRequest, company_id: int) -> HttpResponseBase:
    """The filtered rows as a workbook of Excel; too many lead back to the page that says so."""
    company = _company(request, company_id)
    found = CompanyPaymentFilter(request.GET, company=company, person=request.user)
    if found.qs[EXCEL_ROWS:].exists():
        page = reverse("payments:company", args=[company.pk])
        return redirect(f"{page}?{request.GET.urlencode()}")
    return xlsx_response(name="payments", header=EXPORT_HEADER, rows=_lines(request, company))


def _company(request: HttpRequest, company_id: int) -> Company:
    found: Company = get_object_or_404(visible_companies(request.user), pk=company_id)
    return found


def _shown(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With everything that a row shows."""
    shown = rows.select_related("invoice", "commitment__project", "commitment__vendor")
    return with_attachment_counts(shown)


def _lines(request: HttpRequest, company: Company) -> Iterator[tuple[object, ...]]:
    found = CompanyPaymentFilter(request.GET, company=company, person=request.user)
    rows = _shown(found.qs).order_by(*NEWEST_FIRST)
    return (_line(PaymentRow(each, each.commitment)) for each in rows.iterator())


def _line(row: PaymentRow) -> tuple[object, ...]:
    payment, commitment = row.payment, row.commitment
    return (
        row.erp_state,
        commitment.project.number,
        commitment.project.name,
        commitment.number,
        commitment.title,
        commitment.vendor.name,
        row.invoice_text,
        rounded(payment.amount, payment.currency),
        payment.currency,
        payment.date,
        payment.get_method_display(),
        payment.payment_number,
        payment.invoice_number,
        payment.check_number,
        payment.notes,
        payment.get_status_display(),
        payment.voided_on,
        payment.attachment_count,
    )
