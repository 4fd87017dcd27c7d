"""The tabs of a commitment."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commitments.history import change_lines
from commitments.models import Commitment, CommitmentEvent
from payments.models import PaymentEvent
from projects.models import User
from tests.commitments.fixtures import at, browser, text
from tests.factories import (
    ChangeOrderFactory,
    CommitmentFactory,
    InvoiceFactory,
    PaymentFactory,
    ScheduleOfValuesLineFactory,
)

pytestmark = pytest.mark.django_db

TABS = ("general", "schedule_of_values", "change_orders", "invoices", "history")


def open_tab(user: User, commitment: Commitment, name: str) -> Any:
    return browser(user).get(at(commitment, f"commitments:{name}"))


@pytest.mark.parametrize("name", TABS)
def test_readers_see_every_tab_and_others_none(
    bob: User, mallory: User, concrete: Commitment, name: str
) -> None:
    assert open_tab(bob, concrete, name).status_code == 200
    assert open_tab(mallory, concrete, name).status_code == 404


@pytest.mark.parametrize("name", TABS)
def test_a_private_commitment_does_not_exist_for_the_unlisted(
    bob: User, concrete: Commitment, name: str
) -> None:
    Commitment.objects.update(is_private=True)
    assert open_tab(bob, concrete, name).status_code == 404
    concrete.viewers.add(bob)
    assert open_tab(bob, concrete, name).status_code == 200


def test_a_commitment_is_not_found_in_another_project(alice: User, concrete: Commitment) -> None:
    other = CommitmentFactory()
    url = at(concrete, "commitments:general").replace(
        f"/projects/{concrete.project_id}/", f"/projects/{other.project_id}/"
    )
    assert browser(alice).get(url).status_code == 404


def test_tabs_count_their_rows(bob: User, concrete: Commitment) -> None:
    ChangeOrderFactory.create_batch(2, commitment=concrete)
    InvoiceFactory.create_batch(3, commitment=concrete)
    PaymentFactory(commitment=concrete)
    PaymentFactory()
    tabs = open_tab(bob, concrete, "general").context["frame"].tabs
    assert [(tab.label, tab.count) for tab in tabs] == [
        ("General", None),
        ("Schedule of Values", None),
        ("Change Orders", 2),
        ("Invoices", 3),
        ("Payments Issued", 1),
        ("Change History", None),
    ]


def test_administrators_have_advanced_settings(alice: User, concrete: Commitment) -> None:
    assert "Advanced Settings</a>" in text(open_tab(alice, concrete, "general"))


def test_the_contract_summary_adds_up(bob: User, concrete: Commitment) -> None:
    ScheduleOfValuesLineFactory(commitment=concrete, amount=Decimal("10000"))
    ChangeOrderFactory(commitment=concrete, status="Approved", amount=Decimal("2000"))
    ChangeOrderFactory(commitment=concrete, status="Pending - In Review", amount=Decimal("300"))
    InvoiceFactory(commitment=concrete)
    PaymentFactory(commitment=concrete, amount=Decimal("3000"))
    page = open_tab(bob, concrete, "general")
    assert dict(page.context["summary"]) == {
        "Original Contract Amount": Decimal(10000),
        "Approved Change Orders": Decimal(2000),
        "Revised Contract Amount": Decimal(12000),
        "Pending Change Orders": Decimal(300),
        "Pending Revised Contract Amount": Decimal(12300),
        "Draft Change Orders": Decimal(0),
        "Invoices": Decimal(5000),
        "Payments Issued": Decimal(3000),
        "Remaining Balance": Decimal(9000),
    }
    assert "25.00%" in text(page)


def test_the_schedule_shows_its_lines_and_their_sum(bob: User, concrete: Commitment) -> None:
    ScheduleOfValuesLineFactory(commitment=concrete, description="Footings", cost_code="03-100")
    ScheduleOfValuesLineFactory(commitment=concrete, amount=Decimal("0.5"))
    shown = text(open_tab(bob, concrete, "schedule_of_values"))
    assert "Footings" in shown and "03-100" in shown and "$10,000.50" in shown


def test_the_schedule_may_be_for_administrators_only(
    alice: User, bob: User, concrete: Commitment
) -> None:
    Commitment.objects.update(viewers_see_schedule=False)
    assert open_tab(bob, concrete, "schedule_of_values").status_code == 404
    assert "Schedule of Values</a>" not in text(open_tab(bob, concrete, "general"))
    assert open_tab(alice, concrete, "schedule_of_values").status_code == 200


def test_change_orders_are_listed_with_a_total_per_status(bob: User, concrete: Commitment) -> None:
    ChangeOrderFactory(commitment=concrete, number="CO-1", title="Ramp", status="Approved")
    ChangeOrderFactory(commitment=concrete, number="CO-2", status="Draft", amount=Decimal(-7))
    shown = text(open_tab(bob, concrete, "change_orders"))
    for expected in ("CO-1", "Ramp", "Total · Approved", "$1,500.00", "($7.00)"):
        assert expected in shown


@pytest.mark.parametrize(
    ("paid", "status"),
    [
        ([], "Unpaid"),
        (["0.01"], "Partially Paid"),
        (["4999.99"], "Partially Paid"),
        (["5000"], "Paid"),
        (["5000", "-0.01"], "Partially Paid"),
        (["5000.01"], "Paid"),
    ],
)
def test_the_payment_status_of_an_invoice_follows_its_payments(
    bob: User, concrete: Commitment, paid: list[str], status: str
) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    for amount in paid:
        PaymentFactory(commitment=concrete, invoice=invoice, amount=Decimal(amount))
    row = open_tab(bob, concrete, "invoices").context["rows"][0]
    assert row.payment_status == status and row.invoice.paid == sum(map(Decimal, paid))


def test_a_voided_payment_pays_nothing(bob: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    PaymentFactory(
        commitment=concrete, invoice=invoice, status="voided", voided_on=dt.date(2026, 7, 7)
    )
    page = open_tab(bob, concrete, "invoices")
    assert page.context["rows"][0].payment_status == "Unpaid"
    assert page.context["totals"] == {"due": Decimal(5000), "paid_total": Decimal(0)}


def test_an_invoice_shows_its_nine_lines_and_its_payments(bob: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7", origin_code="BILL-7")
    payment = PaymentFactory(commitment=concrete, invoice=invoice, payment_number="PAY-1")
    page = browser(bob).get(at(concrete, "commitments:invoice", invoice.pk))
    assert [number for number, _, _ in page.context["row"].lines] == list("123456789")
    shown = text(page)
    for expected in ("Current Payment Due", "BILL-7", "PAY-1", "Partially Paid"):
        assert expected in shown
    assert at(concrete, "payments:detail", payment.pk) in shown
    assert "The invoice is not editable because it has been synced with ERP" in shown


def test_a_failed_export_is_explained(bob: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(
        commitment=concrete, erp_status="failed", erp_message="No open period."
    )
    shown = text(browser(bob).get(at(concrete, "commitments:invoice", invoice.pk)))
    assert "An accounting approver can try again" in shown and "No open period." in shown


def test_payments_stay_out_of_sight_while_the_tab_is_off(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    PaymentFactory(commitment=concrete, invoice=invoice, payment_number="PAY-1")
    Commitment.objects.update(allow_payments=False)
    page = text(browser(alice).get(at(concrete, "commitments:invoice", invoice.pk)))
    assert "PAY-1" not in page and "Payments of this invoice" not in page


def test_an_invoice_is_only_found_at_its_own_commitment(alice: User, concrete: Commitment) -> None:
    other = InvoiceFactory(commitment=CommitmentFactory(project=concrete.project))
    url = at(concrete, "commitments:invoice", other.pk)
    assert browser(alice).get(url).status_code == 404


def events(commitment: Commitment, bob: User) -> None:
    CommitmentEvent.objects.create(
        company=commitment.company,
        commitment=commitment,
        actor=bob,
        subject="Invoice ACME-1",
        summary="Linked to ERP bill 7",
        changes={"ERP ID": ["", "7"]},
    )
    PaymentEvent.objects.create(
        company=commitment.company,
        commitment=commitment,
        label="Payment CHK-1",
        kind="voided",
        at=timezone.now() + dt.timedelta(minutes=1),
        changes={"Status": ["issued", "voided"]},
    )


def test_the_history_merges_all_that_happened_newest_first(bob: User, concrete: Commitment) -> None:
    events(concrete, bob)
    rows = open_tab(bob, concrete, "history").context["rows"]
    assert [(row.subject, row.summary, row.who) for row in rows] == [
        ("Payment CHK-1", "Voided", "ERP sync"),
        ("Invoice ACME-1", "Linked to ERP bill 7", "Bob Reads"),
    ]
    assert rows[1].changes == [("ERP ID", "—", "7")]


def test_amounts_of_the_history_are_written_for_people() -> None:
    changes = {"Amount": ["1250.0000", "-1100.1250"], "Check #": ["5001", None]}
    assert change_lines(changes) == [
        ("Amount", "1,250.00", "-1,100.125"),
        ("Check #", "5001", "—"),
    ]


def test_the_history_is_cut_into_pages(bob: User, concrete: Commitment) -> None:
    for _ in range(26):
        events(concrete, bob)
    page = open_tab(bob, concrete, "history")
    assert len(page.context["rows"]) == 50 and "1–50 of 52 changes" in text(page)
    address = at(concrete, "commitments:history") + page.context["page"].next_url
    assert len(browser(bob).get(address).context["rows"]) == 2


def test_the_history_tells_nothing_of_payments_while_the_tab_is_off(
    alice: User, concrete: Commitment
) -> None:
    events(concrete, alice)
    Commitment.objects.update(allow_payments=False)
    rows = open_tab(alice, concrete, "history").context["rows"]
    assert [row.subject for row in rows] == ["Invoice ACME-1"]


def test_an_administrator_switches_the_payments_off_and_on(
    alice: User, concrete: Commitment
) -> None:
    url = at(concrete, "commitments:advanced_settings")
    off = browser(alice).post(url, {}, follow=True)
    concrete.refresh_from_db()
    assert not concrete.allow_payments and "Payments are disabled." in text(off)
    on = browser(alice).post(url, {"allow_payments": "on"}, follow=True)
    concrete.refresh_from_db()
    assert concrete.allow_payments and "Payments are enabled." in text(on)
    assert [event.actor for event in concrete.events.all()] == [alice, alice]


def test_readers_have_no_settings(bob: User, mallory: User, concrete: Commitment) -> None:
    url = at(concrete, "commitments:advanced_settings")
    for person in (bob, mallory):
        assert browser(person).get(url).status_code == 404
        assert browser(person).post(url, {}).status_code == 404
    concrete.refresh_from_db()
    assert concrete.allow_payments


def test_administrators_read_that_payments_are_off(
    alice: User, bob: User, concrete: Commitment
) -> None:
    Commitment.objects.update(allow_payments=False)
    hint = "Payments Issued is switched off for this commitment"
    assert hint in text(open_tab(alice, concrete, "general"))
    assert hint not in text(open_tab(bob, concrete, "general"))


def test_who_is_listed_is_told_to_administrators_only(
    alice: User, bob: User, concrete: Commitment
) -> None:
    Commitment.objects.update(is_private=True)
    concrete.viewers.add(bob)
    assert "Bob Reads" in text(open_tab(alice, concrete, "general"))
    listed = open_tab(bob, concrete, "general").context["people"]
    assert listed == []


def test_an_invoice_contact_sees_the_private_commitment(
    alice: User, bob: User, mallory: User, concrete: Commitment
) -> None:
    Commitment.objects.update(is_private=True)
    concrete.invoice_contacts.add(bob, mallory)
    assert open_tab(bob, concrete, "invoices").status_code == 200
    assert open_tab(mallory, concrete, "invoices").status_code == 404
    assert "Invoice contacts: " in text(open_tab(alice, concrete, "general"))
    assert "Invoice contacts: " not in text(open_tab(bob, concrete, "general"))


@pytest.mark.parametrize("name", ["schedule_of_values", "change_orders", "invoices", "history"])
def test_a_tab_costs_the_same_for_one_row_and_for_twenty(
    bob: User, concrete: Commitment, name: str
) -> None:
    def row() -> None:
        ScheduleOfValuesLineFactory(commitment=concrete)
        ChangeOrderFactory(commitment=concrete)
        PaymentFactory(commitment=concrete, invoice=InvoiceFactory(commitment=concrete))
        events(concrete, bob)

    client, url = browser(bob), at(concrete, f"commitments:{name}")
    row()
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    for _ in range(19):
        row()
    with CaptureQueriesContext(connection) as twenty:
        client.get(url)
    assert len(one) == len(twenty)
