"""What of Odoo can be linked to: vendors, jobs, purchase orders."""

from decimal import Decimal

import pytest

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
)
from tests.erp_integrations.providers.odoo_books import connect
from tests.fakes.ledger import START
from tests.fakes.odoo import FakeOdoo


def test_vendors_are_whom_a_bill_may_come_from(odoo: FakeOdoo) -> None:
    odoo.ledger.insert("res.partner", 950, name="A customer", supplier_rank=0)
    odoo.ledger.insert("res.partner", 951, name="AP desk", supplier_rank=1, parent_id=1)
    odoo.ledger.insert("res.partner", 952, name="Al", supplier_rank=2)
    found = [(each.remote_id, each.code, each.name) for each in connect(odoo).vendors()]
    assert found == [("1", "V-ACME", "Acme Concrete LLC"), ("952", "", "Al")]


def test_vendors_of_another_company_are_left_out(odoo: FakeOdoo) -> None:
    odoo.ledger.insert("res.company", 2, name="Southstar")
    odoo.ledger.insert("res.partner", 950, name="Theirs", supplier_rank=1, company_id=2)
    found = connect(odoo, settings={"company": "1"}).vendors()
    assert [each.name for each in found] == ["Acme Concrete LLC"]


def test_every_word_of_a_search_has_to_fit(odoo: FakeOdoo) -> None:
    odoo.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    for search, names in {
        "acme": ["Acme Concrete LLC"],
        "v-bolt inc": ["Bolt Electric Inc"],
        "acme inc": [],
        "%": [],
        "v_bolt": [],
    }.items():
        assert [each.name for each in connect(odoo).vendors(search)] == names


def test_records_are_read_in_pages(odoo: FakeOdoo) -> None:
    for count in range(5):
        odoo.ledger.vendor(f"V-{count}", f"Vendor {count}")
    assert len(list(connect(odoo, page_size=2).vendors())) == 6


def test_jobs_are_analytic_accounts(odoo: FakeOdoo) -> None:
    odoo.ledger.insert("account.analytic.account", 9, name="Riverside Tower", code="2026-014")
    odoo.ledger.insert("account.analytic.account", 10, name="No code")
    found = [(each.code, each.name) for each in connect(odoo).jobs()]
    assert found == [("2026-014", "Riverside Tower"), ("", "No code")]


def test_an_order_has_everything_that_an_import_needs(odoo: FakeOdoo) -> None:
    (vendor,) = odoo.ledger.vendors
    made = odoo.ledger.order(vendor, "SC-2024-001", "84500.00")
    draft = odoo.ledger.order(vendor, "SC-2", "1")
    draft["state"] = "draft"
    (order,) = connect(odoo).commitments("sc-2024 acme")
    assert (order.code, order.title) == ("SC-2024-001", f"Purchase order {made['name']}")
    assert (order.total, order.currency) == (Decimal("84500"), "USD")
    assert (order.vendor_ref, order.vendor_name) == ("1", "Acme Concrete LLC")
    assert (order.ordered_on, order.is_subcontract, order.project_ref) == (START.date(), None, "")
    assert len(list(connect(odoo).commitments())) == 1


def test_an_order_without_the_vendors_number_is_known_by_its_own(odoo: FakeOdoo) -> None:
    made = odoo.ledger.order(odoo.ledger.vendors[0], "", "1")
    made |= {"partner_ref": False, "date_approve": False}
    (order,) = connect(odoo).commitments()
    assert (order.code, order.ordered_on) == (made["name"], None)


def test_an_odoo_without_the_purchase_app_says_so(odoo: FakeOdoo) -> None:
    del odoo.tables.rows["purchase.order"]
    with pytest.raises(ConfigurationError, match="app that this belongs to"):
        list(connect(odoo).commitments())


def test_a_missing_right_is_said_in_odoos_words(odoo: FakeOdoo) -> None:
    odoo.withheld = {"account.analytic.account"}
    with pytest.raises(AuthenticationError, match="not allowed to access"):
        list(connect(odoo).jobs())


def test_a_record_that_cannot_be_read_stops_the_list(odoo: FakeOdoo) -> None:
    odoo.ledger.order(odoo.ledger.vendors[0], "SC-1", "1")["amount_total"] = "ten"
    with pytest.raises(ProtocolError, match="purchase orders"):
        list(connect(odoo).commitments())


def test_a_server_that_ignores_the_order_is_not_trusted(odoo: FakeOdoo) -> None:
    search = odoo.tables.search
    odoo.tables.search = lambda model, *asked: search(model, [])[:1]
    with pytest.raises(ProtocolError, match="order of records"):
        list(connect(odoo, page_size=1).vendors())
