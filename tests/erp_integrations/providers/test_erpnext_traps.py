"""What a naive importer gets wrong in ERPNext, each trap by its name."""

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from erp_integrations.providers.contract import RemoteMethod, RemotePayment, RemoteStatus
from erp_integrations.providers.erpnext import journals, mapper
from erp_integrations.providers.erpnext.provider import ErpNextProvider
from erp_integrations.providers.erpnext.site_time import SiteTime
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.http import Limits
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.erpnext_books import connect, pages
from tests.fakes.erpnext import FakeErpNext
from tests.fakes.erpnext_documents import BANK, PAYABLE
from tests.fakes.ledger import Bill, State

NEW_YORK = ZoneInfo("America/New_York")
Record = dict[str, Any]


@pytest.fixture
def erpnext() -> Iterator[FakeErpNext]:
    fake = FakeErpNext()
    with fake.running():
        yield fake


@pytest.fixture
def bill(erpnext: FakeErpNext) -> Bill:
    return erpnext.ledger.bill("ACME-1", "1000")


def showing(erpnext: FakeErpNext, **changes: Any) -> RemotePayment:
    """The only payment, with its document changed."""
    (payment,) = erpnext.ledger.payments.values()
    document = erpnext.documents.entry(payment) | changes
    erpnext.tables["Payment Entry"] = [document]
    (found,) = read(pages(erpnext))
    return found


def reference(name: str, amount: float, doctype: str = "Purchase Invoice") -> Record:
    return {"reference_doctype": doctype, "reference_name": name, "allocated_amount": amount}


def parts(payment: RemotePayment) -> list[tuple[str, Decimal, Decimal]]:
    return [(each.bill_id, each.amount, each.discount) for each in payment.allocations]


