"""What every provider must survive: limits, failures, and books that change while it reads.

``TroubleContract`` needs what ``ProviderContract`` needs, over a stand-in whose
server is ``erp.server``. An ERP that really does not have an act says why in
``lacks``; the tests that need the act are skipped with that sentence.
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import ceil
from typing import Any, ClassVar, Protocol

import pytest

from erp_integrations.providers.contract import Page, RemotePayment, RemoteStatus
from erp_integrations.providers.errors import AuthenticationError, RateLimited, TransientError
from erp_integrations.providers.http import RetryPolicy
from tests.erp_integrations.providers.contract_suite import HTML, Bill, Erp, needs, read
from tests.fakes.http_server import HttpServer, Reply

#: tries again without waiting, except where the ERP says how long
PATIENT = RetryPolicy(attempts=4, wait_initial=0, wait_max=0, wait_jitter=0)
BUSY = Reply(429, b"slow down", HTML)
BUSY_FOR_A_SECOND = Reply(429, b"slow down", HTML, {"Retry-After": "1"})
BUSY_FOR_AN_HOUR = Reply(429, b"slow down", HTML, {"Retry-After": "3600"})
DOWN = Reply(503, b"<h1>Maintenance</h1>", HTML)
CUT = Reply(200, b"[", promise=5000)


class TroubledErp(Erp, Protocol):
    """An accountant whose ERP's server can be told to fail."""

    server: HttpServer

    def now(self) -> dt.datetime:
        """The ERP's clock, aware."""

    def bill_in(self, currency: str, total: str) -> Bill: ...
    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str: ...
    def credit(self, bill: Bill, amount: str) -> None:
        """The vendor's credit pays a part of the bill; no money leaves."""

    def expire(self) -> None:
        """Every access token that was given out runs out now."""

    def revoke(self) -> None:
        """The right to read the books is taken back."""


def applied(payments: Sequence[RemotePayment]) -> Counter[tuple[str, str]]:
    """How often which cent of which payment was read: (payment, bill and amount)."""
    return Counter(
        (payment.remote_id, f"{each.bill_id}/{each.bill_line_id}: {each.amount}")
        for payment in payments
        for each in payment.allocations
    )


