"""The provider contract over the stand-in for QuickBooks Online, and this ERP's own traps."""

from collections.abc import Callable, Iterator

import pytest

from erp_integrations.providers.contract import Provider
from erp_integrations.providers.http import Limits
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    ProviderContract,
)
from tests.erp_integrations.providers.quickbooks_online_books import (
    QuickBooksBooks,
    connect,
    grant,
)
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.quickbooks_online import FakeQuickBooksOnline


@pytest.fixture
def quickbooks() -> Iterator[FakeQuickBooksOnline]:
    fake = FakeQuickBooksOnline()
    with fake.running():
        yield fake


@pytest.fixture
def erp(quickbooks: FakeQuickBooksOnline) -> QuickBooksBooks:
    return QuickBooksBooks(quickbooks)


class TestTheContract(ProviderContract):
    """As everywhere; ``erp`` is the one above."""


class TestTrouble(TroubleContract):
    calls_besides_a_page = 1


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, quickbooks: FakeQuickBooksOnline) -> FakeQuickBooksOnline:
        return quickbooks

    @pytest.fixture
    def reader(self, quickbooks: FakeQuickBooksOnline) -> Callable[[], Provider]:
        tokens = grant(quickbooks)
        limits = Limits(connect_seconds=1, read_seconds=0.3, total_seconds=0.6, max_bytes=2_000_000)
        return lambda: connect(quickbooks, tokens=tokens, limits=limits)

    @pytest.fixture
    def payment_id(self) -> str:
        return "7"

    @pytest.fixture
    def secret(self, quickbooks: FakeQuickBooksOnline) -> str:
        return "Bearer "
