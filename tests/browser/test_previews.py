"""A preview against the live books, then Apply; and one invoice, synced from its own page."""

import re

from django.urls import reverse
from playwright.sync_api import Page, expect

from commitments.models import SubcontractorInvoice
from erp_integrations.models import RunMode, SyncRun
from payments.models import Payment
from tests.browser import look
from tests.browser.conftest import NewBill, Open, Site
from tests.browser.test_every_page import check as is_for_everybody
from tests.live_tryton import LiveBooks


def wait_for_the_end(page: Page) -> SyncRun:
    """Of the run whose page this is; it says so by itself."""
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=30_000)
    number = re.search(r"/runs/(\d+)/", page.url)
    assert number
    return SyncRun.objects.get(pk=number[1])


def test_an_accountant_looks_before_the_sync_and_applies_what_was_shown(
    erp: LiveBooks, new_bill: NewBill, open_as: Open, site: Site
) -> None:
    page = open_as("accountant", look.sync_page(look.HARBOR))
    look.press_sync(page)
    check = erp.pay((new_bill("310.25"), "310.25"))
    page.goto(site.url + look.sync_page(look.HARBOR))
    page.get_by_role("button", name="Preview").click()
    found = page.locator("#sync").get_by_role("link", name="See what would change")
    found.click(timeout=30_000)
    row = look.row(page, check)
    expect(row).to_contain_text("Would be created")
    expect(row).to_contain_text("$310.25")
    assert not Payment.objects.filter(check_number=check).exists()
    is_for_everybody(page)

    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sync")
    assert wait_for_the_end(page).is_good
    page.goto(site.url + look.payments_page("SC-2024-002"))
    expect(look.row(page, check)).to_contain_text("$310.25")


def test_one_invoice_is_synced_from_its_own_page(
    erp: LiveBooks, new_bill: NewBill, open_as: Open, site: Site
) -> None:
    bill = new_bill("95.40")
    check = erp.pay((bill, "45.40"))
    invoice = SubcontractorInvoice.objects.get(origin_id=bill.remote_id)
    address = reverse(
        "commitments:invoice", args=[invoice.project_id, invoice.commitment_id, invoice.pk]
    )
    page = open_as("admin", address)
    page.get_by_role("button", name="Sync this invoice").click()
    expect(look.row(page, check)).to_contain_text("$45.40", timeout=30_000)
    run = SyncRun.objects.latest("pk")
    assert (run.mode, run.invoice, run.created) == (RunMode.SCOPED, invoice, 1)
    assert run.calls <= 3
