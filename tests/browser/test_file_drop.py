"""A company without an API: a file is dropped, understood, linked, shown; its bad row is mended."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from erp_integrations.models import ErpConnection
from procore_sync import celery_app
from tests.browser import look
from tests.browser.conftest import Open, Site
from tests.browser.other_company import another_company
from tests.browser.test_every_page import check
from tests.factories import (
    CommitmentFactory,
    ErpConnectionFactory,
    InvoiceFactory,
    ProjectFactory,
    VendorFactory,
)

REGISTER = """Check No,Check Date,Vendor,Vendor Name,Invoice No,Amount Paid
5001,05/07/2026,V-ACME,Acme Concrete,DRAW-1,"1,250.00"
5002,05/08/2026,V-ACME,Acme Concrete,DRAW-1,two hundred
"""


@pytest.fixture
def connection(site: Site) -> Iterator[ErpConnection]:
    """Of a second company; files of the tests are in memory, so its tasks are done right here."""
    celery_app.conf.task_always_eager = True
    with another_company(name="Southwind Contractors") as company:
        project = ProjectFactory(company=company, name="Library", number="2026-090")
        vendor = VendorFactory(company=company, name="Acme Concrete", code="V-ACME")
        commitment = CommitmentFactory(project=project, vendor=vendor, number="SC-9001")
        InvoiceFactory(commitment=commitment, invoice_number="DRAW-1")
        yield ErpConnectionFactory(
            company=company, provider="file_drop", name="Sage 300 CRE", settings={}
        )
    celery_app.conf.task_always_eager = False


def test_a_file_is_dropped_understood_linked_and_its_bad_row_mended(
    open_as: Open, connection: ErpConnection, tmp_path: Path
) -> None:
    files = reverse("erp_integrations:company_files", args=[connection.company_id])
    page = open_as("admin", files)
    check(page)
    register = tmp_path / "register.csv"
    register.write_text(REGISTER)
    page.locator("#id_file").set_input_files(register)
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_text("could be May 7, 2026 or July 5, 2026")).to_be_visible()
    page.get_by_label("Order of dates").select_option("dmy")
    page.get_by_role("button", name="Show how the rows are read").click()
    expect(look.row(page, "July 5, 2026")).to_contain_text("$1,250.00")
    expect(look.row(page, "“two hundred” is not an amount")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Save the columns and read the file").click()

    expect(page.get_by_role("heading", name="Rows that were not used")).to_be_visible()
    check(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Rows to mend").click()
    mended = tmp_path / "mended.csv"
    text = download.value.path().read_text(encoding="utf-8-sig")
    mended.write_text(text.replace("two hundred", "200.00", 1))

    page.goto(page.url.split("/companies/")[0] + files)
    check(page)
    page.get_by_role("button", name="Link ticked invoices").click()
    page.locator("#id_file").set_input_files(mended)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Its columns are known")).to_be_visible()

    page.goto(page.url.split("/companies/")[0] + look.payments_page("SC-9001"))
    amounts = [row["Amount"] for row in look.payments(page)]
    assert sorted(map(look.money, amounts)) == [200, 1250]
