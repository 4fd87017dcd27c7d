"""What a naive reader of Odoo gets wrong, trap by trap."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from erp_integrations.providers.contract import RemoteMethod, RemotePayment, RemoteStatus
from erp_integrations.providers.errors import RecordError
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.odoo_books import connect, pages
from tests.fakes.ledger import Application, State
from tests.fakes.odoo import FakeOdoo


def the_payment(odoo: FakeOdoo) -> RemotePayment:
    (payment,) = read(pages(odoo))
    return payment


def paid(odoo: FakeOdoo) -> dict[str, Decimal]:
    return {bill.number: bill.paid for bill in connect(odoo).bills()}


# ---------------------------------------------------------- what is money and what is not
def test_a_draft_is_no_money_though_its_bill_says_paid(odoo: FakeOdoo) -> None:
    bill = odoo.ledger.bill("BOLT-80", "600")
    odoo.ledger.pay("CHK-5007", (bill, "600"), state=State.PENDING)
    row = odoo.ledger.row("account.move", bill.number)
    assert (row["payment_state"], row["amount_residual"]) == ("paid", 0.0)
    assert the_payment(odoo).status is RemoteStatus.PENDING
    assert paid(odoo) == {"BOLT-80": 0}


@pytest.mark.parametrize("state", ["in_process", "paid"])
def test_in_process_is_as_good_as_paid(odoo: FakeOdoo, state: str) -> None:
    made = odoo.ledger.pay("CHK-1", (odoo.ledger.bill("ACME-1", "10"), "10"))
    odoo.ledger.row("account.payment", made.number)["state"] = state
    assert the_payment(odoo).status is RemoteStatus.ISSUED
    assert paid(odoo) == {"ACME-1": Decimal("10")}


@pytest.mark.parametrize("state", ["canceled", "rejected"])
def test_a_check_that_was_cancelled_or_rejected_is_void(odoo: FakeOdoo, state: str) -> None:
    made = odoo.ledger.pay("CHK-1", (odoo.ledger.bill("ACME-1", "10"), "10"))
    odoo.ledger.row("account.payment", made.number)["state"] = state
    assert the_payment(odoo).status is RemoteStatus.VOIDED
    assert paid(odoo) == {"ACME-1": 0}


def test_a_refund_of_the_vendor_pays_a_bill_without_money(odoo: FakeOdoo) -> None:
    bill = odoo.ledger.bill("ACME-1", "100")
    odoo.ledger.pay("CN-1", (bill, "30"), is_credit=True)
    assert odoo.ledger.row("account.move", bill.number)["amount_residual"] == 70
    assert read(pages(odoo)) == []
    assert paid(odoo) == {"ACME-1": 0}


def test_an_exchange_difference_is_applied_to_no_bill(odoo: FakeOdoo) -> None:
    bill = odoo.ledger.bill("EUR-1", "100", currency="EUR")
    made = odoo.ledger.pay("CHK-1", (bill, "100"))
    line = odoo.ledger.payable_line(odoo.ledger.row("account.payment", made.number)["move_id"])
    entry = odoo.ledger.insert("account.move", 900, move_type="entry", display_name="EXCH")
    other = odoo.ledger.insert("account.move.line", 901, move_id=entry["id"])
    odoo.ledger.insert(
        "account.partial.reconcile", 902, debit_move_id=line["id"], credit_move_id=other["id"],
        amount=13.89, debit_amount_currency=13.89, credit_amount_currency=0.0,
    )  # fmt: skip
    payment = the_payment(odoo)
    assert [(each.bill_number, each.amount) for each in payment.allocations] == [("EUR-1", 100)]
    assert (payment.currency, payment.total) == ("EUR", Decimal("100"))


def test_each_side_of_a_partial_is_in_its_own_currency(odoo: FakeOdoo) -> None:
    """125 dollars were sent for a bill of 100 euros."""
    bill = odoo.ledger.bill("EUR-2", "100", currency="EUR")
    made = odoo.ledger.pay("CHK-1", (bill, "125"))
    odoo.ledger.row("account.payment", made.number)["currency_id"] = 1
    (partial,) = odoo.tables.rows["account.partial.reconcile"].values()
    partial |= {"debit_amount_currency": 125.0, "credit_amount_currency": 100.0}
    payment = the_payment(odoo)
    assert (payment.currency, payment.allocations[0].amount) == ("USD", Decimal("125"))
    assert paid(odoo) == {"EUR-2": Decimal("100")}


def test_installments_of_a_bill_are_one_bill(odoo: FakeOdoo) -> None:
    bill = odoo.ledger.bill("PARTS-1", "100")
    odoo.ledger.pay("CHK-1", (bill, "50.01"), (bill, "49.99"))
    (allocation,) = the_payment(odoo).allocations
    assert allocation.amount == Decimal("100")


def test_a_discount_is_shared_among_the_bills_and_is_not_paid(odoo: FakeOdoo) -> None:
    one, two = odoo.ledger.bill("DISC-2", "100"), odoo.ledger.bill("DISC-3", "200.01")
    odoo.ledger.pay(
        "CHK-1",
        Application(one, Decimal("96.66"), Decimal("3.34")),
        Application(two, Decimal("193.34"), Decimal("6.67")),
    )
    shared = [(each.amount, each.discount) for each in the_payment(odoo).allocations]
    assert shared == [
        (Decimal("96.66"), Decimal("3.34")),
        (Decimal("193.34"), Decimal("6.67")),
    ]
    assert paid(odoo) == {"DISC-2": Decimal("96.66"), "DISC-3": Decimal("193.34")}


# ------------------------------------------------------------------- lists that lie
def test_the_bills_of_a_cancelled_payment_are_only_listed(odoo: FakeOdoo) -> None:
    made = odoo.ledger.pay("CHK-5004", (odoo.ledger.bill("BOLT-77", "3200"), "3200"))
    odoo.ledger.void(made)
    row = odoo.ledger.row("account.payment", made.number)
    assert row["invoice_ids"] and row["reconciled_bill_ids"]
    assert the_payment(odoo).allocations == ()


def test_the_bill_of_an_unapplied_payment_is_only_listed(odoo: FakeOdoo) -> None:
    made = odoo.ledger.pay("CHK-5003", (odoo.ledger.bill("ACME-1002", "5000"), "1500"))
    odoo.ledger.unapply(made)
    row = odoo.ledger.row("account.payment", made.number)
    assert (row["state"], row["invoice_ids"] != []) == ("in_process", True)
    assert the_payment(odoo).allocations == ()
    assert paid(odoo) == {"ACME-1002": 0}


def test_a_part_that_is_taken_off_is_noticed_though_the_payment_is_not_stamped(
    odoo: FakeOdoo,
) -> None:
    made = odoo.ledger.pay("CHK-1", (odoo.ledger.bill("ACME-1", "500"), "500"), total="2000")
    odoo.ledger.pass_time(60)
    cursor = pages(odoo, overlap_seconds=0)[-1].cursor
    row = odoo.ledger.row("account.payment", made.number)
    before = row["write_date"]
    odoo.ledger.pass_time(60)
    odoo.ledger.unapply(made)
    assert row["write_date"] == before
    (payment,) = read(pages(odoo, cursor, overlap_seconds=0))
    assert (payment.allocations, payment.modified_at) == ((), odoo.ledger.now)


def test_a_part_that_is_applied_later_is_noticed_too(odoo: FakeOdoo) -> None:
    made = odoo.ledger.pay("CHK-1", total="2000")
    cursor = pages(odoo)[-1].cursor
    odoo.ledger.pass_time(3600)
    part = Application(odoo.ledger.bill("ACME-500", "500"), Decimal("500"))
    odoo.ledger.apply(made, part)
    (payment,) = read(pages(odoo, cursor, overlap_seconds=0))
    assert payment.allocations[0].amount == Decimal("500")


def test_in_odoo_17_the_entry_is_what_moves() -> None:
    fake = FakeOdoo(17)
    with fake.running():
        made = fake.ledger.pay("CHK-1", (fake.ledger.bill("ACME-1", "10"), "10"), total="50")
        cursor = pages(fake)[-1].cursor
        fake.ledger.pass_time(3600)
        fake.ledger.void(made)
        row = fake.ledger.row("account.payment", made.number)
        assert row["write_date"] != fake.ledger.moment
        (payment,) = read(pages(fake, cursor, overlap_seconds=0))
        assert (payment.status, payment.memo) == (RemoteStatus.VOIDED, "CHK-1")


# -------------------------------------------------------------------- empty and coarse
def test_false_is_nothing(odoo: FakeOdoo) -> None:
    made = odoo.ledger.pay("CHK-1", (odoo.ledger.bill("ACME-1", "10"), "10"))
    row = odoo.ledger.row("account.payment", made.number)
    row |= {"memo": False, "payment_reference": False, "partner_id": False}
    row |= {"payment_method_code": False, "name": False}
    payment = the_payment(odoo)
    assert (payment.memo, payment.check_number, payment.vendor_ref) == ("", "", "")
    assert payment.vendor_name == "" and payment.number == f"Draft {made.number}"
    odoo.ledger.row("account.move", int(payment.allocations[0].bill_id))["ref"] = False
    assert the_payment(odoo).allocations[0].bill_number.startswith("BILL/")


def test_what_changes_in_the_second_of_a_run_is_in_the_next(odoo: FakeOdoo) -> None:
    first = odoo.ledger.pay("CHK-1", total="10")
    cursor = pages(odoo, overlap_seconds=0)[-1].cursor
    second = odoo.ledger.pay("CHK-2", total="20")
    found = read(pages(odoo, cursor, overlap_seconds=0))
    assert {each.remote_id for each in found} == {str(first.number), str(second.number)}


def test_a_check_number_comes_before_reference_and_memo(odoo: FakeOdoo) -> None:
    odoo.tables.scalars["account.payment"].add("check_number")
    made = odoo.ledger.pay("CHK-1", total="10")
    row = odoo.ledger.row("account.payment", made.number)
    assert the_payment(odoo).check_number == "CHK-1"
    row["payment_reference"] = "WIRE 88 of May"
    assert the_payment(odoo).check_number == "WIRE 88 of May"
    row["check_number"] = "00117"
    assert the_payment(odoo).check_number == "00117"


@pytest.mark.parametrize("memo", ["ACME-1", "BILL/2026/11/0201", "for August and July"])
def test_a_memo_that_names_the_bill_or_tells_a_story_is_no_check_number(
    odoo: FakeOdoo, memo: str
) -> None:
    made = odoo.ledger.pay(memo, (odoo.ledger.bill("ACME-1", "10"), "10"))
    assert odoo.ledger.row("account.payment", made.number)["memo"] == memo
    assert (the_payment(odoo).check_number, the_payment(odoo).memo) == ("", memo)


@pytest.mark.parametrize(
    ("journal", "code", "method"),
    [
        ("bank", "manual", RemoteMethod.CHECK),
        ("bank", "check_printing", RemoteMethod.CHECK),
        ("bank", "nacha", RemoteMethod.ELECTRONIC),
        ("credit", "manual", RemoteMethod.CREDIT_CARD),
    ],
)
def test_journal_and_method_say_how_it_was_paid(
    odoo: FakeOdoo, journal: str, code: str, method: RemoteMethod
) -> None:
    made = odoo.ledger.pay("CHK-1", total="10")
    odoo.ledger.row("account.payment", made.number)["payment_method_code"] = code
    odoo.ledger.row("account.journal", 6)["type"] = journal
    assert the_payment(odoo).method is method


def test_a_contact_is_paid_for_its_company(odoo: FakeOdoo) -> None:
    bill = odoo.ledger.bill("ACME-1", "10")
    made = odoo.ledger.pay("CHK-1", (bill, "10"))
    desk = odoo.ledger.insert(
        "res.partner", 950, display_name="Acme Concrete LLC, AP desk",
        commercial_partner_id=bill.vendor.number, parent_id=bill.vendor.number,
    )  # fmt: skip
    odoo.ledger.row("account.payment", made.number)["partner_id"] = desk["id"]
    payment = the_payment(odoo)
    assert (payment.vendor_ref, payment.vendor_name) == (
        str(bill.vendor.number),
        "Acme Concrete LLC",
    )


def test_money_that_came_in_or_went_to_a_customer_is_not_read(odoo: FakeOdoo) -> None:
    for changed in ({"payment_type": "inbound"}, {"partner_type": "customer"}):
        made = odoo.ledger.pay("CHK-1", total="10")
        odoo.ledger.row("account.payment", made.number).update(changed)
    assert read(pages(odoo)) == []


@pytest.mark.parametrize("remote_id", ["2147483648", "99999999999999999999", "x", "", "-1", "²"])
def test_what_cannot_be_an_id_is_not_asked_for(odoo: FakeOdoo, remote_id: str) -> None:
    provider = connect(odoo)
    with pytest.raises(RecordError):
        provider.payment(remote_id)
    assert list(provider.bills([remote_id])) == []
    assert provider.calls == 0


# ------------------------------------------------- payments without an entry (Enterprise)
@pytest.fixture
def enterprise(odoo: FakeOdoo) -> FakeOdoo:
    odoo.ledger.books_payments = False
    return odoo


def test_a_payment_without_an_entry_is_for_the_one_bill_that_it_lists(
    enterprise: FakeOdoo,
) -> None:
    bill = enterprise.ledger.bill("ACME-1", "321.09")
    made = enterprise.ledger.pay("CHK-1", (bill, "200.09"))
    assert enterprise.ledger.row("account.payment", made.number)["move_id"] is False
    (allocation,) = the_payment(enterprise).allocations
    assert (allocation.bill_id, allocation.amount) == (str(bill.number), Decimal("200.09"))
    assert paid(enterprise) == {"ACME-1": Decimal("200.09")}


def test_a_payment_without_an_entry_that_pays_its_bills_in_full_is_split(
    enterprise: FakeOdoo,
) -> None:
    one, two = (
        enterprise.ledger.bill("BOLT-78", "1100.50"),
        enterprise.ledger.bill("B-79", "899.50"),
    )
    enterprise.ledger.pay("CHK-1", (one, "1100.50"), (two, "899.50"))
    amounts = {each.bill_number: each.amount for each in the_payment(enterprise).allocations}
    assert amounts == {"BOLT-78": Decimal("1100.50"), "B-79": Decimal("899.50")} == paid(enterprise)


def test_a_payment_without_an_entry_that_cannot_be_split_is_shown_as_a_problem(
    enterprise: FakeOdoo,
) -> None:
    one, two = enterprise.ledger.bill("ACME-1", "100"), enterprise.ledger.bill("ACME-2", "100")
    made = enterprise.ledger.pay("CHK-1", (one, "30"), (two, "20"))
    (page,) = pages(enterprise)
    assert page.payments == []
    assert page.rejected[0].remote_id == str(made.number)
    assert "outstanding account" in page.rejected[0].reason
    with pytest.raises(RecordError, match="2 bills"):
        connect(enterprise).payment(str(made.number))
    assert paid(enterprise) == {"ACME-1": 0, "ACME-2": 0}


@pytest.mark.parametrize("state", [State.DRAFT, State.VOIDED])
def test_a_payment_without_an_entry_that_is_no_money_is_applied_to_nothing(
    enterprise: FakeOdoo, state: State
) -> None:
    enterprise.ledger.pay("CHK-1", (enterprise.ledger.bill("ACME-1", "10"), "10"), state=state)
    assert the_payment(enterprise).allocations == ()
    assert paid(enterprise) == {"ACME-1": 0}


def test_more_than_the_bill_is_not_applied(enterprise: FakeOdoo) -> None:
    bill = enterprise.ledger.bill("ACME-1", "100")
    enterprise.ledger.pay("CHK-1", (bill, "100"), total="150")
    payment = the_payment(enterprise)
    assert (payment.total, payment.allocations[0].amount) == (Decimal("150"), Decimal("100"))


# ------------------------------------------------------------------------ its own clock
def test_the_cursor_is_the_clock_of_odoo_when_it_began(odoo: FakeOdoo) -> None:
    odoo.ledger.pay("CHK-1", total="10")
    started, last = odoo.ledger.now, None
    for page in connect(odoo, page_size=1).pages(None):
        odoo.ledger.pass_time(60)
        last = page.cursor
    assert last is not None
    assert dt.datetime.fromisoformat(last["since"]) == started


def test_a_big_number_of_changes_is_a_question_a_page(odoo: FakeOdoo) -> None:
    cursor = pages(odoo)[-1].cursor
    odoo.ledger.pass_time(3600)
    for number in range(40):
        odoo.ledger.pay(f"CHK-{number}", (odoo.ledger.bill(f"ACME-{number}", "10"), "10"))
    provider: Any = connect(odoo, page_size=20)
    assert len(read(list(provider.pages(cursor)))) == 40
    assert provider.calls == 3  # two full pages and the end; nothing besides for what is paid


def test_a_run_without_changes_is_one_question(odoo: FakeOdoo) -> None:
    odoo.ledger.pay("CHK-1", total="10")
    odoo.ledger.pass_time(3600)
    cursor = pages(odoo)[-1].cursor
    odoo.ledger.pass_time(3600)
    provider = connect(odoo)
    assert read(list(provider.pages(cursor))) == []
    assert provider.calls == 1
