"""The ERPNext provider against a stand-in that answers as a running site did."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from erp_integrations.providers.erpnext.provider import ErpNextProvider
from tests.erp_integrations.providers.contract_suite import BadAnswersContract, ProviderContract
from tests.erp_integrations.providers.erpnext_books import ErpNextBooks, connect, pages
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.erpnext import SECRET, FakeErpNext


@pytest.fixture
def erpnext() -> Iterator[FakeErpNext]:
    fake = FakeErpNext()
    with fake.running():
        yield fake


class TestTheContract(ProviderContract):
    @pytest.fixture
    def erp(self, erpnext: FakeErpNext) -> ErpNextBooks:
        return ErpNextBooks(erpnext)


class TestTrouble(TroubleContract):
    # payments, lines of journal entries, and tombstones are each asked to their end
    calls_of_any_reading = 3

    @pytest.fixture
    def erp(self, erpnext: FakeErpNext) -> ErpNextBooks:
        return ErpNextBooks(erpnext)


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, erpnext: FakeErpNext) -> FakeErpNext:
        erpnext.ledger.pay("CHK-1", (erpnext.ledger.bill("ACME-1", "10"), "10"))
        return erpnext

    @pytest.fixture
    def reader(self, server: FakeErpNext) -> Callable[..., ErpNextProvider]:
        return partial(connect, server)

    @pytest.fixture
    def payment_id(self, server: FakeErpNext) -> str:
        return pages(server)[0].payments[0].remote_id

    @pytest.fixture
    def secret(self) -> str:
        return SECRET
