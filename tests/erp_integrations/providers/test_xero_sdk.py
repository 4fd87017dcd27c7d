"""Xero's own client reads the stand-in: what it cannot read, Xero would not have sent."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.identity import IdentityApi

from tests.erp_integrations.providers.xero_books import XeroBooks
from tests.fakes.authorization import CLIENT, SECRET
from tests.fakes.ledger import START
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


@pytest.fixture
def signed_in(xero: FakeXero) -> Any:
    token = {
        "access_token": xero.authorization.first().access,
        "expires_in": 1800,
        "expires_at": dt.datetime.now(dt.UTC).timestamp() + 1800,
        "token_type": "Bearer",
        "scope": "accounting.payments.read",
        "refresh_token": "r",
    }
    return ApiClient(
        Configuration(oauth2_token=OAuth2Token(client_id=CLIENT, client_secret=SECRET)),
        oauth2_token_getter=lambda: token,
        oauth2_token_saver=lambda given: None,
    )


@pytest.fixture
def theirs(xero: FakeXero, signed_in: Any) -> Any:
    return AccountingApi(signed_in, base_url=f"{xero.url}/api.xro/2.0")


def test_it_reads_payments_and_their_runs(xero: FakeXero, erp: XeroBooks, theirs: Any) -> None:
    one, two = erp.bill("899.50"), erp.bill("1100.50")
    check = erp.pay((one, "899.50"), (two, "1100.50"))
    erp.void(erp.pay((erp.bill("5"), "5")))
    found = theirs.get_payments(TENANT, page=1, page_size=100, order="UpdatedDateUTC ASC")
    assert (found.pagination.item_count, found.pagination.page_count) == (3, 1)
    amounts = {
        each.invoice.invoice_id: each.amount for each in found.payments if each.batch_payment
    }
    assert amounts == {one.remote_id: Decimal("899.50"), two.remote_id: Decimal("1100.50")}
    (voided,) = [each for each in found.payments if each.status == "DELETED"]
    assert (voided.payment_type, voided.amount) == ("ACCPAYPAYMENT", Decimal(5))
    assert (voided.date, voided.updated_date_utc) == (START.date(), START)
    assert voided.invoice.contact.name == "Acme Concrete LLC"
    (run,) = theirs.get_batch_payments(TENANT, where='Type=="PAYBATCH"').batch_payments
    assert (run.reference, run.total_amount) == (check, Decimal("2000.00"))
    assert {each.payment_id for each in run.payments} == {
        each.payment_id for each in found.payments if each.batch_payment_id
    }


def test_it_reads_bills_with_what_paid_them(xero: FakeXero, erp: XeroBooks, theirs: Any) -> None:
    bill = erp.bill("100")
    erp.pay((bill, "40.25"))
    erp.pay_directly(bill, "30")
    erp.credit(bill, "20")
    (found,) = theirs.get_invoices(TENANT, i_ds=[bill.remote_id], page=1).invoices
    assert (found.type, found.status, found.invoice_number) == ("ACCPAY", "AUTHORISED", bill.number)
    assert (found.amount_paid, found.amount_credited) == (Decimal("40.25"), Decimal(50))
    assert found.amount_due == Decimal("9.75")
    assert found.prepayments[0].applied_amount == Decimal(30)
    assert found.credit_notes[0].applied_amount == Decimal(20)
    assert found.line_items[0].line_amount == Decimal(100)


def test_it_reads_advances(xero: FakeXero, erp: XeroBooks, theirs: Any) -> None:
    bill = erp.bill("100")
    erp.pay_directly(bill, "30")
    erp._pay((bill, "10"), is_direct=True, total="25", method="overpayment")
    (advance,) = theirs.get_prepayments(TENANT, page=1).prepayments
    assert (advance.type, advance.status) == ("SPEND-PREPAYMENT", "PAID")
    assert advance.allocations[0].invoice.invoice_id == bill.remote_id
    (advance,) = theirs.get_overpayments(TENANT, page=1).overpayments
    assert (advance.total, advance.remaining_credit) == (Decimal(25), Decimal(15))


def test_it_reads_companies_contacts_and_orders(
    xero: FakeXero, theirs: Any, signed_in: Any
) -> None:
    vendor = xero.ledger.vendors[0]
    order = xero.records.order(vendor, "PO-1", "84500")
    (company,) = IdentityApi(signed_in, base_url=xero.url).get_connections()
    assert (company.tenant_id, company.tenant_type) == (TENANT, "ORGANISATION")
    assert theirs.get_organisations(TENANT).organisations[0].country_code.value == "US"
    (contact,) = theirs.get_contacts(TENANT, search_term="acme", page=1).contacts
    assert (contact.contact_id, contact.account_number) == (
        xero.vendor_ref_of(vendor),
        "V-ACME",
    )
    found = theirs.get_purchase_order(TENANT, str(order["PurchaseOrderID"])).purchase_orders[0]
    assert (found.purchase_order_number, found.total) == ("PO-1", Decimal(84500))


def test_it_asks_for_changes_as_it_always_did(xero: FakeXero, erp: XeroBooks, theirs: Any) -> None:
    erp.pay((erp.bill("1"), "1"))
    erp.settle()
    moment = erp.now()
    erp.settle()
    erp.pay((erp.bill("2"), "2"))
    found = theirs.get_payments(TENANT, if_modified_since=moment)
    assert [each.amount for each in found.payments] == [Decimal(2)]
