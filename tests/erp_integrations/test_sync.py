"""What the engine makes of what an ERP says."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from commitments.models import SubcontractorInvoice
from erp_integrations.models import ErpAllocation, ErpConnection, ErpPayment, RunState, SyncRun
from erp_integrations.providers.contract import Page, RejectedRecord, RemoteStatus
from payments.models import Payment, PaymentEvent
from tests.erp_integrations.conftest import run_sync
from tests.factories import InvoiceFactory
from tests.fakes.books import START, Books, payment

pytestmark = pytest.mark.django_db


def counts(run: SyncRun) -> tuple[int, int, int]:
    return run.created, run.updated, run.unchanged


def test_it_shows_a_full_payment_on_the_invoice(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "5000.00"), check_number="CHK-5001"))
    run = run_sync(connection)
    row = Payment.objects.get()
    assert run.state == RunState.SUCCEEDED
    assert (row.invoice, row.commitment) == (invoice, invoice.commitment)
    assert (row.amount, row.currency, row.check_number) == (Decimal(5000), "USD", "CHK-5001")
    assert (row.payment_number, row.origin_code, row.invoice_number) == ("P1", "P1", "BILL-7")
    assert PaymentEvent.objects.get().changes == {"Amount": [None, "5000.0000"]}


def test_it_shows_two_checks_on_one_bill(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "2000.10")), payment("p2", ("7", "1500.20")))
    run_sync(connection)
    assert sum(Payment.objects.values_list("amount", flat=True)) == Decimal("3500.30")


def test_it_shows_one_check_over_several_bills_as_several_payments(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    other = InvoiceFactory(commitment__project=invoice.project, bill="8")
    books.put(payment("p1", ("7", "1100.50"), ("8", "899.50")))
    run_sync(connection)
    rows = Payment.objects.order_by("invoice__origin_id")
    assert [(row.invoice, row.amount) for row in rows] == [
        (invoice, Decimal("1100.50")),
        (other, Decimal("899.50")),
    ]
    assert len({row.origin_data for row in rows}) == 1


def test_it_changes_nothing_when_nothing_changed(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "5000")))
    run_sync(connection)
    ErpConnection.objects.update(cursor=None)
    connection.refresh_from_db()
    before = list(Payment.objects.values())
    run = run_sync(connection)
    assert counts(run) == (0, 0, 1)
    assert list(Payment.objects.values()) == before
    assert PaymentEvent.objects.count() == 1


def test_it_asks_only_for_what_changed_since(books: Books, connection: ErpConnection) -> None:
    books.put(payment("p1", ("7", "100")), payment("p2", ("7", "200")))
    run_sync(connection)
    books.change("p1", check_number="CHK-9")
    assert counts(run_sync(connection)) == (0, 1, 0)


def test_it_takes_over_a_changed_amount_and_keeps_the_old_one_in_the_history(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100.00")))
    run_sync(connection)
    books.put(payment("p1", ("7", "120.55")))
    run = run_sync(connection)
    event = PaymentEvent.objects.get(kind="changed")
    assert Payment.objects.get().amount == Decimal("120.55")
    assert event.changes == {"Amount": ["100.0000", "120.5500"]}
    assert event.import_id == run.pk


def test_it_strikes_a_voided_payment_out_of_the_totals(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "3200")))
    run_sync(connection)
    books.void("p1")
    run_sync(connection)
    row = Payment.objects.get()
    assert row.status == "voided"
    assert row.voided_on is not None
    assert not Payment.objects.counted().exists()
    assert PaymentEvent.objects.filter(kind="voided").count() == 1


def test_a_void_that_empties_the_record_keeps_the_amounts(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "1234.56")))
    run_sync(connection)
    books.change("p1", status=RemoteStatus.VOIDED, total=Decimal(0), allocations=())
    for _ in range(2):
        run_sync(connection)
    row = Payment.objects.get()
    assert (row.status, row.amount) == ("voided", Decimal("1234.56"))
    assert row.void_reason == "Voided in the ERP"
    assert not Payment.objects.counted().exists()
    kept = ErpPayment.objects.get()
    assert (kept.status, kept.total) == ("voided", Decimal("1234.56"))


def test_it_restores_a_payment_whose_void_was_taken_back(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "3200"), status=RemoteStatus.VOIDED))
    run_sync(connection)
    books.change("p1", status=RemoteStatus.ISSUED)
    run_sync(connection)
    assert Payment.objects.counted().get().voided_on is None


def test_it_voids_the_share_of_a_bill_that_the_payment_no_longer_pays(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    InvoiceFactory(commitment=invoice.commitment, bill="8")
    books.put(payment("p1", ("7", "100"), ("8", "200")))
    run_sync(connection)
    books.put(payment("p1", ("8", "200"), total=Decimal(300)))
    run_sync(connection)
    assert Payment.objects.counted().get().invoice.origin_id == "8"
    gone = Payment.objects.get(status="voided")
    assert gone.void_reason == "No longer applied to this invoice in the ERP"
    assert ErpAllocation.objects.get(bill_id="7").outcome == "removed"


def test_it_shows_a_share_again_that_was_un_applied_and_re_applied(
    books: Books, connection: ErpConnection
) -> None:
    for allocations in ([("7", "100")], [], [("7", "90")]):
        books.put(payment("p1", *allocations, total=Decimal(100)))
        run_sync(connection)
    assert Payment.objects.counted().get().amount == Decimal(90)


def test_it_remembers_a_pending_payment_without_showing_it(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "500"), status=RemoteStatus.PENDING))
    run = run_sync(connection)
    assert not Payment.objects.exists()
    assert ErpAllocation.objects.get().reason == "payment_pending"
    assert (run.waiting, run.state) == (1, RunState.SUCCEEDED)


def test_it_shows_a_pending_payment_once_it_is_issued(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "500"), status=RemoteStatus.PENDING))
    run_sync(connection)
    books.change("p1", status=RemoteStatus.ISSUED)
    assert run_sync(connection).waiting == 0
    assert Payment.objects.counted().count() == 1


def test_it_takes_money_out_of_the_totals_that_went_back_to_pending(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "500")))
    run_sync(connection)
    books.change("p1", status=RemoteStatus.PENDING)
    run_sync(connection)
    assert Payment.objects.get().void_reason == "Back to pending in the ERP"


def test_it_reads_the_same_page_twice_without_doubling(
    books: Books, connection: ErpConnection
) -> None:
    page = Page([payment("p1", ("7", "100"))], [], {"modified": "a", "id": ""})
    books.script = [page, page]
    assert counts(run_sync(connection)) == (1, 0, 1)
    assert Payment.objects.count() == 1


def test_it_keeps_the_newer_version_when_pages_come_out_of_order(
    books: Books, connection: ErpConnection
) -> None:
    new = payment("p1", ("7", "120"), modified_at=START + dt.timedelta(hours=1))
    old = payment("p1", ("7", "100"), modified_at=START)
    books.script = [Page([new], [], {"n": 1}), Page([old], [], {"n": 2})]
    run_sync(connection)
    assert Payment.objects.get().amount == Decimal(120)


def test_it_keeps_the_newer_version_of_a_payment_read_twice_in_one_page(
    books: Books, connection: ErpConnection
) -> None:
    new = payment("p1", ("7", "120"), modified_at=START + dt.timedelta(hours=1))
    books.script = [Page([new, payment("p1", ("7", "100"))], [], {"n": 1})]
    run_sync(connection)
    assert Payment.objects.get().amount == Decimal(120)


def test_it_takes_over_a_payment_that_changed_between_two_pages(
    books: Books, connection: ErpConnection
) -> None:
    new = payment("p1", ("7", "120"), modified_at=START + dt.timedelta(hours=1))
    books.script = [
        Page([payment("p1", ("7", "100"))], [], {"n": 1}),
        Page([new], [], {"n": 2}),
    ]
    assert counts(run_sync(connection)) == (1, 1, 0)
    assert Payment.objects.get().amount == Decimal(120)


def test_it_keeps_the_payment_number_a_person_typed(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100")))
    run_sync(connection)
    Payment.objects.update(payment_number="2026-0042")
    books.put(payment("p1", ("7", "110"), number="P1-B"))
    run_sync(connection)
    assert Payment.objects.get().payment_number == "2026-0042"
    assert Payment.objects.get().origin_code == "P1-B"


def test_every_cent_the_erp_said_is_applied_or_waits(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "33.33"), ("8", "33.33"), ("9", "33.34")))
    run_sync(connection)
    kept = ErpAllocation.objects.exclude(outcome="removed").values_list("amount", flat=True)
    assert sum(kept) == ErpPayment.objects.get().total == Decimal("100.00")


def test_a_bad_record_becomes_an_issue_and_the_rest_of_its_page_goes_in(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "-5"), total=Decimal(5)), payment("p2", ("7", "100")))
    run = run_sync(connection)
    issue = connection.issues.get()
    assert Payment.objects.get().origin_code == "P2"
    assert (run.problems, run.state) == (1, RunState.SUCCEEDED_WITH_ISSUES)
    assert (issue.code, issue.remote_id) == ("unusable_record", "p1")
    assert "must be more than zero" in issue.message


def test_a_bad_record_is_asked_for_again_and_goes_in_once_it_is_mended(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100"), currency="XXQ"))
    run_sync(connection)
    books.payments["p1"] = payment("p1", ("7", "100"))  # mended without a new time of change
    run_sync(connection)
    assert Payment.objects.get().amount == Decimal(100)
    assert not connection.issues.open().exists()


def test_a_bad_record_that_was_deleted_in_the_erp_resolves_its_issue(
    books: Books, connection: ErpConnection
) -> None:
    books.put(payment("p1", ("7", "100"), currency="XXQ"))
    run_sync(connection)
    books.delete("p1")
    run_sync(connection)
    assert not connection.issues.open().exists()


def test_a_record_the_provider_could_not_map_is_kept_as_an_issue(
    books: Books, connection: ErpConnection
) -> None:
    books.rejected = [RejectedRecord("p9", "The date is missing.", "{}")]
    run_sync(connection)
    assert connection.issues.get().message == "The date is missing."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"date": dt.date(1901, 1, 1)}, "01/01/1901"),
        ({"date": dt.date(9999, 12, 31)}, "cannot be right"),
        ({"currency": "US$"}, "not a currency"),
        ({"total": Decimal("1e15")}, "cannot be right"),
        ({"total": Decimal("NaN")}, "cannot be right"),
        ({"total": Decimal("100.001")}, "2 decimals"),
        ({"total": Decimal("-1")}, "negative"),
        ({"total": Decimal("50")}, "applied to bills"),
        ({"memo": "a\x00b"}, "not text"),
        ({"memo": "a\ud800b"}, "not text"),
        ({"check_number": "9" * 101}, "longer than"),
    ],
)
def test_it_says_what_is_wrong_with_a_record(
    books: Books, connection: ErpConnection, change: dict[str, object], words: str
) -> None:
    books.put(msgspec.structs.replace(payment("p1", ("7", "100")), **change))
    run_sync(connection)
    assert words in connection.issues.get().message
    assert not Payment.objects.exists()


def test_a_record_that_only_the_database_refuses_takes_no_other_with_it(
    books: Books, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("erp_integrations.ingest.check_payment", lambda payment: None)
    rows = [payment(f"p{n}", ("7", "10")) for n in range(8)]
    rows[5] = payment("p5", ("7", "-10"))
    books.put(*rows)
    run = run_sync(connection)
    assert Payment.objects.count() == 7
    assert "database" in connection.issues.get().message
    assert run.created == 7


def test_what_copy_refuses_takes_no_other_record_with_it(
    books: Books, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("erp_integrations.ingest.check_payment", lambda payment: None)
    books.put(payment("p1", ("7", "10")), payment("p2", ("7", "10"), memo="a\x00b"))
    run_sync(connection)
    assert Payment.objects.get().origin_code == "P1"
    assert connection.issues.get().remote_id == "p2"


def test_a_page_takes_the_same_number_of_statements_whatever_its_size(
    books: Books, connection: ErpConnection, django_assert_num_queries: object
) -> None:
    from django.db import connection as database
    from django.test.utils import CaptureQueriesContext

    taken = []
    for size in (2, 60):
        books.put(*(payment(f"s{size}-{n}", ("7", "1")) for n in range(size)))
        with CaptureQueriesContext(database) as queries:
            run_sync(connection)
        taken.append(len(queries))
    assert taken[0] == taken[1]
