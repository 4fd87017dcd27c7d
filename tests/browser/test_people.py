"""What people see who may do less."""

import pytest
from playwright.sync_api import expect

from tests.browser import look
from tests.browser.conftest import Open, Site

GONE = "This page does not exist, or is not visible to you"


def test_a_project_manager_sees_the_payments_and_no_button(synced: Site, open_as: Open) -> None:
    page = open_as("pm", look.payments_page("SC-2024-001"))
    expect(look.row(page, "CHK-5001")).to_contain_text("$10,000.00")
    expect(page.get_by_role("link", name="ERP Integrations")).to_have_count(0)
    expect(page.get_by_role("link", name="Add Payment")).to_have_count(0)
    expect(look.tab(page, "Advanced Settings")).to_have_count(0)
    look.row(page, "CHK-5001").get_by_role("link", name="View payment").click()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    expect(page.get_by_label("File")).to_have_count(0)
    page.goto(synced.url + look.sync_page())
    expect(page.get_by_role("heading", level=1)).to_have_text(GONE)


def test_somebody_without_the_level_reads_why_there_is_no_button(
    synced: Site, open_as: Open
) -> None:
    page = open_as("viewer", look.sync_page())
    expect(page.get_by_text("Payments cannot be synced from here now.")).to_be_visible()
    expect(page.get_by_text("Syncing needs Admin on the ERP Integrations tool")).to_be_visible()
    expect(page.get_by_role("button", name=look.BUTTON)).to_have_count(0)
    expect(look.row(page, "KEY-301")).to_contain_text("$18,640.75")


@pytest.mark.parametrize("person", ["stranger", "elsewhere"])
def test_for_a_stranger_nothing_exists(synced: Site, open_as: Open, person: str) -> None:
    page = open_as(person)
    expect(page.get_by_text("Riverside Tower")).to_have_count(0)
    for path in (
        look.sync_page(),
        look.general_page("SC-2024-001"),
        look.payments_page("SC-2024-001"),
        look.settings_page("SC-2024-001"),
        look.payment_page("CHK-5001"),
    ):
        answer = page.goto(synced.url + path)
        assert answer is not None and answer.status == 404, path
        expect(page.get_by_role("heading", level=1)).to_have_text(GONE)
        expect(page.get_by_text("Riverside Tower")).to_have_count(0)


def test_an_address_that_needs_a_sign_in_is_opened_after_it(synced: Site, open_as: Open) -> None:
    path = look.payments_page("SC-2024-001")
    page = open_as("", path)
    expect(page).to_have_url(f"{synced.url}/accounts/login/?next={path}")
    synced.fill_in(page, "pm")
    expect(page).to_have_url(synced.url + path)
