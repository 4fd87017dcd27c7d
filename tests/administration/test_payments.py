"""Payments in the Django admin."""

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from commitments.models import Commitment
from payments.models import EventKind, Payment, PaymentEvent
from payments.rows import LOCKED
from projects.access import Tool
from projects.models import User
from projects.services import set_tool
from tests.commitments.fixtures import browser
from tests.factories import (
    InvoiceFactory,
    PaymentFactory,
)

pytestmark = pytest.mark.django_db

LIST = "admin:payments_payment_changelist"
INLINES = {
    f"{prefix}-{name}_FORMS": 0
    for prefix in ("attachments", "events")
    for name in ("TOTAL", "INITIAL")
}


def url(payment: Payment, what: str = "change") -> str:
    return reverse(f"admin:payments_payment_{what}", args=[payment.pk])


def form(commitment: Commitment, **values: Any) -> dict[str, Any]:
    return {
        "commitment": commitment.pk,
        "method": "check",
        "date": "2026-07-06",
        "amount": "1250.00",
        **INLINES,
        **values,
    }


@pytest.mark.parametrize("model", ["payment", "paymentevent"])
def test_lists_show_own_companies_only(
    dora: User, mallory: User, concrete: Commitment, model: str
) -> None:
    payment = PaymentFactory(commitment=concrete)
    PaymentEvent.objects.create(
        company=concrete.company,
        commitment=concrete,
        payment=payment,
        kind=EventKind.CREATED,
        at=timezone.now(),
    )
    page = reverse(f"admin:payments_{model}_changelist")
    assert browser(dora).get(page).context["cl"].result_count == 1
    assert browser(mallory).get(page).context["cl"].result_count == 0


def test_a_payment_is_entered_by_hand(dora: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    data = form(concrete, invoice=invoice.pk)
    page = browser(dora).post(reverse("admin:payments_payment_add"), data)
    assert page.status_code == 302, page.context["adminform"].form.errors
    payment = Payment.objects.get()
    assert payment.company == concrete.company and payment.created_by == dora
    assert payment.invoice_number == invoice.invoice_number
    assert payment.events.get().kind == EventKind.CREATED


def test_a_payment_on_a_commitment_of_others_is_refused(
    mallory: User, concrete: Commitment
) -> None:
    page = browser(mallory).post(reverse("admin:payments_payment_add"), form(concrete))
    assert "Select a valid choice" in page.content.decode()
    assert not Payment.objects.exists()


def test_a_payment_by_hand_is_changed_with_history(dora: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete)
    browser(dora).post(url(payment), form(concrete, amount="99.50"))
    payment.refresh_from_db()
    assert payment.amount == Decimal("99.50")
    assert payment.events.get().changes["Amount"] == ["$1,250.00", "$99.50"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"amount": "0"}, "Enter an amount other than zero."),
        ({"amount": "1.005"}, "Amounts in USD have at most 2 decimals."),
        ({"date": "1850-01-01"}, "Enter a date between 01/01/2000 and one year from today."),
    ],
)
def test_a_wrong_value_is_answered_by_a_sentence(
    dora: User, concrete: Commitment, values: dict[str, str], sentence: str
) -> None:
    page = browser(dora).post(reverse("admin:payments_payment_add"), form(concrete, **values))
    assert sentence in page.content.decode()


def test_a_synced_payment_is_locked_except_for_its_number(dora: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="1/9/7")
    client = browser(dora)
    assert LOCKED in client.get(url(payment)).content.decode()
    client.post(url(payment), form(concrete, amount="1", payment_number="P-7"))
    payment.refresh_from_db()
    assert payment.amount == Decimal("1250.00") and payment.payment_number == "P-7"


def test_a_synced_payment_is_not_deleted(dora: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="1/9/7")
    client = browser(dora)
    assert client.post(url(payment, "delete"), {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [payment.pk], "post": "yes"}
    assert LOCKED in client.post(reverse(LIST), data).content.decode()
    assert Payment.objects.exists()


def test_a_payment_by_hand_is_deleted_and_its_history_stays(
    dora: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(commitment=concrete)
    browser(dora).post(url(payment, "delete"), {"post": "yes"})
    assert not Payment.objects.exists()
    assert PaymentEvent.objects.get().kind == EventKind.DELETED


def test_a_refusal_of_the_service_is_read_as_a_sentence(dora: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete)
    set_tool(project=concrete.project, tool=Tool.COMMITMENTS, is_active=False)
    page = browser(dora).post(url(payment), form(concrete, amount="99.50"), follow=True)
    assert "Only administrators of Commitments" in page.content.decode()
