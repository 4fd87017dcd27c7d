"""Linking to the live ERP's records, and importing what only the ERP has."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from commitments.models import Commitment
from erp_integrations.models import ErpConnection
from projects.models import Project, RecordEvent, Vendor
from tests.browser import look
from tests.browser.conftest import Open
from tests.factories import VendorFactory

pytestmark = pytest.mark.timeout(300)


def company_page(name: str) -> str:
    return reverse(
        f"erp_integrations:company_{name}", args=[ErpConnection.objects.get().company_id]
    )


def read_the_erp(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()
    expect(page.locator("#refresh").get_by_text("vendors, ")).to_be_visible(timeout=30_000)


def test_a_vendor_is_linked_by_a_search_in_the_live_erp(open_as: Open) -> None:
    company = ErpConnection.objects.get().company
    vendor = VendorFactory(company=company, name="Tide Water Plumbers")
    page = open_as("accountant", company_page("vendors") + "?view=not_linked")
    page.get_by_role("link", name="Tide Water Plumbers", exact=True).click()
    page.get_by_label("Words to look for in the ERP").fill("tidewater inc")
    page.get_by_role("button", name="Search the ERP").click()
    page.get_by_role("button", name="Link to V-TIDE Tidewater Plumbing Inc").click()
    expect(page.get_by_text("Tide Water Plumbers is linked to V-TIDE")).to_be_visible()
    history = page.get_by_role("region", name="History of the link")
    expect(history.get_by_text("ERP ID: — → V-TIDE")).to_be_visible()
    expect(history.get_by_text("Priya Raman")).to_be_visible()
    vendor.refresh_from_db()
    assert vendor.origin_code == "V-TIDE"
    assert RecordEvent.objects.get(vendor=vendor).actor.username == "accountant"  # type: ignore[union-attr]
    page.get_by_role("button", name="Unlink from V-TIDE").click()
    expect(page.get_by_text("is not linked to the ERP any more")).to_be_visible()


def bring(page: Page, code: str, *, with_vendor: str = "") -> Commitment:
    page.goto(page.url.split("?")[0] + "?view=ready")
    look.row(page, code).get_by_role("link", name="Import").click()
    if with_vendor:
        expect(page.get_by_label(with_vendor)).to_be_checked()
    lakeside = Project.objects.get(number=look.LAKESIDE)
    page.get_by_role("combobox", name="Project").select_option(str(lakeside.pk))
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text(f"is imported and linked to {code} in the ERP")).to_be_visible()
    return Commitment.objects.get(number=code)


def unlink_what_other_tests_linked(*codes: str) -> None:
    """One company serves all browser tests, and some bring these orders along themselves."""
    gone = {"origin_id": "", "origin_code": ""}
    for order in Commitment.objects.filter(number__in=codes):
        Vendor.objects.filter(pk=order.vendor_id).update(name=f"Vendor of {order.pk}", **gone)
        Commitment.objects.filter(pk=order.pk).update(number=f"OLD-{order.pk}", **gone)


def test_orders_of_the_live_erp_are_imported_one_with_its_vendor(open_as: Open) -> None:
    unlink_what_other_tests_linked("PO-2026-041", "SC-2026-040")
    page = open_as("accountant", company_page("commitments"))
    read_the_erp(page, "Refresh Commitments")
    order = bring(page, "PO-2026-041")
    assert (order.kind, order.vendor.origin_code) == ("purchase_order", "V-LUM")
    assert str(order.schedule_of_values.get().amount) == "8675.5000"
    page.goto(page.url.split("/erp-integrations/")[0] + "/erp-integrations/commitments/")
    pine = "Import the vendor V-PINE Pine Ridge Masonry LLC along with it"
    subcontract = bring(page, "SC-2026-040", with_vendor=pine)
    assert subcontract.erp_status == "synced"
    assert subcontract.vendor == Vendor.objects.get(origin_code="V-PINE")
    page.goto(page.url.split("/erp-integrations/")[0] + "/erp-integrations/commitments/")
    expect(look.row(page, "SC-2026-040").get_by_text("Linked", exact=True)).to_be_visible()
