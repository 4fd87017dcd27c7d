"""A day of an accountant, from five invoices to books that agree, in one go.

The project is the day's own, so that what other tests do elsewhere does not
show in its books.
"""

import datetime as dt
import re
from decimal import Decimal
from typing import NamedTuple

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from commitments.models import Commitment, InvoiceStatus, SubcontractorInvoice
from payments.models import Payment
from projects.access import Tool
from projects.models import Company, ErpStatus, Project, Vendor
from projects.services import set_tool
from tests.browser import look
from tests.browser.conftest import Open, Site
from tests.erp_integrations.providers.contract_suite import Bill
from tests.factories import CommitmentFactory, InvoiceFactory
from tests.live_tryton import LISTING, LiveBooks

AMOUNTS = ("4210.10", "1380.25", "907.65", "2500.00", "1002.00")
#: there is no fiscal year in the ERP for it
CLOSED, OPEN = "2025-12-31", "2026-11-16"


class Day(NamedTuple):
    project: Project
    commitment: Commitment
    numbers: list[str]

    @property
    def invoices(self) -> list[SubcontractorInvoice]:
        return list(self.commitment.invoices.order_by("position"))

    @property
    def bills(self) -> list[Bill]:
        return [Bill(each.origin_id, each.origin_code) for each in self.invoices]

    def in_state(self, state: ErpStatus) -> int:
        return self.commitment.invoices.filter(erp_status=state).count()

    def page(self, name: str) -> str:
        return reverse(f"erp_integrations:project_{name}", args=[self.project.pk])


@pytest.fixture
def day(synced: Site, erp: LiveBooks) -> Day:
    """A job that the ERP knows, a purchase order of it, and five invoices under review."""
    company = Company.objects.get(name="Northstar General Contractors")
    job = next(each for each in LISTING["jobs"] if each["code"] == "2026-044")
    project, _ = Project.objects.update_or_create(
        company=company,
        number=job["code"],
        defaults={"name": job["name"], "origin_id": str(job["id"]), "origin_code": job["code"]},
    )
    for tool in Tool:
        set_tool(project=project, tool=tool, is_active=True)
    reference = f"SC-{next(LiveBooks.numbers)}"
    commitment = CommitmentFactory(
        project=project,
        number=reference,
        title="Interior framing",
        vendor=Vendor.objects.get(company=company, name="Keystone Drywall Co"),
        origin_id=erp.order(reference, "10000.00"),
        origin_code=reference,
        erp_status=ErpStatus.SYNCED,
    )
    numbers = [f"KEY-{next(LiveBooks.numbers)}" for _ in AMOUNTS]
    for position, (number, amount) in enumerate(zip(numbers, AMOUNTS, strict=True), start=1):
        InvoiceFactory(
            commitment=commitment,
            position=position,
            invoice_number=number,
            status=InvoiceStatus.UNDER_REVIEW,
            billing_date=dt.date(2026, 11, 16),
            due=Decimal(amount),
        )
    return Day(project, commitment, numbers)


def tick(page: Page, numbers: list[str]) -> None:
    for number in numbers:
        page.get_by_role("checkbox", name=f"Invoice {number}", exact=True).check()


def approve_and_send(page: Page, site: Site, day: Day) -> None:
    page.goto(site.url + reverse("commitments:project_invoices", args=[day.project.pk]))
    tick(page, day.numbers)
    page.get_by_label("New status").select_option(label="Approved")
    page.get_by_role("button", name="Change status").click()
    expect(page.get_by_role("status").first).to_contain_text("5 invoices")
    tick(page, day.numbers)
    page.get_by_role("button", name="Send to ERP").click()
    expect(page.get_by_role("status").first).to_contain_text("5 invoices")
    assert day.in_state(ErpStatus.SENT) == 5


def export(page: Page, numbers: list[str], **dates: str) -> None:
    """Tick them, date some otherwise, and export."""
    tick(page, numbers)
    for number, date in dates.items():
        field = page.get_by_label(f"Accounting date of invoice {number}")
        field.fill(date)
    page.get_by_role("button", name="Export", exact=True).click()


def ends(day: Day, *, synced: int, failed: int) -> None:
    look.wait_until(
        lambda: (day.in_state(ErpStatus.SYNCED), day.in_state(ErpStatus.FAILED)) == (synced, failed)
    )


def paid(day: Day) -> Decimal:
    rows = Payment.objects.filter(commitment=day.commitment).counted()
    return sum(rows.values_list("amount", flat=True), Decimal(0))


def compare(page: Page, site: Site, day: Day) -> Locator:
    """Compare both books; the row of their totals."""
    page.goto(site.url + day.page("reconciliation"))
    page.get_by_role("button", name="Compare now").click()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    totals = page.get_by_role("region", name="Totals of both books").get_by_role("row").nth(1)
    expect(totals).to_be_visible()
    return totals


def test_an_accountants_day_ends_with_books_that_agree(
    synced: Site, erp: LiveBooks, day: Day, open_as: Open
) -> None:
    page = open_as("accountant")
    wrong = day.numbers[2]
    approve_and_send(page, synced, day)

    page.goto(synced.url + day.page("subcontractor_invoices") + "?view=ready")
    export(page, day.numbers, **{wrong: CLOSED})
    ends(day, synced=4, failed=1)

    page.goto(synced.url + day.page("subcontractor_invoices") + "?view=failed")
    failed = look.row(page, wrong)
    expect(failed).to_contain_text("period")
    export(page, [wrong], **{wrong: OPEN})
    ends(day, synced=5, failed=0)
    assert len({each.remote_id for each in day.bills}) == 5

    first, second = day.bills[:3], day.bills[3:]
    voided = erp.pay(*zip(first, AMOUNTS[:3], strict=True))
    kept = erp.pay(*zip(second, AMOUNTS[3:], strict=True))
    page.goto(synced.url + day.page("subcontractor_invoices"))
    look.press_sync(page)
    assert paid(day) == sum(map(Decimal, AMOUNTS)) == Decimal("10000.00")
    page.goto(synced.url + look.payments_page(day.commitment.number))
    assert look.grand_total(page) == Decimal("10000.00")
    expect(page.get_by_role("row").filter(has_text=voided)).to_have_count(3)

    erp.void(voided)
    totals = compare(page, synced, day)
    expect(totals).to_contain_text("($6,498.00)")
    page.goto(synced.url + day.page("subcontractor_invoices"))
    look.press_sync(page)
    page.goto(synced.url + look.payments_page(day.commitment.number))
    assert look.grand_total(page) == Decimal("3502.00")
    expect(page.get_by_text(re.compile("Voided"))).not_to_have_count(0)
    expect(page.get_by_role("row").filter(has_text=kept)).to_have_count(2)

    totals = compare(page, synced, day)
    expect(totals.get_by_role("cell")).to_have_text(
        ["$3,502.00", "$3,502.00", "$0.00", "$0.00", "$0.00", "5", "0"]
    )
