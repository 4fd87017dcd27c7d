"""“Payment recorded”: to those who asked and may see it, not of old payments, not twice."""

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection as database
from django.utils import timezone

from commitments.models import SubcontractorInvoice
from erp_integrations.models import (
    ErpConnection,
    NoticeKind,
    OutgoingEmail,
    RunMode,
    RunTrigger,
    SyncRun,
)
from erp_integrations.notices import outbox, payments
from erp_integrations.notices.preferences import set_preference
from payments.models import EventKind, Payment, PaymentEvent
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level
from tests.erp_integrations.conftest import run_sync
from tests.factories import InvoiceFactory, PaymentFactory, UserFactory
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 7, 6, 15, tzinfo=dt.UTC)
DAY = dt.timedelta(hours=25)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def pam(connection: ErpConnection, invoice: SubcontractorInvoice) -> User:
    """A project manager who asked to hear of payments; the clock of the connection is set."""
    pam = UserFactory(username="pam", first_name="Pam", last_name="Manager")
    grant_level(user=pam, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=invoice.project)
    subscribe(pam, connection)
    payments.tell_due()
    return pam


def subscribe(
    person: User, connection: ErpConnection, kind: NoticeKind = NoticeKind.PAYMENT
) -> None:
    set_preference(person=person, company=connection.company, kind=kind, is_wanted=True)


def paid(
    connection: ErpConnection, invoice: SubcontractorInvoice, key: str = "1", **values: Any
) -> Payment:
    """A payment as a sync records it now, with its history."""
    event = {"import_id": values.pop("import_id", None), "actor": values.pop("actor", None)}
    row = PaymentFactory(
        commitment=invoice.commitment,
        invoice=invoice,
        invoice_number=invoice.invoice_number,
        check_number="CHK-9",
        origin_id=f"{connection.pk}/p{key}/{invoice.pk}",
        origin_data=f"{connection.pk}/p{key}",
        **values,
    )
    PaymentEvent.objects.create(
        company=invoice.company, commitment=invoice.commitment, payment=row, label="Payment",
        kind=EventKind.CREATED, at=timezone.now(), **event,
    )  # fmt: skip
    return row


def told() -> list[OutgoingEmail]:
    return list(OutgoingEmail.objects.order_by("pk"))


def test_a_payment_that_a_sync_brought_is_told(
    books: Books, connection: ErpConnection, pam: User, clock: time_machine.Traveller
) -> None:
    books.put(payment("p1", ("7", "1200.50"), date=dt.date(2026, 7, 6)))
    run_sync(connection)
    PaymentEvent.objects.update(at=timezone.now())  # the database's clock does not travel
    clock.shift(DAY)
    assert payments.tell_due() == 1
    (email,) = told()
    assert email.person == pam and "$1,200.50" in email.subject
    assert "Check CHK-1, dated 07/06/2026" in email.body
    assert f"/payments/{Payment.objects.get().pk}/" in email.body


