"""Bills written into the stand-in for Xero, with answers that get lost at every place."""

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from erp_integrations.providers.contract import RemoteBill
from erp_integrations.providers.errors import RecordError, RecordNotFound, TransientError
from erp_integrations.providers.xero.due_date import Terms, due_date
from erp_integrations.providers.xero.provider import XeroProvider
from tests.erp_integrations.providers.export_contract import ExportContract, bill_to_export
from tests.erp_integrations.providers.xero_books import connect
from tests.fakes.xero import FakeXero
from tests.fakes.xero_writes import Loss


class XeroExporter:
    def __init__(self, fake: FakeXero) -> None:
        self.fake = fake
        vendor = fake.ledger.vendors[0]
        self.vendor_ref = fake.vendor_ref_of(vendor)
        self.order_ref = str(fake.records.order(vendor, "PO-1", "84500")["PurchaseOrderID"])
        self.settings = {"expense_account": "500"}

    def provider(self) -> XeroProvider:
        return connect(self.fake, settings=dict(self.settings))


@pytest.fixture
def exporter() -> Iterator[XeroExporter]:
    fake = FakeXero()
    with fake.running():
        yield XeroExporter(fake)


def sent(exporter: XeroExporter) -> Any:
    (wanted,) = [each.body for each in exporter.fake.requests if each.method == "PUT"]
    return json.loads(wanted, parse_float=Decimal)["Invoices"][0]


def until_it_is_made(exporter: XeroExporter, bill: Any, tries: int = 10) -> RemoteBill:
    for _ in range(tries):
        try:
            return exporter.provider().create_bill(bill)
        except TransientError:
            continue
    raise AssertionError(f"not made in {tries} attempts")


class TestTheContract(ExportContract):
    """As everywhere; ``exporter`` is the one above."""


class TestBooksWithoutReferences(ExportContract):
    """Xero's guide says that bills have none; then the key is found in a line."""

    @pytest.fixture(autouse=True)
    def _no_references(self, exporter: XeroExporter) -> None:
        exporter.fake.writes.keeps_references = False


@pytest.mark.parametrize("losses", list(itertools.product(Loss, repeat=2)))
def test_whatever_answers_are_lost_there_is_one_bill(
    exporter: XeroExporter, losses: tuple[Loss, ...]
) -> None:
    exporter.fake.writes.losses.extend(losses)
    bill = bill_to_export(exporter)
    made = until_it_is_made(exporter, bill)
    exporter.fake.writes.losses.clear()
    assert exporter.provider().create_bill(bill) == made
    assert len(exporter.fake.ledger.bills) == 1


def test_a_request_that_arrives_late_with_other_lines_makes_no_second_bill(
    exporter: XeroExporter,
) -> None:
    exporter.fake.writes.losses.append(Loss.LATE)
    bill = bill_to_export(exporter, "900.00")
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    corrected = bill_to_export(exporter, "450.00", key=bill.key, number=bill.number)
    assert exporter.provider().create_bill(corrected).total == Decimal("450.00")
    assert len(exporter.fake.ledger.bills) == 1


def test_a_write_is_sent_once(exporter: XeroExporter) -> None:
    exporter.fake.writes.losses.append(Loss.AFTER)
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill_to_export(exporter))
    assert [each.method for each in exporter.fake.requests].count("PUT") == 1


def test_a_voided_bill_can_be_made_again_with_its_number(exporter: XeroExporter) -> None:
    bill = bill_to_export(exporter)
    first = exporter.provider().create_bill(bill)
    (booked,) = exporter.fake.ledger.bills.values()
    exporter.fake.ledger.cancel(booked)
    with pytest.raises(RecordNotFound):
        exporter.provider().find_bill(bill.key)
    second = exporter.provider().create_bill(bill)
    assert second.remote_id != first.remote_id
    assert not second.is_cancelled


def test_retainage_is_a_line_below_zero_on_its_own_account(exporter: XeroExporter) -> None:
    exporter.settings["retainage_account"] = "310"
    exporter.provider().create_bill(bill_to_export(exporter, "900.00"))
    work, retainage, note = sent(exporter)["LineItems"]
    assert (work["UnitAmount"], work["AccountCode"]) == (Decimal("1000"), "500")
    assert (retainage["UnitAmount"], retainage["AccountCode"]) == (Decimal("-100"), "310")
    assert "Purchase order PO-1." in note["Description"]


def test_it_is_booked_on_the_accounting_date(exporter: XeroExporter) -> None:
    bill = bill_to_export(exporter)
    exporter.provider().create_bill(bill)
    assert sent(exporter)["Date"] == bill.accounting_date.isoformat()
    assert bill.billing_date.strftime("%m/%d/%Y") in sent(exporter)["LineItems"][-1]["Description"]


def test_without_any_account_it_says_where_to_enter_one(exporter: XeroExporter) -> None:
    exporter.settings = {}
    with pytest.raises(RecordError, match="settings of the connection"):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_what_xero_refuses_is_said_in_its_words(exporter: XeroExporter) -> None:
    exporter.settings["expense_account"] = "999"
    with pytest.raises(RecordError, match="Account code must be specified"):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_an_order_of_another_vendor_is_refused(exporter: XeroExporter) -> None:
    other = exporter.fake.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    order = str(exporter.fake.records.order(other, "PO-2", "10")["PurchaseOrderID"])
    with pytest.raises(RecordError, match="another vendor"):
        exporter.provider().create_bill(bill_to_export(exporter, commitment_ref=order))


@pytest.mark.parametrize(
    ("kind", "day", "due"),
    [
        ("DAYSAFTERBILLDATE", 30, dt.date(2026, 3, 2)),
        ("DAYSAFTERBILLMONTH", 10, dt.date(2026, 2, 10)),
        ("OFCURRENTMONTH", 31, dt.date(2026, 1, 31)),
        ("OFFOLLOWINGMONTH", 31, dt.date(2026, 2, 28)),
        ("SOMETHINGNEW", 5, dt.date(2026, 1, 31)),
    ],
)
def test_the_terms_of_the_vendor_say_when_it_is_due(kind: str, day: int, due: dt.date) -> None:
    assert due_date(dt.date(2026, 1, 31), Terms(day, kind)) == due
