"""How the connection is, what is set on it, and e-mail one can stop."""

from django.urls import reverse
from playwright.sync_api import expect

from erp_integrations.models import ErpConnection, NoticeKind, OutgoingEmail
from erp_integrations.notices import links, outbox
from erp_integrations.notices.preferences import set_preference, wants
from projects.models import User
from tests.browser import look
from tests.browser.conftest import Open, Site


def company_page(name: str) -> str:
    company = ErpConnection.objects.get().company_id
    return reverse(f"erp_integrations:company_{name}", args=[company])


def test_the_tool_opens_on_how_the_connection_is(synced: Site, open_as: Open) -> None:
    page = open_as("accountant", company_page("home"))
    expect(page.get_by_role("region", name="Connection to Tryton")).to_contain_text("Working.")
    syncs = page.get_by_role("region", name="Last syncs")
    expect(syncs.get_by_role("img")).to_be_visible()
    syncs.get_by_text("The same as a table").click()
    expect(syncs.get_by_role("row").nth(1)).to_contain_text("Sync")
    page.get_by_role("region", name="Subcontractor invoices").get_by_role("link").last.click()
    expect(page).to_have_url(f"{synced.url}{company_page('subcontractor_invoices')}?view=synced")


def test_an_administrator_changes_the_schedule_and_reads_who_did(
    synced: Site, open_as: Open
) -> None:
    page = open_as("admin", company_page("home"))
    page.get_by_role("navigation", name="ERP Integrations").get_by_text("Settings").click()
    field = page.get_by_label("Sync Payments for Synced Invoices")
    expect(field.get_by_role("option")).to_have_text(
        ["Hourly", "Every 2 Hours", "Every 4 Hours", "Daily", "Never"]
    )
    field.select_option("Every 4 Hours")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    change = look.row(page, "Sync Payments for Synced Invoices").first
    expect(change).to_contain_text("Hourly")
    expect(change).to_contain_text("Every 4 Hours")
    expect(change).to_contain_text(str(User.objects.get(username="admin")))

    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("The connection works. The ERP answered: Tryton")).to_be_visible()
    page.get_by_label("Sync Payments for Synced Invoices").select_option("Hourly")
    page.get_by_role("button", name="Save").click()


def test_whoever_is_no_administrator_has_no_settings(synced: Site, open_as: Open) -> None:
    page = open_as("accountant", company_page("home"))
    tabs = page.get_by_role("navigation", name="ERP Integrations")
    expect(tabs.get_by_text("Overview")).to_be_visible()
    expect(tabs.get_by_text("Settings")).to_have_count(0)


def test_a_reader_of_an_email_stops_it_without_signing_in(synced: Site, open_as: Open) -> None:
    admin, company = User.objects.get(username="admin"), ErpConnection.objects.get().company
    set_preference(person=admin, company=company, kind=NoticeKind.TROUBLE, is_wanted=True)
    outbox.write_email(
        company=company,
        person=admin,
        kind=NoticeKind.TROUBLE,
        subject="Syncs fail",
        template="recovered",
        context={},
        dedupe_key="browser",
    )
    email = OutgoingEmail.objects.get(dedupe_key="browser")
    address = reverse("erp_integrations:unsubscribe", args=[links.token_of(email.key)])
    page = open_as("", address)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_text("“Trouble with the ERP connection” is stopped")).to_be_visible()
    assert not wants(admin, company.pk, NoticeKind.TROUBLE)

    mine = open_as("admin", "/")
    mine.get_by_label("Your account").first.click()
    mine.get_by_role("link", name="Your e-mail").click()
    switch = mine.get_by_label("Trouble with the ERP connection", exact=True)
    expect(switch).not_to_be_checked()
    switch.check()
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_text("Your choices are saved.")).to_be_visible()
    assert wants(admin, company.pk, NoticeKind.TROUBLE)
