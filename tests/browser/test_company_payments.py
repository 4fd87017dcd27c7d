"""All payments of the company: found by filters, added up, and taken along as an Excel file."""

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from commitments.models import Commitment
from payments.models import Payment
from projects.models import Project
from tests.browser import look
from tests.browser.conftest import Open, Site
from tests.factories import CommitmentFactory, PaymentFactory, VendorFactory


@pytest.fixture
def odd(synced: Site) -> Iterator[Commitment]:
    """Two payments to a vendor of their own; one has a note that a spreadsheet might run."""
    project = Project.objects.get(number=look.RIVERSIDE)
    vendor = VendorFactory(company=project.company, name="Oddly Named Roofing")
    commitment = CommitmentFactory(project=project, vendor=vendor, number="SC-ODD")
    PaymentFactory(commitment=commitment, check_number="ODD-1", notes="=1+1")
    PaymentFactory(commitment=commitment, check_number="ODD-2", amount=Decimal("99.95"))
    yield commitment
    Payment.objects.filter(commitment=commitment).delete()
    commitment.delete()
    vendor.delete()


def downloaded(page: Page) -> list[Any]:
    """The rows of the Excel file, without its heading."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Export Excel").click()
    content = Path(download.value.path()).read_bytes()
    sheet: Any = openpyxl.load_workbook(BytesIO(content)).active
    assert download.value.suggested_filename.endswith(".xlsx")
    return list(sheet.iter_rows(min_row=2))


def test_payments_are_found_by_vendor_and_check_and_taken_along(odd: Any, open_as: Open) -> None:
    page = open_as("accountant")
    page.get_by_role("link", name="All payments of").click()
    page.get_by_label("Contract company").select_option("Oddly Named Roofing")
    page.get_by_role("button", name="Apply").click()
    expect(look.row(page, "Grand Totals")).to_contain_text("$1,349.95")
    assert len(downloaded(page)) == 2

    page.get_by_label("Check #").fill("odd-1")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("1 payment", exact=True)).to_be_visible()
    [row] = downloaded(page)
    note = next(cell for cell in row if cell.value == "=1+1")
    assert note.data_type == "s"
    assert 1250 in [cell.value for cell in row]

    page.get_by_role("link", name="Clear all").click()
    expect(look.row(page, "CHK-5001")).to_be_visible()


def test_the_row_leads_to_the_payment_and_to_its_commitment(odd: Any, open_as: Open) -> None:
    page = open_as("accountant", reverse("payments:company", args=[odd.company_id]) + "?q=odd-2")
    look.row(page, "ODD-2").get_by_role("link", name="SC-ODD").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("SC-ODD")
