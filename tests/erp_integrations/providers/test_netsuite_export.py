"""Bills that are written into NetSuite, each once."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from erp_integrations.providers.contract import BillLine
from erp_integrations.providers.errors import AuthenticationError, RecordError, TransientError
from erp_integrations.providers.netsuite.provider import NetSuiteProvider
from tests.erp_integrations.providers.export_contract import (
    ExportContract,
    Exporter,
    bill_to_export,
)
from tests.erp_integrations.providers.netsuite_books import connect
from tests.fakes.http_server import Reply, Request
from tests.fakes.netsuite import BILL_RECORD, FakeNetSuite, refusal

ACCOUNTS = {"expense_account": "5100", "retainage_account": "2050"}


@pytest.fixture
def netsuite() -> Iterator[FakeNetSuite]:
    fake = FakeNetSuite()
    with fake.running():
        yield fake


class Desk:
    """Bills are not linked to orders, so there is none."""

    order_ref = ""

    def __init__(self, fake: FakeNetSuite) -> None:
        self.fake = fake
        self.vendor_ref = fake.vendor_ref_of(fake.ledger.vendors[0])

    def provider(self, **settings: str) -> NetSuiteProvider:
        return connect(self.fake, settings=ACCOUNTS | settings)


@pytest.fixture
def exporter(netsuite: FakeNetSuite) -> Desk:
    return Desk(netsuite)


class TestTheContract(ExportContract):
    """Without wrong orders: the memo names the commitment, and nothing is linked."""

    @pytest.mark.parametrize("wrong", [{"vendor_ref": "99999"}, {"currency": "XTS"}])
    def test_what_cannot_be_booked_leaves_nothing_behind(
        self, exporter: Exporter, wrong: dict[str, str]
    ) -> None:
        super().test_what_cannot_be_booked_leaves_nothing_behind(exporter, wrong)


def writes_of(fake: FakeNetSuite) -> list[Request]:
    return [each for each in fake.requests if each.path == BILL_RECORD]


def test_the_key_is_the_external_id_and_amounts_are_numbers_to_the_cent(
    netsuite: FakeNetSuite, exporter: Desk
) -> None:
    bill = bill_to_export(exporter, project_ref="8")
    exporter.provider(subsidiaries="1").create_bill(bill)
    (request,) = writes_of(netsuite)
    for part in (
        f'"externalId":"{bill.key}"',
        '"amount":1000.00',
        '"amount":-100.00',
        '"account":{"id":"210"}',
        '"account":{"id":"211"}',
        '"customer":{"id":"8"}',
        '"subsidiary":{"id":"1"}',
    ):
        assert part.encode() in request.body, part


def test_a_bill_whose_answer_was_lost_is_found_and_not_made_again(
    netsuite: FakeNetSuite, exporter: Desk
) -> None:
    bill = bill_to_export(exporter)
    answered = netsuite.answer

    def lost(request: Request) -> Reply:
        reply = answered(request)
        return Reply(200, b"{", promise=900) if request.path == BILL_RECORD else reply

    netsuite.answer = lost
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    netsuite.answer = answered
    assert exporter.provider().create_bill(bill).number == bill.number
    assert len(writes_of(netsuite)) == 1


def test_a_request_that_arrives_late_makes_no_second_bill(
    netsuite: FakeNetSuite, exporter: Desk
) -> None:
    bill = bill_to_export(exporter)
    answered = netsuite.answer

    def twice(request: Request) -> Reply:
        if request.path == BILL_RECORD:
            answered(request)
        return answered(request)

    netsuite.answer = twice
    made = exporter.provider().create_bill(bill)
    assert [str(number) for number in netsuite.ledger.bills] == [made.remote_id]


def test_a_cancelled_bill_is_made_again(netsuite: FakeNetSuite, exporter: Desk) -> None:
    bill = bill_to_export(exporter)
    first = exporter.provider().create_bill(bill)
    netsuite.ledger.cancel(netsuite.ledger.bills[int(first.remote_id)])
    second = exporter.provider().create_bill(bill)
    assert second.remote_id != first.remote_id
    assert exporter.provider().find_bill(bill.key) == second


@pytest.mark.parametrize("setting", ["expense_account", "retainage_account"])
@pytest.mark.parametrize(("number", "sentence"), [("", "no account for"), ("9", "no account 9")])
def test_an_account_that_is_not_there_is_asked_for(
    exporter: Desk, setting: str, number: str, sentence: str
) -> None:
    with pytest.raises(RecordError, match=sentence):
        exporter.provider(**{setting: number}).create_bill(bill_to_export(exporter))


def test_netsuite_says_itself_what_it_refuses(netsuite: FakeNetSuite, exporter: Desk) -> None:
    no = refusal(400, "USER_ERROR", "The period is closed")
    answered = netsuite.answer
    netsuite.answer = lambda request: no if request.path == BILL_RECORD else answered(request)
    with pytest.raises(RecordError, match=r"refuses it: The period is closed\."):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_a_missing_permission_to_write_stops_the_connection(
    netsuite: FakeNetSuite, exporter: Desk
) -> None:
    no = refusal(403, "INSUFFICIENT_PERMISSION", "You need the 'Bills' permission.")
    answered = netsuite.answer
    netsuite.answer = lambda request: no if request.path == BILL_RECORD else answered(request)
    with pytest.raises(AuthenticationError, match="'Bills' permission"):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_what_was_paid_on_an_exported_bill_is_found_with_it(
    netsuite: FakeNetSuite, exporter: Desk
) -> None:
    bill = bill_to_export(exporter, lines=(BillLine("Work", Decimal("500.00")),))
    made = exporter.provider().create_bill(bill)
    netsuite.ledger.pay("CHK-1", (netsuite.ledger.bills[int(made.remote_id)], "120.50"))
    assert exporter.provider().find_bill(bill.key).paid == Decimal("120.50")
