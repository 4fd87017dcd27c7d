"""A company of any size for ``bench.pages``, with the addresses of its list pages."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from commitments.models import Commitment, CommitmentEvent, SubcontractorInvoice
from erp_integrations.models import ErpConnection, RunState, RunTrigger, SyncRun
from payments.models import Payment
from projects.access import Level, Tool
from projects.models import Company, ErpStatus, Project, ProjectTool, User, Vendor
from projects.paging import Keyset
from projects.services import grant_level, set_accounting_approver

BATCH = 5_000
INVOICES_A_COMMITMENT, COMMITMENTS_A_PROJECT = 50, 10
#: this part of all invoices belongs to one commitment
BIG = 10
FIRST_DAY = dt.date(2020, 1, 1)
DUE = Decimal("1250.00")
STATES = (ErpStatus.SYNCED, ErpStatus.SYNCED, ErpStatus.NOT_SENT, ErpStatus.SENT, ErpStatus.FAILED)


@dataclass(frozen=True)
class BenchCompany:
    people: dict[str, User]
    #: name of the page: who asks for it, and its address
    pages: dict[str, tuple[str, str]]


def make_company(name: str, invoices: int) -> BenchCompany:
    """``invoices`` invoices with two payments each, and an event and a run for some of them."""
    company = Company.objects.create(name=name)
    erp = ErpConnection.objects.create(
        company=company, name="Bench", provider="tryton", export_subcontractor_invoices=True
    )
    commitments = _commitments(company, invoices)
    _invoices(commitments, invoices)
    _payments(commitments[0])
    _runs(erp, max(invoices // 10, 60))
    people = _people(company)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return BenchCompany(people, _pages(company, commitments[0]))


def _commitments(company: Company, invoices: int) -> list[Commitment]:
    number = max(invoices // INVOICES_A_COMMITMENT, 2)
    projects = Project.objects.bulk_create(
        Project(company=company, number=f"P-{each:04}", name=f"Riverside {each}")
        for each in range(max(number // COMMITMENTS_A_PROJECT, 2))
    )
    ProjectTool.objects.bulk_create(
        ProjectTool(company=company, project=project, tool=tool)
        for project in projects
        for tool in Tool
    )
    vendors = Vendor.objects.bulk_create(
        Vendor(company=company, name=f"Vendor {each}", origin_id=f"V-{each}")
        for each in range(max(number // 5, 2))
    )
    return Commitment.objects.bulk_create(
        Commitment(
            company=company,
            project=projects[each % len(projects)],
            vendor=vendors[each % len(vendors)],
            kind="subcontract",
            number=f"SC-{each:05}",
            title="Structural concrete",
            status="Approved",
            is_private=each % 7 == 3,
        )
        for each in range(number)
    )


def _invoices(commitments: list[Commitment], number: int) -> None:
    amounts = dict.fromkeys(
        ("original_contract_sum", "contract_sum_to_date", "total_completed_and_stored_to_date",
         "total_earned_less_retainage", "current_payment_due"), DUE,
    )  # fmt: skip

    def made() -> Iterator[SubcontractorInvoice]:
        for each in range(number):
            commitment = commitments[0 if each % BIG == 0 else each % len(commitments)]
            state = STATES[each % len(STATES)]
            yield SubcontractorInvoice(
                company=commitment.company,
                project=commitment.project,
                commitment=commitment,
                position=each + 1,
                invoice_number=f"ACME-{each}",
                status="approved",
                billing_date=FIRST_DAY + dt.timedelta(days=each % 2000),
                erp_status=state,
                origin_id=f"B-{each}" if state == ErpStatus.SYNCED else "",
                **amounts,
            )

    _store(SubcontractorInvoice, made())


#: two of each invoice, the second one synced
PAYMENTS = """
INSERT INTO payments_payment (
    company_id, project_id, commitment_id, invoice_id, amount, currency, method, date,
    payment_number, invoice_number, check_number, notes, status, void_reason,
    origin_id, origin_code, origin_data, created_at, updated_at)
SELECT i.company_id, i.project_id, i.commitment_id, i.id, 312.50, 'USD', 'check', i.billing_date,
    'PAY-' || i.id || '-' || part, i.invoice_number, 'CHK-' || i.id, '', 'issued', '',
    CASE part WHEN 2 THEN 'L-' || i.id ELSE '' END, '', '', now(), now()