# ------------------------------------------------------------ what a payment says
def test_a_bill_cancelled_under_a_payment_leaves_it_issued_and_empty(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    erpnext.ledger.pay("CHK-1", (bill, "1000"))
    erpnext.ledger.pay("CHK-2", (erpnext.ledger.bill("ACME-2", "5"), "5"), is_direct=True)
    cursor = pages(erpnext)[-1].cursor
    erpnext.ledger.pass_time(3600)
    for each in list(erpnext.ledger.bills.values()):
        erpnext.ledger.cancel(each)
    found = read(pages(erpnext, cursor, overlap_seconds=0))
    assert {each.check_number: each.allocations for each in found} == {"CHK-1": (), "CHK-2": ()}
    assert {each.status for each in found} == {RemoteStatus.ISSUED}


def test_references_to_orders_journals_and_claims_are_no_bills(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    erpnext.ledger.pay("CHK-1", (bill, "400"))
    others = ("Purchase Order", "Journal Entry", "Expense Claim")
    rows = [reference(f"X-{place}", 100.0, each) for place, each in enumerate(others)]
    found = showing(
        erpnext,
        references=[*rows, reference("ACC-PINV-2026-00001", 100.0)],
        total_allocated_amount=400.0,
    )
    assert parts(found) == [("ACC-PINV-2026-00001", Decimal("100"), Decimal(0))]
    assert found.total == Decimal("400")


def test_a_bill_with_payment_terms_stands_on_a_payment_once(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    erpnext.ledger.pay("CHK-1", (bill, "100"))
    rows = [reference("PI-1", 33.33), reference("PI-1", 66.67)]
    assert parts(showing(erpnext, references=rows)) == [("PI-1", Decimal("100.00"), Decimal(0))]


def test_a_return_on_a_payment_is_no_money(erpnext: FakeErpNext, bill: Bill) -> None:
    erpnext.ledger.pay("CHK-1", (bill, "80"))
    rows = [reference("PI-1", 60.0), reference("PI-2", 40.0), reference("PI-RET", -20.0)]
    found = showing(erpnext, references=rows, total_allocated_amount=80.0)
    assert parts(found) == [
        ("PI-1", Decimal("48.00"), Decimal(0)),
        ("PI-2", Decimal("32.00"), Decimal(0)),
    ]


def test_a_discount_is_shared_by_the_bills_to_the_cent(erpnext: FakeErpNext, bill: Bill) -> None:
    erpnext.ledger.pay("CHK-1", (bill, "98.00"))
    rows = [reference(f"PI-{place}", amount) for place, amount in enumerate((33.33, 33.33, 33.34))]
    found = showing(erpnext, references=rows, total_allocated_amount=100.0)
    assert sum(each.amount for each in found.allocations) == Decimal("98.00")
    assert sum(each.discount for each in found.allocations) == Decimal("2.00")


def test_the_currency_is_that_of_the_suppliers_account(erpnext: FakeErpNext, bill: Bill) -> None:
    """The bank paid 108 dollars; the supplier's bill over 100 euros was paid."""
    erpnext.ledger.pay("CHK-1", (bill, "100"))
    found = showing(
        erpnext,
        paid_amount=108.0,
        paid_from_account_currency="USD",
        paid_to_account_currency="EUR",
    )
    assert (found.currency, found.total) == ("EUR", Decimal("100.0"))


def test_a_bill_in_another_currency_than_its_account_is_told_in_the_accounts(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    document = erpnext.documents.bill(bill) | {"currency": "EUR", "base_rounded_total": 1080.0}
    document |= {"party_account_currency": "USD", "outstanding_amount": 1080.0}
    erpnext.tables["Purchase Invoice"] = [document]
    (found,) = connect(erpnext).bills([document["name"]])
    assert (found.currency, found.total) == ("USD", Decimal("1080"))


@pytest.mark.parametrize(
    ("mode", "method"),
    [
        (None, RemoteMethod.CHECK),
        ("Cheque", RemoteMethod.CHECK),
        ("Bank Draft", RemoteMethod.CHECK),
        ("Wire Transfer", RemoteMethod.ELECTRONIC),
        ("ACH", RemoteMethod.ELECTRONIC),
        ("Credit Card", RemoteMethod.CREDIT_CARD),
    ],
)
def test_the_mode_of_payment_is_a_name(mode: str | None, method: RemoteMethod) -> None:
    assert mapper.method_of(mode) is method


@pytest.mark.parametrize(("is_own", "memo"), [(1, "for August"), (0, "")])
def test_remarks_that_erpnext_writes_itself_are_no_memo(
    erpnext: FakeErpNext, bill: Bill, is_own: int, memo: str
) -> None:
    erpnext.ledger.pay("CHK-1", (bill, "1"))
    assert showing(erpnext, custom_remarks=is_own, remarks="for August").memo == memo


def test_payments_of_other_kinds_and_companies_are_not_read(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    document = erpnext.documents.entry(erpnext.ledger.pay("CHK-1", (bill, "1")))
    kinds = ({"payment_type": "Receive"}, {"party_type": "Employee"}, {"company": "Other Co"})
    erpnext.tables["Payment Entry"] = [
        document | {"name": f"PE-{place}"} | kind for place, kind in enumerate(({}, *kinds))
    ]
    settings = {"company": erpnext.ledger.company}
    assert [each.number for each in read(pages(erpnext, settings=settings))] == ["PE-0"]
    with pytest.raises(RecordNotFound):
        made = mapper.remote_id("payment", "PE-3", document["creation"])
        connect(erpnext, settings=settings).payment(made)


# ------------------------------------------------------------------ journal entries
def line(account: str, debit: float = 0.0, credit: float = 0.0, **fields: Any) -> Record:
    both = {"debit": debit, "credit": credit, "account_currency": "USD", "account": account}
    both |= {"debit_in_account_currency": debit, "credit_in_account_currency": credit}
    return both | {"modified": "2026-11-22 03:00:00.000001"} | fields


def to(party: str, debit: float, bill: str = "") -> Record:
    applied = {"reference_type": "Purchase Invoice", "reference_name": bill} if bill else {}
    return line(PAYABLE, debit, party_type="Supplier", party=party, **applied)


def journal(erpnext: FakeErpNext, *lines: Record, **fields: Any) -> list[RemotePayment]:
    header = {
        "name": "ACC-JV-2026-00001",
        "creation": "2026-11-22 03:00:00.000001",
        "modified": "2026-11-22 03:00:00.000001",
        "docstatus": 1,
        "company": erpnext.ledger.company,
        "voucher_type": "Bank Entry",
        "posting_date": "2026-11-22",
        "cheque_no": "CHK-9",
    } | fields
    accounts = [
        {**each, "name": f"jea{place}", "idx": place, "parent": header["name"]}
        for place, each in enumerate(lines)
    ]
    erpnext.tables["Journal Entry"] = [header | {"accounts": accounts}]
    found = read(pages(erpnext))
    assert all(connect(erpnext).payment(each.remote_id) == each for each in found)
    return found


def test_a_journal_entry_that_pays_two_suppliers_is_two_payments(erpnext: FakeErpNext) -> None:
    found = journal(
        erpnext, to("Acme", 70.0, "PI-1"), to("Bolt", 30.0, "PI-2"), line(BANK, credit=100.0)
    )
    assert {each.vendor_ref: each.total for each in found} == {"Acme": 70, "Bolt": 30}
    assert len({each.remote_id for each in found}) == 2
    assert {each.check_number for each in found} == {"CHK-9"}


@pytest.mark.parametrize("voucher", ["Journal Entry", "Debit Note", "Write Off Entry"])
def test_an_entry_that_takes_nothing_from_a_bank_is_no_payment(
    erpnext: FakeErpNext, voucher: str
) -> None:
    lines = (to("Acme", 70.0, "PI-1"), line("Write Off - NGC", credit=70.0))
    assert journal(erpnext, *lines, voucher_type=voucher) == []


def test_a_plain_entry_on_the_bank_account_is_a_payment(erpnext: FakeErpNext) -> None:
    """Made by a program, its lines do not say of what type their accounts are."""
    lines = (to("Acme", 70.0, "PI-1"), line(BANK, credit=70.0))
    (found,) = journal(erpnext, *lines, voucher_type="Journal Entry")
    assert parts(found) == [("PI-1", Decimal("70.0"), Decimal(0))]


def test_a_discount_in_an_entry_is_no_money(erpnext: FakeErpNext) -> None:
    lines = (to("Acme", 100.0, "PI-1"), line(BANK, credit=98.0, account_type="Bank"))
    (found,) = journal(erpnext, *lines, line("Discounts Taken - NGC", credit=2.0))
    assert (found.total, parts(found)) == (98, [("PI-1", Decimal("98.00"), Decimal("2.00"))])


def test_a_card_entry_is_paid_by_card(erpnext: FakeErpNext) -> None:
    lines = (to("Acme", 10.0, "PI-1"), line("Card - NGC", credit=10.0))
    (found,) = journal(erpnext, *lines, voucher_type="Credit Card Entry")
    assert found.method is RemoteMethod.CREDIT_CARD


def test_an_advance_in_an_entry_is_applied_to_nothing(erpnext: FakeErpNext) -> None:
    (found,) = journal(erpnext, to("Acme", 10.0), line(BANK, credit=10.0))
    assert (found.total, found.allocations) == (10, ())


def test_a_bad_line_of_an_entry_rejects_that_entry(erpnext: FakeErpNext, bill: Bill) -> None:
    erpnext.ledger.pay("CHK-1", (bill, "1"))
    with pytest.raises(AssertionError):
        journal(erpnext, to("Acme", 10.0) | {"debit": "ten"}, line(BANK, credit=10.0))
    found = pages(erpnext)
    assert [each.check_number for page in found for each in page.payments] == ["CHK-1"]
    (rejected,) = [each for page in found for each in page.rejected]
    assert rejected.remote_id.startswith("journal-ACC-JV-2026-00001-")


# ------------------------------------------------------------- names and tombstones
def test_a_name_that_is_given_again_is_another_payment(erpnext: FakeErpNext, bill: Bill) -> None:
    first = erpnext.ledger.pay("CHK-1", (bill, "10"), state=State.DRAFT)
    (before,) = read(pages(erpnext))
    erpnext.ledger.delete(first)
    erpnext.ledger.pass_time(1)
    erpnext.ledger.pay("CHK-2", (bill, "20"))
    (after,) = read(pages(erpnext))
    assert after.number == before.number and after.remote_id != before.remote_id
    assert connect(erpnext).payment(after.remote_id) == after
    with pytest.raises(RecordNotFound):
        connect(erpnext).payment(before.remote_id)


@pytest.mark.parametrize("is_direct", [False, True])
def test_a_deleted_payment_is_named_by_its_tombstone(
    erpnext: FakeErpNext, bill: Bill, is_direct: bool
) -> None:
    made = erpnext.ledger.pay("CHK-1", (bill, "10"), state=State.DRAFT, is_direct=is_direct)
    first = pages(erpnext)
    (before,) = read(first)
    assert not any(page.deleted for page in first)
    erpnext.ledger.pass_time(60)
    erpnext.ledger.delete(made)
    gone = [page.deleted for page in pages(erpnext, first[-1].cursor)]
    assert [each for page in gone for each in page] == [before.remote_id]


def test_tombstones_are_told_once_and_survive_page_borders(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    made = [erpnext.ledger.pay(f"CHK-{n}", (bill, "1"), state=State.DRAFT) for n in range(5)]
    cursor = pages(erpnext)[-1].cursor
    known = {each.remote_id for each in read(pages(erpnext))}
    erpnext.ledger.pass_time(3600)
    for each in reversed(made):
        erpnext.ledger.delete(each)
    erpnext.ledger.pass_time(60)
    found = pages(erpnext, cursor, page_size=1, overlap_seconds=0)
    gone = [each for page in found for each in page.deleted]
    assert (set(gone), len(gone)) == (known, 5)
    erpnext.ledger.pass_time(3600)
    again = pages(erpnext, found[-1].cursor, overlap_seconds=0)
    assert not [each for page in again for each in page.deleted]


def test_without_the_right_to_tombstones_everything_else_works(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    cursor = pages(erpnext)[-1].cursor
    erpnext.withheld = {"Deleted Document"}
    erpnext.ledger.pay("CHK-1", (bill, "10"))
    found = pages(erpnext, cursor)
    assert len(read(found)) == 1 and found[-1].cursor["deleted"]
    assert "nightly comparison" in connect(erpnext).check()


# ----------------------------------------------------------------------- the clock
def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_moments_are_in_the_zone_of_the_site(erpnext: FakeErpNext, bill: Bill) -> None:
    made = erpnext.ledger.pay("CHK-1", (bill, "10"))
    assert erpnext.documents.entry(made)["modified"] == "2026-11-22 03:00:00"
    (found,) = read(pages(erpnext))
    assert found.modified_at == at("2026-11-22 08:00:00")


def test_an_hour_that_comes_twice_loses_no_change() -> None:
    """On 1 November 2026 New York's clocks go from 2 back to 1 at 06:00 UTC."""
    fake = FakeErpNext(now=at("2026-11-01 05:50:00"))
    with fake.running():
        bill = fake.ledger.bill("ACME-1", "1000")
        made = fake.ledger.pay("CHK-1", (bill, "10"), state=State.PENDING)
        first = pages(fake)
        (before,) = read(first)
        fake.ledger.pass_time(20 * 60)
        fake.ledger.issue(made)
        assert fake.documents.entry(made)["modified"] == "2026-11-01 01:10:00"
        (after,) = read(pages(fake, first[-1].cursor))
    assert after.status is RemoteStatus.ISSUED
    assert after.modified_at > before.modified_at == at("2026-11-01 05:50:00")


def test_an_hour_that_is_left_out_has_a_meaning() -> None:
    site, now = SiteTime(NEW_YORK), at("2026-03-08 12:00:00")
    assert site.utc("2026-03-08 01:59:59", now) < site.utc("2026-03-08 03:00:00", now)
    assert site.utc("2026-03-08 02:30:00", now).tzinfo is dt.UTC


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_no_later_moment_is_stamped_before_the_floor(zone: str) -> None:
    site = SiteTime(ZoneInfo(zone))
    moment = at("2026-01-01 00:00:00")
    for _ in range(0, 366 * 24 * 4, 7):
        floor = site.floor(moment)
        assert all(site.local(moment + dt.timedelta(minutes=m)) >= floor for m in range(0, 200, 9))
        moment += dt.timedelta(minutes=15 * 7)


def test_the_zone_is_asked_once_and_kept_in_the_cursor(erpnext: FakeErpNext) -> None:
    cursor = pages(erpnext)[-1].cursor
    assert json.loads(json.dumps(cursor))["zone"] == "America/New_York"
    erpnext.requests.clear()
    pages(erpnext, cursor)
    assert not [each for each in erpnext.requests if "time_zone" in each.path]
    assert ErpNextProvider.read_until(cursor) == at("2026-11-22 07:50:00")


def test_a_site_that_does_not_say_its_zone_has_it_typed(erpnext: FakeErpNext, bill: Bill) -> None:
    erpnext.ledger.pay("CHK-1", (bill, "10"))
    normal = erpnext._method
    erpnext._method = lambda name, asked: normal(f"no.{name}", asked)  # type: ignore[method-assign]
    assert len(read(pages(erpnext))) == 1
    erpnext.withheld = {"System Settings"}
    with pytest.raises(ConfigurationError, match="Type it in the connection's settings"):
        pages(erpnext)
    (found,) = read(pages(erpnext, settings={"time_zone": "America/Chicago"}))
    assert found.modified_at == at("2026-11-22 09:00:00")
    with pytest.raises(ConfigurationError, match="not a time zone"):
        connect(erpnext, settings={"time_zone": "Mars/Olympus"})


# -------------------------------------------------------------------- pages and calls
def test_a_check_over_many_bills_is_never_cut(erpnext: FakeErpNext) -> None:
    bills = [erpnext.ledger.bill(f"ACME-{place}", "1") for place in range(30)]
    erpnext.ledger.pay("CHK-0", (bills[0], "1"))
    erpnext.ledger.pay("CHK-1", *[(each, "1") for each in bills])
    erpnext.ledger.pay("CHK-2", (bills[0], "1"))
    for size in (1, 2, 500):
        found = {each.check_number: each for each in read(pages(erpnext, page_size=size))}
        assert [len(found[f"CHK-{n}"].allocations) for n in range(3)] == [1, 30, 1]


def test_two_hundred_changes_are_one_question_a_road(erpnext: FakeErpNext, bill: Bill) -> None:
    cursor = pages(erpnext)[-1].cursor
    for number in range(200):
        erpnext.ledger.pay(f"CHK-{number}", (bill, "1.01"))
    provider = connect(erpnext, limits=Limits())
    assert len(read(list(provider.pages(cursor)))) == 200
    assert provider.calls == 3


def test_long_questions_go_as_post(erpnext: FakeErpNext) -> None:
    names = [erpnext.remote_id_of(erpnext.ledger.bill(f"ACME-{n}", "1")) for n in range(300)]
    found = list(connect(erpnext, limits=Limits()).bills(names))
    assert [each.remote_id for each in found] == names
    assert [each.method for each in erpnext.requests] == ["POST"]


def test_bills_that_nobody_paid_are_one_question_a_page(erpnext: FakeErpNext) -> None:
    for number in range(5):
        erpnext.ledger.bill(f"ACME-{number}", "10")
    provider = connect(erpnext, page_size=2)
    assert len(list(provider.bills())) == 5
    assert provider.calls == 3


# ----------------------------------------------------------------------- bad records
SPOILT: Record = {
    "docstatus": 7,
    "posting_date": "yesterday",
    "received_amount": "NaN",
    "paid_to_account_currency": None,
    "party": 7,
    "modified": "never",
}


@pytest.mark.parametrize("field", SPOILT)
def test_one_bad_record_does_not_lose_the_others(
    erpnext: FakeErpNext, bill: Bill, field: str
) -> None:
    made = [erpnext.documents.entry(erpnext.ledger.pay(f"CHK-{n}", (bill, "1"))) for n in range(3)]
    made[1][field] = SPOILT[field]
    erpnext.tables["Payment Entry"] = made
    found = pages(erpnext)
    assert [p.check_number for page in found for p in page.payments] == ["CHK-0", "CHK-2"]
    (rejected,) = [each for page in found for each in page.rejected]
    assert rejected.remote_id.startswith("payment-ACC-PAY-2026-00002-")
    assert "cannot be read" in rejected.reason
    with pytest.raises(RecordError, match="cannot be read"):
        connect(erpnext).payment(rejected.remote_id)


# -------------------------------------------------------------------- ERPNext's own noes
def test_another_version_is_a_setting_to_mend(erpnext: FakeErpNext) -> None:
    erpnext.fields["Payment Entry"].remove("received_amount")
    with pytest.raises(ConfigurationError, match="Field not permitted in query: received_amount"):
        pages(erpnext)


@pytest.mark.parametrize("doctype", ["Payment Entry", "Journal Entry", "Company"])
def test_a_missing_right_shows_when_the_connection_is_saved(
    erpnext: FakeErpNext, doctype: str
) -> None:
    erpnext.withheld = {doctype}
    with pytest.raises(AuthenticationError, match=f"read {doctype}"):
        connect(erpnext).check()


def test_a_user_who_sees_no_company_does_not_make_payments_vanish(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    made = erpnext.ledger.pay("CHK-1", (bill, "1"))
    (known,) = read(pages(erpnext))
    erpnext.ledger.delete(made)
    erpnext.companies = []
    with pytest.raises(ConfigurationError, match="sees no company"):
        connect(erpnext).payment(known.remote_id)
    with pytest.raises(ConfigurationError, match="sees no company"):
        pages(erpnext)


def test_several_companies_have_to_be_told_apart(erpnext: FakeErpNext) -> None:
    erpnext.companies.append("Other Co")
    with pytest.raises(ConfigurationError, match="several companies"):
        connect(erpnext).check()
    with pytest.raises(ConfigurationError, match="no company “Nope”"):
        connect(erpnext, settings={"company": "Nope"}).check()
    assert "company Other Co" in connect(erpnext, settings={"company": "Other Co"}).check()


def test_a_site_without_erpnext_is_not_retried(erpnext: FakeErpNext) -> None:
    normal = erpnext.documents_of  # a Frappe site of another app
    erpnext.documents_of = lambda doctype: (  # type: ignore[method-assign]
        None if doctype == "Payment Entry" else normal(doctype)
    )
    with pytest.raises(ConfigurationError, match="no Payment Entry"):
        connect(erpnext).check()


def test_an_id_of_another_erp_is_an_error_of_that_record(erpnext: FakeErpNext) -> None:
    for wrong in ("payment-7", "line-3", "journal-X-1"):
        with pytest.raises(RecordError, match="not the id of a payment"):
            connect(erpnext).payment(wrong)


def test_a_server_that_ignores_the_order_of_changes_is_not_trusted(
    erpnext: FakeErpNext, bill: Bill
) -> None:
    for number in range(9):
        erpnext.ledger.pay(f"CHK-{number}", (bill, "1"))
    normal = erpnext._list

    def always_the_first(doctype: str, asked: Record) -> Any:
        rows = normal(doctype, {**asked, "filters": "[]"})
        return rows[:5]

    erpnext._list = always_the_first  # type: ignore[method-assign]
    with pytest.raises(ProtocolError, match="order of changes"):
        pages(erpnext, page_size=1)


def test_a_place_that_cannot_be_read_is_said_so(erpnext: FakeErpNext) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        pages(erpnext, {"payments": "yesterday"})


@pytest.mark.parametrize("name", ["url", "api_key"])
def test_an_empty_setting_is_asked_for(erpnext: FakeErpNext, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"has no “(Address|API key)” yet"):
        connect(erpnext, settings={name: " "})


def test_lines_without_a_party_pay_nobody() -> None:
    assert journals.ids_in(_raw({**HEADER, "accounts": [line(BANK, credit=1.0)]})) == []


HEADER: Record = {
    "name": "JV-1",
    "creation": "2026-11-22 03:00:00",
    "docstatus": 0,
    "company": "X",
    "voucher_type": "Bank Entry",
    "posting_date": "2026-11-22",
}


def _raw(document: Record) -> Any:
    return json.dumps(document).encode()
