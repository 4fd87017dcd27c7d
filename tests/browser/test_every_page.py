"""Every page: accessible, in a light and a dark room, on a wide and a narrow screen, without an
error on the console (``conftest`` listens)."""

import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from allauth.mfa.totp.internal import auth as totp
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, Route, ViewportSize, expect

from commitments.models import Commitment
from erp_integrations.demo.story import PASSWORD
from erp_integrations.models import ErpConnection, NoticeKind, OutgoingEmail, SyncRun
from erp_integrations.notices import links
from payments.models import PaymentAttachment
from projects.models import User
from tests.browser import look
from tests.browser.conftest import Open, Site
from tests.factories import StagedRecordFactory, UserFactory
from tests.test_access import ALL_URLS, ROWS, fill

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
NOT_A_PAGE = (
    "oauth_callback",
    "erp_company",
    "livez",
    "readyz",
    "attachment",
    "export",
    "csv",
    "xlsx",
    "progress",
)
PAGES = [
    name
    for name, row in ROWS.items()
    if row.method == "get" and not name.endswith(NOT_A_PAGE)
]  # fmt: skip
ACCOUNT = ["account_change_password", "account_logout", "account_reauthenticate", "mfa_index"]
VISITOR = ["account_login", "account_signup", "account_reset_password",
           "account_reset_password_done", "account_reset_password_from_key_done"]  # fmt: skip