FROM commitments_subcontractorinvoice i, generate_series(1, 2) part
WHERE i.company_id = %s
"""
EVENTS = """
INSERT INTO payments_paymentevent (company_id, commitment_id, payment_id, label, kind, at, changes)
SELECT company_id, commitment_id, id, 'Payment ' || id, 'created', now(), '{}'
FROM payments_payment WHERE company_id = %s
"""


def _payments(commitment: Commitment) -> None:
    """As the sync writes them: many in one statement."""
    company = commitment.company
    with connection.cursor() as cursor:
        cursor.execute(PAYMENTS, [company.pk])
        cursor.execute(EVENTS, [company.pk])
    CommitmentEvent.objects.create(
        company=company, commitment=commitment, subject="Settings", summary="Changed"
    )


def _runs(erp: ErpConnection, number: int) -> None:
    now = timezone.now()
    _store(
        SyncRun,
        (
            SyncRun(
                company=erp.company, connection=erp, trigger=RunTrigger.SCHEDULE, queued_at=now,
                state=RunState.SUCCEEDED, finished_at=now, started_at=now,
            )
            for _ in range(number)
        ),
    )  # fmt: skip


def _store(model: Any, rows: Iterable[Any]) -> None:
    """In portions, so that the memory stays small."""
    waiting = iter(rows)
    while portion := list(islice(waiting, BATCH)):
        model.objects.bulk_create(portion)


def _people(company: Company) -> dict[str, User]:
    """A reader with a grant on each project by itself, and an accounting approver."""
    people = {
        who: User.objects.create(username=f"{who} of {company}") for who in ("reader", "approver")
    }
    for project in company.projects.all():
        grant_level(user=people["reader"], tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=project)
    set_accounting_approver(user=people["approver"], company=company, is_approver=True)
    return people


def _pages(company: Company, big: Commitment) -> dict[str, tuple[str, str]]:
    payments = reverse("payments:company", args=[company.pk])
    invoices = reverse("erp_integrations:company_subcontractor_invoices", args=[company.pk])
    of_project = reverse("erp_integrations:project_subcontractor_invoices", args=[big.project_id])
    runs = reverse("erp_integrations:company_runs", args=[company.pk])
    place = [big.project_id, big.pk]
    return {
        "Portfolio": ("reader", "/"),
        "Commitments": ("reader", reverse("commitments:list", args=[big.project_id])),
        "Subcontractor invoices of a project": (
            "reader",
            reverse("commitments:project_invoices", args=[big.project_id]),
        ),
        "Commitment: General": ("reader", reverse("commitments:general", args=place)),
        "Commitment: Invoices": ("reader", reverse("commitments:invoices", args=place)),
        "Commitment: Payments Issued": ("reader", reverse("payments:payments_issued", args=place)),
        "Commitment: Change History": ("reader", reverse("commitments:history", args=place)),
        "All payments": ("reader", payments),
        "All payments, in the middle": ("reader", payments + _middle(Payment, company, "date")),
        "All payments of a project": ("reader", f"{payments}?project={big.project_id}"),
        "All payments of a vendor": ("reader", f"{payments}?vendor={big.vendor_id}"),
        "All payments, by check": ("reader", f"{payments}?check=CHK-77"),
        "All payments, by words": ("reader", f"{payments}?q=vendor+concrete"),
        "ERP: Subcontractor Invoices": ("approver", invoices),
        "ERP: Subcontractor Invoices, in the middle": (
            "approver",
            invoices + _middle(SubcontractorInvoice, company, "billing_date"),
        ),
        "ERP: Ready to Export": ("approver", f"{invoices}?view=ready"),
        "ERP: invoices, by words": ("approver", f"{invoices}?q=acme-77"),
        "ERP: invoices of a project": ("approver", of_project),
        "ERP: Sync history": ("approver", runs),
    }


def _middle(model: Any, company: Company, date: str) -> str:
    """The address of the page half-way down."""
    rows = model.objects.filter(company=company).order_by(f"-{date}", "-pk")
    position = rows.count() // 2
    row = rows[position]
    order = (f"-{date}", "-pk")
    keyset = Keyset([rows], order, lambda row: [getattr(row, date), row.pk])
    return f"?after={keyset.token(row, position)}"
