"""Bills that are written into Acumatica, and what they can be linked to."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from erp_integrations.providers.acumatica import client
from erp_integrations.providers.acumatica.provider import AcumaticaProvider
from erp_integrations.providers.contract import BillLine
from erp_integrations.providers.errors import (
    AuthenticationError,
    RecordError,
    RecordNotFound,
    TransientError,
)
from tests.erp_integrations.providers.acumatica_books import connect
from tests.erp_integrations.providers.export_contract import ExportContract, bill_to_export
from tests.fakes.acumatica import FakeAcumatica
from tests.fakes.http_server import Reply


class Desk:
    vendor_ref, order_ref = "V-ACME", "Normal/PO000001"

    def __init__(self, fake: FakeAcumatica) -> None:
        self.fake = fake
        fake.writes.order("V-ACME")

    def provider(self, **options: Any) -> AcumaticaProvider:
        return connect(self.fake, **options)

    @property
    def bills(self) -> list[Any]:
        return list(self.fake.ledger.bills.values())


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(client, "PAUSE", 0)
    fake = FakeAcumatica()
    with fake.running():
        yield Desk(fake)


class TestTheContract(ExportContract):
    pass


def test_lines_and_their_order_stand_in_the_bill(exporter: Desk) -> None:
    exporter.provider().create_bill(bill_to_export(exporter, "900.00"))
    (made,) = exporter.bills
    assert [each.amount for each in made.lines] == [Decimal("1000"), Decimal("-100")]
    assert made.order == "PO000001"
    assert made.memo.startswith("Riverside Tower · Procore Sync key ")


def test_the_period_is_only_said_when_it_is_another_one(exporter: Desk) -> None:
    exporter.provider().create_bill(bill_to_export(exporter))
    later = bill_to_export(exporter, accounting_date=dt.date(2026, 12, 1))
    exporter.provider().create_bill(later)
    sent = [each.body for each in exporter.fake.requests if each.method == "PUT"]
    assert b"PostPeriod" not in sent[0]
    assert b'"PostPeriod":{"value":"122026"}' in sent[1]


def test_an_answer_that_was_lost_makes_no_second_bill(exporter: Desk) -> None:
    bill = bill_to_export(exporter)
    answer = exporter.fake.answer

    def losing(request: Any) -> Reply:
        reply = answer(request)
        return Reply(200, b"{", promise=500) if request.method == "PUT" else reply

    exporter.fake.answer = losing
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    exporter.fake.answer = answer
    made = exporter.provider().create_bill(bill)
    assert len(exporter.bills) == 1 and made.is_posted


def test_a_release_that_takes_longer_is_waited_for(exporter: Desk) -> None:
    exporter.fake.writes.looks = 3
    assert exporter.provider().create_bill(bill_to_export(exporter)).is_posted


def test_two_drafts_with_one_key_become_one_bill(exporter: Desk) -> None:
    bill = bill_to_export(exporter)
    for _ in range(2):
        exporter.fake.ledger.bill(
            bill.number, "900.00", memo=f"Procore Sync key {bill.key}", is_posted=False
        )
    exporter.provider().create_bill(bill)
    assert [each.is_posted for each in exporter.bills] == [True]


def test_what_acumatica_will_not_release_is_not_left_behind(exporter: Desk) -> None:
    exporter.fake.writes.refuses_release = "The financial period 11-2026 is closed."
    with pytest.raises(RecordError, match="11-2026 is closed"):
        exporter.provider().create_bill(bill_to_export(exporter))
    assert exporter.bills == []


def test_taxes_that_nobody_asked_for_are_refused(exporter: Desk) -> None:
    exporter.fake.writes.tax = Decimal("72.00")
    with pytest.raises(RecordError, match="probably with taxes"):
        exporter.provider().create_bill(bill_to_export(exporter))
    assert exporter.bills == []


def test_refused_fields_are_named_in_acumaticas_words(exporter: Desk) -> None:
    with pytest.raises(RecordError, match="cannot be found in the system"):
        exporter.provider().create_bill(bill_to_export(exporter, currency="XTS"))


def test_an_order_of_another_vendor_is_refused(exporter: Desk) -> None:
    exporter.fake.writes.order("V-BOLT", "PO000002")
    bill = bill_to_export(exporter, commitment_ref="Normal/PO000002")
    with pytest.raises(RecordError, match="another vendor"):
        exporter.provider().create_bill(bill)


def test_a_missing_right_to_write_is_not_the_bills_trouble(exporter: Desk) -> None:
    exporter.fake.withheld = {"Bill"}
    with pytest.raises(AuthenticationError):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_a_voided_bill_is_as_good_as_none(exporter: Desk) -> None:
    bill = bill_to_export(exporter)
    exporter.provider().create_bill(bill)
    exporter.fake.ledger.cancel(exporter.bills[0])
    with pytest.raises(RecordNotFound):
        exporter.provider().find_bill(bill.key)
    exporter.provider().create_bill(bill)
    assert [each.is_cancelled for each in exporter.bills] == [True, False]


def test_amounts_are_sent_digit_by_digit(exporter: Desk) -> None:
    line = BillLine("Work", Decimal("9007199254740993.07"))
    made = exporter.provider().create_bill(bill_to_export(exporter, lines=(line,)))
    assert made.total == Decimal("9007199254740993.07")


def test_it_lists_orders_and_projects(exporter: Desk) -> None:
    exporter.fake.writes.order("V-ACME", "PO000002", Status="On Hold")
    exporter.fake.writes.project("RIVERSIDE", "Riverside Tower")
    exporter.fake.writes.project("MILL", "The Mill")
    (order,) = exporter.provider().commitments("concrete")
    assert (order.remote_id, order.vendor_name) == ("Normal/PO000001", "Acme Concrete LLC")
    assert (order.total, order.ordered_on) == (Decimal("50000"), dt.date(2026, 10, 1))
    assert [each.code for each in exporter.provider().jobs("tower")] == ["RIVERSIDE"]
    assert len(list(exporter.provider().jobs())) == 2
