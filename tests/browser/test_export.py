"""Invoices on their way into the running ERP: accepted, refused, mended, exported again."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from commitments.models import Commitment, SubcontractorInvoice
from projects.models import Company, ErpStatus, Vendor
from tests.browser import look
from tests.browser.conftest import Open, Site
from tests.factories import CommitmentFactory, InvoiceFactory
from tests.live_tryton import LISTING, LiveBooks, connect


def sent(commitment: Commitment, **fields: Any) -> SubcontractorInvoice:
    made: SubcontractorInvoice = InvoiceFactory(
        commitment=commitment,
        position=commitment.invoices.count() + 1,
        invoice_number=f"EXP-{uuid.uuid4().hex[:8]}",
        erp_status=ErpStatus.SENT,
        **fields,
    )
    return made


@pytest.fixture
def electrical(site: Site) -> Commitment:
    return Commitment.objects.get(number="SC-2024-002")


@pytest.fixture
def masonry(site: Site) -> Commitment:
    """On a vendor that the ERP has, and that nobody has linked yet."""
    project = Commitment.objects.get(number="SC-2024-002").project
    vendor, _ = Vendor.objects.update_or_create(
        company=project.company, name="Pine Ridge Masonry LLC", defaults={"origin_id": ""}
    )
    order = next(each for each in LISTING["purchase_orders"] if each["vendor_code"] == "V-PINE")
    existing = Commitment.objects.filter(company=project.company, origin_id=str(order["id"]))
    return existing.first() or CommitmentFactory(
        project=project, vendor=vendor, number="SC-2026-040", origin_id=str(order["id"])
    )


def ready(site: Site) -> str:
    company = Company.objects.get(erp_connection__isnull=False)
    page = reverse("erp_integrations:company_subcontractor_invoices", args=[company.pk])
    return f"{page}?view=ready"


def tick(page: Page, *invoices: SubcontractorInvoice) -> None:
    for invoice in invoices:
        page.get_by_role("checkbox", name=f"Invoice {invoice.invoice_number}").check()


def wait_for(invoice: SubcontractorInvoice, state: ErpStatus) -> None:
    def happened() -> bool:
        invoice.refresh_from_db()
        return invoice.erp_status == state

    look.wait_until(happened, 60)


def test_two_are_exported_one_fails_is_mended_and_exported_again(
    erp: LiveBooks, open_as: Open, site: Site, electrical: Commitment, masonry: Commitment
) -> None:
    one, two, unlinked = sent(electrical), sent(electrical), sent(masonry)
    page = open_as("accountant", ready(site).replace("ready", "all"))
    expect(page.get_by_role("button", name="Export")).to_be_disabled()
    tick(page, one, two, unlinked)
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_label(f"ERP ID of invoice {two.invoice_number}").fill(f"{two.invoice_number}-B")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text(f"On the way to the ERP: {one.invoice_number}")).to_be_visible()
    expect(page.get_by_text("is not linked to a vendor").first).to_be_visible()
    expect(page.get_by_text("on the way to Tryton")).to_have_count(0, timeout=60_000)
    for invoice in (one, two):
        wait_for(invoice, ErpStatus.SYNCED)
        row = page.locator(f"#invoice-{invoice.pk}")
        expect(row.get_by_role("img", name="Synced with the ERP")).to_be_visible()
    (bill,) = connect().bills([two.origin_id])
    assert (bill.number, bill.total) == (f"{two.invoice_number}-B", two.current_payment_due)

    page.locator(f"#invoice-{unlinked.pk}").get_by_role("link", name="Fix").first.click()
    page.get_by_role("searchbox", name="Words to look for in the ERP").fill("V-PINE")
    page.get_by_role("button", name="Search the ERP").click()
    page.get_by_role("button", name="Link").first.click()
    page.goto(site.url + ready(site))
    tick(page, unlinked)
    page.get_by_role("button", name="Export").click()
    wait_for(unlinked, ErpStatus.SYNCED)


def test_what_the_erp_refuses_is_red_and_goes_out_with_another_number(
    erp: LiveBooks, open_as: Open, site: Site, electrical: Commitment
) -> None:
    taken, invoice = erp.bill("12.00").number, sent(electrical, billing_date=dt.date.today())
    page = open_as("accountant", ready(site))
    tick(page, invoice)
    page.get_by_label(f"ERP ID of invoice {invoice.invoice_number}").fill(taken)
    page.get_by_role("button", name="Export").click()
    wait_for(invoice, ErpStatus.FAILED)
    page.goto(site.url + ready(site).replace("ready", "failed"))
    row = page.locator(f"#invoice-{invoice.pk}")
    expect(row.locator(".error").first).to_contain_text("similar to invoice")
    tick(page, invoice)
    page.get_by_role("button", name="Export").click()
    wait_for(invoice, ErpStatus.SYNCED)


def test_one_is_rejected_with_a_reason_and_says_so_on_its_page(
    open_as: Open, site: Site, electrical: Commitment
) -> None:
    invoice = sent(electrical)
    page = open_as("accountant", ready(site))
    tick(page, invoice)
    page.get_by_label("Reason").fill("The retainage is wrong")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text(f"Rejected: {invoice.invoice_number}")).to_be_visible()
    place = [invoice.project_id, invoice.commitment_id, invoice.pk]
    page.goto(site.url + reverse("commitments:invoice", args=place))
    expect(page.get_by_text("The retainage is wrong").first).to_be_visible()
