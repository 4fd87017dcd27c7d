"""Payments Issued: what is locked, what people may do, what they take away as a file."""

import csv
import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import look
from tests.browser.conftest import Open, Site

LOCKED = "cannot be edited or deleted because it is synced with an ERP system"


def save(page: Page, name: str = "Save") -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("status")).to_be_visible()


def exported(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as sheet:
        return list(csv.DictReader(sheet))


def test_of_a_synced_payment_only_the_payment_number_changes_and_the_next_sync_keeps_it(
    synced: Site, quiet_books: None, open_as: Open
) -> None:
    page = open_as("accountant", look.payment_page("CHK-5007"))
    expect(page.get_by_text(LOCKED)).to_be_visible()
    expect(page.get_by_role("link", name="Delete")).to_have_count(0)
    page.get_by_role("link", name="Edit Payment #").click()
    expect(page.get_by_role("textbox")).to_have_count(1)
    page.get_by_label("Payment #").fill("JOB 14 / 7")
    save(page)
    page.goto(synced.url + look.sync_page())
    look.press_sync(page)
    page.goto(synced.url + look.payments_page("SC-2024-003"))
    expect(look.row(page, "CHK-5007")).to_contain_text("JOB 14 / 7")
    page.goto(synced.url + look.payment_page("CHK-5007") + "delete/")
    expect(page.get_by_text(LOCKED)).to_be_visible()
    expect(page.get_by_role("button", name="Delete payment")).to_have_count(0)


def test_a_file_is_attached_to_a_synced_payment_and_comes_back_as_a_download(
    synced: Site, open_as: Open
) -> None:
    page = open_as("accountant", look.payment_page("CHK-5001"))
    picker = page.get_by_label("File")
    picker.set_input_files({"name": "waiver.txt", "mimeType": "text/plain", "buffer": b"Paid."})
    save(page, "Attach")
    with page.expect_download() as download:
        page.get_by_role("link", name="waiver.txt").click()
    assert download.value.suggested_filename == "waiver.txt"
    assert Path(download.value.path()).read_bytes() == b"Paid."
    answer = page.request.get(download.value.url)
    assert answer.headers["content-disposition"].startswith("attachment")

    program = {"name": "waiver.pdf", "mimeType": "application/pdf", "buffer": b"MZ\x90\x00\x03\x00"}
    picker.set_input_files(program)
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_text("“waiver.pdf” cannot be attached.")).to_be_visible()
    page.get_by_role("button", name="Remove waiver.txt").click()
    expect(page.get_by_role("link", name="waiver.txt")).to_have_count(0)


def test_a_payment_made_outside_the_erp_is_added_changed_and_deleted(
    synced: Site, open_as: Open
) -> None:
    page = open_as("accountant", look.payments_page("SC-2024-003"))
    before = look.grand_total(page)
    page.get_by_role("link", name="Add Payment").click()
    page.get_by_label("Payment Method").select_option("Electronic")
    page.get_by_label(re.compile("^Date")).fill(dt.date(2026, 11, 2).isoformat())
    page.get_by_label("Payment #").fill("WIRE-9")
    page.get_by_label("Amount (USD)").fill("1234.567")
    page.get_by_role("button", name="Add Payment").click()
    expect(page.get_by_text("at most 2 decimals")).to_be_visible()
    page.get_by_label("Amount (USD)").fill("1234.56")
    save(page, "Add Payment")
    look.tab(page, "Payments Issued").click()
    expect(look.row(page, "WIRE-9")).to_contain_text("$1,234.56")
    expect(look.row(page, "WIRE-9")).to_contain_text("Manual")
    assert look.grand_total(page) == before + Decimal("1234.56")

    look.row(page, "WIRE-9").get_by_role("link", name="View payment").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Amount (USD)").fill("1000")
    save(page)
    look.tab(page, "Payments Issued").click()
    assert look.grand_total(page) == before + 1000

    look.row(page, "WIRE-9").get_by_role("link", name="View payment").click()
    page.get_by_role("link", name="Delete").click()
    save(page, "Delete payment")
    expect(look.row(page, "WIRE-9")).to_have_count(0)
    assert look.grand_total(page) == before


def test_filters_narrow_the_commitments_and_their_export(synced: Site, open_as: Open) -> None:
    page = open_as("accountant", look.commitments_page())
    rows = page.get_by_role("table").locator("tbody tr")
    everything = rows.count()
    page.get_by_label("Contract company").select_option("Keystone Drywall Co")
    page.get_by_role("button", name="Apply").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("SC-2024-003")
    [line] = exported(page)
    assert line["Number"] == "SC-2024-003"
    page.get_by_role("link", name="Clear all").click()
    expect(rows).to_have_count(everything)
    page.get_by_label("Number, title or company").fill("no such thing")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("table")).to_have_count(0)


def test_filters_narrow_the_payments_their_total_and_their_export(
    synced: Site, open_as: Open
) -> None:
    page = open_as("accountant", look.payments_page("SC-2024-003"))
    page.get_by_label("Check, invoice or payment #").fill("CHK-5009")
    page.get_by_role("button", name="Apply").click()
    expect(look.row(page, "CHK-5007")).to_have_count(0)
    assert look.grand_total(page) == Decimal("6000.00")
    [line] = exported(page)
    assert (line["Check Number"], Decimal(line["Amount"])) == ("CHK-5009", Decimal("6000.00"))
    page.get_by_role("link", name="Clear all").click()
    expect(look.row(page, "CHK-5007")).to_be_visible()