def complaints(page: Page, *rules: str) -> list[str]:
    """What axe has to say about the page as it is now."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{each['id']}: {each['help']} {json.dumps(node['target'])} {node['html'][:150]}"
        for each in found
        for node in each["nodes"]
    ]


def show(page: Page, size: ViewportSize, scheme: Literal["light", "dark"]) -> None:
    """Look at it in another way, and wait until it is drawn."""
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("new Promise(it => requestAnimationFrame(() => requestAnimationFrame(it)))")


def check(page: Page) -> None:
    """The four ways to look at a page."""
    found = {}
    show(page, WIDE, "light")
    found["wide, light"] = complaints(page)
    show(page, WIDE, "dark")
    found["wide, dark"] = complaints(page, "color-contrast")
    show(page, NARROW, "dark")
    found["narrow, dark"] = complaints(page)
    show(page, NARROW, "light")
    found["narrow, light"] = complaints(page, "color-contrast")
    width, screen = page.evaluate(
        "[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]"
    )
    found["narrow"] = [f"It is {width} wide on a screen of {screen}."] if width > screen else []
    assert {way: said for way, said in found.items() if said} == {}
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert page.title() not in ("", "Procore Sync")


@pytest.fixture(scope="module")
def arguments(synced: Site) -> dict[str, int]:
    """One commitment with something on each of its tabs."""
    commitment = Commitment.objects.get(number="SC-2024-002")
    attachment = PaymentAttachment.objects.get(payment__commitment=commitment)
    staged = StagedRecordFactory(
        connection=ErpConnection.objects.get(), kind="commitments", total=100, currency="USD"
    )
    return {
        "company_id": commitment.company_id,
        "project_id": commitment.project_id,
        "commitment_id": commitment.pk,
        "invoice_id": commitment.invoices.earliest("position").pk,
        "payment_id": attachment.payment_id,
        "attachment_id": attachment.pk,
        "run_id": SyncRun.objects.latest("pk").pk,
        "kind": "vendors",
        "record_id": commitment.vendor_id,
        "staged_id": staged.pk,
        "token": links.token_of(_email(commitment).key),
    }


def _email(commitment: Commitment) -> OutgoingEmail:
    return OutgoingEmail.objects.create(
        company=commitment.company, person=User.objects.get(username="accountant"),
        kind=NoticeKind.REJECTION, subject="Rejected", not_before=timezone.now(),
        dedupe_key="every page",
    )  # fmt: skip


def of_company(name: str) -> str:
    company = ErpConnection.objects.get().company_id
    return reverse(f"erp_integrations:company_{name}", args=[company])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everybody(arguments: dict[str, int], open_as: Open, name: str) -> None:
    check(open_as("accountant", fill(dict(ALL_URLS)[name], arguments)))


@pytest.mark.parametrize("name", ACCOUNT)
def test_a_page_of_ones_own_account_is_for_everybody(
    site: Site, open_as: Open, name: str
) -> None:  # fmt: skip
    check(open_as("pm", reverse(name)))


@pytest.mark.parametrize("name", VISITOR)
def test_a_page_before_the_sign_in_is_for_everybody(
    site: Site, open_as: Open, name: str
) -> None:  # fmt: skip
    check(open_as("", reverse(name)))


def locked_payment() -> str:
    return look.payment_page("CHK-5007")


def paid_two_bills() -> str:
    return look.payment_page("CHK-5010", invoice_number="LUM-8802")


STATES: dict[str, tuple[str, Callable[[], str]]] = {
    "a locked payment": ("accountant", locked_payment),
    "editing a locked payment": ("accountant", lambda: locked_payment() + "edit/"),
    "a payment that paid two bills": ("accountant", paid_two_bills),
    "green icons, one voided": ("accountant", lambda: look.payments_page("SC-2024-002")),
    "no payment yet": ("accountant", lambda: look.payments_page("SC-2026-010")),
    "payments switched off": ("accountant", lambda: look.payments_page("SC-2026-011")),
    "an invoice that was not sent": ("accountant", lambda: look.general_page("SC-2026-011")),
    "editing an invoice": ("accountant", lambda: look.invoice_page("GP-201") + "edit/"),
    "an invoice whose export failed": ("accountant", lambda: look.invoice_page("BOLT-80")),
    "the reason instead of the button": ("viewer", look.sync_page),
    "read only": ("pm", lambda: look.payments_page("SC-2024-001")),
    "nothing to see": ("stranger", lambda: "/"),
    "no such page": ("accountant", lambda: "/projects/0/"),
    "no ERP yet": ("elsewhere", lambda: look.sync_page("W-100")),
    "nothing found": ("accountant", lambda: "/?q=nothing+like+it"),
    "settings of a connection": ("admin", lambda: of_company("settings")),
    "address and credentials": ("admin", lambda: of_company("connection")),
    "e-mail of a person without companies": ("stranger", lambda: "/account/email/"),
    "the administrator's menu": ("admin", look.commitments_page),
}


@pytest.mark.parametrize("state", STATES)
def test_a_page_in_another_state_is_for_everybody(
    synced: Site, open_as: Open, state: str
) -> None:  # fmt: skip
    person, path = STATES[state]
    page = open_as(person, path())
    menus = page.locator("details.menu summary:visible")
    if menus.count():
        menus.last.click()
    check(page)


def test_a_refused_form_is_for_everybody(synced: Site, open_as: Open) -> None:
    page = open_as("accountant", look.payments_page("SC-2024-002") + "new/")
    page.get_by_label("Amount (USD)").fill("a lot")
    page.locator("main form").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Add Payment").click()
    expect(page.get_by_text("Enter a number.")).to_be_visible()
    check(page)


def test_a_wrong_password_is_told_to_everybody(site: Site, open_as: Open) -> None:
    page = open_as("", "/accounts/login/")
    page.get_by_label("Username or email").fill("nobody-like-it")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("not correct")).to_be_visible()
    check(page)


def test_a_sync_under_way_is_for_everybody(synced: Site, open_as: Open) -> None:
    page = open_as("accountant", look.sync_page())
    with synced.worker.holding_still():
        page.get_by_role("button", name=look.BUTTON).click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        check(page)
        page.get_by_role("link", name="Details").click()
        check(page)
        page.get_by_role("button", name="Cancel this sync").click()
        expect(page.get_by_role("status")).to_contain_text("was stopped")
        check(page)


@pytest.mark.parametrize("template", ["403.html", "403_csrf.html", "500.html"])
def test_an_error_is_for_everybody(site: Site, open_as: Open, template: str) -> None:
    page = open_as("", "/accounts/login/")

    def answer(route: Route) -> None:
        route.fulfill(body=render_to_string(template), content_type="text/html")

    page.route("**/broken/", answer)
    page.goto(f"{site.url}/broken/")
    check(page)


def test_a_second_factor_is_for_everybody(site: Site, open_as: Open) -> None:
    user = UserFactory(username="careful")
    user.set_password(PASSWORD)
    user.save()
    page = open_as("careful", reverse("mfa_activate_totp"))
    check(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(site.url + reverse("mfa_activate_totp"))
    check(page)
    secret = page.get_by_label("Authenticator secret").input_value()

    def code() -> str:
        counter = next(iter(totp.yield_hotp_counters_from_time()))
        return totp.format_hotp_value(totp.hotp_value(secret, counter))

    page.get_by_label("Authenticator code").fill(code())
    page.get_by_role("button", name="Activate").click()
    for name in ("mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
                 "mfa_deactivate_totp"):  # fmt: skip
        page.goto(site.url + reverse(name))
        check(page)
    visitor = open_as("", "/accounts/login/")
    site.fill_in(visitor, "careful")
    expect(visitor.get_by_label("Code")).to_be_visible()
    check(visitor)
