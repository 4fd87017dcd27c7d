"""The project's list of subcontractor invoices."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commitments.models import Commitment, SubcontractorInvoice
from commitments.project_invoices import EXPORT_HEADER
from projects.models import Project, User
from tests.commitments.fixtures import browser, text
from tests.factories import (
    BillingPeriodFactory,
    CommitmentFactory,
    InvoiceFactory,
    PaymentFactory,
    VendorFactory,
)

pytestmark = pytest.mark.django_db


def url(project: Project, name: str = "project_invoices") -> str:
    return reverse(f"commitments:{name}", args=[project.pk])


def listed(user: User, project: Project, query: str = "") -> list[str]:
    page = browser(user).get(f"{url(project)}?{query}")
    return [row.invoice.invoice_number for row in page.context["rows"]]


def test_it_lists_what_the_person_may_see_newest_first(
    bob: User, alice: User, mallory: User, riverside: Project, concrete: Commitment
) -> None:
    private = CommitmentFactory(project=riverside, number="PO-8", is_private=True)
    InvoiceFactory(commitment=concrete, invoice_number="OLD", billing_date=dt.date(2026, 5, 31))
    InvoiceFactory(commitment=concrete, invoice_number="NEW")
    InvoiceFactory(commitment=private, invoice_number="PRIVATE")
    InvoiceFactory()
    assert listed(bob, riverside) == ["NEW", "OLD"]
    assert listed(alice, riverside) == ["PRIVATE", "NEW", "OLD"]
    assert browser(mallory).get(url(riverside)).status_code == 404


def test_a_row_shows_what_was_billed_this_time_and_paid(
    bob: User, riverside: Project, concrete: Commitment
) -> None:
    InvoiceFactory(commitment=concrete, position=1, due=Decimal("1000"))
    second = InvoiceFactory(
        commitment=concrete,
        position=2,
        billing_date=dt.date(2026, 7, 31),
        original_contract_sum=Decimal("8000"),
        contract_sum_to_date=Decimal("8000"),
        total_completed_and_stored_to_date=Decimal("4000"),
        total_retainage=Decimal("400"),
        total_earned_less_retainage=Decimal("3600"),
        less_previous_certificates=Decimal("1000"),
        current_payment_due=Decimal("2600"),
        balance_to_finish=Decimal("4400"),
    )
    PaymentFactory(commitment=concrete, invoice=second, amount=Decimal("600"))
    page = browser(bob).get(url(riverside))
    row = page.context["rows"][0]
    assert (row.invoice.gross, row.invoice.paid) == (3000, 600)
    assert (row.payment_status, row.percent_complete) == ("Partially Paid", "50.00%")
    shown = text(page)
    for expected in ("$3,000.00", "$2,600.00", "$600.00", "SC-0012 Structural concrete"):
        assert expected in shown


def test_totals_are_of_all_filtered_rows_by_currency(
    bob: User, riverside: Project, concrete: Commitment
) -> None:
    InvoiceFactory.create_batch(51, commitment=concrete, due=Decimal("10"))
    euro = CommitmentFactory(project=riverside, number="PO-9", currency="EUR")
    PaymentFactory(commitment=euro, invoice=InvoiceFactory(commitment=euro), amount=Decimal("7"))
    page = browser(bob).get(url(riverside))
    found = {each.currency: (each.net, each.paid) for each in page.context["totals"]}
    assert found == {"EUR": (5000, 7), "USD": (510, 0)}
    assert len(page.context["rows"]) == 50 and "1–50 of 52 invoices" in text(page)


def test_where_counting_stops_only_the_net_amount_is_added_up(
    bob: User, riverside: Project, concrete: Commitment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.paging.COUNTED", 2)
    InvoiceFactory.create_batch(3, commitment=concrete, due=Decimal("10"))
    page = browser(bob).get(url(riverside))
    total = page.context["totals"][0]
    assert (total.gross, total.net, total.paid) == (None, 30, None)
    assert "added up for at most 2 invoices" in text(page)


@pytest.fixture
def mixed(riverside: Project, concrete: Commitment) -> dict[str, Any]:
    vendor = VendorFactory(company=riverside.company, name="Hudson Electric")
    order = CommitmentFactory(
        project=riverside, kind="purchase_order", vendor=vendor, title="Switchgear", number="PO-1"
    )
    june = BillingPeriodFactory(project=riverside)
    paid = InvoiceFactory(
        commitment=concrete, invoice_number="A-PAID", bill="7", billing_period=june
    )
    part = InvoiceFactory(commitment=concrete, invoice_number="B-PART", erp_status="sent")
    InvoiceFactory(commitment=order, invoice_number="C-DRAFT", status="draft")
    PaymentFactory(commitment=concrete, invoice=paid, amount=Decimal("5000"))
    PaymentFactory(commitment=concrete, invoice=part, amount=Decimal("1"))
    return {"vendor": vendor.pk, "period": june.pk}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("period={period}", ["A-PAID"]),
        ("vendor={vendor}", ["C-DRAFT"]),
        ("status=approved", ["B-PART", "A-PAID"]),
        ("payment=paid", ["A-PAID"]),
        ("payment=partial", ["B-PART"]),
        ("payment=unpaid", ["C-DRAFT"]),
        ("erp=sent", ["B-PART"]),
        ("kind=purchase_order", ["C-DRAFT"]),
        ("q=hudson+switch", ["C-DRAFT"]),
        ("q=b-part", ["B-PART"]),
        ("q=nothing", []),
        ("kind=nonsense&after=forged", ["C-DRAFT", "B-PART", "A-PAID"]),
    ],
)
def test_it_is_filtered(
    bob: User, riverside: Project, mixed: dict[str, Any], query: str, expected: list[str]
) -> None:
    assert listed(bob, riverside, query.format(**mixed)) == expected


def test_an_empty_list_says_why(bob: User, riverside: Project, mixed: dict[str, Any]) -> None:
    assert "No invoice fits these filters" in text(browser(bob).get(f"{url(riverside)}?q=nothing"))
    SubcontractorInvoice.objects.update(project=Project.objects.create(
        company=riverside.company, number="X", name="X"))  # fmt: skip
    assert "No invoice that you may see yet" in text(browser(bob).get(url(riverside)))


def test_filters_name_only_companies_with_an_invoice(
    bob: User, riverside: Project, mixed: dict[str, Any]
) -> None:
    CommitmentFactory(
        project=riverside, number="PO-2", is_private=True, vendor__name="Secret Steel"
    )
    assert "Secret Steel" not in text(browser(bob).get(url(riverside)))


def test_the_file_has_every_filtered_row(
    bob: User, riverside: Project, mixed: dict[str, Any]
) -> None:
    answer = browser(bob).get(f"{url(riverside, 'project_invoices_export')}?erp=sent")
    body = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert body[0] == ",".join(EXPORT_HEADER) and len(body) == 2
    assert body[1].startswith("B-PART,Approved,Acme Concrete LLC,,2026-06-30,USD,")
    assert "5000.00,1.00,Partially Paid" in body[1]


def test_invoices_of_several_commitments_are_sent_together(
    alice: User, riverside: Project, concrete: Commitment
) -> None:
    rows = [
        InvoiceFactory(commitment=concrete),
        InvoiceFactory(commitment=CommitmentFactory(project=riverside, number="PO-7")),
        InvoiceFactory(commitment=concrete, status="draft", invoice_number="DRAFT"),
    ]
    data = {"action": "send", "invoice": [row.pk for row in rows]}
    act = f"{url(riverside, 'project_invoices_act')}?erp=not_sent"
    answer = browser(alice).post(act, data)
    assert answer["Location"] == f"{url(riverside)}?erp=not_sent"
    page = text(browser(alice).get(url(riverside)))
    assert "Waits for an approver" in page
    sent = SubcontractorInvoice.objects.filter(erp_status="sent")
    assert {row.pk for row in sent} == {rows[0].pk, rows[1].pk}


def test_readers_send_nothing(bob: User, riverside: Project, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    data = {"action": "send", "invoice": [invoice.pk]}
    assert browser(bob).post(url(riverside, "project_invoices_act"), data).status_code == 403
    assert "Send to ERP" not in text(browser(bob).get(url(riverside)))
    invoice.refresh_from_db()
    assert invoice.erp_status == "not_sent"


def test_an_invoice_of_another_project_is_not_reached(
    alice: User, mallory: User, riverside: Project
) -> None:
    other = InvoiceFactory()
    data = {"action": "send", "invoice": [other.pk]}
    page = browser(alice).post(url(riverside, "project_invoices_act"), data, follow=True)
    assert "not there any more" in text(page)
    other.refresh_from_db()
    assert other.erp_status == "not_sent"


def test_it_is_linked_from_the_commitments(bob: User, riverside: Project) -> None:
    assert url(riverside) in text(browser(bob).get(url(riverside, "list")))


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_it_costs_the_same_for_one_row_and_for_fifty_one(
    request: pytest.FixtureRequest, riverside: Project, concrete: Commitment, who: str
) -> None:
    client = browser(request.getfixturevalue(who))
    InvoiceFactory(commitment=concrete)
    client.get(url(riverside))
    with CaptureQueriesContext(connection) as one:
        client.get(url(riverside))
    for number in range(50):
        other = CommitmentFactory(project=riverside, number=f"PO-{number}")
        InvoiceFactory(commitment=other)
    with CaptureQueriesContext(connection) as many:
        client.get(url(riverside))
    assert len(one) == len(many) <= 18
