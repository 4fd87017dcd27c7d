"""A stand-in that python-quickbooks cannot read is wrong, and so would be its void and delete."""

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from erp_integrations.providers.contract import RemoteStatus
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.quickbooks_online_books import connect, pages, quickbooks
from tests.fakes.authorization import CLIENT
from tests.fakes.quickbooks_online import REALM, FakeQuickBooksOnline

sdk = pytest.importorskip("quickbooks")

__all__ = ["quickbooks"]


@pytest.fixture
def client(quickbooks: FakeQuickBooksOnline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from quickbooks import QuickBooks

    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{quickbooks.url}/v3")
    signed_in = SimpleNamespace(
        environment="production",
        client_id=CLIENT,
        access_token=quickbooks.oauth.first().access,
        refresh_token="r",
    )
    yield QuickBooks(auth_client=signed_in, company_id=REALM, minorversion=75, use_decimal=True)


def test_it_reads_the_same_payments(quickbooks: FakeQuickBooksOnline, client: Any) -> None:
    from quickbooks.objects.billpayment import BillPayment

    bill = quickbooks.ledger.bill("ACME-1", "1234.56")
    quickbooks.ledger.pay("5001", (bill, "1234.56"))
    (theirs,) = BillPayment.query("SELECT * FROM BillPayment ORDERBY Id", qb=client)
    (ours,) = read(pages(quickbooks))
    assert (theirs.Id, theirs.DocNumber, theirs.TotalAmt) == (
        ours.remote_id,
        ours.check_number,
        ours.total,
    )
    (line,) = theirs.Line
    assert (line.Amount, line.LinkedTxn[0].TxnId) == (Decimal("1234.56"), str(bill.number))
    assert (theirs.VendorRef.value, theirs.VendorRef.name) == (ours.vendor_ref, ours.vendor_name)
    assert BillPayment.count(qb=client) == 1


def test_it_reads_bills_and_vendors(quickbooks: FakeQuickBooksOnline, client: Any) -> None:
    from quickbooks.objects.bill import Bill
    from quickbooks.objects.vendor import Vendor

    bill = quickbooks.ledger.bill("ACME-1", "100", "23.45")
    quickbooks.ledger.pay("5001", (bill, "23.45"))
    (theirs,) = Bill.filter(DocNumber="ACME-1", qb=client)
    (ours,) = connect(quickbooks).bills([theirs.Id])
    assert (theirs.TotalAmt, theirs.Balance) == (Decimal("123.45"), Decimal("100.00"))
    assert theirs.TotalAmt - theirs.Balance == ours.paid
    assert [each.DisplayName for each in Vendor.all(qb=client)] == ["Acme Concrete LLC"]


def test_it_reads_the_list_of_changes(quickbooks: FakeQuickBooksOnline, client: Any) -> None:
    from quickbooks.cdc import change_data_capture
    from quickbooks.objects.billpayment import BillPayment

    bill = quickbooks.ledger.bill("ACME-1", "100")
    quickbooks.ledger.pay("5001", (bill, "10"))
    gone = quickbooks.ledger.pay("5002", (bill, "20"))
    quickbooks.ledger.delete(gone)
    changes = change_data_capture([BillPayment], "2026-11-21T00:00:00-08:00", qb=client)
    found = {each.Id: getattr(each, "status", None) for each in changes.BillPayment._object_list}
    assert found.pop(str(gone.number)) == "Deleted"
    assert len(found) == 1


def test_a_payment_that_it_voids_and_one_that_it_deletes_are_seen(
    quickbooks: FakeQuickBooksOnline, client: Any
) -> None:
    from quickbooks.objects.billpayment import BillPayment

    bill = quickbooks.ledger.bill("ACME-1", "100")
    for check in ("5001", "5002"):
        quickbooks.ledger.pay(check, (bill, "10"))
    cursor = pages(quickbooks)[-1].cursor
    voided, deleted = BillPayment.query("SELECT * FROM BillPayment ORDERBY Id", qb=client)
    voided.void(qb=client)
    deleted.delete(qb=client)
    (page,) = pages(quickbooks, cursor)
    assert [(each.remote_id, each.status) for each in page.payments] == [
        (voided.Id, RemoteStatus.VOIDED)
    ]
    assert page.deleted == [deleted.Id]


def test_it_names_the_faults(quickbooks: FakeQuickBooksOnline, client: Any) -> None:
    from quickbooks.exceptions import (
        AuthorizationException,
        ObjectNotFoundException,
        ValidationException,
    )
    from quickbooks.objects.bill import Bill

    with pytest.raises(ObjectNotFoundException):
        Bill.get(999, qb=client)
    with pytest.raises(ValidationException):
        Bill.query("SELECT * FROM Bill WHERE LinkedTxn = '7'", qb=client)
    with pytest.raises(ValidationException):
        Bill.query("SELECT * FROM Bill WHERE Id = '7' OR Id = '8'", qb=client)
    quickbooks.oauth.expire()
    with pytest.raises(AuthorizationException):
        Bill.query("SELECT * FROM Bill", qb=client)
