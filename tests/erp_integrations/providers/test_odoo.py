"""The Odoo provider against a stand-in that answers as Odoo 19, 18 and 17 do."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from erp_integrations.providers.odoo.provider import OdooProvider
from tests.erp_integrations.providers.contract_suite import (
    BadAnswersContract,
    ProviderContract,
    read,
)
from tests.erp_integrations.providers.odoo_books import OdooBooks, connect
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.odoo import KEY, FakeOdoo


class TestTheContract(ProviderContract, TroubleContract):
    @pytest.fixture
    def erp(self, odoo: FakeOdoo) -> OdooBooks:
        return OdooBooks(odoo)


class TestTheContractOfOdoo18(ProviderContract):
    """The same over JSON-RPC."""

    @pytest.fixture
    def erp(self) -> Iterator[OdooBooks]:
        fake = FakeOdoo(18)
        with fake.running():
            yield OdooBooks(fake)


class TestTheContractOfOdoo17(ProviderContract, TroubleContract):
    """The same where a payment is an entry with a few fields more."""

    def test_it_reads_the_payments_of_some_bills_only(self, erp: Any) -> None:
        """Odoo 17 forgets what a cancelled payment paid; the sync asks for those it knows."""
        one, two, other = erp.bill("70"), erp.bill("30"), erp.bill("20")
        checks = {erp.pay((one, "10"), (two, "5")), erp.pay((two, "3"), pending=True)}
        erp.pay((other, "15"))
        erp.void(erp.pay((one, "9")))
        found = read(list(erp.provider().payments_on([one.remote_id, two.remote_id])))
        assert {each.check_number for each in found} == checks

    @pytest.fixture
    def erp(self) -> Iterator[OdooBooks]:
        fake = FakeOdoo(17)
        with fake.running():
            yield OdooBooks(fake)


class TestBadAnswers(BadAnswersContract):
    @pytest.fixture
    def server(self, odoo: FakeOdoo) -> FakeOdoo:
        odoo.ledger.pay("CHK-1", (odoo.ledger.bill("ACME-1", "10"), "10"))
        return odoo

    @pytest.fixture
    def reader(self, server: FakeOdoo) -> Callable[..., OdooProvider]:
        return partial(connect, server)

    @pytest.fixture
    def payment_id(self) -> str:
        return "204"

    @pytest.fixture
    def secret(self) -> str:
        return KEY