def test_it_waits_as_long_as_the_company_says(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    paid(connection, invoice)
    clock.shift(dt.timedelta(hours=23))
    assert payments.tell_due() == 0
    clock.shift(dt.timedelta(hours=2))
    assert payments.tell_due() == 1
    assert payments.tell_due() == 0


@pytest.mark.parametrize(
    "gone",
    [
        {"status": "voided", "voided_on": dt.date(2026, 7, 6)},
        {"missing_since": START},
        {"missing_since": START, "vanished_at": START},
    ],
)
def test_what_was_voided_or_vanished_meanwhile_is_not_told(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
    gone: dict[str, Any],
) -> None:
    row = paid(connection, invoice)
    Payment.objects.filter(pk=row.pk).update(**gone)
    clock.shift(DAY)
    payments.tell_due()
    assert told() == []


def test_one_check_over_several_invoices_is_one_email(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    second = InvoiceFactory(commitment=invoice.commitment, bill="8", invoice_number="ACME-8")
    paid(connection, invoice)
    paid(connection, second)
    clock.shift(DAY)
    assert payments.tell_due() == 1
    (email,) = told()
    assert "$2,500.00" in email.subject and "ACME-8" in email.body and len(email.payments) == 2


def test_many_checks_at_once_are_one_email(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    for number in range(payments.SINGLE_CHECKS + 1):
        paid(connection, invoice, str(number))
    clock.shift(DAY)
    assert payments.tell_due() == 1
    assert told()[0].subject.startswith("11 payments recorded")


def test_old_payments_of_a_first_sync_are_not_told(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    for number in range(30):
        paid(connection, invoice, str(number), date=dt.date(2026, 6, 1))
    clock.shift(DAY)
    assert payments.tell_due() == 0 and told() == []


def test_a_back_fill_is_not_told(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    run = SyncRun.objects.create(
        company=connection.company, connection=connection, trigger=RunTrigger.BUTTON,
        mode=RunMode.BACK_FILL, since=dt.date(2026, 7, 1), queued_at=START, state="succeeded",
        finished_at=START,
    )  # fmt: skip
    paid(connection, invoice, import_id=run.pk)
    clock.shift(DAY)
    assert payments.tell_due() == 0


def test_what_came_before_somebody_asked_is_not_told(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    paid(connection, invoice)
    clock.shift(dt.timedelta(hours=1))
    late = UserFactory()
    grant_level(user=late, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=connection.company)
    subscribe(late, connection)
    clock.shift(DAY)
    payments.tell_due()
    assert [email.person for email in told()] == [pam]


def test_what_a_person_entered_by_hand_is_not_told(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    paid(connection, invoice, actor=pam)
    clock.shift(DAY)
    assert payments.tell_due() == 0


def test_a_private_commitment_is_not_told_to_the_unlisted(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    commitment = invoice.commitment
    commitment.is_private = True
    commitment.save()
    paid(connection, invoice)
    clock.shift(DAY)
    assert payments.tell_due() == 0
    commitment.viewers.add(pam)
    paid(connection, invoice, "2", date=timezone.localdate())
    clock.shift(DAY)
    assert payments.tell_due() == 1


def test_nothing_is_told_of_another_company(
    connection: ErpConnection, pam: User, clock: time_machine.Traveller
) -> None:
    other = InvoiceFactory(bill="9")
    grant_level(user=pam, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=other.company)
    paid(connection, other)
    clock.shift(DAY)
    assert payments.tell_due() == 0


def test_an_invoice_contact_hears_of_his_own_commitments_only(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    clock: time_machine.Traveller,
) -> None:
    cole, mine = UserFactory(), invoice
    grant_level(user=cole, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=invoice.project)
    subscribe(cole, connection, NoticeKind.CONTACT)
    payments.tell_due()
    mine.commitment.invoice_contacts.add(cole)
    paid(connection, mine)
    paid(connection, InvoiceFactory(commitment__project=mine.project, bill="8"), "2")
    clock.shift(DAY)
    assert payments.tell_due() == 1
    assert mine.invoice_number in told()[0].body


def test_a_contact_without_the_tool_hears_nothing(
    connection: ErpConnection, invoice: SubcontractorInvoice, clock: time_machine.Traveller
) -> None:
    cole = UserFactory()
    subscribe(cole, connection, NoticeKind.CONTACT)
    payments.tell_due()
    invoice.commitment.invoice_contacts.add(cole)
    paid(connection, invoice)
    clock.shift(DAY)
    assert payments.tell_due() == 0


def test_whoever_lost_sight_of_the_commitment_gets_nothing(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    paid(connection, invoice)
    clock.shift(DAY)
    payments.tell_due()
    grant_level(user=pam, tool=Tool.COMMITMENTS, level=Level.NONE, on=invoice.project)
    outbox.send_due()
    assert [email.state for email in told()] == ["dropped"]


def test_without_subscribers_history_is_passed_over(
    connection: ErpConnection, invoice: SubcontractorInvoice, django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        paid(connection, invoice, str(number))
    payments.tell_due()
    with django_assert_max_num_queries(10):
        payments.tell_due()
    assert connection.notice_clock.last_payment_event == PaymentEvent.objects.latest("pk").pk


@pytest.mark.parametrize("number", [1, 20])
def test_each_person_costs_the_same_whatever_was_paid(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
    number: int,
    django_assert_num_queries: Any,
) -> None:
    rows = [paid(connection, invoice, str(each)) for each in range(number)]
    news = {row.pk: timezone.now() for row in rows}
    with django_assert_num_queries(1):
        found = payments._checks(connection, pam, {NoticeKind.PAYMENT: START}, news)
        assert sum(len(check.lines) for check in found) == number


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_it_once(
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    pam: User,
    clock: time_machine.Traveller,
) -> None:
    for number in range(5):
        paid(connection, invoice, str(number))
    clock.shift(DAY)
    together = threading.Barrier(3)

    def work() -> None:
        together.wait()
        try:
            payments.tell_due()
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(told()) == 5
