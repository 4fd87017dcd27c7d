"""A payment that is here twice, linked; and one that is gone from the ERP, unlinked."""

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connections
from django.db.models import Sum
from django.test import Client
from django.urls import reverse

from commitments.models import SubcontractorInvoice
from erp_integrations.models import ErpAllocation, ErpConnection, RunMode
from erp_integrations.providers.errors import TransientError
from erp_integrations.vanished.services import unlink_payment
from payments import services
from payments.duplicates import check_key, pairs_in
from payments.linking import dismiss_duplicate, link_duplicate, unlink_vanished
from payments.models import EventKind, Payment, PaymentAttachment, PaymentEvent
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.conftest import run_sync
from tests.factories import InvoiceFactory, PaymentFactory, UserFactory
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 7, 1)
AMOUNT = Decimal("80.25")


@pytest.fixture
def carla(invoice: SubcontractorInvoice) -> User:
    """Accounting approver, and Admin on Commitments."""
    carla = UserFactory(username="carla")
    set_accounting_approver(user=carla, company=invoice.company, is_approver=True)
    grant_level(user=carla, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=invoice.company)
    return carla


def by_hand(invoice: SubcontractorInvoice, **values: Any) -> Payment:
    row: dict[str, Any] = {"amount": AMOUNT, "check_number": "0042", "date": DAY, **values}
    return PaymentFactory(commitment=invoice.commitment, invoice=invoice, **row)


