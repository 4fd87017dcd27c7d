"""Both books compared to zero, a payment that is not here found, and one that is here twice."""

import datetime as dt
import re
from decimal import Decimal

from django.urls import reverse
from playwright.sync_api import Page, expect

from commitments.models import SubcontractorInvoice
from payments.models import Payment, PaymentMethod
from projects.models import Project
from tests.browser import look
from tests.browser.conftest import NewBill, Open, Site
from tests.browser.test_every_page import check
from tests.live_tryton import LiveBooks


def page_of(name: str, project: str = look.HARBOR) -> str:
    number = Project.objects.get(number=project).pk
    return reverse(f"erp_integrations:project_{name}", args=[number])


def compare(page: Page) -> None:
    page.get_by_role("button", name="Compare now").click()
    expect(page.get_by_text(re.compile("Compared .* by you"))).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Compare now")).to_be_enabled(timeout=30_000)


def test_what_was_paid_since_the_sync_is_a_difference_and_none_after_it(
    erp: LiveBooks, synced: Site, new_bill: NewBill, open_as: Open
) -> None:
    bill = new_bill("318.44")
    erp.pay((bill, "318.44"))
    page = open_as("accountant", page_of("reconciliation"))
    compare(page)
    line = look.row(page, bill.number)
    expect(line).to_contain_text("$318.44")
    expect(line).to_contain_text("Not read since")
    check(page)
    line.get_by_role("button", name="Sync payments now").click()
    expect(look.summary(page)).to_be_visible(timeout=30_000)
    page.goto(synced.url + page_of("reconciliation"))
    page.get_by_role("button", name="Compare now").click()
    expect(look.row(page, bill.number)).to_have_count(0, timeout=30_000)
    page.get_by_role("link", name="All", exact=True).click()
    expect(look.row(page, bill.number)).to_contain_text("Both books agree.")


def test_a_payment_that_was_never_read_is_found_and_the_button_brings_it(
    erp: LiveBooks, synced: Site, new_bill: NewBill, open_as: Open
) -> None:
    number = erp.pay((new_bill("77.31"), "77.31"))
    page = open_as("accountant", look.payments_page("SC-2024-002"))
    page.get_by_role("link", name="A payment is missing?").click()
    page.get_by_role("searchbox").fill(number)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Stuck: Read?")).to_be_visible(timeout=30_000)
    check(page)
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("It is here")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Open the payment").click()
    expect(page.get_by_role("heading", name=re.compile("^Payment"))).to_be_visible()
    expect(page.get_by_text("$77.31").first).to_be_visible()


def test_a_payment_entered_by_hand_and_synced_as_well_is_linked(
    erp: LiveBooks, synced: Site, new_bill: NewBill, open_as: Open
) -> None:
    bill = new_bill("91.07")
    number = erp.pay((bill, "91.07"))
    invoice = SubcontractorInvoice.objects.get(origin_id=bill.remote_id)
    by_hand = Payment.objects.create(
        company=invoice.company, project=invoice.project, commitment=invoice.commitment,
        invoice=invoice, amount=Decimal("91.07"), method=PaymentMethod.CHECK,
        date=dt.date.today(), check_number=number.lower(), notes="Picked up at the office",
    )  # fmt: skip
    page = open_as("accountant", look.sync_page(look.HARBOR))
    look.press_sync(page)
    page.goto(synced.url + look.payments_page("SC-2024-002"))
    before = look.grand_total(page)
    page.get_by_role("link", name="Look at both").first.click()
    page.get_by_role("button", name="Link the two").click()
    expect(page.get_by_role("status")).to_contain_text("counts once")
    expect(page.get_by_text("Picked up at the office").first).to_be_visible()
    page.goto(synced.url + look.payments_page("SC-2024-002"))
    assert look.grand_total(page) == before - Decimal("91.07")
    by_hand.refresh_from_db()
    assert by_hand.is_synced
