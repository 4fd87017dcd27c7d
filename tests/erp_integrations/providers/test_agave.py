"""The provider for unified APIs of Agave's shape, against a stand-in."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

import pytest

from erp_integrations.providers.agave import mapper
from erp_integrations.providers.agave.provider import AgaveProvider
from erp_integrations.providers.contract import RemoteMethod, RemoteStatus
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    RecordError,
)
from erp_integrations.providers.http import Limits
from tests.erp_integrations.providers.agave_books import AgaveBooks, connect, pages
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    ProviderContract,
    read,
)
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.agave import CLIENT_SECRET, FakeAgave


@pytest.fixture
def agave() -> Iterator[FakeAgave]:
    fake = FakeAgave()
    with fake.running():
        yield fake


class TestTheContract(ProviderContract):
    @pytest.fixture
    def erp(self, agave: FakeAgave) -> AgaveBooks:
        return AgaveBooks(agave)


class TestTrouble(TroubleContract):
    # the numbers of the invoices and the names of the vendors of a page of payments
    calls_besides_a_page = 2
    # the reading itself, and whether anything moved while its pages were turned
    calls_of_any_reading = 2

    @pytest.fixture
    def erp(self, agave: FakeAgave) -> AgaveBooks:
        return AgaveBooks(agave)


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, agave: FakeAgave) -> FakeAgave:
        agave.ledger.pay("CHK-1", (agave.ledger.bill("ACME-1", "10"), "10"))
        return agave

    @pytest.fixture
    def reader(self, server: FakeAgave) -> Callable[..., AgaveProvider]:
        return partial(connect, server)

    @pytest.fixture
    def payment_id(self, server: FakeAgave) -> str:
        return pages(server)[0].payments[0].remote_id

    @pytest.fixture
    def secret(self) -> str:
        return CLIENT_SECRET


# ------------------------------------------------------------------ its own rules
@pytest.mark.parametrize("size", [1, 2, 5, 500])
def test_no_word_about_more_pages_is_not_the_end(agave: FakeAgave, size: int) -> None:
    agave.says_whether_there_is_more = False
    bill = agave.ledger.bill("ACME-1", "100")
    for number in range(5):
        agave.ledger.pay(f"CHK-{number}", (bill, "1"))
    assert len(read(pages(agave, page_size=size))) == 5


@pytest.mark.parametrize("can", ["obeys_filters", "takes_filters"])
def test_a_system_without_filters_is_read_whole_and_sieved(agave: FakeAgave, can: str) -> None:
    bill = agave.ledger.bill("ACME-1", "100")
    agave.ledger.pay("CHK-1", (bill, "1"))
    agave.ledger.pass_time(3600)
    cursor = pages(agave)[-1].cursor
    agave.ledger.pass_time(3600)
    agave.ledger.pay("CHK-2", (bill, "2"))
    setattr(agave, can, False)
    found = [each for page in pages(agave, cursor) for each in page.payments]
    assert [each.check_number for each in found] == ["CHK-2"]
    assert [each.bill_number for each in found[0].allocations] == ["ACME-1"]


def test_a_payment_that_moves_while_pages_are_turned_hides_no_other(agave: FakeAgave) -> None:
    bill = agave.ledger.bill("ACME-1", "100")
    made = []
    for number in range(6):
        agave.ledger.pass_time(10)
        made.append(agave.ledger.pay(f"CHK-{number}", (bill, "1")))
    found = {}
    for number, page in enumerate(connect(agave, page_size=2).pages(None)):
        found |= {each.check_number: each for each in page.payments}
        if number == 0:
            agave.ledger.pass_time(60)
            agave.ledger.unapply(made[0])
    assert set(found) == {f"CHK-{number}" for number in range(6)}
    assert found["CHK-0"].allocations == ()


def test_many_invoices_are_read_once_instead_of_by_their_ids(agave: FakeAgave) -> None:
    bills = [agave.ledger.bill(f"ACME-{number}", "10") for number in range(1_200)]
    for number in range(0, 1_200, 300):
        agave.ledger.pay(f"CHK-{number}", *[(each, "1") for each in bills[number : number + 300]])
    provider = connect(agave, limits=Limits())
    assert sum(len(each.allocations) for each in read(list(provider.pages(None)))) == 1_200
    # a page of payments, two of invoices, one of vendors
    assert provider.calls == 4


def test_two_lines_of_one_invoice_are_one_allocation(agave: FakeAgave) -> None:
    agave.ledger.pay("CHK-1", (agave.ledger.bill("ACME-1", "100"), "10"))
    (record,) = agave.records("ap-payments") or []
    record["line_items"] *= 2
    agave.tables["ap-payments"] = [record | {"total_amount": "20"}]
    (found,) = read(pages(agave))
    assert [each.amount for each in found.allocations] == [Decimal("20")]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (None, RemoteStatus.ISSUED),
        ("Posted", RemoteStatus.ISSUED),
        ("Voided", RemoteStatus.VOIDED),
        ("Pending approval", RemoteStatus.PENDING),
    ],
)
def test_a_system_that_says_a_state_is_heard(words: str | None, status: RemoteStatus) -> None:
    assert mapper.status_of(words) is status


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (None, RemoteMethod.CHECK),
        ("ACH", RemoteMethod.ELECTRONIC),
        ("CreditCard", RemoteMethod.CREDIT_CARD),
    ],
)
def test_the_method_is_read_from_its_name(words: str | None, method: RemoteMethod) -> None:
    assert mapper.method_of(words) is method


def test_a_bad_record_does_not_lose_the_others(agave: FakeAgave) -> None:
    bill = agave.ledger.bill("ACME-1", "100")
    for number in range(3):
        agave.ledger.pay(f"CHK-{number}", (bill, "1"))
    rows = agave.records("ap-payments") or []
    rows[1]["total_amount"] = "ten"
    agave.tables["ap-payments"] = rows
    found = pages(agave)
    assert len([each for page in found for each in page.payments]) == 2
    (rejected,) = [each for page in found for each in page.rejected]
    assert rejected.remote_id == rows[1]["id"]
    with pytest.raises(RecordError, match="cannot be read"):
        connect(agave).payment(rejected.remote_id)


def test_a_wrong_version_and_a_wrong_token_are_said(agave: FakeAgave) -> None:
    with pytest.raises(AuthenticationError, match="No valid API key"):
        connect(agave, credentials={"account_token": "nope"}).check()


def test_an_empty_setting_is_asked_for(agave: FakeAgave) -> None:
    with pytest.raises(ConfigurationError, match="has no “Currency of the books” yet"):
        connect(agave, settings={"currency": " "})


def test_vendors_are_searched_by_every_word(agave: FakeAgave) -> None:
    agave.ledger.vendor("V-BOLT", "Bolt Electric Inc")
    assert [each.code for each in connect(agave).vendors("electric BOLT")] == ["V-BOLT"]
