"""The Payments Issued tab."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commitments import extensions
from commitments.models import Commitment
from payments.models import PaymentAttachment
from projects.access import Tool
from projects.models import User
from projects.services import set_tool
from tests.commitments.fixtures import at, browser, text
from tests.factories import InvoiceFactory, PaymentFactory

pytestmark = pytest.mark.django_db
TAB = "payments:payments_issued"


def voided(commitment: Commitment, **values: Any) -> Any:
    return PaymentFactory(
        commitment=commitment, status="voided", voided_on=dt.date(2026, 9, 11), **values
    )


def test_a_reader_sees_every_column_of_a_payment(bob: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(
        commitment=concrete,
        position=3,
        period_start=dt.date(2026, 6, 1),
        period_end=dt.date(2026, 6, 30),
    )
    PaymentFactory(
        commitment=concrete,
        invoice=invoice,
        payment_number="PAY-9",
        invoice_number="ACME-7",
        check_number="CHK-5001",
        notes="Second draw",
    )
    page = text(browser(bob).get(at(concrete, TAB)))
    label = "Subcontract #SC-0012 Invoice #3 - $5,000.00 - 06/01/2026 - 06/30/2026"
    for shown in (label, "$1,250.00", "07/06/2026", "Check", "PAY-9", "ACME-7", "CHK-5001"):
        assert shown in page
    assert "Second draw" in page and "Manual" in page


def test_a_voided_payment_stays_struck_through_and_out_of_the_total(
    bob: User, concrete: Commitment
) -> None:
    PaymentFactory(commitment=concrete, amount=Decimal("100"))
    voided(concrete, amount=Decimal("3200"), origin_id="7")
    page = browser(bob).get(at(concrete, TAB))
    assert "<s>$3,200.00</s>" in text(page) and "Voided 09/11/2026" in text(page)
    assert [(each.amount, each.left_out) for each in page.context["totals"]] == [
        (Decimal("100"), "Not counted: 1 voided.")
    ]


def test_a_vanished_payment_is_red_with_a_sentence_and_does_not_count(
    bob: User, concrete: Commitment
) -> None:
    now = timezone.now()
    PaymentFactory(commitment=concrete, origin_id="7", missing_since=now, vanished_at=now)
    page = browser(bob).get(at(concrete, TAB))
    assert "This payment is gone from the ERP" in text(page)
    assert 'class="bad"' in text(page)
    assert page.context["totals"][0].amount == 0
    assert page.context["totals"][0].left_out == "Not counted: 1 gone from the ERP."


def test_a_missing_payment_is_red_and_still_counts(bob: User, concrete: Commitment) -> None:
    PaymentFactory(commitment=concrete, origin_id="7", missing_since=timezone.now())
    page = browser(bob).get(at(concrete, TAB))
    assert "The last check of the ERP did not find this payment" in text(page)
    assert page.context["totals"][0].amount == Decimal("1250")


def test_there_is_one_grand_total_per_currency(bob: User, concrete: Commitment) -> None:
    PaymentFactory(commitment=concrete, amount=Decimal("1"))
    PaymentFactory(commitment=concrete, amount=Decimal("-0.25"))
    PaymentFactory(commitment=concrete, amount=Decimal("7"), currency="EUR", origin_id="1")
    totals = browser(bob).get(at(concrete, TAB)).context["totals"]
    assert [(each.currency, each.amount) for each in totals] == [
        ("EUR", Decimal("7")),
        ("USD", Decimal("0.75")),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("erp=synced", ["S"]),
        ("erp=manual", ["M", "V"]),
        ("erp=missing", ["G"]),
        ("status=voided", ["V"]),
        ("method=electronic", ["M"]),
        ("q=chk-s", ["S"]),
        ("q=nothing", []),
        ("erp=nonsense", ["G", "M", "S", "V"]),
    ],
)
def test_filters_narrow_the_list(
    bob: User, concrete: Commitment, query: str, found: list[str]
) -> None:
    PaymentFactory(commitment=concrete, payment_number="S", origin_id="1", check_number="CHK-S")
    PaymentFactory(commitment=concrete, payment_number="M", method="electronic")
    PaymentFactory(
        commitment=concrete, payment_number="G", origin_id="2", missing_since=timezone.now()
    )
    voided(concrete, payment_number="V")
    page = browser(bob).get(f"{at(concrete, TAB)}?{query}")
    numbers = sorted(row.payment.payment_number for row in page.context["rows"])
    assert numbers == found


def test_a_filtered_list_can_be_cleared(bob: User, concrete: Commitment) -> None:
    page = text(browser(bob).get(f"{at(concrete, TAB)}?q=nothing"))
    assert "Clear all" in page and "No payment fits these filters" in page


def test_an_empty_tab_says_what_comes_next(alice: User, bob: User, concrete: Commitment) -> None:
    assert "can be added by hand with" in text(browser(alice).get(at(concrete, TAB)))
    assert "Administrators of Commitments can add" in text(browser(bob).get(at(concrete, TAB)))


def test_only_administrators_are_offered_to_add_payments(
    alice: User, bob: User, concrete: Commitment
) -> None:
    assert at(concrete, "payments:new") in text(browser(alice).get(at(concrete, TAB)))
    assert at(concrete, "payments:new") not in text(browser(bob).get(at(concrete, TAB)))


def test_a_tab_that_is_off_is_not_there_for_readers(bob: User, concrete: Commitment) -> None:
    Commitment.objects.update(allow_payments=False)
    assert browser(bob).get(at(concrete, TAB)).status_code == 404
    assert browser(bob).get(at(concrete, "payments:export")).status_code == 404
    assert "Payments Issued</a>" not in text(browser(bob).get(at(concrete, "commitments:general")))


def test_an_administrator_is_led_to_the_switch_of_the_tab(
    alice: User, concrete: Commitment
) -> None:
    Commitment.objects.update(allow_payments=False)
    page = browser(alice).get(at(concrete, TAB))
    assert page.status_code == 200
    assert at(concrete, "commitments:advanced_settings") in text(page)


def test_another_company_sees_nothing(mallory: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete)
    for url in (at(concrete, TAB), at(concrete, "payments:detail", payment.pk)):
        assert browser(mallory).get(url).status_code == 404


def test_without_the_tool_there_is_no_tab(alice: User, concrete: Commitment) -> None:
    set_tool(project=concrete.project, tool=Tool.COMMITMENTS, is_active=False)
    assert browser(alice).get(at(concrete, TAB)).status_code == 404


def test_the_list_costs_the_same_for_one_row_and_for_twenty(
    bob: User, concrete: Commitment
) -> None:
    def payment(number: int) -> None:
        invoice = InvoiceFactory(commitment=concrete)
        paid = PaymentFactory(commitment=concrete, invoice=invoice, origin_id=str(number))
        PaymentAttachment.objects.create(
            payment=paid, company=paid.company, size=1, uploaded_by=bob, name="a", file="a"
        )

    client = browser(bob)
    payment(0)
    client.get(at(concrete, TAB))
    with CaptureQueriesContext(connection) as one:
        client.get(at(concrete, TAB))
    for number in range(1, 20):
        payment(number)
    with CaptureQueriesContext(connection) as twenty:
        assert len(client.get(at(concrete, TAB)).context["rows"]) == 20
    assert len(one) == len(twenty)


def test_fifty_rows_stand_on_a_page(bob: User, concrete: Commitment) -> None:
    PaymentFactory.create_batch(51, commitment=concrete)
    first = browser(bob).get(at(concrete, TAB))
    assert len(first.context["rows"]) == 50 and "1–50 of 51 payments" in text(first)
    rest = at(concrete, TAB) + first.context["page"].next_url
    assert len(browser(bob).get(rest).context["rows"]) == 1


def test_the_csv_is_safe_in_a_spreadsheet(bob: User, concrete: Commitment) -> None:
    PaymentFactory(
        commitment=concrete, amount=Decimal("-1250.5"), notes="=HYPERLINK(1)", check_number="@x"
    )
    answer = browser(bob).get(at(concrete, "payments:export"))
    sheet = b"".join(answer.streaming_content).decode()
    assert sheet.startswith("\ufeffERP Status,Invoice,Amount")
    assert "'=HYPERLINK(1)" in sheet and "'@x" in sheet
    assert ",-1250.50,USD," in sheet
    assert "payments-issued-2026-014-" in answer["Content-Disposition"]


def test_the_csv_has_the_filtered_rows_only(bob: User, concrete: Commitment) -> None:
    PaymentFactory(commitment=concrete, payment_number="ONE")
    PaymentFactory(commitment=concrete, payment_number="TWO")
    sheet = text(browser(bob).get(f"{at(concrete, 'payments:export')}?q=one"))
    assert "ONE" in sheet and "TWO" not in sheet


def test_whoever_brings_payments_says_how_fresh_they_are(
    bob: User, concrete: Commitment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def last_synced(commitment: Commitment, person: Any) -> extensions.StatusLine:
        return {"text": "Last synced today", "url": "/sync/"}

    monkeypatch.setattr(extensions, "_statuses", [last_synced, lambda *_: None])
    page = text(browser(bob).get(at(concrete, TAB)))
    assert '<a href="/sync/">Last synced today</a>' in page
