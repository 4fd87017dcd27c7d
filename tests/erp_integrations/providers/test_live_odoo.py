"""The Odoo provider against a running Odoo 19, for those who have one: see ``live_odoo``."""

import os
from decimal import Decimal
from typing import Any

import pytest

from erp_integrations.providers.odoo.provider import OdooProvider
from tests.erp_integrations.providers.contract_suite import ProviderContract, read
from tests.erp_integrations.providers.export_contract import ExportContract
from tests.live_odoo import LiveOdoo, connect

if not os.environ.get("ODOO_URL"):
    pytest.skip("no Odoo was named in ODOO_URL", allow_module_level=True)

pytestmark = pytest.mark.timeout(300)
RPC = {"version": "18", "login": os.environ.get("ODOO_LOGIN", "admin")}


class TestTheContract(ProviderContract):
    @pytest.fixture(params=[{}, RPC], ids=["json-2", "json-rpc"])
    def erp(self, request: pytest.FixtureRequest) -> LiveOdoo:
        return LiveOdoo(**request.param)

    def test_amounts_are_in_the_currency_of_the_payment(self, erp: LiveOdoo) -> None:
        bill = erp.bill_in("EUR", "1200.40")
        (payment,) = self.of_check(erp, erp.pay((bill, "1200.40")))
        assert (payment.currency, payment.total) == ("EUR", Decimal("1200.40"))
        assert [each.amount for each in payment.allocations] == [Decimal("1200.40")]
        assert self.the_bill(erp, bill).paid == Decimal("1200.40")

    def test_a_discount_is_no_money(self, erp: LiveOdoo) -> None:
        bill = erp.bill("1000")
        (payment,) = self.of_check(erp, erp.pay_with_discount(bill, "980", "20"))
        (allocation,) = payment.allocations
        assert (allocation.amount, allocation.discount) == (Decimal("980"), Decimal("20"))
        assert self.the_bill(erp, bill).paid == Decimal("980")

    def test_a_refund_of_the_vendor_is_no_money(self, erp: LiveOdoo) -> None:
        bill = erp.bill("1000")
        erp.credit(bill, "300")
        assert self.the_bill(erp, bill).paid == 0
        (payment,) = self.of_check(erp, erp.pay((bill, "700")))
        assert payment.allocations[0].amount == Decimal("700")
        assert self.the_bill(erp, bill).paid == Decimal("700")

    def test_what_is_taken_off_a_payment_that_is_not_used_up_is_noticed(
        self, erp: LiveOdoo
    ) -> None:
        bill = erp.bill("70")
        check, line = erp.standalone("500")
        erp.settle()
        erp.apply(line, bill)
        erp.settle()
        cursor = self.pages(erp, overlap_seconds=0)[-1].cursor
        erp.settle()
        erp.unapply(check)
        found = read(self.pages(erp, cursor, overlap_seconds=0))
        assert [(each.check_number, each.allocations) for each in found] == [(check, ())]


class LiveExporter:
    order_ref = ""

    def __init__(self) -> None:
        self.vendor_ref = str(LiveOdoo().vendor)

    def provider(self) -> OdooProvider:
        return connect()


class TestTheExport(ExportContract):
    @pytest.fixture
    def exporter(self) -> Any:
        return LiveExporter()
