"""The Tryton provider against a running Tryton, acted in over the network.

``dev.py test`` starts one and says where it is; without it these tests fail.
The books are shared and keep what earlier tests did, so every test makes bills
of its own.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    RecordNotFound,
)
from tests.erp_integrations.providers.contract_suite import Erp, ProviderContract, read
from tests.live_tryton import LISTING, accountant, alone, bill_ids, connect

pytestmark = [pytest.mark.live_erp, pytest.mark.xdist_group("live_erp"), pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def one_at_a_time() -> Iterator[None]:
    with alone():
        yield


@pytest.fixture(scope="module")
def erp() -> Iterator[Erp]:
    with accountant() as books:
        yield books


class TestTheContract(ProviderContract):
    """As everywhere; ``erp`` is the one above."""


def test_the_seeded_books_read_as_their_listing_says() -> None:
    payments = {(p.check_number, a.bill_number): (p, a) for p, a in allocations()}
    for check in LISTING["checks"]:
        for pay in check["pays"]:
            payment, allocation = payments[check["number"], pay["bill"]]
            assert allocation.amount == Decimal(pay["amount"])
            assert payment.date.isoformat() == check["date"]


def allocations() -> Iterator[Any]:
    for payment in read(list(connect().pages(None))):
        for allocation in payment.allocations:
            yield payment, allocation


def test_the_seeded_bills_have_the_ids_of_the_listing() -> None:
    ids = bill_ids()
    assert all(ids[bill["reference"]] == str(bill["id"]) for bill in LISTING["bills"])


def test_no_money_is_on_both_roads(erp: Erp) -> None:
    """A payment through the clearing journal never shows among a bill's payment lines."""
    bill = erp.bill("100")
    erp.pay((bill, "40"))
    erp.pay_directly(bill, "60")
    found = [p for p, a in allocations() if a.bill_id == bill.remote_id]
    assert sorted(p.remote_id.split("-")[0] for p in found) == ["line", "payment"]
    assert sum(p.total for p in found) == Decimal("100")


def test_a_payment_may_not_vanish_for_want_of_rights() -> None:
    """Tryton says 404 for a single record that the user may not read."""
    nobody = connect(key=LISTING["rest_key_without_rights"])
    with pytest.raises(AuthenticationError, match="You are not allowed"):
        nobody.payment("payment-1")


def test_a_payment_may_not_vanish_for_a_wrong_database() -> None:
    with pytest.raises(ConfigurationError, match="no database"):
        connect(database="nope").payment("payment-1")


def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        connect(key="nope").check()


def test_a_payment_that_never_was_is_not_found() -> None:
    for remote_id in ("payment-999999", "line-999999"):
        with pytest.raises(RecordNotFound):
            connect().payment(remote_id)


def test_a_full_read_keeps_the_order_of_changes() -> None:
    payments = [
        payment
        for page in connect(page_size=3).pages(None)
        for payment in page.payments
        if payment.remote_id.startswith("payment-")
    ]
    moments = [(payment.modified_at, int(payment.remote_id[8:])) for payment in payments]
    assert moments == sorted(moments)


def test_what_can_be_linked_to_is_what_the_listing_says() -> None:
    provider = connect(page_size=2)
    vendors = {(each.remote_id, each.code, each.name) for each in provider.vendors()}
    assert {(str(v["party_id"]), v["code"], v["name"]) for v in LISTING["vendors"]} <= vendors
    assert LISTING["company"] not in {name for _, _, name in vendors}
    jobs = [(each.remote_id, each.code, each.name) for each in provider.jobs()]
    assert jobs == [(str(job["id"]), job["code"], job["name"]) for job in LISTING["jobs"]]
    orders = {each.remote_id: each for each in provider.commitments()}
    for listed in LISTING["purchase_orders"]:
        order = orders[str(listed["id"])]
        assert (order.code, order.title) == (listed["reference"], listed["title"])
        assert order.total == Decimal(listed["total"])


def test_a_search_asks_the_erp_for_the_words() -> None:
    assert [each.code for each in connect().vendors("ridge pine")] == ["V-PINE"]
    assert [each.code for each in connect().jobs("summit")] == ["2026-044"]
    assert [each.code for each in connect().commitments("lumen exterior")] == ["PO-2026-041"]
    assert list(connect().vendors("100%_")) == []


def test_orders_that_the_user_may_not_read_are_a_missing_right() -> None:
    nobody = connect(key=LISTING["rest_key_without_rights"])
    with pytest.raises(ConfigurationError, match="does not let the user of the key read its"):
        list(nobody.commitments())
