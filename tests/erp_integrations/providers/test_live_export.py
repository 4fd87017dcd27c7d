"""Bills written into the running Tryton, with the connection cut a hundred times."""

import os
import uuid
from collections import Counter
from collections.abc import Iterator

import pytest

from erp_integrations.providers.contract import BillToExport
from erp_integrations.providers.errors import TransientError
from erp_integrations.providers.http import RetryPolicy
from erp_integrations.providers.tryton.bill_writer import BillWriter
from erp_integrations.providers.tryton.provider import TrytonProvider
from tests.erp_integrations.providers.export_contract import ExportContract, bill_to_export
from tests.fakes.cutting_proxy import Cut, CuttingProxy, When
from tests.live_tryton import LISTING, alone, connect, given

pytestmark = [pytest.mark.live_erp, pytest.mark.xdist_group("live_erp"), pytest.mark.timeout(600)]

INVOICES = 100
#: what else is cut besides the answer to the bill's creation, by turns
MORE_CUTS = (
    (),
    (Cut("post", When.AFTER),),
    (Cut("GET", When.AMID), Cut("GET", When.BEFORE)),
    (Cut("post", When.BEFORE), Cut("post", When.AMID)),
)


@pytest.fixture(autouse=True)
def one_at_a_time() -> Iterator[None]:
    with alone():
        yield


class LiveExporter:
    vendor_ref = str(LISTING["vendors"][0]["party_id"])
    order_ref = str(
        next(
            each["id"]
            for each in LISTING["purchase_orders"]
            if each["vendor_code"] == LISTING["vendors"][0]["code"]
        )
    )

    def __init__(self, url: str = "") -> None:
        self.url = url or given("TRYTON_URL")

    def provider(self) -> TrytonProvider:
        settings = {"url": self.url, "database": os.environ.get("TRYTON_DATABASE", "lab")}
        return TrytonProvider(
            settings,
            {"key": given("TRYTON_KEY")},
            allow_private_addresses=True,
            retries=RetryPolicy(attempts=1),
        )


@pytest.fixture
def exporter() -> LiveExporter:
    return LiveExporter()


class TestTheContract(ExportContract):
    """As everywhere; ``exporter`` is the one above."""


def attempts_until_made(exporter: LiveExporter, bill: BillToExport) -> int:
    for attempt in range(1, 10):
        provider = exporter.provider()
        try:
            assert provider.create_bill(bill).is_posted
        except TransientError:
            continue
        finally:
            provider.close()
        return attempt
    raise AssertionError("it was never made")


def test_a_hundred_lost_answers_leave_exactly_one_bill_each() -> None:
    """The connection is cut after Tryton has made the bill and before its answer arrives."""
    bills = []
    with CuttingProxy(given("TRYTON_URL")).running() as proxy:
        exporter = LiveExporter(proxy.url)
        for number in range(INVOICES):
            bills.append(bill_to_export(exporter, number=f"CUT-{uuid.uuid4().hex[:12]}"))
            cuts = (Cut("POST", When.AFTER), *MORE_CUTS[number % len(MORE_CUTS)])
            proxy.cuts.extend(cuts)
            assert attempts_until_made(exporter, bills[-1]) == len(cuts) + 1
    assert Counter(proxy.done)[Cut("POST", When.AFTER)] == INVOICES
    written = BillWriter(connect()._client).written
    found = {bill.key: written(bill.key) for bill in bills}
    assert {key: len(rows) for key, rows in found.items()} == {bill.key: 1 for bill in bills}
    assert all(row.is_posted for rows in found.values() for row in rows)
    assert len({row.id for rows in found.values() for row in rows}) == INVOICES
