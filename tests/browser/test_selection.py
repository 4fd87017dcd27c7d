"""Ticking rows of a list: the box for all of them, the count, and the buttons that wait for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

SCRIPT = Path(settings.BASE_DIR) / "static" / "js" / "app.js"
LIST = """
<form data-selection>
  <output data-selected></output>
  <button data-needs-selection>Send to ERP</button>
  <table>
    <thead><tr><th><input type="checkbox" data-select-all aria-label="All"></th></tr></thead>
    <tbody>
      <tr><td><input type="checkbox" data-select aria-label="First" name="row" value="1"></td></tr>
      <tr><td><input type="checkbox" data-select aria-label="Second" name="row" value="2"></td></tr>
      <tr><td><input type="checkbox" data-select aria-label="Locked" name="row" disabled></td></tr>
    </tbody>
  </table>
</form>
"""


@pytest.fixture
def ticking(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_content(LIST)
    page.add_script_tag(content=SCRIPT.read_text(encoding="utf-8"))
    page.evaluate("window.dispatchEvent(new Event('pageshow'))")
    yield page
    page.close()


def test_one_box_ticks_every_row_that_can_be(ticking: Page) -> None:
    button = ticking.get_by_role("button", name="Send to ERP")
    expect(button).to_be_disabled()
    expect(ticking.get_by_role("status")).to_have_text("None selected")
    ticking.get_by_label("All").check()
    expect(ticking.get_by_role("status")).to_have_text("2 selected")
    expect(ticking.get_by_label("Locked")).not_to_be_checked()
    expect(button).to_be_enabled()
    ticking.get_by_label("All").uncheck()
    expect(ticking.get_by_label("First")).not_to_be_checked()
    expect(button).to_be_disabled()


def test_the_box_for_all_shows_that_some_are_ticked(ticking: Page) -> None:
    every = ticking.get_by_label("All")
    ticking.get_by_label("First").check()
    assert every.evaluate("box => box.indeterminate")
    expect(ticking.get_by_role("status")).to_have_text("1 selected")
    ticking.get_by_label("Second").check()
    expect(every).to_be_checked()
