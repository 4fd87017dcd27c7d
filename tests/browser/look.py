"""What a person reads off the pages."""

import re
import time
from collections.abc import Callable
from decimal import Decimal

from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.models import SyncRun
from payments.models import Payment
from projects.models import Project

BUTTON = "Sync Payments for Synced Invoices"
RIVERSIDE, HARBOR, LAKESIDE = "2026-014", "2026-021", "2026-030"


def sync_page(project: str = RIVERSIDE) -> str:
    """The project's ERP Integrations tool."""
    number = Project.objects.get(number=project).pk
    return reverse("erp_integrations:project_subcontractor_invoices", args=[number])


def payments_page(commitment: str) -> str:
    return _page_of("payments:payments_issued", commitment)


def general_page(commitment: str) -> str:
    return _page_of("commitments:general", commitment)


def settings_page(commitment: str) -> str:
    return _page_of("commitments:advanced_settings", commitment)


def _page_of(name: str, commitment: str) -> str:
    found = Commitment.objects.get(number=commitment)
    return reverse(name, args=[found.project_id, found.pk])


def invoice_page(number: str) -> str:
    """The page of an invoice of the demo company."""
    found = SubcontractorInvoice.objects.get(invoice_number=number)
    return reverse("commitments:invoice", args=[found.project_id, found.commitment_id, found.pk])


def payment_page(check: str, **which: str) -> str:
    """The page of a payment that a check of the ERP made."""
    found = Payment.objects.get(check_number=check, **which)
    return reverse("payments:detail", args=[found.project_id, found.commitment_id, found.pk])


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Commitment").get_by_role("link", name=name)


def wait_until(happened: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.2)


def press_sync(page: Page) -> SyncRun:
    """Press the button and wait for the summary; the run it belongs to."""
    link = summary(page).get_by_role("link", name="What this sync did")
    before = link.get_attribute("href") if link.count() else ""
    page.get_by_role("button", name=BUTTON).click()
    expect(link).to_have_attribute("href", re.compile(f"^(?!{before}$)."), timeout=30_000)
    return SyncRun.objects.get(pk=str(link.get_attribute("href")).rstrip("/").split("/")[-1])


def summary(page: Page) -> Locator:
    return page.locator("#sync").get_by_text("Sync finished").locator("..")


def money(text: str) -> Decimal:
    """``$1,250.00``, ``-$5.00`` and ``($5.00)`` as numbers."""
    digits = "".join(sign for sign in text if sign.isdigit() or sign == ".")
    return -Decimal(digits) if text.strip().startswith(("-", "(", "−")) else Decimal(digits)


def payments(page: Page) -> list[dict[str, str]]:
    """The rows of Payments Issued by the names of their columns."""
    table = page.get_by_role("table")
    headings = table.get_by_role("columnheader").all_inner_texts()
    rows = table.locator("tbody tr:not(.remark)")
    return [dict(zip(headings, row.locator("td").all_inner_texts(), strict=True))
            for row in rows.all()]  # fmt: skip


def row(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def grand_total(page: Page) -> Decimal:
    foot = page.get_by_role("row").filter(has_text="Grand Totals")
    return money(foot.locator("td").first.inner_text())


def commitments_page(project: str = RIVERSIDE) -> str:
    return reverse("commitments:list", args=[Project.objects.get(number=project).pk])
