"""Bills written into the fake Tryton, with answers that get lost at every place."""

import itertools
from decimal import Decimal

import pytest

from erp_integrations.providers.contract import RemoteBill
from erp_integrations.providers.errors import RecordError, TransientError
from erp_integrations.providers.tryton.provider import TrytonProvider
from tests.erp_integrations.providers.export_contract import (
    ExportContract,
    bill_to_export,
)
from tests.erp_integrations.providers.fake_books import connect
from tests.fakes.http_server import Reply
from tests.fakes.tryton import FakeTryton
from tests.fakes.tryton_writes import LOST, Loss


class FakeExporter:
    def __init__(self, fake: FakeTryton) -> None:
        self.fake = fake
        vendor = fake.vendor("V-ACME", "Acme Concrete LLC")
        self.vendor_ref = str(vendor["id"])
        self.order_ref = str(fake.order(vendor, "SC-1", "84500")["id"])

    def provider(self) -> TrytonProvider:
        return connect(self.fake)


@pytest.fixture
def exporter(tryton: FakeTryton) -> FakeExporter:
    return FakeExporter(tryton)


class TestTheContract(ExportContract):
    """As everywhere; ``exporter`` is the one above."""


def until_it_is_made(exporter: FakeExporter, bill: object, tries: int = 10) -> RemoteBill:
    for _ in range(tries):
        try:
            return exporter.provider().create_bill(bill)  # type: ignore[arg-type]
        except TransientError:
            continue
    raise AssertionError(f"not made in {tries} attempts")


@pytest.mark.parametrize("losses", list(itertools.product(Loss, repeat=3)))
def test_whatever_answers_are_lost_there_is_one_bill(
    exporter: FakeExporter, losses: tuple[Loss, ...]
) -> None:
    exporter.fake.losses.extend(losses)
    bill = bill_to_export(exporter)
    made = until_it_is_made(exporter, bill)
    assert made.is_posted
    exporter.fake.losses.clear()
    assert exporter.provider().create_bill(bill) == made
    assert [each["id"] for each in exporter.fake.tables["account.invoice"]] == [int(made.remote_id)]


def test_a_slow_first_request_that_arrives_late_is_thrown_away(exporter: FakeExporter) -> None:
    exporter.fake.losses.extend([Loss.LATE])
    bill = bill_to_export(exporter)
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    made = exporter.provider().create_bill(bill)
    assert [str(each["id"]) for each in exporter.fake.tables["account.invoice"]] == [made.remote_id]


def test_no_write_is_ever_sent_twice_by_the_client(exporter: FakeExporter) -> None:
    exporter.fake.losses.extend([Loss.AFTER])
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill_to_export(exporter))
    assert [each.method for each in exporter.fake.requests].count("POST") == 1


def test_a_draft_that_was_entered_otherwise_is_made_anew(exporter: FakeExporter) -> None:
    exporter.fake.losses.extend([Loss.AFTER])
    bill = bill_to_export(exporter, "900.00")
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    corrected = bill_to_export(exporter, "450.00", key=bill.key, number="EX-2")
    made = exporter.provider().create_bill(corrected)
    assert (made.number, made.total) == ("EX-2", Decimal("450.00"))
    assert len(exporter.fake.tables["account.invoice"]) == 1


def test_a_bill_that_was_cancelled_there_can_be_made_again_with_its_number(
    exporter: FakeExporter,
) -> None:
    bill = bill_to_export(exporter)
    first = exporter.provider().create_bill(bill)
    (booked,) = exporter.fake.tables["account.invoice"]
    exporter.fake.change(booked, state="cancelled")
    second = exporter.provider().create_bill(bill)
    assert second.remote_id != first.remote_id
    assert (second.number, second.is_posted) == (first.number, True)
    assert not exporter.provider().find_bill(bill.key).is_cancelled


def test_work_stands_on_the_order_and_retainage_below_it(exporter: FakeExporter) -> None:
    exporter.provider().create_bill(bill_to_export(exporter, "900.00"))
    sent = next(each for each in exporter.fake.requests if each.method == "POST").body
    assert b'"origin":"purchase.line,1"' in sent
    assert sent.count(b'"origin"') == 1
    assert b'"decimal":"-100' in sent


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(403, b"", "text/html"), "closed its period"),
        (Reply(400, b'{"message": "The period is closed."}'), "The period is closed."),
    ],
)
def test_what_tryton_refuses_is_said_in_its_words(
    exporter: FakeExporter, reply: Reply, words: str
) -> None:
    normal = exporter.fake.answer
    exporter.fake.answer = lambda request: reply if request.method == "POST" else normal(request)
    with pytest.raises(RecordError, match=words):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_a_broken_answer_is_no_refusal(exporter: FakeExporter) -> None:
    normal = exporter.fake.answer
    exporter.fake.answer = lambda request: LOST if request.method == "POST" else normal(request)
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill_to_export(exporter))
