"""The Xero provider against a stand-in that speaks Xero's published API."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import ClassVar

import pytest

from erp_integrations.providers.contract import RemoteMethod, RemotePayment, RemoteStatus, Tenant
from erp_integrations.providers.errors import ConfigurationError, RecordError, RecordNotFound
from erp_integrations.providers.xero.provider import XeroProvider
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    ProviderContract,
    read,
)
from tests.erp_integrations.providers.fake_books import LIMITS
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.erp_integrations.providers.xero_books import XeroBooks, connect, pages, tokens_of
from tests.fakes.authorization import TokensInMemory
from tests.fakes.xero import FakeXero
from tests.fakes.xero_records import TENANT


@pytest.fixture
def xero() -> Iterator[FakeXero]:
    fake = FakeXero()
    with fake.running():
        yield fake


@pytest.fixture
def erp(xero: FakeXero) -> XeroBooks:
    return XeroBooks(xero)


class TestTheContract(ProviderContract):
    """As everywhere."""


class TestTrouble(TroubleContract):
    #: the names of payment runs
    calls_besides_a_page: ClassVar[int] = 1
    #: payments, prepayments and overpayments are three lists
    calls_of_any_reading: ClassVar[int] = 3


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, xero: FakeXero, erp: XeroBooks) -> FakeXero:
        erp.pay((erp.bill("10"), "10"))
        return xero

    @pytest.fixture
    def tokens(self, server: FakeXero) -> TokensInMemory:
        return tokens_of(server)

    @pytest.fixture
    def reader(self, server: FakeXero, tokens: TokensInMemory) -> Callable[..., XeroProvider]:
        return partial(connect, server, tokens=tokens, limits=LIMITS)

    @pytest.fixture
    def payment_id(self, server: FakeXero) -> str:
        return f"payment-{server.records.payments()[0]['PaymentID']}"

    @pytest.fixture
    def secret(self, tokens: TokensInMemory) -> str:
        return tokens.current()


# ------------------------------------------------------------------ its own rules
def test_it_names_the_company_and_counts_what_is_readable(xero: FakeXero, erp: XeroBooks) -> None:
    erp.pay((erp.bill("10"), "10"))
    erp.pay_directly(erp.bill("10"), "10")
    assert (
        connect(xero).check()
        == "Xero · company Northstar General Contractors · 2 payments readable"
    )


def test_a_run_is_one_check_of_as_many_payments_as_it_pays_bills(
    xero: FakeXero, erp: XeroBooks
) -> None:
    check = erp.pay((erp.bill("899.50"), "899.50"), (erp.bill("1100.50"), "1100.50"))
    payments = read(pages(xero))
    assert [payment.check_number for payment in payments] == [check, check]
    assert {payment.total for payment in payments} == {Decimal("899.50"), Decimal("1100.50")}
    assert all(len(payment.allocations) == 1 for payment in payments)


def test_a_run_without_a_reference_is_one_check_all_the_same(
    xero: FakeXero, erp: XeroBooks
) -> None:
    check = erp.pay((erp.bill("1"), "1"), (erp.bill("2"), "2"))
    erp.checks[check].check = ""
    (number,) = {payment.check_number for payment in read(pages(xero))}
    assert number.startswith("BATCH-")


def test_the_names_of_runs_are_asked_once_a_page(xero: FakeXero, erp: XeroBooks) -> None:
    for _ in range(5):
        erp.pay((erp.bill("1"), "1"), (erp.bill("2"), "2"))
    provider = connect(xero)
    assert len(read(list(provider.pages(None)))) == 10
    assert provider.calls == 4


def test_a_voided_run_voids_each_of_its_payments(xero: FakeXero, erp: XeroBooks) -> None:
    erp.void(erp.pay((erp.bill("1"), "1"), (erp.bill("2"), "2")))
    payments = read(pages(xero))
    assert {payment.status for payment in payments} == {RemoteStatus.VOIDED}
    assert sum(payment.total for payment in payments) == 3


@pytest.mark.parametrize(
    ("reference", "check", "method"),
    [
        ("CHK-9", "CHK-9", RemoteMethod.CHECK),
        ("Direct Debit", "", RemoteMethod.ELECTRONIC),
        ("wire", "", RemoteMethod.ELECTRONIC),
        ("", "", RemoteMethod.ELECTRONIC),
    ],
)
def test_a_reference_may_be_a_check_number(
    xero: FakeXero, erp: XeroBooks, reference: str, check: str, method: RemoteMethod
) -> None:
    erp.checks[erp.pay((erp.bill("10"), "10"))].check = reference
    (payment,) = read(pages(xero))
    assert (payment.check_number, payment.method, payment.memo) == (check, method, reference)
    assert payment.number == (check or payment.remote_id.removeprefix("payment-"))


def test_an_advance_is_money_whose_allocations_say_what_it_paid(
    xero: FakeXero, erp: XeroBooks
) -> None:
    one, two = erp.bill("60"), erp.bill("30")
    check = erp._pay((one, "60"), (two, "10"), is_direct=True, total="100")
    (payment,) = read(pages(xero))
    assert (payment.check_number, payment.total) == (check, Decimal("100"))
    assert {a.bill_id: a.amount for a in payment.allocations} == {
        one.remote_id: Decimal("60"),
        two.remote_id: Decimal("10"),
    }
    assert connect(xero).payment(payment.remote_id) == payment


def test_an_overpayment_is_read_as_a_prepayment_is(xero: FakeXero, erp: XeroBooks) -> None:
    bill = erp.bill("60")
    erp._pay((bill, "20"), is_direct=True, total="25", method="overpayment")
    (payment,) = read(pages(xero))
    assert payment.remote_id.startswith("overpayment-")
    assert payment.total == Decimal("25")
    assert next(iter(connect(xero).bills([bill.remote_id]))).paid == Decimal("20")
    assert read(list(connect(xero).payments_on([bill.remote_id]))) == [payment]


def test_what_customers_pay_is_not_read(xero: FakeXero, erp: XeroBooks) -> None:
    erp.pay((erp.bill("10"), "10"))
    row = xero.records.payments()[0]
    xero.records.payments = lambda: [{**row, "PaymentType": "ACCRECPAYMENT"}]  # type: ignore[method-assign]
    assert read(pages(xero)) == []
    with pytest.raises(RecordError, match="pays no bill"):
        connect(xero).payment(f"payment-{row['PaymentID']}")


def test_an_id_of_another_erp_is_an_error_of_that_record(xero: FakeXero) -> None:
    for remote_id in ("payment-7", "line-3", "", "ACC-PAY-2026-00001"):
        with pytest.raises(RecordError):
            connect(xero).payment(remote_id)


def test_a_payment_that_xero_does_not_have_is_not_found(xero: FakeXero) -> None:
    with pytest.raises(RecordNotFound):
        connect(xero).payment(f"payment-{TENANT}")


def test_a_voided_bill_is_as_good_as_deleted(xero: FakeXero, erp: XeroBooks) -> None:
    bill = erp.bill("10")
    xero.ledger.cancel(erp.bills[bill.remote_id])
    (found,) = connect(xero).bills([bill.remote_id])
    assert found.is_cancelled and not found.is_posted
    assert list(connect(xero).bills()) == []


def test_many_bills_are_taken_out_of_the_list_of_all(xero: FakeXero, erp: XeroBooks) -> None:
    made = [erp.bill("10").remote_id for _ in range(130)]
    provider = connect(xero)
    assert {each.remote_id for each in provider.bills(made)} == set(made)
    assert provider.calls == 1


def test_some_bills_of_a_large_company_are_asked_for_by_id(xero: FakeXero, erp: XeroBooks) -> None:
    made = [erp.bill("10").remote_id for _ in range(240)]
    wanted = made[:101]
    provider = connect(xero, page_size=60)
    assert {each.remote_id for each in provider.bills(wanted)} == set(wanted)
    assert provider.calls <= 3


# ----------------------------------------------------------------- cursor and calls
@pytest.mark.parametrize("counts_the_second", [False, True])
def test_it_does_not_matter_whether_xero_counts_the_second_it_is_asked_for(
    xero: FakeXero, erp: XeroBooks, counts_the_second: bool
) -> None:
    xero.counts_the_second = counts_the_second
    checks = {erp.pay((erp.bill("10"), "10")) for _ in range(5)}
    for size in (1, 2, 3, 5):
        found = [each.check_number for each in read(pages(xero, page_size=size))]
        assert sorted(found) == sorted(checks)


def test_more_rows_of_one_moment_than_a_page_holds_are_all_read(
    xero: FakeXero, erp: XeroBooks
) -> None:
    bill = erp.bill("9000")
    for _ in range(2_300):
        erp.pay((bill, "1"))
    provider = connect(xero)
    found = read(list(provider.pages(None)))
    assert len(found) == len({each.remote_id for each in found}) == 2_300
    assert provider.calls <= 2 * 3 + 2


def test_what_slips_onto_a_page_that_was_read_is_not_lost(xero: FakeXero, erp: XeroBooks) -> None:
    bill = erp.bill("9000")
    checks = [erp.pay((bill, "1")) for _ in range(2_300)]
    found: list[RemotePayment] = []
    for number, page in enumerate(connect(xero).pages(None)):
        found += read([page])
        if number < 3:
            erp.settle()
            for payment in page.payments[:7]:
                erp.void(payment.check_number)
    assert {payment.check_number for payment in found} == set(checks)


def test_pages_that_xero_makes_smaller_are_all_read(xero: FakeXero, erp: XeroBooks) -> None:
    xero.largest_page = 7
    checks = [erp.pay((erp.bill("10"), "10")) for _ in range(40)]
    found = read(pages(xero))
    assert sorted(each.check_number for each in found) == sorted(checks)
    assert len(list(connect(xero).bills())) == 40


def test_pages_cost_one_call_each(xero: FakeXero, erp: XeroBooks) -> None:
    xero.ledger.ticks = True
    for _ in range(40):
        erp.pay((erp.bill("10"), "10"))
    provider = connect(xero, page_size=10)
    assert len(read(list(provider.pages(None)))) == 40
    assert provider.calls == 4 + 2


def test_the_cursor_never_passes_the_clock_of_xero(xero: FakeXero, erp: XeroBooks) -> None:
    erp.pay((erp.bill("10"), "10"))
    start = xero.ledger.now
    xero.ledger.now = start - dt.timedelta(hours=1)
    read_until = XeroProvider.read_until(pages(xero)[-1].cursor)
    assert read_until is not None
    assert read_until <= start - dt.timedelta(hours=1) + dt.timedelta(seconds=1)


def test_a_place_that_cannot_be_read_is_said_so(xero: FakeXero) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        pages(xero, {"payments": "yesterday"})


# ------------------------------------------------------------------- what is linked to
def test_every_contact_can_be_linked_to(xero: FakeXero) -> None:
    xero.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    found = list(connect(xero, page_size=1).vendors())
    assert {(each.code, each.name) for each in found} == {
        ("V-ACME", "Acme Concrete LLC"),
        ("V-BOLT", "Bolt Electric Inc"),
    }
    assert [each.name for each in connect(xero).vendors("bolt")] == ["Bolt Electric Inc"]


def test_orders_that_were_approved_can_be_linked_to(xero: FakeXero) -> None:
    vendor = xero.ledger.vendors[0]
    xero.records.order(vendor, "PO-1", "84500")
    xero.records.order(vendor, "PO-2", "1", status="DRAFT")
    (found,) = connect(xero).commitments("riverside po-1")
    assert (found.code, found.total, found.vendor_name) == (
        "PO-1",
        Decimal("84500"),
        "Acme Concrete LLC",
    )
    assert found.ordered_on == xero.ledger.now.date()


def test_only_organisations_are_companies_to_choose(xero: FakeXero) -> None:
    xero.tenants.append({"id": "x", "tenantId": "y", "tenantType": "PRACTICE", "tenantName": "Z"})
    provider = connect(xero, settings={"tenant_id": ""})
    assert provider.tenants() == [Tenant(TENANT, "Northstar General Contractors")]
    with pytest.raises(ConfigurationError, match="which company"):
        list(provider.pages(None))
