"""A right that a vendor took back: the page says so, and somebody signs in again."""

from typing import Any

from django.urls import reverse
from playwright.sync_api import Page, expect

from erp_integrations.models import ErpConnection, SyncRun
from tests.browser import look
from tests.browser.conftest import Open, Site
from tests.browser.test_connecting import Trial, books_of, connect
from tests.browser.test_every_page import check

OTHER = {"tenantId": "b0000000-0000-4000-8000-000000000002", "tenantName": "Northstar Leasing"}


def test_a_right_that_was_taken_back_is_given_again_and_reading_goes_on(
    site: Site, open_as: Open
) -> None:
    with books_of("xero") as trial:
        page = open_as("admin", of(trial, "settings"))
        connect(page, trial)
        page.goto(site.url + of(trial, "subcontractor_invoices"))
        look.press_sync(page)
        cursor = ErpConnection.objects.get(company=trial.company).cursor

        trial.served.fake.authorization.revoke()
        page.get_by_role("button", name=look.BUTTON).click()
        look.wait_until(lambda: bool(ErpConnection.objects.get(company=trial.company).stopped_at))
        assert SyncRun.objects.filter(company=trial.company).latest("pk").error_code == "GrantLost"
        page.goto(site.url + of(trial, "settings"))
        expect(page.get_by_text("Lost on")).to_be_visible()
        check(page)

        page.get_by_role("button", name="Reconnect").click()
        check(page)
        page.get_by_role("link", name="Continue to").click()
        expect(page.get_by_text("Connected. The ERP answered:")).to_be_visible()
        assert ErpConnection.objects.get(company=trial.company).cursor == cursor
        page.goto(site.url + of(trial, "subcontractor_invoices"))
        assert look.press_sync(page).problems == 0


def test_one_of_several_companies_is_chosen(site: Site, open_as: Open) -> None:
    with books_of("xero") as trial:
        tenants: list[dict[str, Any]] = trial.served.fake.tenants
        tenants.append({**tenants[0], "id": "2", **OTHER})
        page = open_as("admin", of(trial, "settings"))
        check(page)
        _fill_in_and_save(page, trial)
        page.get_by_role("button", name="Connect", exact=True).click()
        page.get_by_role("link", name="Continue to").click()
        check(page)
        page.get_by_label("Northstar Leasing").check()
        page.get_by_role("button", name="Read this company").click()
        expect(page.get_by_text("Northstar Leasing is read from now on.")).to_be_visible()
        stored = ErpConnection.objects.get(company=trial.company).settings
        assert stored["tenant_id"] == OTHER["tenantId"]


def _fill_in_and_save(page: Page, trial: Trial) -> None:
    page.get_by_role("link", name=f"Connect {trial.provider.label}").click()
    check(page)
    for name, value in trial.typed.items():
        page.locator(f"[name=erp_{name}]").fill(value)
    page.get_by_role("button", name="Save").click()


def of(trial: Trial, name: str) -> str:
    return reverse(f"erp_integrations:company_{name}", args=[trial.company.pk])
