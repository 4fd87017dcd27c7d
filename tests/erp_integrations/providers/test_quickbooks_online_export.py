"""Bills written into QuickBooks, each once, whatever answers get lost; and what Intuit sends us."""

import base64
import hashlib
import hmac
import itertools
import json
from decimal import Decimal
from typing import Any

import pytest

from erp_integrations.providers.contract import BillToExport, RemoteBill
from erp_integrations.providers.errors import AuthenticationError, RecordError, TransientError
from erp_integrations.providers.quickbooks_online.provider import QuickBooksOnlineProvider
from tests.erp_integrations.providers.export_contract import ExportContract, bill_to_export
from tests.erp_integrations.providers.quickbooks_online_books import connect, quickbooks
from tests.fakes.http_server import Reply
from tests.fakes.quickbooks_online import REALM, FakeQuickBooksOnline
from tests.fakes.tryton_writes import Loss

__all__ = ["quickbooks"]


class QuickBooksExporter:
    def __init__(self, fake: FakeQuickBooksOnline) -> None:
        self.fake = fake
        vendor = fake.ledger.vendor("V-ACME", "Acme Concrete LLC")
        self.vendor_ref = str(vendor.number)
        self.order_ref: str = fake.order(vendor, "PO-1", "84500")["Id"]
        self.settings = {"expense_account": "Job Expenses:Subcontractors"}

    def provider(self) -> QuickBooksOnlineProvider:
        return connect(self.fake, settings=dict(self.settings))

    @property
    def bills(self) -> list[str]:
        return [str(number) for number in self.fake.ledger.bills]


@pytest.fixture
def exporter(quickbooks: FakeQuickBooksOnline) -> QuickBooksExporter:
    return QuickBooksExporter(quickbooks)


class TestTheContract(ExportContract):
    """As everywhere; ``exporter`` is the one above."""


def until_it_is_made(
    exporter: QuickBooksExporter, bill: BillToExport, tries: int = 10
) -> RemoteBill:
    for _ in range(tries):
        try:
            return exporter.provider().create_bill(bill)
        except TransientError:
            continue
    raise AssertionError(f"not made in {tries} attempts")


@pytest.mark.parametrize("losses", list(itertools.product(Loss, repeat=2)))
def test_whatever_answers_are_lost_there_is_one_bill(
    exporter: QuickBooksExporter, losses: tuple[Loss, ...]
) -> None:
    exporter.fake.losses.extend(losses)
    bill = bill_to_export(exporter)
    made = until_it_is_made(exporter, bill)
    exporter.fake.losses.clear()
    assert exporter.provider().create_bill(bill) == made
    assert exporter.bills == [made.remote_id]


def test_no_write_is_ever_sent_twice_by_the_client(exporter: QuickBooksExporter) -> None:
    exporter.fake.losses.extend([Loss.AFTER])
    bill = bill_to_export(exporter)
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    sent = [each for each in exporter.fake.requests if each.path.endswith("/bill")]
    assert [each.query["requestid"] for each in sent] == [[bill.key]]


def test_a_bill_that_was_deleted_there_can_be_made_again(exporter: QuickBooksExporter) -> None:
    """Though QuickBooks answers the same request as it answered the first."""
    bill = bill_to_export(exporter)
    first = exporter.provider().create_bill(bill)
    exporter.fake.delete_bill(int(first.remote_id))
    second = exporter.provider().create_bill(bill)
    assert second.remote_id != first.remote_id
    assert exporter.bills == [second.remote_id]
    assert exporter.provider().find_bill(bill.key) == second


def test_a_bill_of_an_earlier_number_is_not_taken_for_the_new_one(
    exporter: QuickBooksExporter,
) -> None:
    exporter.fake.losses.extend([Loss.AFTER])
    bill = bill_to_export(exporter)
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    changed = bill_to_export(exporter, key=bill.key, number="EX-2")
    with pytest.raises(RecordError, match="answer was lost"):
        exporter.provider().create_bill(changed)
    assert len(exporter.bills) == 1


def test_retainage_stands_below_the_work_on_its_own_account(exporter: QuickBooksExporter) -> None:
    exporter.settings["retainage_account"] = "retainage payable"
    exporter.provider().create_bill(bill_to_export(exporter, "900.00"))
    assert exporter.fake.booked == [
        ("64", "Work", Decimal("1000.00")),
        ("90", "Retainage", Decimal("-100.00")),
    ]
    sent = next(each for each in exporter.fake.requests if each.path.endswith("/bill")).body
    assert b'"Amount":1000' in sent, "money is a number, as QuickBooks writes it"


