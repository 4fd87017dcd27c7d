"""What Acumatica's documents mean: types, statuses, details that wait and history that is paid."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from erp_integrations.providers.contract import RemoteMethod, RemotePayment, RemoteStatus
from erp_integrations.providers.errors import RecordError, RecordNotFound
from tests.erp_integrations.providers.acumatica_books import AcumaticaBooks, connect, pages
from tests.erp_integrations.providers.contract_suite import read
from tests.fakes.acumatica import FakeAcumatica
from tests.fakes.acumatica_documents import Other
from tests.fakes.http_server import Reply


@pytest.fixture
def erp() -> Iterator[AcumaticaBooks]:
    fake = FakeAcumatica()
    with fake.running():
        yield AcumaticaBooks(fake)


def all_of(erp: AcumaticaBooks) -> dict[str, RemotePayment]:
    return {each.remote_id: each for each in read(pages(erp.fake))}


def add(erp: AcumaticaBooks, type_: str, number: str, amount: str, **fields: Any) -> None:
    erp.fake.others.append(Other(type_, number, Decimal(amount), modified=erp.ledger.now, **fields))


# ------------------------------------------------------------------------ voids
def test_a_void_is_one_voided_payment_and_not_two(erp: AcumaticaBooks) -> None:
    bill = erp.bill("3200")
    check = erp.pay((bill, "3200"))
    erp.void(check)
    types = [each["Type"] for each in erp.fake.records("Check")]
    assert types == ["Payment", "Voided Payment"]
    (payment,) = all_of(erp).values()
    assert (payment.status, payment.total) == (RemoteStatus.VOIDED, Decimal("3200"))
    assert [each.amount for each in payment.allocations] == [Decimal("3200")]


def test_a_void_that_is_not_released_yet_voids_nothing(erp: AcumaticaBooks) -> None:
    bill = erp.bill("50")
    erp.pay((bill, "50"))
    (number,) = [each["ReferenceNbr"] for each in erp.fake.records("Check")]
    add(erp, "Voided Payment", number, "-50", status="Balanced")
    (payment,) = all_of(erp).values()
    assert payment.status is RemoteStatus.ISSUED


def test_the_id_of_the_voiding_document_is_nobodys(erp: AcumaticaBooks) -> None:
    add(erp, "Voided Payment", "000777", "-50")
    with pytest.raises(RecordNotFound):
        connect(erp.fake).payment("check-000777")
    with pytest.raises(RecordError, match="not the id"):
        connect(erp.fake).payment("000777")


# ------------------------------------------------------------------------ types
@pytest.mark.parametrize("type_", ["Debit Adj.", "Refund", "Vendor Refund", "Voided Refund"])
def test_credits_and_money_that_comes_back_are_no_payments(erp: AcumaticaBooks, type_: str) -> None:
    add(erp, type_, "000500", "75", history=[("Bill", "000001", Decimal("75"))])
    assert all_of(erp) == {}


def test_a_prepayment_pays_the_bills_that_it_is_applied_to(erp: AcumaticaBooks) -> None:
    bill = erp.bill("400")
    add(
        erp,
        "Prepayment",
        "000500",
        "1000",
        status="Open",
        history=[("Bill", bill.remote_id.removeprefix("bill-"), Decimal("400"))],
    )
    payment = all_of(erp)["prepayment-000500"]
    assert (payment.status, payment.total) == (RemoteStatus.ISSUED, Decimal("1000"))
    assert [(each.bill_id, each.amount) for each in payment.allocations] == [
        (bill.remote_id, Decimal("400"))
    ]


def test_a_check_for_a_prepayment_request_pays_no_bill_a_second_time(erp: AcumaticaBooks) -> None:
    add(erp, "Payment", "000501", "1000", history=[("Prepayment", "000500", Decimal("1000"))])
    assert all_of(erp)["check-000501"].allocations == ()


def test_a_check_and_a_prepayment_may_have_one_number(erp: AcumaticaBooks) -> None:
    add(erp, "Payment", "000500", "10")
    add(erp, "Prepayment", "000500", "20")
    assert {name: each.total for name, each in all_of(erp).items()} == {
        "check-000500": Decimal("10"),
        "prepayment-000500": Decimal("20"),
    }
    assert connect(erp.fake).payment("prepayment-000500").total == Decimal("20")


def test_older_builds_call_the_same_payment_a_check(erp: AcumaticaBooks) -> None:
    erp.void(erp.pay((erp.bill("10"), "10")))
    now = all_of(erp)
    erp.fake.check_type = "Check"
    assert all_of(erp) == now


def test_a_credit_adjustment_is_a_bill_of_its_own(erp: AcumaticaBooks) -> None:
    add(erp, "Payment", "000500", "10", history=[("Credit Adj.", "000001", Decimal("10"))])
    (applied,) = all_of(erp)["check-000500"].allocations
    assert applied.bill_id == "credit-adj-000001"


# --------------------------------------------------------------------- statuses
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("On Hold", RemoteStatus.PENDING),
        ("Pending Approval", RemoteStatus.PENDING),
        ("Balanced", RemoteStatus.PENDING),
        ("Pending Print", RemoteStatus.PENDING),
        ("Printed", RemoteStatus.PENDING),
        ("Open", RemoteStatus.ISSUED),
        ("Closed", RemoteStatus.ISSUED),
        ("Reserved", RemoteStatus.ISSUED),
        ("Voided", RemoteStatus.VOIDED),
    ],
)
def test_only_what_is_released_is_money(
    erp: AcumaticaBooks, status: str, expected: RemoteStatus
) -> None:
    add(erp, "Payment", "000500", "10", status=status)
    assert all_of(erp)["check-000500"].status is expected


def test_a_status_that_nobody_knows_is_an_issue_and_not_money(erp: AcumaticaBooks) -> None:
    add(erp, "Payment", "000500", "10", status="Under Reclassification")
    (page,) = pages(erp.fake)
    assert page.payments == []
    assert [each.remote_id for each in page.rejected] == ["check-000500"]
    assert "Under Reclassification" in page.rejected[0].reason


def test_applications_that_wait_belong_to_a_pending_payment(erp: AcumaticaBooks) -> None:
    bill = erp.bill("90")
    erp.pay((bill, "90"), pending=True)
    (waiting,) = all_of(erp).values()
    assert [(each.bill_id, each.amount) for each in waiting.allocations] == [
        (bill.remote_id, Decimal("90"))
    ]


def test_an_application_that_was_reversed_cancels_itself_out(erp: AcumaticaBooks) -> None:
    bill = erp.bill("90")
    check = erp.pay((bill, "60"))
    erp.unapply(check)
    (record,) = erp.fake.records("Check")
    assert [each["AmountPaid"] for each in record["History"]()] == [Decimal("60"), Decimal("-60")]
    (payment,) = all_of(erp).values()
    assert (payment.status, payment.allocations) == (RemoteStatus.ISSUED, ())


# ----------------------------------------------------------------------- fields
@pytest.mark.parametrize(
    ("code", "method"),
    [
        ("check", RemoteMethod.CHECK),
        ("electronic", RemoteMethod.ELECTRONIC),
        ("credit_card", RemoteMethod.CREDIT_CARD),
    ],
)
def test_the_code_of_the_payment_method_says_how_it_was_paid(
    erp: AcumaticaBooks, code: str, method: RemoteMethod
) -> None:
    erp.ledger.pay("X-1", (next(iter(erp.bills.values())), "1"), method=code)
    (payment,) = all_of(erp).values()
    assert payment.method is method


def test_the_day_is_the_written_one_whatever_its_zone(erp: AcumaticaBooks) -> None:
    add(erp, "Payment", "000500", "10")
    record = erp.fake.records("Check")[0]
    record["ApplicationDate"] = dt.datetime(2026, 11, 22, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    erp.fake.records = lambda entity: [record] if entity == "Check" else []  # type: ignore[method-assign]
    assert all_of(erp)["check-000500"].date == dt.date(2026, 11, 22)


def test_amounts_keep_every_digit(erp: AcumaticaBooks) -> None:
    add(erp, "Payment", "000500", "9007199254740993.07")
    assert all_of(erp)["check-000500"].total == Decimal("9007199254740993.07")


def test_a_vendor_that_is_not_known_any_more_is_its_code(erp: AcumaticaBooks) -> None:
    add(erp, "Payment", "000500", "10", vendor="V-GONE")
    payment = all_of(erp)["check-000500"]
    assert (payment.vendor_ref, payment.vendor_name) == ("V-GONE", "V-GONE")


SPOILT: dict[str, Any] = {
    "Status": {},
    "PaymentAmount": {"value": "ten"},
    "ApplicationDate": {"value": "22.11.2026"},
    "CurrencyID": None,
    "Vendor": {},
    "LastModifiedDateTime": {"value": "2026-11-22T08:00:00"},
    "History": {},
}


@pytest.mark.parametrize("field", SPOILT)
def test_one_bad_record_does_not_lose_the_others(erp: AcumaticaBooks, field: str) -> None:
    bill = erp.bill("100")
    numbers = [erp.checks[erp.pay((bill, "10"))].number for _ in range(3)]
    _spoil(erp.fake, f"{numbers[1]:06d}", field)
    (page,) = pages(erp.fake)
    assert [each.check_number for each in page.payments] == ["CHK-1", "CHK-3"]
    (rejected,) = page.rejected
    assert rejected.remote_id == f"check-{numbers[1]:06d}"
    assert "cannot be read" in rejected.reason and len(rejected.raw) > 20


def _spoil(fake: FakeAcumatica, number: str, field: str) -> None:
    answer = fake.answer

    def spoilt(request: Any) -> Reply:
        reply = answer(request)
        if not request.path.endswith("/Check"):
            return reply
        rows = msgspec.json.decode(reply.body)
        for row in rows:
            if row["ReferenceNbr"]["value"] == number:
                row[field] = SPOILT[field]
        return Reply(200, msgspec.json.encode(rows))

    fake.answer = spoilt
