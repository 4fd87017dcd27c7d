"""Bills written into the stand-in for Odoo, with answers that get lost at every place."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from erp_integrations.providers.contract import BillLine, RemoteBill
from erp_integrations.providers.errors import RecordError, TransientError
from erp_integrations.providers.odoo.provider import OdooProvider
from tests.erp_integrations.providers.export_contract import ExportContract, bill_to_export
from tests.erp_integrations.providers.odoo_books import connect
from tests.fakes.odoo import FakeOdoo
from tests.fakes.tryton_writes import Loss


class OdooExporter:
    def __init__(self, fake: FakeOdoo) -> None:
        self.fake = fake
        (vendor,) = fake.ledger.vendors
        self.vendor_ref = str(vendor.number)
        self.order_ref = str(fake.ledger.order(vendor, "SC-1", "84500")["id"])

    def provider(self) -> OdooProvider:
        return connect(self.fake)

    @property
    def bills(self) -> list[Any]:
        return list(self.fake.tables.rows["account.move"].values())


@pytest.fixture(params=[19, 17])
def exporter(request: pytest.FixtureRequest) -> Iterator[OdooExporter]:
    fake = FakeOdoo(request.param)
    with fake.running():
        yield OdooExporter(fake)


class TestTheContract(ExportContract):
    """As everywhere; ``exporter`` is the one above."""


def until_it_is_made(exporter: OdooExporter, bill: Any, tries: int = 10) -> RemoteBill:
    for _ in range(tries):
        try:
            return exporter.provider().create_bill(bill)
        except TransientError:
            continue
    raise AssertionError(f"not made in {tries} attempts")


@pytest.mark.parametrize("losses", list(itertools.product(Loss, repeat=2)))
def test_whatever_answers_are_lost_there_is_one_bill(
    exporter: OdooExporter, losses: tuple[Loss, ...]
) -> None:
    exporter.fake.losses.extend(losses)
    bill = bill_to_export(exporter)
    made = until_it_is_made(exporter, bill)
    assert made.is_posted
    exporter.fake.losses.clear()
    assert exporter.provider().create_bill(bill) == made
    assert [each["id"] for each in exporter.bills] == [int(made.remote_id)]


def test_a_bill_has_what_an_accountant_looks_for(exporter: OdooExporter) -> None:
    bill = bill_to_export(exporter)
    made = exporter.provider().create_bill(bill)
    row = exporter.fake.tables.rows["account.move"][int(made.remote_id)]
    assert (row["ref"], row["date"]) == (bill.number, bill.accounting_date.isoformat())
    assert row["invoice_date"] == row["invoice_date_due"] == bill.billing_date.isoformat()
    order = exporter.fake.tables.rows["purchase.order"][int(exporter.order_ref)]
    assert row["invoice_origin"] == order["name"]
    assert bill.key in row["narration"]


def test_retainage_is_a_line_below_zero(exporter: OdooExporter) -> None:
    made = exporter.provider().create_bill(bill_to_export(exporter, "900.09"))
    lines = exporter.fake.tables.rows["account.move.line"].values()
    own = [each for each in lines if each["move_id"] == int(made.remote_id)]
    amounts = [each["price_unit"] for each in own if each["account_type"] == "expense"]
    assert amounts == [1000.1, -100.01]


def test_the_vendors_own_terms_say_when_it_is_due(exporter: OdooExporter) -> None:
    exporter.fake.tables.insert("account.payment.term", 3, name="30 Days")
    vendor = exporter.fake.tables.rows["res.partner"][int(exporter.vendor_ref)]
    vendor["property_supplier_payment_term_id"] = 3
    exporter.provider().create_bill(bill_to_export(exporter))
    creates = [each for each in exporter.fake.requests if b"invoice_line_ids" in each.body]
    assert b"invoice_date_due" not in creates[-1].body


def test_what_odoo_refuses_is_said_in_its_words_and_leaves_nothing(exporter: OdooExporter) -> None:
    bill = bill_to_export(exporter, lines=(BillLine("Retainage", Decimal(-5), is_retainage=True),))
    with pytest.raises(RecordError, match="negative total amount"):
        exporter.provider().create_bill(bill)
    assert exporter.bills == []


def test_a_number_whose_bill_was_cancelled_may_be_used_again(exporter: OdooExporter) -> None:
    first = exporter.provider().create_bill(bill_to_export(exporter))
    exporter.fake.tables.rows["account.move"][int(first.remote_id)]["state"] = "cancel"
    again = exporter.provider().create_bill(bill_to_export(exporter, number=first.number))
    assert again.remote_id != first.remote_id


def test_an_order_of_another_vendor_is_refused(exporter: OdooExporter) -> None:
    other = exporter.fake.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    order = exporter.fake.ledger.order(other, "SC-2", "100")
    with pytest.raises(RecordError, match="another vendor"):
        exporter.provider().create_bill(bill_to_export(exporter, commitment_ref=str(order["id"])))


def test_an_order_is_asked_of_an_odoo_without_the_purchase_app(exporter: OdooExporter) -> None:
    del exporter.fake.tables.rows["purchase.order"]
    with pytest.raises(RecordError, match="Purchase app"):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_a_bill_is_booked_in_the_chosen_company(exporter: OdooExporter) -> None:
    exporter.provider().create_bill(bill_to_export(exporter))
    assert any(b'"allowed_company_ids":[1]' in each.body for each in exporter.fake.requests)
