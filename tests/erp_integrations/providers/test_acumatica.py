"""The Acumatica provider against a stand-in that evaluates what it is asked."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from erp_integrations.providers.acumatica.provider import AcumaticaProvider
from tests.erp_integrations.providers.acumatica_books import AcumaticaBooks, connect
from tests.erp_integrations.providers.contract_suite import BadAnswersContract, ProviderContract
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.acumatica import FakeAcumatica
from tests.fakes.authorization import SECRET


@pytest.fixture
def acumatica() -> Iterator[FakeAcumatica]:
    fake = FakeAcumatica()
    with fake.running():
        yield fake


@pytest.fixture
def erp(acumatica: FakeAcumatica) -> AcumaticaBooks:
    return AcumaticaBooks(acumatica)


class TestTheContract(ProviderContract):
    pass


class TestTrouble(TroubleContract):
    # the names of the vendors of a page that are not known yet
    calls_besides_a_page = 1


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, erp: AcumaticaBooks) -> FakeAcumatica:
        erp.pay((erp.bill("10"), "10"))
        return erp.fake

    @pytest.fixture
    def reader(self, server: FakeAcumatica) -> Callable[..., AcumaticaProvider]:
        return partial(connect, server)

    @pytest.fixture
    def payment_id(self) -> str:
        return "check-000006"

    @pytest.fixture
    def secret(self) -> str:
        return SECRET
