"""One payment: its page, its forms, its lock."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commitments.models import Commitment
from payments import payment_views
from payments.models import Payment, PaymentEvent
from projects.models import User
from tests.commitments.fixtures import at, browser, text
from tests.factories import CommitmentFactory, InvoiceFactory, PaymentFactory

pytestmark = pytest.mark.django_db

LOCKED = "The Contract Payment cannot be edited or deleted because it is synced with an ERP system"
FILLED = {"method": "check", "date": "2026-07-06", "amount": "1250.00"}


def page(user: User, payment: Payment, name: str = "detail") -> Any:
    return browser(user).get(at(payment.commitment, f"payments:{name}", payment.pk))


def send(user: User, payment: Payment, name: str, **values: Any) -> Any:
    url = at(payment.commitment, f"payments:{name}", payment.pk)
    return browser(user).post(url, values, follow=True)


def test_a_reader_sees_all_of_a_payment_and_nothing_to_press(
    bob: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(
        commitment=concrete, payment_number="PAY-9", check_number="77", notes="Second\ndraw"
    )
    shown = text(page(bob, payment))
    for expected in ("Payment PAY-9", "$1,250.00", "07/06/2026", "Check", "77", "Second"):
        assert expected in shown
    for name in ("edit", "delete", "attach"):
        assert at(concrete, f"payments:{name}", payment.pk) not in shown


def test_a_synced_payment_says_that_it_is_locked(
    alice: User, bob: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="7", origin_code="CHK-1")
    for person in (alice, bob):
        assert LOCKED in text(page(person, payment))
    assert at(concrete, "payments:delete", payment.pk) not in text(page(alice, payment))
    assert LOCKED in text(page(alice, payment, "edit"))
    assert LOCKED in text(page(alice, payment, "delete"))


def test_a_manual_payment_is_not_locked(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete)
    assert LOCKED not in text(page(alice, payment))
    assert at(concrete, "payments:delete", payment.pk) in text(page(alice, payment))


def test_the_form_of_a_synced_payment_has_its_number_only(
    alice: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="7")
    assert list(page(alice, payment, "edit").context["form"].fields) == ["payment_number"]


def test_a_forged_form_cannot_change_a_synced_payment(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="7")
    send(alice, payment, "edit", **{**FILLED, "amount": "1", "payment_number": "PAY-2"})
    payment.refresh_from_db()
    assert (payment.amount, payment.payment_number) == (Decimal("1250"), "PAY-2")
    assert LOCKED in text(send(alice, payment, "delete"))
    assert Payment.objects.filter(pk=payment.pk).exists()


def test_a_payment_that_became_synced_meanwhile_is_not_changed(
    alice: User, concrete: Commitment, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = PaymentFactory(commitment=concrete)
    store = payment_views._store

    def late(*args: Any) -> None:
        Payment.objects.update(origin_id="7")
        store(*args)

    monkeypatch.setattr(payment_views, "_store", late)
    answer = send(alice, payment, "edit", **{**FILLED, "amount": "1"})
    payment.refresh_from_db()
    assert LOCKED in text(answer) and payment.amount == Decimal("1250")


def test_an_administrator_adds_a_payment(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, invoice_number="ACME-7")
    values = {**FILLED, "invoice": invoice.pk, "notes": "By card", "check_number": "9"}
    answer = browser(alice).post(at(concrete, "payments:new"), values, follow=True)
    payment = Payment.objects.get()
    assert "The payment was added" in text(answer)
    assert (payment.invoice, payment.invoice_number) == (invoice, "ACME-7")
    assert (payment.amount, payment.date) == (Decimal("1250"), dt.date(2026, 7, 6))
    assert payment.created_by == alice


def test_the_form_is_filled_from_the_invoice_it_was_opened_for(
    alice: User, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete, invoice_number="ACME-7")
    link = f"{at(concrete, 'payments:new')}?invoice={invoice.pk}"
    assert link in text(browser(alice).get(at(concrete, "commitments:invoice", invoice.pk)))
    form = browser(alice).get(link).context["form"]
    assert form.initial == {"invoice": invoice, "invoice_number": "ACME-7"}


@pytest.mark.parametrize("wanted", ["x", "-1", "0", "9" * 30, "²"])
def test_a_senseless_invoice_in_the_address_fills_nothing(
    alice: User, concrete: Commitment, wanted: str
) -> None:
    answer = browser(alice).get(at(concrete, "payments:new"), {"invoice": wanted})
    assert answer.status_code == 200 and answer.context["form"].initial == {}


def test_only_invoices_of_the_commitment_can_be_chosen(alice: User, concrete: Commitment) -> None:
    other = InvoiceFactory(commitment=CommitmentFactory(project=concrete.project))
    answer = browser(alice).get(at(concrete, "payments:new"))
    assert other not in answer.context["form"].fields["invoice"].queryset
    values = {**FILLED, "invoice": other.pk}
    answer = browser(alice).post(at(concrete, "payments:new"), values)
    assert answer.context["form"].errors["invoice"] and not Payment.objects.exists()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"amount": "0"}, "Enter an amount other than zero."),
        ({"amount": "1.005"}, "Amounts in USD have at most 2 decimals."),
        ({"amount": "12345678901234"}, "at most 13 digits before the decimal point"),
        ({"amount": "1e99999"}, "Enter an amount of at most 13 digits"),
        ({"date": "1066-10-14"}, "Enter a date between 01/01/2000"),
        ({"date": "soon"}, "Enter a valid date."),
        ({"method": "gold"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_is_explained_beside_its_field(
    alice: User, concrete: Commitment, values: dict[str, str], sentence: str
) -> None:
    answer = browser(alice).post(at(concrete, "payments:new"), {**FILLED, **values})
    assert sentence in text(answer)
    assert list(answer.context["form"].errors) == list(values)
    assert not Payment.objects.exists()


def test_an_administrator_edits_a_payment(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, notes="Old")
    form = page(alice, payment, "edit").context["form"]
    assert form["amount"].value() == Decimal("1250.00")
    answer = send(alice, payment, "edit", **{**FILLED, "amount": "1300", "notes": "New"})
    payment.refresh_from_db()
    assert "The payment was saved." in text(answer)
    assert (payment.amount, payment.notes) == (Decimal("1300"), "New")
    assert "Amount: $1,250.00 → $1,300.00" in text(answer)


def test_deleting_asks_first_and_keeps_the_history(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, payment_number="P-1")
    assert "Delete payment P-1?" in text(page(alice, payment, "delete"))
    assert Payment.objects.exists()
    assert "The payment was deleted" in text(send(alice, payment, "delete"))
    assert not Payment.objects.exists()
    history = text(browser(alice).get(at(concrete, "commitments:history")))
    assert "Payment P-1" in history and "Deleted" in history


def test_a_readers_forms_do_not_exist_and_change_nothing(
    bob: User, mallory: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(commitment=concrete)
    for person in (bob, mallory):
        for name in ("edit", "delete"):
            assert page(person, payment, name).status_code == 404
            assert send(person, payment, name, **FILLED).status_code == 404
        assert browser(person).get(at(concrete, "payments:new")).status_code == 404
        assert browser(person).post(at(concrete, "payments:new"), FILLED).status_code == 404
    assert Payment.objects.count() == 1 and not PaymentEvent.objects.exists()


def test_nothing_can_be_added_while_the_tab_is_off(alice: User, concrete: Commitment) -> None:
    Commitment.objects.update(allow_payments=False)
    answer = browser(alice).post(at(concrete, "payments:new"), FILLED)
    assert "switched off for this commitment" in text(answer)
    assert not Payment.objects.exists()


def test_a_payment_is_only_found_at_its_own_commitment(alice: User, concrete: Commitment) -> None:
    other = PaymentFactory(commitment=CommitmentFactory(project=concrete.project))
    assert browser(alice).get(at(concrete, "payments:detail", other.pk)).status_code == 404


def test_payments_of_one_check_lead_to_each_other(bob: User, concrete: Commitment) -> None:
    values = {"origin_data": "check-5", "check_number": "CHK-5"}
    one = PaymentFactory(commitment=concrete, origin_id="1", **values)
    two = PaymentFactory(commitment=concrete, origin_id="2", **values)
    secret = CommitmentFactory(project=concrete.project, is_private=True, number="SECRET")
    PaymentFactory(commitment=secret, origin_id="3", **values)
    shown = text(page(bob, one))
    assert at(concrete, "payments:detail", two.pk) in shown
    assert "SECRET" not in shown and "cannot see" not in shown


def test_a_check_run_of_several_payments_is_one_check(bob: User, concrete: Commitment) -> None:
    one = PaymentFactory(commitment=concrete, origin_id="1", origin_data="a", check_number="CHK-5")
    two = PaymentFactory(commitment=concrete, origin_id="2", origin_data="b", check_number="CHK-5")
    PaymentFactory(commitment=concrete, origin_id="3", origin_data="c", check_number="CHK-6")
    shown = text(page(bob, one))
    assert at(concrete, "payments:detail", two.pk) in shown
    assert "CHK-6" not in shown


def test_a_payment_by_hand_has_no_siblings(bob: User, concrete: Commitment) -> None:
    one = PaymentFactory(commitment=concrete, check_number="5")
    PaymentFactory(commitment=concrete, check_number="5")
    assert "also paid" not in text(page(bob, one))


def test_a_payment_in_trouble_says_who_can_do_what(bob: User, concrete: Commitment) -> None:
    payment = PaymentFactory(
        commitment=concrete, origin_id="7", origin_code="CHK-7", missing_since=timezone.now()
    )
    assert "An accountant can look for CHK-7 in the ERP." in text(page(bob, payment))


def test_the_page_costs_the_same_with_one_event_and_with_twenty(
    bob: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(commitment=concrete)

    def events(number: int) -> None:
        for _ in range(number):
            PaymentEvent.objects.create(
                company=payment.company,
                commitment=concrete,
                payment=payment,
                label="x",
                kind="changed",
                at=timezone.now(),
                actor=bob,
            )

    events(1)
    client, url = browser(bob), at(concrete, "payments:detail", payment.pk)
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    events(19)
    with CaptureQueriesContext(connection) as twenty:
        client.get(url)
    assert len(one) == len(twenty)
