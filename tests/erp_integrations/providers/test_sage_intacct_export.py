"""Bills that are written into Sage Intacct, each once."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from erp_integrations.providers.contract import BillLine
from erp_integrations.providers.errors import AuthenticationError, RecordError, TransientError
from erp_integrations.providers.sage_intacct.provider import SageIntacctProvider
from tests.erp_integrations.providers.export_contract import (
    ExportContract,
    Exporter,
    bill_to_export,
)
from tests.erp_integrations.providers.sage_intacct_books import connect
from tests.fakes.http_server import Reply, Request
from tests.fakes.sage_intacct import FakeSageIntacct
from tests.fakes.sage_intacct_writes import refusal

ACCOUNTS = {"expense_account": "5100", "retainage_account": "2050"}


@pytest.fixture
def intacct() -> Iterator[FakeSageIntacct]:
    fake = FakeSageIntacct()
    with fake.running():
        yield fake


class Desk:
    """Intacct's bills are not linked to orders, so there is none."""

    order_ref = ""

    def __init__(self, fake: FakeSageIntacct) -> None:
        self.fake = fake
        self.vendor_ref = fake.vendor_ref_of(fake.ledger.vendors[0])

    def provider(self, **settings: str) -> SageIntacctProvider:
        return connect(self.fake, settings=ACCOUNTS | settings)


@pytest.fixture
def exporter(intacct: FakeSageIntacct) -> Desk:
    return Desk(intacct)


class TestTheContract(ExportContract):
    """Without wrong orders: the description names the commitment, and nothing is linked."""

    @pytest.mark.parametrize("wrong", [{"vendor_ref": "99999"}, {"currency": "XTS"}])
    def test_what_cannot_be_booked_leaves_nothing_behind(
        self, exporter: Exporter, wrong: dict[str, str]
    ) -> None:
        super().test_what_cannot_be_booked_leaves_nothing_behind(exporter, wrong)


def test_lines_stand_on_their_accounts_and_dimensions(
    intacct: FakeSageIntacct, exporter: Desk
) -> None:
    sent: list[bytes] = []
    answered = intacct.answer

    def noted(request: Request) -> Reply:
        sent.extend([request.body] if "/objects/" in request.path else [])
        return answered(request)

    intacct.answer = noted
    bill = bill_to_export(exporter, project_ref="8")
    exporter.provider(location="West-12").create_bill(bill)
    (body,) = sent
    for part in (b'"id":"5100"', b'"id":"2050"', b'"id":"West-12"', b'"key":"8"', b'"1000.00"'):
        assert part in body
    assert f"Riverside Tower \u00b7 Procore Sync key {bill.key}".encode() in body


def test_a_bill_whose_answer_was_lost_is_found_and_not_made_again(
    intacct: FakeSageIntacct, exporter: Desk
) -> None:
    bill = bill_to_export(exporter)
    answered = intacct.answer

    def lost(request: Request) -> Reply:
        reply = answered(request)
        return Reply(200, b"{", promise=900) if "/objects/" in request.path else reply

    intacct.answer = lost
    with pytest.raises(TransientError):
        exporter.provider().create_bill(bill)
    intacct.answer = answered
    assert exporter.provider().create_bill(bill).number == bill.number
    assert len(intacct.ledger.bills) == 1


def test_a_request_that_arrives_late_leaves_no_second_bill(
    intacct: FakeSageIntacct, exporter: Desk
) -> None:
    bill = bill_to_export(exporter)
    answered = intacct.answer

    def twice(request: Request) -> Reply:
        if request.method == "POST" and "/objects/" in request.path:
            answered(request)
        return answered(request)

    intacct.answer = twice
    made = exporter.provider().create_bill(bill)
    assert [str(number) for number in intacct.ledger.bills] == [made.remote_id]


def test_a_reversed_bill_is_made_again(intacct: FakeSageIntacct, exporter: Desk) -> None:
    bill = bill_to_export(exporter)
    first = exporter.provider().create_bill(bill)
    intacct.ledger.cancel(intacct.ledger.bills[int(first.remote_id)])
    second = exporter.provider().create_bill(bill)
    assert second.remote_id != first.remote_id


@pytest.mark.parametrize("missing", ["expense_account", "retainage_account"])
def test_an_account_that_nobody_entered_is_asked_for(exporter: Desk, missing: str) -> None:
    with pytest.raises(RecordError, match="no account for"):
        exporter.provider(**{missing: ""}).create_bill(bill_to_export(exporter))


def test_intacct_says_itself_what_it_refuses(exporter: Desk) -> None:
    with pytest.raises(RecordError, match=r"refuses it: GL account is not valid\."):
        exporter.provider(expense_account="9999").create_bill(bill_to_export(exporter))


def test_a_missing_permission_to_write_stops_the_connection(
    intacct: FakeSageIntacct, exporter: Desk
) -> None:
    answered = intacct.answer
    no = refusal(403, "operationNotAllowed", "No permission to add bills")
    intacct.answer = lambda request: no if "/objects/" in request.path else answered(request)
    with pytest.raises(AuthenticationError, match="write bills"):
        exporter.provider().create_bill(bill_to_export(exporter))


def test_what_was_paid_on_an_exported_bill_is_found_with_it(
    intacct: FakeSageIntacct, exporter: Desk
) -> None:
    bill = bill_to_export(exporter, lines=(BillLine("Work", Decimal("500.00")),))
    made = exporter.provider().create_bill(bill)
    intacct.ledger.pay("CHK-1", (intacct.ledger.bills[int(made.remote_id)], "120.50"))
    assert exporter.provider().find_bill(bill.key).paid == Decimal("120.50")
