"""The Tryton provider against a running Tryton, acted in over the network.

``dev.py test`` starts one and says where it is; without it these tests fail.
The books are shared and keep what earlier tests did, so every test makes bills
of its own.
"""

import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    RecordNotFound,
)
from erp_integrations.providers.tryton.provider import TrytonProvider
from tests.erp_integrations.providers.contract_suite import Bill, Erp, ProviderContract, read

pytestmark = [pytest.mark.live_erp, pytest.mark.xdist_group("live_erp"), pytest.mark.timeout(300)]

BOOKS = Path(__file__).parents[3] / "tryton" / "books.py"
LISTING = json.loads(BOOKS.with_name("books.json").read_text(encoding="utf-8"))


def given(name: str) -> str:
    value = os.environ.get(name)
    assert value, f"{name} is not set: run these tests with `python3 dev.py test`."
    return value


def connect(**options: Any) -> TrytonProvider:
    database = options.pop("database", os.environ.get("TRYTON_DATABASE", "lab"))
    key = options.pop("key", None) or given("TRYTON_KEY")
    settings = {"url": given("TRYTON_URL"), "database": database}
    return TrytonProvider(settings, {"key": key}, allow_private_addresses=True, **options)


class LiveBooks:
    """An accountant at work: one process that talks to the ERP, one line an act."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.numbers = itertools.count(int(time.time() * 10))

    def act(self, *words: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "said" in answer, answer
        return str(answer["said"])

    def bill(self, total: str) -> Bill:
        reference = f"T-{next(self.numbers)}"
        self.act("new-bill", "V-BOLT", reference, total)
        return Bill(bill_ids()[reference], reference)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        return self._pay(pays, *(["--pending"] if pending else []))

    def pay_directly(self, bill: Bill, amount: str) -> str:
        return self._pay([(bill, amount)], "--wizard")

    def draft(self, bill: Bill, amount: str) -> str:
        return self._pay([(bill, amount)], "--approved")

    def _pay(self, pays: Any, *options: str) -> str:
        check = f"C-{next(self.numbers)}"
        words = [word for bill, amount in pays for word in (bill.number, amount)]
        self.act("pay", *words, "--check", check, *options)
        return check

    def issue(self, check: str) -> None:
        self.act("issue", check)

    def void(self, check: str) -> None:
        self.act("void", check)

    def unapply(self, check: str) -> None:
        self.act("delete", check)

    def delete(self, check: str) -> None:
        self.act("delete", check)

    def settle(self) -> None:
        time.sleep(2.1)

    def provider(self, **options: int) -> TrytonProvider:
        return connect(**options)


def bill_ids() -> dict[str, str]:
    return {bill.number: bill.remote_id for bill in connect().bills()}


@pytest.fixture(scope="module")
def erp() -> Iterator[Erp]:
    command = [given("TRYTON_PYTHON"), str(BOOKS), "batch"]
    given("TRYTON_URL")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield LiveBooks(process)
        assert process.stdin is not None
        process.stdin.close()


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