@pytest.fixture
def twins(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> tuple[Payment, Payment]:
    """The one entered by hand, and the one that came."""
    manual = by_hand(invoice, payment_number="MINE-1", notes="By courier")
    books.put(payment("p1", ("7", str(AMOUNT)), check_number="CHK-42", number="PAY-9"))
    run_sync(connection)
    return manual, Payment.objects.exclude(pk=manual.pk).get()


def total() -> Decimal:
    return Payment.objects.counted().aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(payment: Payment, name: str = "detail") -> str:
    return reverse(f"payments:{name}", args=[payment.project_id, payment.commitment_id, payment.pk])


# ---------------------------------------------------------------------- offering
@pytest.mark.parametrize(
    "one,other", [("CHK-0042", "42"), ("check 42", "#42"), ("chk_42", "00042"), ("", "")]
)
def test_a_check_is_known_however_it_is_written(one: str, other: str) -> None:
    assert check_key(one) == check_key(other)


@pytest.mark.parametrize("one,other", [("42", "421"), ("A42", "42"), ("42", "")])
def test_other_checks_are_not_taken_for_it(one: str, other: str) -> None:
    assert check_key(one) != check_key(other)


def test_a_pair_is_offered(twins: tuple[Payment, Payment]) -> None:
    assert pairs_in(Payment.objects.all()) == [twins]


@pytest.mark.parametrize(
    "values",
    [
        {"amount": Decimal("80.24")},
        {"check_number": "43"},
        {"date": DAY + dt.timedelta(days=8)},
        {"date": DAY - dt.timedelta(days=8)},
        {"currency": "EUR"},
        {"status": "voided", "voided_on": DAY},
        {"invoice": None},
    ],
)
def test_what_differs_is_no_pair(twins: tuple[Payment, Payment], values: Any) -> None:
    Payment.objects.filter(pk=twins[0].pk).update(**values)
    assert pairs_in(Payment.objects.all()) == []


def test_a_payment_is_in_one_pair_only(
    twins: tuple[Payment, Payment], invoice: SubcontractorInvoice
) -> None:
    by_hand(invoice, date=DAY + dt.timedelta(days=5))
    (pair,) = pairs_in(Payment.objects.all())
    assert pair == twins, "the nearest date"


def test_pages_offer_it_to_administrators(
    twins: tuple[Payment, Payment], carla: User, invoice: SubcontractorInvoice
) -> None:
    manual, twin = twins
    client = client_of(carla)
    rows = client.get(reverse("payments:payments_issued", args=page_args(manual)))
    assert rows.content.decode().count("Look at both") == 2
    for each in twins:
        shown = client.get(page_of(each)).content.decode()
        assert "Here twice?" in shown and page_of(manual, "link") in shown
    reader = UserFactory()
    grant_level(user=reader, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=invoice.project)
    shown = client_of(reader).get(page_of(twin)).content.decode()
    assert "Here twice?" in shown and page_of(manual, "link") not in shown


def page_args(payment: Payment) -> list[int]:
    return [payment.project_id, payment.commitment_id]


# ----------------------------------------------------------------------- linking
def test_linking_keeps_what_people_did_and_takes_what_the_erp_says(
    twins: tuple[Payment, Payment], carla: User
) -> None:
    manual, twin = twins
    for each, name in ((manual, "ours.txt"), (twin, "theirs.txt")):
        PaymentAttachment.objects.create(
            company=each.company, payment=each, name=name, content_type="text/plain", size=1,
            sha256="0" * 64, uploaded_by=carla, file=ContentFile(b"x", name=name),
        )  # fmt: skip
    before = total()
    linked = link_duplicate(payment=manual, twin=twin, by=carla)
    assert Payment.objects.get() == linked
    linked.refresh_from_db()
    assert linked.is_synced and linked.origin_code == "PAY-9"
    assert (linked.payment_number, linked.notes) == ("MINE-1", "By courier")
    assert linked.check_number == "CHK-42"
    assert {each.name for each in linked.attachments.all()} == {"ours.txt", "theirs.txt"}
    assert total() == before - AMOUNT
    assert ErpAllocation.objects.get().payment == linked
    event = linked.events.get(kind=EventKind.LINKED)
    assert event.actor == carla
    assert event.changes["ERP ID"] == ["", "PAY-9"]
    assert event.changes["Payment # of the other row"] == ["PAY-9", ""]
    assert event.changes["Check #"] == ["0042", "CHK-42"]
    assert linked.events.filter(kind=EventKind.CREATED, import_id__isnull=False).exists()


def test_the_next_sync_changes_nothing(
    twins: tuple[Payment, Payment], carla: User, books: Books, connection: ErpConnection
) -> None:
    linked = link_duplicate(payment=twins[0], twin=twins[1], by=carla)
    before = Payment.objects.values().get()
    for mode in (RunMode.CHANGES, RunMode.SWEEP):
        run_sync(connection, mode)
    assert Payment.objects.values().get() == before
    books.change("p1", check_number="CHK-43")
    run_sync(connection)
    linked.refresh_from_db()
    assert linked.check_number == "CHK-43" and linked.payment_number == "MINE-1"
    books.void("p1")
    run_sync(connection)
    assert total() == 0


def test_a_linked_payment_is_locked(twins: tuple[Payment, Payment], carla: User) -> None:
    linked = link_duplicate(payment=twins[0], twin=twins[1], by=carla)
    with pytest.raises(ValidationError):
        services.delete_payment(payment=linked, by=carla)


def test_not_the_same_is_remembered(twins: tuple[Payment, Payment], carla: User) -> None:
    dismissed = dismiss_duplicate(payment=twins[0], twin=twins[1], by=carla)
    assert dismissed.dismissed_by == carla
    assert pairs_in(Payment.objects.all()) == []
    with pytest.raises(ValidationError):
        link_duplicate(payment=twins[0], twin=twins[1], by=carla)


def test_only_a_pair_can_be_linked(twins: tuple[Payment, Payment], carla: User) -> None:
    manual, twin = twins
    Payment.objects.filter(pk=manual.pk).update(amount=Decimal(1))
    with pytest.raises(ValidationError, match="not the same any more"):
        link_duplicate(payment=manual, twin=twin, by=carla)
    with pytest.raises(ValidationError):
        link_duplicate(payment=twin, twin=manual, by=carla)
    assert Payment.objects.count() == 2


def test_who_only_reads_links_nothing(
    twins: tuple[Payment, Payment], invoice: SubcontractorInvoice
) -> None:
    reader = UserFactory()
    grant_level(user=reader, tool=Tool.COMMITMENTS, level=Level.STANDARD, on=invoice.project)
    with pytest.raises(ValidationError, match="Only administrators"):
        link_duplicate(payment=twins[0], twin=twins[1], by=reader)


def test_the_buttons_link_and_dismiss(twins: tuple[Payment, Payment], carla: User) -> None:
    manual, twin = twins
    client = client_of(carla)
    client.post(page_of(manual, "link"), {"twin": "rubbish"})
    assert Payment.objects.count() == 2
    response = client.post(page_of(manual, "link"), {"twin": twin.pk}, follow=True)
    assert "counts once" in response.content.decode()
    response = client.post(page_of(manual, "dismiss"), {"twin": twin.pk}, follow=True)
    assert "not there any more" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_links(twins: tuple[Payment, Payment], carla: User) -> None:
    start, results = threading.Barrier(2), []

    def press() -> None:
        start.wait()
        try:
            link_duplicate(payment=twins[0], twin=twins[1], by=carla)
            results.append("linked")
        except ValidationError as error:
            results.append(error.messages[0][:25])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(results) == ["These two payments are no", "linked"]
    assert total() == AMOUNT
    assert PaymentEvent.objects.filter(kind=EventKind.LINKED).count() == 1


# --------------------------------------------------------------------- unlinking
@pytest.fixture
def vanished(books: Books, connection: ErpConnection) -> Payment:
    books.put(payment("p1", ("7", str(AMOUNT)), number="PAY-9"))
    run_sync(connection)
    books.delete("p1")
    run_sync(connection, RunMode.SWEEP)
    found = Payment.objects.get()
    assert found.vanished_at
    return found


def test_an_unlinked_payment_is_by_hand_voided_and_never_counts_again(
    vanished: Payment, carla: User, books: Books, connection: ErpConnection
) -> None:
    found = unlink_payment(payment=vanished, reason=" Deleted by mistake ", by=carla)
    assert not found.is_synced and found.status == "voided"
    assert found.void_reason == "Unlinked from the ERP: Deleted by mistake"
    assert total() == 0
    event = found.events.get(kind=EventKind.UNLINKED)
    assert event.changes["Reason"] == ["", "Deleted by mistake"]
    assert event.changes["ERP ID"] == ["PAY-9", ""]
    for mode in (RunMode.CHANGES, RunMode.SWEEP):
        assert run_sync(connection, mode).is_good
    assert Payment.objects.count() == 1 and total() == 0
    services.delete_payment(payment=found, by=carla)
    assert PaymentEvent.objects.filter(kind=EventKind.UNLINKED).exists()


def test_what_comes_back_in_the_erp_comes_as_a_new_payment(
    vanished: Payment, carla: User, books: Books, connection: ErpConnection
) -> None:
    unlink_payment(payment=vanished, reason="Gone", by=carla)
    books.put(payment("p1", ("7", str(AMOUNT)), number="PAY-9"))
    run_sync(connection)
    again = Payment.objects.exclude(pk=vanished.pk).get()
    assert again.is_synced and again.is_counted
    assert total() == AMOUNT
    assert ErpAllocation.objects.get().payment == again


def test_it_stays_linked_while_the_erp_has_it(vanished: Payment, carla: User, books: Books) -> None:
    books.put(payment("p1", ("7", str(AMOUNT))))
    with pytest.raises(ValidationError, match="still has payment PAY-9"):
        unlink_payment(payment=vanished, reason="Gone", by=carla)
    vanished.refresh_from_db()
    assert vanished.is_synced


def test_it_stays_linked_when_the_erp_cannot_be_asked(
    vanished: Payment, carla: User, books: Books
) -> None:
    def away(remote_id: str) -> None:
        raise TransientError("The ERP does not answer.")

    books.before_payment = away
    with pytest.raises(ValidationError, match=r"could not be asked .* does not answer"):
        unlink_payment(payment=vanished, reason="Gone", by=carla)
    vanished.refresh_from_db()
    assert vanished.is_synced


def test_a_payment_that_is_there_cannot_be_unlinked(
    twins: tuple[Payment, Payment], carla: User
) -> None:
    with pytest.raises(ValidationError):
        unlink_vanished(payment=twins[1], reason="Why not", by=carla)


def test_unlinking_needs_a_reason_and_both_rights(vanished: Payment, carla: User) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        unlink_payment(payment=vanished, reason="  ", by=carla)
    admin = UserFactory()
    grant_level(user=admin, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=vanished.company)
    with pytest.raises(ValidationError, match="Only accounting approvers"):
        unlink_payment(payment=vanished, reason="Gone", by=admin)
    approver = UserFactory()
    set_accounting_approver(user=approver, company=vanished.company, is_approver=True)
    with pytest.raises(ValidationError, match="Only administrators"):
        unlink_payment(payment=vanished, reason="Gone", by=approver)
    assert Payment.objects.get().is_synced


def test_the_page_says_what_it_means_and_does_it(vanished: Payment, carla: User) -> None:
    client = client_of(carla)
    shown = client.get(page_of(vanished)).content.decode()
    url = reverse(
        "erp_integrations:company_unlink_payment", args=[vanished.company_id, vanished.pk]
    )
    assert url in shown
    assert "It does not count" in client.get(url).content.decode()
    assert client.post(url, {"reason": ""}).status_code == 200
    response = client.post(url, {"reason": "Deleted there"}, follow=True)
    assert "The payment is unlinked" in response.content.decode()
    assert url not in client.get(page_of(vanished)).content.decode()
    admin = UserFactory()
    grant_level(user=admin, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=vanished.company)
    assert client_of(admin).get(url).status_code == 404


# --------------------------------------------------------------------- one check
def test_a_check_says_what_it_comes_to_and_how_many_rows_are_not_shown(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice, carla: User
) -> None:
    InvoiceFactory(commitment=invoice.commitment, bill="8")
    private = InvoiceFactory(commitment__project=invoice.project, bill="9")
    type(private.commitment).objects.filter(pk=private.commitment_id).update(is_private=True)
    books.put(payment("p1", ("7", "100.10"), ("8", "20.20"), ("9", "777.70")))
    run_sync(connection)
    first = Payment.objects.get(invoice=invoice)
    reader = UserFactory()
    grant_level(user=reader, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=invoice.project)
    shown = client_of(reader).get(page_of(first)).content.decode()
    assert "$120.30" in shown and "777.70" not in shown and "more payment" not in shown
    set_accounting_approver(user=reader, company=invoice.company, is_approver=True)
    shown = client_of(reader).get(page_of(first)).content.decode()
    assert "1 more payment of this check is on commitments" in shown
    assert "777.70" not in shown and "898.00" not in shown
