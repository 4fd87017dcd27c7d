"""Everything with the keyboard alone, as people do who cannot or will not use a mouse."""

import re

from playwright.sync_api import Locator, Page, expect

from erp_integrations.demo.story import PASSWORD
from tests.browser import look
from tests.browser.conftest import Open, Site


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until it is there."""
    target.wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {target}.")


def test_sign_in_and_sync_without_a_mouse(synced: Site, quiet_books: None, open_as: Open) -> None:
    page = open_as("", "/accounts/login/")
    name, password = page.get_by_label("Username or email"), page.get_by_label("Password")
    if not name.evaluate("it => it === document.activeElement"):
        tab_to(page, name)
    page.keyboard.type("accountant")
    page.keyboard.press("Tab")
    expect(password).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    tab_to(page, page.get_by_role("link", name="ERP Integrations of Riverside Tower"))
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name=look.BUTTON)
    link = look.summary(page).get_by_role("link", name="What this sync did")
    tab_to(page, button)
    # The last sync may have been a preview, or one that failed: then there is no such link yet.
    before = link.get_attribute("href") if link.count() else ""
    page.keyboard.press("Enter")
    expect(link).to_have_attribute("href", re.compile(f"^(?!{before}$)."), timeout=30_000)
    announced = page.locator("#sync-announcement")
    expect(announced).to_contain_text("payments read")


def test_the_first_tab_stop_skips_to_the_content(synced: Site, open_as: Open) -> None:
    page = open_as("accountant", look.payments_page("SC-2024-001"))
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.locator("main").evaluate("it => it.contains(document.activeElement)")


def test_menus_open_with_enter_and_close_with_escape(synced: Site, open_as: Open) -> None:
    page = open_as("accountant", look.payments_page("SC-2024-001"))
    for menu, inside in (
        (page.locator("details.picker summary").first, "Harbor Point Garage"),
        (page.locator("details.account summary"), "Change password"),
    ):
        panel = page.get_by_role("link", name=inside)
        tab_to(page, menu)
        expect(panel).to_be_hidden()
        page.keyboard.press("Enter")
        expect(panel).to_be_visible()
        tab_to(page, panel)
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(menu).to_be_focused()
    page.locator("details.picker summary").first.press("Enter")
    tab_to(page, page.get_by_role("link", name="Harbor Point Garage"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Harbor Point Garage")


def test_focus_can_be_seen_wherever_tab_goes(synced: Site, open_as: Open) -> None:
    page = open_as("accountant", look.sync_page())
    unseen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        unseen += page.evaluate(
            """() => {
              const it = document.activeElement, style = getComputedStyle(it);
              if (it === document.body) return [];
              const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
              return ring || style.boxShadow !== "none" ? [] : [it.outerHTML.slice(0, 120)];
            }"""
        )
    assert unseen == []
