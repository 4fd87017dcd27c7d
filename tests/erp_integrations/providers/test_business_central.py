"""The Business Central provider against a stand-in that posts as the real ledger does."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from erp_integrations.providers.business_central.provider import BusinessCentralProvider
from tests.erp_integrations.providers.business_central_books import BusinessCentralBooks, connect
from tests.erp_integrations.providers.contract_suite import BadAnswersContract, ProviderContract
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.authorization import SECRET
from tests.fakes.business_central import FakeBusinessCentral


@pytest.fixture
def erp() -> Iterator[BusinessCentralBooks]:
    fake = FakeBusinessCentral()
    with fake.running():
        yield BusinessCentralBooks(fake)


class TestTheContract(ProviderContract):
    pass


class TestTrouble(TroubleContract):
    # the changes of the ledger are kept apart from the entries that they belong to
    calls_besides_a_page = 1


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, erp: BusinessCentralBooks) -> FakeBusinessCentral:
        erp.pay((erp.bill("10"), "10"))
        return erp.fake

    @pytest.fixture
    def reader(self, server: FakeBusinessCentral) -> Callable[..., BusinessCentralProvider]:
        return partial(connect, server)

    @pytest.fixture
    def payment_id(self) -> str:
        return "103"

    @pytest.fixture
    def secret(self) -> str:
        return SECRET
