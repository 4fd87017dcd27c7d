"""The Xero provider against a stand-in that speaks Xero's published API."""

from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from erp_integrations.providers.xero.provider import XeroProvider
from tests.erp_integrations.providers.contract_suite import BadAnswersContract, ProviderContract
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.erp_integrations.providers.xero_books import XeroBooks, connect, tokens_of
from tests.fakes.authorization import TokensInMemory
from tests.fakes.xero import FakeXero


@pytest.fixture
def xero() -> Iterator[FakeXero]:
    fake = FakeXero()
    with fake.running():
        yield fake


@pytest.fixture
def erp(xero: FakeXero) -> XeroBooks:
    return XeroBooks(xero)


class TestTheContract(ProviderContract):
    """As everywhere."""


class TestTrouble(TroubleContract):
    #: the names of payment runs
    calls_besides_a_page: ClassVar[int] = 1
    #: payments, prepayments and overpayments are three lists
    calls_of_any_reading: ClassVar[int] = 3


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, xero: FakeXero, erp: XeroBooks) -> FakeXero:
        erp.pay((erp.bill("10"), "10"))
        return xero

    @pytest.fixture
    def tokens(self, server: FakeXero) -> TokensInMemory:
        return tokens_of(server)

    @pytest.fixture
    def reader(self, server: FakeXero, tokens: TokensInMemory) -> Callable[[], XeroProvider]:
        return lambda: connect(server, tokens=tokens)

    @pytest.fixture
    def payment_id(self, server: FakeXero) -> str:
        return f"payment-{server.records.payments()[0]['PaymentID']}"

    @pytest.fixture
    def secret(self, tokens: TokensInMemory) -> str:
        return tokens.current()
