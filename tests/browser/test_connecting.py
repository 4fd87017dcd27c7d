"""Every ERP is connected by a person in the browser, and its payments come."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib import import_module
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from commitments.models import Commitment
from devservices.erp import StandIn
from erp_integrations.providers.contract import Provider
from erp_integrations.providers.registry import provider_class
from payments.models import Payment
from projects.access import Tool
from projects.models import Company
from projects.services import set_tool
from tests.browser import look
from tests.browser.conftest import Open, Site
from tests.browser.other_company import another_company
from tests.factories import CommitmentFactory, InvoiceFactory, ProjectFactory
from tests.fakes.stand_in import STORY, Served, enter_story, make

pytestmark = pytest.mark.timeout(180)


class Trial(NamedTuple):
    """A company that is not connected yet, and its ERP with the demo's story in the books."""

    provider: type[Provider]
    typed: dict[str, str]
    served: Served
    commitment: Commitment
    books: dict[str, Any]

    @property
    def company(self) -> Company:
        return self.commitment.company


@contextmanager
def books_of(name: str) -> Iterator[Trial]:
    served = Served(make(name))
    served.catch_up()
    books = enter_story(served.desk)
    settings, credentials = import_module(f"tests.fakes.{name}").connection(served.fake)
    with another_company() as company, served.fake.running():
        commitment = _commitment(company, f"Everybody paid through {name}")
        for position, bill in enumerate(books["bills"], start=1):
            InvoiceFactory(
                commitment=commitment,
                position=position,
                invoice_number=bill["reference"],
                bill=bill["id"],
                due=Decimal(bill["total"]),
            )
        yield Trial(provider_class(name), settings | credentials, served, commitment, books)


def _commitment(company: Company, vendor: str) -> Commitment:
    """Of a project with all its tools."""
    project = ProjectFactory(company=company)
    for tool in Tool:
        set_tool(project=project, tool=tool, is_active=True)
    return CommitmentFactory(project=project, vendor__name=vendor, allow_payments=True)


def paid_by_the_story() -> dict[str, Decimal]:
    """Checks that are money, and what each comes to."""
    checks = json.loads(STORY.read_text(encoding="utf-8"))["checks"]
    return {
        each["number"]: sum((Decimal(pay["amount"]) for pay in each["pays"]), Decimal(0))
        for each in checks
        if each["outcome"] in ("issued", "wizard")
    }


def connect(page: Page, trial: Trial) -> None:
    page.get_by_role("link", name=f"Connect {trial.provider.label}").click()
    for field in trial.provider.fields:
        if field.name in trial.typed:
            page.get_by_label(field.label).first.fill(trial.typed[field.name])
    page.get_by_label("Name").first.fill(trial.provider.label)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The connection is saved.")).to_be_visible()
    page.get_by_label("Export Subcontractor Invoices").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    sign_in = page.get_by_role("button", name="Connect", exact=True)
    if sign_in.count():
        sign_in.click()
        page.get_by_role("link", name="Continue to").click()
        choose_company(page)
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("The connection works.")).to_be_visible()


def choose_company(page: Page) -> None:
    """Where a sign-in opens several companies, the first will do."""
    page.wait_for_load_state()
    if page.get_by_role("radio").count():
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Read this company").or_(
            page.get_by_role("button", name="Save")
        ).first.click()


@pytest.mark.parametrize("name", StandIn.names())
def test_an_erp_is_connected_in_the_browser_and_its_payments_come(
    site: Site, open_as: Open, name: str
) -> None:
    with books_of(name) as trial:
        company = trial.company.pk
        page = open_as("admin", reverse("erp_integrations:company_settings", args=[company]))
        connect(page, trial)
        page.goto(
            site.url + reverse("erp_integrations:company_subcontractor_invoices", args=[company])
        )
        run = look.press_sync(page)
        assert run.problems == 0
        assert run.payments_read >= len(paid_by_the_story())

        issued = reverse(
            "payments:payments_issued", args=[trial.commitment.project_id, trial.commitment.pk]
        )
        page.goto(site.url + issued)
        paid = paid_by_the_story()
        assert look.grand_total(page) == sum(paid.values())
        counted: dict[str, Decimal] = {}
        for payment in Payment.objects.counted().filter(commitment=trial.commitment):
            counted[payment.check_number] = (
                counted.get(payment.check_number, Decimal(0)) + payment.amount
            )
        assert counted == paid

        trial.served.desk.void("CHK-5001")
        page.goto(
            site.url + reverse("erp_integrations:company_subcontractor_invoices", args=[company])
        )
        look.press_sync(page)
        page.goto(site.url + issued)
        assert look.grand_total(page) == sum(paid.values()) - paid["CHK-5001"]


def test_a_sender_gets_its_key_in_the_browser_and_what_it_sends_appears(
    site: Site, open_as: Open
) -> None:
    key = "a key that nobody can guess"
    with another_company() as its_company:
        company = its_company.pk
        commitment = _commitment(its_company, "Lumen Electric")
        invoice = InvoiceFactory(bill="9001", commitment=commitment)
        page = open_as("admin", reverse("erp_integrations:company_settings", args=[company]))
        page.get_by_role("link", name="Connect Push API").click()
        page.get_by_label("Key of the sender").fill(key)
        page.get_by_label("Name").first.fill("Our exporter")
        page.get_by_role("button", name="Save").click()
        page.get_by_label("Export Subcontractor Invoices").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("The settings are saved.")).to_be_visible()
        row = {
            "origin_id": "P-1",
            "invoice_id": invoice.pk,
            "amount": "1250.10",
            "payment_date": "2026-11-20",
            "check_number": "CHK-77",
        }
        sent = Request(
            f"{site.url}/rest/v1.0/companies/{company}/invoice_payments/sync",
            json.dumps({"updates": [row]}).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            method="PATCH",
        )
        with urlopen(sent, timeout=20) as answer:
            assert json.load(answer)["errors"] == []
        issued = reverse("payments:payments_issued", args=[commitment.project_id, commitment.pk])
        page.goto(site.url + issued)
        expect(look.row(page, "CHK-77").get_by_text("$1,250.10").first).to_be_visible()
        home = reverse("erp_integrations:company_subcontractor_invoices", args=[company])
        page.goto(site.url + home)
        expect(page.get_by_text("sends its payments here by itself").first).to_be_visible()
