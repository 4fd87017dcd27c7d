"""The button, the schedule, and what they bring from the ERP's books."""

import re
from collections import defaultdict
from decimal import Decimal

from django.utils import timezone
from playwright.sync_api import expect

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations import runs
from erp_integrations.models import ErpConnection, SyncRun
from projects.models import ErpStatus, Project
from tests.browser import look
from tests.browser.conftest import NewBill, Open, Site
from tests.live_tryton import LiveBooks, connect


def test_an_accountant_presses_the_button_and_every_bill_is_paid_as_in_the_erp(
    erp: LiveBooks, open_as: Open, site: Site
) -> None:
    page = open_as("accountant")
    page.get_by_role("link", name="ERP Integrations of Riverside Tower").click()
    run = look.press_sync(page)
    expect(look.summary(page)).to_contain_text(f"{run.payments_read} payments read")
    assert run.is_good and run.problems == 0

    here: dict[str, Decimal] = defaultdict(Decimal)
    # Other tests have companies of their own, with other ERPs.
    company = Project.objects.get(number=look.RIVERSIDE).company
    synced = SubcontractorInvoice.objects.filter(erp_status=ErpStatus.SYNCED, company=company)
    for commitment in sorted(set(synced.values_list("commitment__number", flat=True))):
        page.goto(site.url + look.payments_page(commitment))
        for row in look.payments(page):
            if "Synced" in row["ERP Status"] and "Voided" not in row["Amount"]:
                here[row["Invoice Number"]] += look.money(row["Amount"])
    known = set(synced.values_list("invoice_number", flat=True))
    there = {bill.number: bill.paid for bill in connect().bills() if bill.paid}
    assert here == {number: paid for number, paid in there.items() if number in known}
    assert len(here) >= 3
    expect(page.get_by_role("img", name="Synced with the ERP").first).to_be_visible()

    page.goto(site.url + look.sync_page())
    page.get_by_role("link", name="What this sync did").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Sync {run.pk}")
    page.get_by_role("link", name="Sync history").first.click()
    expect(look.row(page, f"Sync {run.pk}")).to_contain_text("you")


def test_what_is_paid_and_voided_in_the_erp_is_so_on_the_page_after_the_next_press(
    erp: LiveBooks, new_bill: NewBill, open_as: Open, site: Site
) -> None:
    check = erp.pay((new_bill("480.35"), "480.35"))
    page = open_as("accountant", look.sync_page(look.HARBOR))
    look.press_sync(page)
    page.goto(site.url + look.payments_page("SC-2024-002"))
    row, total = look.row(page, check), look.grand_total(page)
    expect(row).to_contain_text("$480.35")
    expect(row).not_to_contain_text("Voided")

    erp.void(check)
    page.goto(site.url + look.sync_page(look.HARBOR))
    look.press_sync(page)
    page.goto(site.url + look.payments_page("SC-2024-002"))
    expect(row).to_contain_text("Voided")
    expect(row.locator("s").first).to_have_css("text-decoration-line", "line-through")
    assert look.grand_total(page) == total - Decimal("480.35")


def test_what_is_paid_in_the_erp_comes_with_the_schedule(
    erp: LiveBooks, new_bill: NewBill, open_as: Open, site: Site
) -> None:
    page = open_as("accountant", look.sync_page(look.HARBOR))
    check = erp.pay((new_bill("61.10"), "61.10"))
    ErpConnection.objects.update(next_sync_at=timezone.now())
    [run] = runs.start_due()
    page.reload()
    link = look.summary(page).get_by_role("link", name="What this sync did")
    expect(link).to_have_attribute("href", re.compile(f"/{run.pk}/$"), timeout=30_000)
    link.click()
    expect(page.get_by_text("the schedule")).to_be_visible()
    page.goto(site.url + look.payments_page("SC-2024-002"))
    expect(look.row(page, check)).to_contain_text("$61.10")


def test_a_double_click_is_one_run(site: Site, quiet_books: None, open_as: Open) -> None:
    page = open_as("accountant", look.sync_page())
    before = SyncRun.objects.count()
    with site.worker.holding_still():
        page.get_by_role("button", name=look.BUTTON).dblclick()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_role("button", name=look.BUTTON)).to_be_disabled()
        assert SyncRun.objects.count() == before + 1
    expect(look.summary(page)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name=look.BUTTON)).to_be_enabled()


def test_two_people_at_once_watch_the_same_run(
    site: Site, quiet_books: None, open_as: Open
) -> None:
    one = open_as("accountant", look.sync_page())
    two = open_as("admin", look.sync_page())
    with site.worker.holding_still():
        one.get_by_role("button", name=look.BUTTON).click()
        expect(one.get_by_role("progressbar")).to_be_visible()
        two.get_by_role("button", name=look.BUTTON).click()
        expect(two.get_by_text("started by Priya Raman")).to_be_visible()
    links = [
        look.summary(each).get_by_role("link", name="What this sync did") for each in (one, two)
    ]
    for link in links:
        expect(link).to_be_visible(timeout=30_000)
    assert links[0].get_attribute("href") == links[1].get_attribute("href")


def test_payments_wait_while_the_tab_is_off_and_come_by_themselves_when_it_is_on(
    erp: LiveBooks, new_bill: NewBill, open_as: Open, site: Site
) -> None:
    commitment = Commitment.objects.get(number="SC-2024-002")
    page = open_as("accountant", look.settings_page("SC-2024-002"))
    page.get_by_label("Enable Payments").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_be_visible()

    reader = open_as("pm", look.general_page("SC-2024-002"))
    expect(look.tab(reader, "General")).to_be_visible()
    expect(look.tab(reader, "Payments Issued")).to_have_count(0)
    reader.goto(site.url + look.payments_page("SC-2024-002"))
    expect(reader.get_by_role("heading", level=1)).to_contain_text("does not exist")

    check = erp.pay((new_bill("77.70"), "77.70"))
    page.goto(site.url + look.sync_page(look.HARBOR))
    look.press_sync(page)
    assert not commitment.payments.filter(check_number=check).exists()
    page.goto(site.url + look.settings_page("SC-2024-002"))
    page.get_by_label("Enable Payments").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_be_visible()
    look.wait_until(lambda: commitment.payments.filter(check_number=check).exists())
    reader.reload()
    expect(look.row(reader, check)).to_contain_text("$77.70")