def test_the_day_that_decides_the_period_is_the_date_of_the_bill(
    exporter: QuickBooksExporter,
) -> None:
    bill = bill_to_export(exporter)
    exporter.provider().create_bill(bill)
    (booked,) = exporter.fake.ledger.bills.values()
    assert booked.date == bill.accounting_date
    assert booked.memo == (
        f"Riverside Tower · Purchase order PO-1 · Billed 11/02/2026 · Procore Sync key {bill.key}"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"expense_account": ""}, "No account is set"), ({"expense_account": "Nope"}, "“Nope”")],
)
def test_an_account_that_is_not_there_is_named(
    exporter: QuickBooksExporter, settings: dict[str, str], words: str
) -> None:
    exporter.settings |= settings
    with pytest.raises(RecordError, match=words):
        exporter.provider().create_bill(bill_to_export(exporter))
    assert exporter.bills == []


def test_what_quickbooks_refuses_is_said_in_its_words(exporter: QuickBooksExporter) -> None:
    text = "The account period has closed and the account books cannot be updated."
    fault = {"Error": [{"Message": "Closed", "Detail": text, "code": "6200"}], "type": "x"}
    refusal = Reply(400, json.dumps({"Fault": fault}).encode())
    normal = exporter.fake.answer
    exporter.fake.answer = lambda it: refusal if it.path.endswith("/bill") else normal(it)
    with pytest.raises(RecordError, match="account period has closed"):
        exporter.provider().create_bill(bill_to_export(exporter))


# ------------------------------------------------------------------ notifications
KEY = "a-verifier-token"
CLASSIC: dict[str, Any] = {
    "eventNotifications": [
        {
            "realmId": REALM,
            "dataChangeEvent": {
                "entities": [
                    {"name": "BillPayment", "id": "146", "operation": "Void",
                     "lastUpdated": "2026-11-22T08:00:00-0800"},
                    {"name": "Bill", "id": "25", "operation": "Update",
                     "lastUpdated": "2026-11-22T08:00:00-0800"},
                    {"name": "Customer", "id": "1", "operation": "Create",
                     "lastUpdated": "2026-11-22T08:00:00-0800"},
                ]
            },
        }
    ]
}  # fmt: skip


def cloud_event(event_id: str, kind: str, entity: str) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": event_id, "source": "intuit.x", "type": f"qbo.{kind}.v1",
        "datacontenttype": "application/json", "time": "2026-11-22T16:00:00.000Z",
        "intuitentityid": entity, "intuitaccountid": REALM, "data": {},
    }  # fmt: skip


def received(sent: Any, *, key: str = KEY) -> Any:
    body = json.dumps(sent).encode()
    signature = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    return QuickBooksOnlineProvider.read_notification({"intuit-signature": signature}, body, KEY)


def test_the_older_form_names_payments_and_bills() -> None:
    (notice,) = received(CLASSIC)
    assert (notice.payment_ids, notice.bill_ids) == (("146",), ("25",))
    assert received(CLASSIC) == [notice], "told twice it is the same notification"


def test_the_newer_form_has_an_id_for_each_event() -> None:
    notices = received(
        [
            cloud_event("e1", "billpayment.deleted", "146"),
            cloud_event("e2", "bill.updated", "25"),
            cloud_event("e3", "customer.created", "1"),
        ]
    )
    assert [(each.event_id, each.payment_ids, each.bill_ids) for each in notices] == [
        ("e1", ("146",), ()),
        ("e2", (), ("25",)),
    ]


def test_a_wrong_signature_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        received(CLASSIC, key="another")
    with pytest.raises(AuthenticationError):
        QuickBooksOnlineProvider.read_notification({}, b"[]", KEY)
    with pytest.raises(AuthenticationError):
        QuickBooksOnlineProvider.read_notification({"intuit-signature": ""}, b"[]", "")


@pytest.mark.parametrize("sent", [{"hello": 1}, [{"id": "1"}], "text"])
def test_another_form_is_refused(sent: Any) -> None:
    with pytest.raises(RecordError):
        received(sent)
