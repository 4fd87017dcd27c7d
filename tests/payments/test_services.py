"""What people do with payments, and what they may not."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from commitments.models import Commitment
from payments import services
from payments.models import EventKind, Payment, PaymentEvent
from payments.services import Entry
from projects.models import User
from tests.factories import CommitmentFactory, InvoiceFactory, PaymentFactory

pytestmark = pytest.mark.django_db

LOCKED = "The Contract Payment cannot be edited or deleted because it is synced with an ERP system"


def entry(**values: Any) -> Entry:
    filled: dict[str, Any] = {
        "amount": Decimal("1250.00"),
        "method": "check",
        "date": dt.date(2026, 7, 6),
        **values,
    }
    return Entry(**filled)


def stored(payment: Payment) -> dict[str, Any]:
    return Payment.objects.filter(pk=payment.pk).values().get()


def test_an_administrator_records_a_payment(alice: User, concrete: Commitment) -> None:
    payment = services.record_payment(
        commitment=concrete, entry=entry(check_number=" 77 "), by=alice
    )
    payment.refresh_from_db()
    assert (payment.amount, payment.currency) == (Decimal("1250"), "USD")
    assert payment.check_number == "77" and payment.created_by == alice
    assert not payment.is_synced


def test_recording_is_written_down(alice: User, concrete: Commitment) -> None:
    payment = services.record_payment(commitment=concrete, entry=entry(), by=alice)
    event = PaymentEvent.objects.get(payment=payment)
    assert (event.kind, event.actor, event.commitment) == (EventKind.CREATED, alice, concrete)
    assert event.changes["Amount"] == ["", "$1,250.00"]


def test_the_invoice_number_is_taken_from_the_invoice(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, invoice_number="ACME-7")
    payment = services.record_payment(commitment=concrete, entry=entry(invoice=invoice), by=alice)
    assert payment.invoice_number == "ACME-7"
    typed = entry(invoice=invoice, invoice_number="A-7")
    payment = services.edit_payment(payment=payment, entry=typed, by=alice)
    assert payment.invoice_number == "A-7"


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"amount": Decimal(0)}, "amount", "Enter an amount other than zero."),
        ({"amount": Decimal("NaN")}, "amount", "Enter an amount other than zero."),
        ({"amount": Decimal("0.005")}, "amount", "Amounts in USD have at most 2 decimals."),
        ({"amount": Decimal(10) ** 13}, "amount", "at most 13 digits"),
        ({"date": dt.date(1999, 12, 31)}, "date", "between 01/01/2000"),
        ({"date": dt.date(9999, 1, 1)}, "date", "between 01/01/2000"),
        ({"method": "gold"}, "method", "Choose Check, Credit Card or Electronic."),
        ({"check_number": "9" * 101}, "check_number", "Use at most 100 characters."),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    alice: User, concrete: Commitment, values: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        services.record_payment(commitment=concrete, entry=entry(**values), by=alice)
    assert sentence in refusal.value.message_dict[field][0]
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("currency", "amount", "fits"),
    [
        ("JPY", "1.5", False),
        ("JPY", "150", True),
        ("KWD", "1.125", True),
        ("KWD", "1.1255", False),
        ("USD", "9999999999999.99", True),
        ("USD", "-0.01", True),
    ],
)
def test_decimals_follow_the_currency(
    alice: User, concrete: Commitment, currency: str, amount: str, fits: bool
) -> None:
    Commitment.objects.update(currency=currency)
    if fits:
        payment = services.record_payment(
            commitment=concrete, entry=entry(amount=Decimal(amount)), by=alice
        )
        payment.refresh_from_db()
        assert payment.amount == Decimal(amount)
    else:
        with pytest.raises(ValidationError):
            services.record_payment(
                commitment=concrete, entry=entry(amount=Decimal(amount)), by=alice
            )


def test_an_invoice_of_another_commitment_is_refused(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=CommitmentFactory(project=concrete.project))
    with pytest.raises(ValidationError, match="Choose an invoice of this commitment"):
        services.record_payment(commitment=concrete, entry=entry(invoice=invoice), by=alice)


def test_only_administrators_change_payments(
    bob: User, mallory: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(commitment=concrete)
    before = stored(payment)
    for person in (bob, mallory):
        with pytest.raises(ValidationError, match="Only administrators of Commitments"):
            services.record_payment(commitment=concrete, entry=entry(), by=person)
        with pytest.raises(ValidationError, match="Only administrators of Commitments"):
            services.edit_payment(payment=payment, entry=entry(), by=person)
        with pytest.raises(ValidationError, match="Only administrators of Commitments"):
            services.delete_payment(payment=payment, by=person)
    assert stored(payment) == before and not PaymentEvent.objects.exists()


def test_nothing_is_recorded_while_the_tab_is_off(alice: User, concrete: Commitment) -> None:
    Commitment.objects.update(allow_payments=False)
    with pytest.raises(ValidationError, match="Payments are switched off"):
        services.record_payment(commitment=concrete, entry=entry(), by=alice)


def test_a_change_is_written_down_with_old_and_new(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, check_number="1")
    changed = entry(amount=Decimal("99.5"), check_number="2")
    services.edit_payment(payment=payment, entry=changed, by=alice)
    event = PaymentEvent.objects.get(payment=payment)
    assert event.kind == EventKind.CHANGED
    assert event.changes == {"Amount": ["$1,250.00", "$99.50"], "Check #": ["1", "2"]}


def test_saving_without_a_change_writes_nothing(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete)
    before = stored(payment)
    services.edit_payment(payment=payment, entry=entry(), by=alice)
    assert stored(payment) == before and not PaymentEvent.objects.exists()


def test_a_synced_payment_is_locked(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="7")
    before = stored(payment)
    with pytest.raises(ValidationError) as refusal:
        services.edit_payment(payment=payment, entry=entry(amount=Decimal(1)), by=alice)
    assert refusal.value.messages == [LOCKED]
    with pytest.raises(ValidationError) as refusal:
        services.delete_payment(payment=payment, by=alice)
    assert refusal.value.messages == [LOCKED]
    assert stored(payment) == before and not PaymentEvent.objects.exists()


def test_the_lock_looks_at_the_payment_as_it_is_now(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete)
    Payment.objects.update(origin_id="7")
    with pytest.raises(ValidationError, match="synced with an ERP system"):
        services.delete_payment(payment=payment, by=alice)


def test_the_payment_number_of_a_synced_payment_can_be_changed(
    alice: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="7", missing_since=timezone.now())
    before = stored(payment)
    services.set_payment_number(payment=payment, payment_number=" PAY-1 ", by=alice)
    after = stored(payment)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"payment_number", "updated_at"} and after["payment_number"] == "PAY-1"
    assert PaymentEvent.objects.get().changes == {"Payment #": ["", "PAY-1"]}


def test_a_payment_number_is_not_longer_than_its_column(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="7")
    with pytest.raises(ValidationError, match="at most 100 characters"):
        services.set_payment_number(payment=payment, payment_number="9" * 101, by=alice)


def test_changing_one_field_leaves_what_a_sync_wrote_meanwhile(
    alice: User, concrete: Commitment
) -> None:
    payment = PaymentFactory(commitment=concrete, origin_id="7")
    Payment.objects.update(amount=Decimal(5))
    services.set_payment_number(payment=payment, payment_number="X", by=alice)
    assert stored(payment)["amount"] == Decimal(5)


def test_the_history_outlives_a_deleted_payment(alice: User, concrete: Commitment) -> None:
    payment = PaymentFactory(commitment=concrete, payment_number="P-1")
    services.delete_payment(payment=payment, by=alice)
    assert not Payment.objects.exists()
    event = PaymentEvent.objects.get()
    assert (event.kind, event.payment, event.label) == (EventKind.DELETED, None, "Payment P-1")
    assert event.changes["Amount"] == ["$1,250.00", ""]
