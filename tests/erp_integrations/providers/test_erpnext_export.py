"""Bills written into the stand-in for ERPNext, with answers that get lost at every place."""

import itertools
from collections.abc import Iterator
from decimal import Decimal

import pytest

from erp_integrations.providers.contract import BillToExport, RemoteBill
from erp_integrations.providers.erpnext.provider import ErpNextProvider
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    RecordError,
    RecordNotFound,
    TransientError,
)
from tests.erp_integrations.providers.erpnext_books import connect
from tests.erp_integrations.providers.export_contract import ExportContract, bill_to_export
from tests.fakes.erpnext import FakeErpNext
from tests.fakes.http_server import Reply
from tests.fakes.tryton_writes import Loss


class Exporter:
    def __init__(self, fake: FakeErpNext) -> None:
        self.fake = fake
        vendor = fake.ledger.vendors[0]
        self.vendor_ref = fake.vendor_ref_of(vendor)
        self.order_ref = str(fake.ledger.order(vendor, "SC-1", "84500")["name"])

    def provider(self) -> ErpNextProvider:
        return connect(self.fake)


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    fake = FakeErpNext()
    with fake.running():
        yield Exporter(fake)


class TestTheContract(ExportContract):
    """As everywhere; ``exporter`` is the one above."""


def until_it_is_made(exporter: Exporter, bill: BillToExport) -> RemoteBill:
    for _ in range(10):
        try:
            return exporter.provider().create_bill(bill)
        except TransientError:
            continue
    raise AssertionError("not made in 10 attempts")


@pytest.mark.parametrize("losses", list(itertools.product(Loss, repeat=2)))
def test_whatever_answers_are_lost_there_is_one_bill(
    exporter: Exporter, losses: tuple[Loss, Loss]
) -> None:
    exporter.fake.losses.extend(losses)
    bill = bill_to_export(exporter)
    made = until_it_is_made(exporter, bill)
    exporter.fake.losses.clear()
    assert exporter.provider().create_bill(bill) == made
    assert [exporter.fake.remote_id_of(each) for each in exporter.fake.ledger.bills.values()] == [
        made.remote_id
    ]


def test_no_write_is_ever_sent_twice_by_the_client(exporter: Exporter) -> None:
    exporter.fake.losses.extend([Loss.AFTER])
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill_to_export(exporter))
    assert [each.method for each in exporter.fake.requests].count("POST") == 1


def test_what_cannot_be_submitted_leaves_no_draft(exporter: Exporter) -> None:
    exporter.fake.refuses_to_submit = "Accounting Period is closed"
    bill = bill_to_export(exporter)
    with pytest.raises(RecordError, match="ERPNext refuses it: Accounting Period is closed"):
        exporter.provider().create_bill(bill)
    assert not exporter.fake.ledger.bills


def test_retainage_needs_a_setting_that_its_refusal_names(exporter: Exporter) -> None:
    exporter.fake.allows_negative_rates = False
    with pytest.raises(RecordError, match="rate must be a positive number"):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_a_draft_that_was_entered_otherwise_is_made_anew(exporter: Exporter) -> None:
    exporter.fake.losses.extend([Loss.AFTER])
    bill = bill_to_export(exporter, "900.00")
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    corrected = bill_to_export(exporter, "450.00", key=bill.key, number="EX-2")
    made = exporter.provider().create_bill(corrected)
    assert (made.number, made.total) == ("EX-2", Decimal("450.00"))
    assert len(exporter.fake.ledger.bills) == 1


def test_a_bill_that_was_cancelled_there_is_made_again(exporter: Exporter) -> None:
    bill = bill_to_export(exporter)
    first = exporter.provider().create_bill(bill)
    booked = exporter.fake.ledger.bill_named(first.remote_id)
    assert booked is not None
    exporter.fake.ledger.cancel(booked)
    with pytest.raises(RecordNotFound):
        exporter.provider().find_bill(bill.key)
    second = exporter.provider().create_bill(bill)
    assert second.remote_id != first.remote_id


