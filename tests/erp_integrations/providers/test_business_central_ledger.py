"""What the vendor ledger means: applications both ways, voids, discounts, currencies."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from erp_integrations.providers.contract import RemoteMethod, RemotePayment, RemoteStatus
from erp_integrations.providers.errors import ProtocolError, RecordError, RecordNotFound
from tests.erp_integrations.providers.business_central_books import (
    BusinessCentralBooks,
    connect,
    pages,
)
from tests.erp_integrations.providers.contract_suite import read
from tests.fakes.business_central import FakeBusinessCentral
from tests.fakes.http_server import Reply


@pytest.fixture
def erp() -> Iterator[BusinessCentralBooks]:
    fake = FakeBusinessCentral()
    with fake.running():
        yield BusinessCentralBooks(fake)


def only(erp: BusinessCentralBooks) -> RemotePayment:
    (payment,) = read(pages(erp.fake))
    return payment


def parts(payment: RemotePayment) -> list[tuple[str, Decimal, Decimal]]:
    return [(each.bill_number, each.amount, each.discount) for each in payment.allocations]


# --------------------------------------------------------------- both directions
def test_a_payment_that_was_posted_for_invoices_names_them(erp: BusinessCentralBooks) -> None:
    erp.pay((erp.bill("899.50"), "899.50"), (erp.bill("1100.50"), "100.50"))
    assert parts(only(erp)) == [
        ("ACME-2", Decimal("899.50"), Decimal(0)),
        ("ACME-3", Decimal("100.50"), Decimal(0)),
    ]


def test_an_invoice_that_was_applied_to_a_payment_is_named_too(erp: BusinessCentralBooks) -> None:
    erp.pay_directly(erp.bill("70"), "70")
    assert parts(only(erp)) == [("ACME-2", Decimal("70"), Decimal(0))]


def test_a_part_that_stays_open_is_applied_to_nothing(erp: BusinessCentralBooks) -> None:
    bill = erp.bills[erp.bill("70").remote_id]
    erp.ledger.pay("CHK-9", (bill, "70"), total="100")
    payment = only(erp)
    assert (payment.total, sum(each.amount for each in payment.allocations)) == (
        Decimal("100"),
        Decimal("70"),
    )


# -------------------------------------------------------------- what is taken back
def test_an_application_that_was_taken_back_pays_nothing(erp: BusinessCentralBooks) -> None:
    check = erp.pay((erp.bill("70"), "70"))
    erp.unapply(check)
    payment = only(erp)
    assert (payment.status, payment.allocations) == (RemoteStatus.ISSUED, ())


def test_unapplying_is_noticed_although_the_entry_stays_as_it_was(
    erp: BusinessCentralBooks,
) -> None:
    check = erp.pay((erp.bill("70"), "70"))
    erp.settle()
    cursor = pages(erp.fake, overlap_seconds=0)[-1].cursor
    erp.settle()
    erp.unapply(check)
    assert erp.checks[check].modified < erp.now()
    (changed,) = read(pages(erp.fake, cursor, overlap_seconds=0))
    assert (changed.check_number, changed.allocations) == (check, ())
    assert changed.modified_at == erp.now()


def test_an_application_that_was_made_anew_counts_once(erp: BusinessCentralBooks) -> None:
    bill = erp.bill("70")
    check = erp.pay((bill, "70"))
    erp.unapply(check)
    erp.ledger.apply(erp.checks[check], erp.bills[bill.remote_id], "50")
    assert parts(only(erp)) == [("ACME-2", Decimal("50"), Decimal(0))]
    (asked,) = connect(erp.fake).bills([bill.remote_id])
    assert asked.paid == Decimal("50")


def test_a_reversed_payment_is_voided_and_its_mirror_is_nobody(erp: BusinessCentralBooks) -> None:
    check = erp.pay((erp.bill("70"), "70"))
    mirror = erp.ledger.reverse(erp.checks[check])
    payment = only(erp)
    assert (payment.status, payment.total) == (RemoteStatus.VOIDED, Decimal("70"))
    assert parts(payment) == [("ACME-2", Decimal("70"), Decimal(0))]
    with pytest.raises(RecordNotFound):
        connect(erp.fake).payment(str(mirror.number))


def test_a_check_that_was_voided_is_voided_although_its_entry_does_not_say_so(
    erp: BusinessCentralBooks,
) -> None:
    check = erp.pay((erp.bill("70"), "70"))
    erp.void(check)
    assert not erp.checks[check].is_reversed
    assert only(erp).status is RemoteStatus.VOIDED


def test_money_that_comes_back_is_no_payment(erp: BusinessCentralBooks) -> None:
    erp.ledger.pay("REF-1", total="-25")
    assert read(pages(erp.fake)) == []


def test_a_credit_memo_is_no_payment_and_pays_no_bill_here(erp: BusinessCentralBooks) -> None:
    bill = erp.bill("70")
    erp.credit(bill, "30")
    assert read(pages(erp.fake)) == []
    (asked,) = connect(erp.fake).bills([bill.remote_id])
    assert (asked.total, asked.paid) == (Decimal("70"), Decimal(0))


# --------------------------------------------------------- discounts and currencies
def test_a_discount_is_found_on_the_invoice(erp: BusinessCentralBooks) -> None:
    erp.pay_with_discount(erp.bill("1000"), "980", "20")
    assert parts(only(erp)) == [("ACME-2", Decimal("980"), Decimal("20"))]


def test_a_discount_goes_with_its_application(erp: BusinessCentralBooks) -> None:
    check = erp.pay_with_discount(erp.bill("1000"), "980", "20")
    erp.unapply(check)
    assert parts(only(erp)) == []


def test_amounts_are_in_the_currency_of_the_entry(erp: BusinessCentralBooks) -> None:
    bill = erp.bill_in("EUR", "100")
    erp.pay((bill, "100"))
    payment = only(erp)
    assert (payment.currency, payment.total) == ("EUR", Decimal("100"))


def test_a_payment_of_an_invoice_in_another_currency_is_counted_in_its_own(
    erp: BusinessCentralBooks,
) -> None:
    in_euros, in_dollars = (
        erp.bills[erp.bill_in(currency, "100").remote_id] for currency in ("EUR", "USD")
    )
    payment = erp.ledger.pay("CHK-9", total="150")
    erp.ledger.apply(payment, in_euros, "100", own="110")
    erp.ledger.apply(payment, in_dollars, "40")
    assert {bill: amount for bill, amount, _ in parts(only(erp))} == {
        "ACME-2": Decimal("110"),
        "ACME-3": Decimal("40"),
    }


def test_what_cannot_be_told_in_its_own_currency_is_an_issue(erp: BusinessCentralBooks) -> None:
    bill = erp.bills[erp.bill_in("EUR", "100").remote_id]
    payment = erp.ledger.pay("CHK-9", total="150")
    erp.ledger.apply(payment, bill, "100", own="110")
    erp.ledger.on_entry[payment.number].pop()
    (page,) = pages(erp.fake)
    assert page.payments == []
    assert "EUR" in page.rejected[0].reason


# ----------------------------------------------------------------------- fields
@pytest.mark.parametrize(
    ("code", "is_printed", "method", "check"),
    [
        ("BANK", True, RemoteMethod.CHECK, "X-1"),
        ("CHECK", False, RemoteMethod.CHECK, "X-1"),
        ("CREDITCARD", False, RemoteMethod.CREDIT_CARD, ""),
        ("ACH", False, RemoteMethod.ELECTRONIC, ""),
        ("", False, RemoteMethod.ELECTRONIC, ""),
    ],
)
def test_the_check_ledger_or_the_code_says_how_it_was_paid(
    erp: BusinessCentralBooks, code: str, is_printed: bool, method: RemoteMethod, check: str
) -> None:
    erp.ledger.pay("X-1", total="10", method=code, is_printed=is_printed)
    payment = only(erp)
    assert (payment.number, payment.method, payment.check_number) == ("X-1", method, check)


SPOILT: dict[str, Any] = {
    "originalAmount": "ten",
    "postingDate": "0001-13-01",
    "currencyCode": None,
    "vendorNumber": 7,
    "lastModifiedDateTime": "yesterday",
    "vendorLedgerDetails": {},
}


@pytest.mark.parametrize("field", SPOILT)
def test_one_bad_entry_does_not_lose_the_others(erp: BusinessCentralBooks, field: str) -> None:
    bill = erp.bill("100")
    checks = [erp.pay((bill, "10")) for _ in range(3)]
    _spoil(erp.fake, erp.checks[checks[1]].number, field)
    (page,) = pages(erp.fake)
    assert [each.check_number for each in page.payments] == [checks[0], checks[2]]
    (rejected,) = page.rejected
    assert rejected.remote_id == str(erp.checks[checks[1]].number)
    with pytest.raises(RecordError, match="cannot be read"):
        connect(erp.fake).payment(rejected.remote_id)


def _spoil(fake: FakeBusinessCentral, number: int, field: str) -> None:
    answer = fake.answer

    def spoilt(request: Any) -> Reply:
        reply = answer(request)
        if not request.path.endswith("/vendorLedgerEntries"):
            return reply
        listing = msgspec.json.decode(reply.body)
        for row in listing["value"]:
            if row["entryNumber"] == number:
                row[field] = SPOILT[field]
        return Reply(200, msgspec.json.encode(listing))

    fake.answer = spoilt


def test_a_bill_that_cannot_be_read_stops_the_comparison(erp: BusinessCentralBooks) -> None:
    bill = erp.bill("10")
    _spoil(erp.fake, int(bill.remote_id), "originalAmount")
    with pytest.raises(ProtocolError, match="cannot be read"):
        list(connect(erp.fake).bills())


def test_an_id_of_another_erp_is_an_error_of_that_record(erp: BusinessCentralBooks) -> None:
    with pytest.raises(RecordError):
        connect(erp.fake).payment("payment-7")