class TroubleContract:
    #: further questions that a page of payments takes, such as one for its allocations
    calls_besides_a_page: ClassVar[int] = 0
    #: questions that every reading begins or ends with, whatever there is
    calls_of_any_reading: ClassVar[int] = 1

    def three_checks(self, erp: TroubledErp) -> dict[str, Decimal]:
        bill, other = erp.bill("900"), erp.bill("35.07")
        paid = {erp.pay((bill, amount)): Decimal(amount) for amount in ("10.01", "20.02")}
        return paid | {erp.pay((bill, "30.03"), (other, "35.07")): Decimal("65.10")}

    def sums(self, payments: Sequence[RemotePayment], checks: Any) -> dict[str, Decimal]:
        found: dict[str, Decimal] = dict.fromkeys(checks, Decimal(0))
        for payment in payments:
            for each in payment.allocations:
                if payment.check_number in found:
                    found[payment.check_number] += each.amount
        return found

    # -------------------------------------------------------------- the server
    @pytest.mark.parametrize("fault", [BUSY, BUSY_FOR_A_SECOND, DOWN, CUT], ids=repr)
    def test_after_a_failure_it_reads_everything_once(self, erp: TroubledErp, fault: Reply) -> None:
        checks = self.three_checks(erp)
        whole = applied(read(list(erp.provider().pages(None))))
        for place in range(3):
            provider = erp.provider(retries=PATIENT, page_size=2)
            pages = _failing_at(erp.server, fault, provider.pages(None), place)
            payments = read(pages)
            assert self.sums(payments, checks) == checks
            assert applied(payments) == whole

    def test_a_long_pause_is_left_to_the_next_run(self, erp: TroubledErp) -> None:
        erp.server.faults.extend([BUSY_FOR_AN_HOUR] * 4)
        provider = erp.provider(retries=PATIENT)
        with pytest.raises(RateLimited) as raised:
            list(provider.pages(None))
        assert raised.value.retry_after == pytest.approx(3600, abs=5)
        assert provider.calls == 1
        erp.server.faults.clear()

    def test_every_request_is_counted(self, erp: TroubledErp) -> None:
        self.three_checks(erp)
        provider = erp.provider(retries=PATIENT)
        erp.server.requests.clear()
        erp.server.faults.append(DOWN)
        read(list(provider.pages(None)))
        api = [each for each in erp.server.requests if "token" not in each.path]
        assert provider.calls == len(api)

    # -------------------------------------------------------------- the sign-in
    @needs("expire")
    def test_a_token_that_runs_out_between_two_pages_is_renewed(self, erp: TroubledErp) -> None:
        checks = self.three_checks(erp)
        provider, found = erp.provider(page_size=1), []
        for page in provider.pages(None):
            found.append(page)
            erp.expire()
        assert self.sums(read(found), checks) == checks

    @needs("revoke")
    def test_a_right_that_was_taken_back_stops_the_connection(self, erp: TroubledErp) -> None:
        self.three_checks(erp)
        provider = erp.provider()
        erp.revoke()
        with pytest.raises(AuthenticationError) as raised:
            list(provider.pages(None))
        assert not isinstance(raised.value, TransientError)

    # --------------------------------------------------- books that are being kept
    def test_what_changes_while_it_reads_is_in_this_reading_or_the_next(
        self, erp: TroubledErp
    ) -> None:
        bill = erp.bill("500")
        checks = [erp.pay((bill, "1.10")) for _ in range(4)]
        late, found = "", []
        for number, page in enumerate(erp.provider(page_size=1).pages(None)):
            found.append(page)
            if number == 1:
                erp.settle()
                erp.void(checks[0])
                late = erp.pay((bill, "7.77"))
        erp.settle()
        again = list(erp.provider(page_size=1).pages(found[-1].cursor))
        last = {each.remote_id: each for each in read(found) + read(again)}
        by_check = {each.check_number: each for each in last.values()}
        assert by_check[checks[0]].status is RemoteStatus.VOIDED
        assert by_check[late].total == Decimal("7.77")
        assert {by_check[check].status for check in checks[1:]} == {RemoteStatus.ISSUED}

    def test_rows_of_one_moment_survive_every_page_border(self, erp: TroubledErp) -> None:
        bill = erp.bill("500")
        checks = {erp.pay((bill, f"{cents}.03")): Decimal(f"{cents}.03") for cents in range(1, 8)}
        for size in (1, 2, 3, 7):
            payments = read(list(erp.provider(page_size=size).pages(None)))
            assert self.sums(payments, checks) == checks
            assert set(applied(payments).values()) == {1}

    def test_after_every_page_it_can_go_on_in_a_new_process(self, erp: TroubledErp) -> None:
        checks = self.three_checks(erp)
        found: list[Page] = []
        cursor: Any = None
        for _ in range(200):
            pages = erp.provider(page_size=1).pages(cursor, resume=cursor is not None)
            page = next(iter(pages), None)
            rest = next(iter(pages), None) if page else None
            if page:
                found.append(page)
                cursor = page.cursor
            if page is None or rest is None:
                break
        assert self.sums(read(found), checks) == checks
        assert set(applied(read(found)).values()) == {1}

    # ------------------------------------------------------------ what it says
    def test_moments_are_the_erps_own_in_utc(self, erp: TroubledErp) -> None:
        erp.settle()
        check = erp.pay((erp.bill("12.50"), "12.50"))
        provider = erp.provider()
        (payment,) = [p for p in read(list(provider.pages(None))) if p.check_number == check]
        allowed = dt.timedelta(seconds=2 + type(provider).capabilities.time_resolution_seconds)
        assert payment.modified_at.utcoffset() == dt.timedelta(0)
        assert abs(payment.modified_at - erp.now()) <= allowed

    @needs("bill_in")
    def test_amounts_are_in_the_currency_of_the_payment(self, erp: TroubledErp) -> None:
        bill = erp.bill_in("EUR", "1200.40")
        check = erp.pay((bill, "1200.40"))
        found = [p for p in read(list(erp.provider().pages(None))) if p.check_number == check]
        assert [(p.currency, p.total) for p in found] == [("EUR", Decimal("1200.40"))]
        assert [each.amount for each in found[0].allocations] == [Decimal("1200.40")]
        (asked,) = erp.provider().bills([bill.remote_id])
        assert (asked.currency, asked.paid) == ("EUR", Decimal("1200.40"))

    @needs("pay_with_discount")
    def test_a_discount_is_no_money(self, erp: TroubledErp) -> None:
        bill = erp.bill("1000")
        check = erp.pay_with_discount(bill, "980", "20")
        (payment,) = [p for p in read(list(erp.provider().pages(None))) if p.check_number == check]
        assert payment.total == Decimal("980")
        assert [(each.amount, each.discount) for each in payment.allocations] == [
            (Decimal("980"), Decimal("20"))
        ]

    @needs("credit")
    def test_a_vendors_credit_is_no_money(self, erp: TroubledErp) -> None:
        bill = erp.bill("1000")
        before = applied(read(list(erp.provider().pages(None))))
        erp.credit(bill, "300")
        check = erp.pay((bill, "700"))
        payments = read(list(erp.provider().pages(None)))
        new = applied(payments) - before
        assert sum(Decimal(amount.rpartition(" ")[2]) for _, amount in new) == Decimal("700")
        assert self.sums(payments, {check}) == {check: Decimal("700")}
        (asked,) = erp.provider().bills([bill.remote_id])
        assert asked.paid == Decimal("700")

    # ------------------------------------------------------------------ the cost
    @pytest.mark.parametrize("changed", [0, 1, 2, 5])
    def test_what_changed_costs_no_more_calls_than_its_pages(
        self, erp: TroubledErp, changed: int
    ) -> None:
        bill = erp.bill("900")
        erp.pay((bill, "1"))
        cursor = list(erp.provider(overlap_seconds=0).pages(None))[-1].cursor
        erp.settle()
        cursor = list(erp.provider(overlap_seconds=0).pages(cursor))[-1].cursor
        checks = {erp.pay((bill, f"{cents + 1}.01")) for cents in range(changed)}
        size = 2
        provider = erp.provider(page_size=size, overlap_seconds=0)
        found = read(list(provider.pages(cursor)))
        assert {each.check_number for each in found} >= checks
        pages = ceil(len(found) / size)
        most = pages * (1 + self.calls_besides_a_page) + self.calls_of_any_reading
        assert provider.calls <= most


def _failing_at(server: HttpServer, fault: Reply, pages: Iterator[Page], place: int) -> list[Page]:
    """All pages, of which the one at this place needs a second try."""
    before = list(itertools.islice(pages, place))
    server.faults.append(fault)
    return before + list(pages)