def test_work_stands_on_the_order_and_retainage_below_it(exporter: Exporter) -> None:
    exporter.provider().create_bill(bill_to_export(exporter, "900.00", project_ref="PROJ-0001"))
    (sent,) = exporter.fake.inserted
    work, retainage = sent["items"]
    assert (work["purchase_order"], work["po_detail"]) == (
        exporter.order_ref,
        f"poi-{exporter.order_ref}",
    )
    assert (work["item_code"], work["expense_account"]) == ("SUBWORK", "Cost of Goods Sold - NGC")
    assert "purchase_order" not in retainage
    assert (work["rate"], retainage["rate"]) == (1000.0, -100.0)
    assert {each["project"] for each in sent["items"]} == {"PROJ-0001"}
    assert sent["posting_date"] > sent["bill_date"]


def test_money_is_sent_as_the_digits_that_were_entered(exporter: Exporter) -> None:
    exporter.provider().create_bill(bill_to_export(exporter, "900.00"))
    sent = next(each for each in exporter.fake.requests if each.method == "POST").body
    assert b'"rate":1000.00' in sent and b'"rate":-100' in sent


def test_an_order_of_another_supplier_is_refused(exporter: Exporter) -> None:
    other = exporter.fake.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    order = exporter.fake.ledger.order(other, "SC-2", "100")["name"]
    with pytest.raises(RecordError, match="another supplier"):
        exporter.provider().create_bill(bill_to_export(exporter, commitment_ref=order))


def test_a_user_who_may_only_read_is_named(exporter: Exporter) -> None:
    exporter.fake.is_read_only = True
    with pytest.raises(AuthenticationError, match="write Purchase Invoice"):
        exporter.provider().create_bill(bill_to_export(exporter))


@pytest.mark.parametrize("kind", ["TimestampMismatchError", "QueryDeadlockError"])
def test_what_is_busy_is_tried_again(exporter: Exporter, kind: str) -> None:
    normal = exporter.fake.answer
    busy = Reply(417, f'{{"exc_type": "{kind}"}}'.encode())
    exporter.fake.answer = lambda request: busy if request.method == "PUT" else normal(request)
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill_to_export(exporter))


# ------------------------------------------------------------- what can be linked to
def test_vendors_jobs_and_orders_are_listed_in_pages(exporter: Exporter) -> None:
    ledger = exporter.fake.ledger
    for number in range(4):
        ledger.vendor(f"V-{number}", f"Vendor {number}")
        ledger.job(f"PROJ-{number}", f"Tower {number}")
    provider = connect(exporter.fake, page_size=2)
    assert [each.name for each in provider.vendors()] == [
        "Acme Concrete LLC",
        *(f"Vendor {number}" for number in range(4)),
    ]
    assert [each.code for each in provider.jobs()] == [f"PROJ-{number}" for number in range(4)]
    (order,) = provider.commitments()
    assert (order.remote_id, order.code, order.total) == (exporter.order_ref, "SC-1", 84500)
    assert (order.vendor_ref, order.is_subcontract) == (exporter.vendor_ref, None)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("acme", ["Acme Concrete LLC"]),
        ("LLC concrete", ["Acme Concrete LLC"]),
        ("acme bolt", []),
        ("100%", ["Bolt Electric 100% Inc"]),
        ("b_lt", []),
    ],
)
def test_a_search_wants_every_word_and_takes_it_literally(
    exporter: Exporter, words: str, found: list[str]
) -> None:
    exporter.fake.ledger.vendor("V-BOLT", "Bolt Electric 100% Inc")
    assert [vendor.name for vendor in exporter.provider().vendors(words)] == found


def test_a_draft_order_is_not_ordered_yet(exporter: Exporter) -> None:
    exporter.fake.ledger.order(exporter.fake.ledger.vendors[0], "SC-9", "1", docstatus=0)
    assert [each.code for each in exporter.provider().commitments()] == ["SC-1"]


def test_a_missing_right_is_a_sentence_that_names_it(exporter: Exporter) -> None:
    exporter.fake.withheld = {"Project"}
    with pytest.raises(ConfigurationError, match=r"read its projects. Give .* Project"):
        list(exporter.provider().jobs())
