"""Whatever accountants do, and whenever it is read: every ERP's payments come out to the cent.

Random days in the books of each stand-in. In between they are read in small
pages from the last cursor, as a schedule would; in the end everything is read
once more, as a sweep does. Both have to say what the books say.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devservices.erp import StandIn
from erp_integrations.providers.contract import Page, RemotePayment, RemoteStatus
from tests.erp_integrations.providers.contract_suite import Bill
from tests.fakes.stand_in import make

CENTS = st.integers(min_value=1, max_value=99_999).map(lambda cents: Decimal(cents) / 100)
#: what an accountant does, and what the ERP has to have for it
ACTS = {
    "bill": "",
    "pay": "",
    "pay_directly": "unapply",
    "pend": "pending",
    "draft": "delete",
    "issue": "pending",
    "void": "void",
    "unapply": "unapply",
    "delete": "delete",
    "settle": "",
    "read": "",
}
#: (which act, which bill or check, amounts, size of a page)
ACT = st.tuples(
    st.sampled_from([*ACTS, "pay", "pay", "read"]),
    st.integers(0, 50),
    st.lists(CENTS, min_size=1, max_size=3),
    st.integers(1, 4),
)
Amounts = dict[str, dict[str, Decimal]]
Seen = dict[str, RemotePayment]


class Office:
    """An accountant of one ERP, what they did, and a reader that keeps what it read."""

    def __init__(self, name: str) -> None:
        self.fake = make(name)
        self.module = import_module(f"tests.erp_integrations.providers.{name}_books")
        (kind,) = [
            each
            for each in vars(self.module).values()
            if isinstance(each, type) and "lacks" in vars(each)
        ]
        self.accountant = kind(self.fake)
        self.bills: list[Bill] = [self.accountant.bill("500000")]
        #: checks by what can be done to them, and what each is for
        self.checks: dict[str, list[str]] = {"issued": [], "direct": [], "pending": [], "draft": []}
        self.pays: Amounts = {}
        self.cursor: Any = None
        self.seen: Seen = {}

    def do(self, act: str, place: int, amounts: list[Decimal], size: int) -> None:
        if ACTS[act] in self.accountant.lacks:
            return
        if act == "bill":
            self.bills.append(self.accountant.bill("500000"))
        elif act == "settle":
            self.accountant.settle()
        elif act == "read":
            self.accountant.settle()
            self.read(size)
        elif act in ("pay", "pend", "pay_directly", "draft"):
            self._pay(act, place, amounts)
        else:
            self._change(act, place)

    def _pay(self, act: str, place: int, amounts: list[Decimal]) -> None:
        chosen = {(place + step) % len(self.bills): amount for step, amount in enumerate(amounts)}
        pays = [(self.bills[number], str(amount)) for number, amount in chosen.items()]
        if act in ("pay_directly", "draft"):
            pays = pays[:1]
            check = getattr(self.accountant, act)(*pays[0])
        else:
            check = self.accountant.pay(*pays, **({"pending": True} if act == "pend" else {}))
        state = {"pay": "issued", "pend": "pending", "pay_directly": "direct"}.get(act, act)
        self.checks[state].append(check)
        self.pays[check] = {bill.remote_id: Decimal(amount) for bill, amount in pays}

    def _change(self, act: str, place: int) -> None:
        before = {"issue": "pending", "void": "issued", "unapply": "direct", "delete": "draft"}[act]
        if not self.checks[before]:
            return
        check = self.checks[before].pop(place % len(self.checks[before]))
        getattr(self.accountant, act)(check)
        if act == "issue":
            self.checks["issued"].append(check)
        else:
            del self.pays[check]

    def read(self, size: int) -> None:
        for page in self.pages(self.cursor, page_size=size):
            self._keep(page)
            self.cursor = page.cursor

    def pages(self, cursor: Any, **options: Any) -> list[Page]:
        provider = self.module.connect(self.fake, **options)
        try:
            return list(provider.pages(cursor))
        finally:
            provider.close()

    def _keep(self, page: Page) -> None:
        assert not page.rejected
        for payment in page.payments:
            before = self.seen.get(payment.remote_id)
            if before is None or before.modified_at <= payment.modified_at:
                self.seen[payment.remote_id] = payment
        for remote_id in page.deleted:
            self.seen.pop(remote_id, None)

    def everything(self) -> Seen:
        found: Seen = {}
        for page in self.pages(None, page_size=3):
            assert not page.rejected
            assert not {each.remote_id for each in page.payments} & set(found)
            found |= {each.remote_id: each for each in page.payments}
        return found

    def truth(self) -> Amounts:
        """What left for which bill, by check."""
        issued = [*self.checks["issued"], *self.checks["direct"]]
        can_wait = type(self.accountant.provider()).capabilities.pending
        if "pending" in self.accountant.lacks or not can_wait:  # what can be deleted is money
            issued += self.checks["draft"]
        return {check: self.pays[check] for check in issued}


def amounts_of(seen: Seen) -> Amounts:
    money: Amounts = defaultdict(dict)
    for payment in seen.values():
        if payment.status is RemoteStatus.ISSUED:
            for each in payment.allocations:
                bills = money[payment.check_number]
                bills[each.bill_id] = bills.get(each.bill_id, Decimal(0)) + each.amount
    return dict(money)


@contextmanager
def office(name: str) -> Iterator[Office]:
    made = Office(name)
    with made.fake.running():
        yield made


@pytest.mark.parametrize("name", StandIn.names())
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
@given(acts=st.lists(ACT, min_size=3, max_size=25))
def test_what_was_read_is_what_the_books_say(
    name: str, acts: list[tuple[str, int, list[Decimal], int]]
) -> None:
    with office(name) as books:
        for act in acts:
            books.do(*act)
        books.accountant.settle()
        books.read(2)
        assert amounts_of(books.everything()) == books.truth()
        gone = set(books.seen) - set(books.everything())
        kept = {key: each for key, each in books.seen.items() if key not in gone}
        assert amounts_of(kept) == books.truth()
        if type(books.module.connect(books.fake)).capabilities.tombstones:
            assert gone == set()
