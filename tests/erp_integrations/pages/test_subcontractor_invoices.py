"""The Subcontractor Invoices page: its rows, views and search."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from commitments.models import Commitment
from erp_integrations.models import (
    ErpConnection,
    RunTrigger,
)
from erp_integrations.runs import request_run
from projects.access import Level, Tool
from projects.models import Company, ErpStatus, Project, User
from projects.services import grant_level
from tests.erp_integrations.pages.reading import browser, finished, text, url
from tests.factories import (
    CommitmentFactory,
    InvoiceFactory,
    PaymentFactory,
)

pytestmark = pytest.mark.django_db


def test_an_invoice_shows_what_was_paid_on_it(
    alice: User, northstar: Company, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7", origin_code="BILL-7")
    PaymentFactory(commitment=concrete, invoice=invoice, amount=Decimal("1250.50"))
    page = text(browser(alice).get(url(northstar)))
    for shown in (invoice.invoice_number, "BILL-7", "Acme Concrete", "$5,000.00", "$1,250.50"):
        assert shown in page
    assert "Partially Paid" in page


@pytest.mark.parametrize(
    ("paid", "status"),
    [
        ([], "Unpaid"),
        (["4999.99"], "Partially Paid"),
        (["5000"], "Paid"),
        (["3000", "3000"], "Paid"),
    ],
)
def test_the_payment_status_follows_the_payments(
    alice: User, riverside: Project, concrete: Commitment, paid: list[str], status: str
) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7")
    for amount in paid:
        PaymentFactory(commitment=concrete, invoice=invoice, amount=Decimal(amount))
    row = browser(alice).get(url(riverside)).context["rows"][0]
    assert row.payment_status == status


def test_a_voided_payment_does_not_count(
    alice: User, riverside: Project, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7")
    PaymentFactory(
        commitment=concrete, invoice=invoice, status="voided", voided_on=dt.date(2026, 7, 7)
    )
    row = browser(alice).get(url(riverside)).context["rows"][0]
    assert row.paid == 0 and row.payment_status == "Unpaid"


def test_the_views_hold_what_they_say(
    alice: User, riverside: Project, concrete: Commitment
) -> None:
    InvoiceFactory(commitment=concrete, invoice_number="PLAIN")
    InvoiceFactory(commitment=concrete, invoice_number="SENT", erp_status=ErpStatus.SENT)
    InvoiceFactory(commitment=concrete, invoice_number="BROKEN", erp_status=ErpStatus.FAILED)
    InvoiceFactory(commitment=concrete, invoice_number="SYNCED", bill="7")
    client, expected = browser(alice), {"ready": "SENT", "failed": "BROKEN", "synced": "SYNCED"}
    for view, number in expected.items():
        page = client.get(url(riverside), {"view": view})
        assert [row.invoice.invoice_number for row in page.context["rows"]] == [number]
    assert [each["count"].number for each in page.context["views"]] == [4, 1, 1, 1]


def test_a_failed_export_says_why(alice: User, riverside: Project, concrete: Commitment) -> None:
    InvoiceFactory(
        commitment=concrete, erp_status=ErpStatus.FAILED, erp_message="Cost code is not open."
    )
    assert "Cost code is not open." in text(browser(alice).get(url(riverside)))


@pytest.mark.parametrize("words", ["acme-77", "SC-0012", "concrete acme", "riverside", "BILL-7"])
def test_an_invoice_is_found_by_its_words(
    alice: User, northstar: Company, concrete: Commitment, words: str
) -> None:
    InvoiceFactory(commitment=concrete, invoice_number="ACME-77", bill="7", origin_code="BILL-7")
    page = browser(alice).get(url(northstar), {"q": words})
    assert len(page.context["rows"]) == 1


def test_a_search_without_result_says_so(alice: User, northstar: Company) -> None:
    page = text(browser(alice).get(url(northstar), {"q": "nothing like this"}))
    assert "No invoice here has all these words." in page


@pytest.mark.parametrize(
    "query", ["view=nonsense", "q=%00", "after=abc", "before=%00", "q=" + "x" * 300]
)
def test_nonsense_in_the_address_is_survived(alice: User, northstar: Company, query: str) -> None:
    assert browser(alice).get(f"{url(northstar)}?{query}").status_code == 200


def test_a_private_commitment_is_named_but_not_linked(
    carla: User, northstar: Company, concrete: Commitment
) -> None:
    Commitment.objects.update(is_private=True)
    InvoiceFactory(commitment=concrete)
    row = browser(carla).get(url(northstar)).context["rows"][0]
    assert row.commitment_url == ""


def test_a_commitment_is_linked_for_those_who_may_see_it(
    alice: User, northstar: Company, concrete: Commitment
) -> None:
    grant_level(user=alice, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=northstar)
    InvoiceFactory(commitment=concrete)
    row = browser(alice).get(url(northstar)).context["rows"][0]
    assert row.commitment_url in text(browser(alice).get(url(northstar)))
    assert row.commitment_url


@pytest.mark.parametrize("name", ["subcontractor_invoices", "runs"])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    alice: User, northstar: Company, tryton: ErpConnection, riverside: Project, name: str
) -> None:
    client, counts = browser(alice), []
    for _ in range(3):
        for _ in range(5):
            InvoiceFactory(commitment=CommitmentFactory(project=riverside))
        finished(request_run(connection=tryton, trigger=RunTrigger.BUTTON, requested_by=alice))
        with CaptureQueriesContext(database) as queries:
            client.get(url(northstar, name))
        counts.append(len(queries))
    assert counts[1] == counts[2] <= 40
