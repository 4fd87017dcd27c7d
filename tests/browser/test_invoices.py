"""Invoices on their way to the ERP: ticked, approved, sent, taken back and changed by people."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from commitments.models import Commitment, SubcontractorInvoice
from projects.models import Company
from tests.browser import look
from tests.browser.conftest import Open, Site
from tests.factories import CommitmentFactory, InvoiceFactory, ProjectFactory, VendorFactory


@pytest.fixture
def order(site: Site) -> Commitment:
    """A purchase order of a project of its own, in the demo company."""
    company = Company.objects.get(projects__number=look.RIVERSIDE)
    vendor = VendorFactory(company=company)
    return CommitmentFactory(
        project=ProjectFactory(company=company, name="Cedar Street Clinic"), vendor=vendor
    )


def invoices_tab(order: Commitment) -> str:
    return reverse("commitments:invoices", args=[order.project_id, order.pk])


def tick(page: Page, *rows: SubcontractorInvoice) -> None:
    for row in rows:
        page.get_by_label(f"Invoice {row.invoice_number}", exact=True).check()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("status").first).to_be_visible()


def states(order: Commitment) -> list[str]:
    return list(order.invoices.order_by("pk").values_list("erp_status", flat=True))


def test_invoices_are_sent_and_retrieved_from_the_invoices_tab(
    order: Commitment, open_as: Open
) -> None:
    first, second = InvoiceFactory.create_batch(2, commitment=order)
    InvoiceFactory(commitment=order, status="draft", invoice_number="DRAFT-1")
    page = open_as("accountant", invoices_tab(order))
    send = page.get_by_role("button", name="Send to ERP")
    expect(send).to_be_disabled()
    page.get_by_label("All invoices of this page").check()
    send.dblclick()
    expect(page.get_by_text("2 invoices were sent to the ERP.")).to_be_visible()
    expect(page.get_by_text("DRAFT-1 was not sent to the ERP: It is Draft.")).to_be_visible()
    assert states(order) == ["sent", "sent", "not_sent"]
    assert [each.events.count() for each in (first, second)] == [1, 1]
    row = look.row(page, first.invoice_number).filter(has=page.get_by_role("checkbox"))
    expect(row.get_by_role("img")).to_have_accessible_name(re.compile("waiting for an accounting"))
    expect(send).to_be_disabled()
    expect(page.get_by_text("Nothing on this page can be sent to the ERP.")).to_be_visible()
    tick(page, second)
    press(page, "Retrieve from ERP")
    assert states(order) == ["sent", "retrieved", "not_sent"]


def test_five_invoices_are_approved_and_sent_from_the_projects_list(
    order: Commitment, open_as: Open
) -> None:
    InvoiceFactory.create_batch(5, commitment=order, status="under_review")
    page = open_as("accountant", reverse("commitments:list", args=[order.project_id]))
    page.get_by_role("link", name="Subcontractor Invoices").click()
    page.get_by_label("All invoices of this page").check()
    press(page, "Change status")
    expect(page.get_by_text("5 invoices were changed to Approved.")).to_be_visible()
    page.get_by_label("All invoices of this page").check()
    press(page, "Send to ERP")
    expect(page.get_by_text("5 invoices were sent to the ERP.")).to_be_visible()
    assert states(order) == ["sent"] * 5


def test_an_invoice_is_added_sent_locked_and_given_back(order: Commitment, open_as: Open) -> None:
    page = open_as("accountant", invoices_tab(order))
    page.get_by_role("link", name="Add Invoice").click()
    page.get_by_label("Invoice #").fill("NEW-1")
    page.get_by_label("Billing Date").fill("2026-07-31")
    page.get_by_label("Status").select_option("Approved")
    page.get_by_label(re.compile("4 Total Completed")).fill("2500.50")
    press(page, "Add Invoice")
    invoice = order.invoices.get()
    assert invoice.current_payment_due == invoice.total_completed_and_stored_to_date
    press(page, "Send to ERP")
    expect(page.get_by_text("The invoice is not editable because it was sent")).to_be_visible()
    expect(page.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
    picker = page.get_by_label("File")
    picker.set_input_files({"name": "waiver.txt", "mimeType": "text/plain", "buffer": b"Paid."})
    press(page, "Attach")
    expect(page.get_by_role("link", name="waiver.txt")).to_be_visible()
    press(page, "Retrieve from ERP")
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Invoice #").fill("NEW-2")
    press(page, "Save")
    expect(page.get_by_text("Invoice #: NEW-1 → NEW-2")).to_be_visible()
