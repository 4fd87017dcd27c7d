"""What every provider must do, whatever its ERP: inherit, and give the fixtures.

``ProviderContract`` needs a fixture ``erp`` that gives an ``Erp``: somebody who
can act in the ERP's books and make providers that read them. The scenario
starts from whatever the books hold; tests only look at what they made.
``BadAnswersContract`` needs ``server``, which answers as told, and ``reader``.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import pytest

from erp_integrations.providers.contract import (
    Cursor,
    Page,
    PaymentQuestion,
    Provider,
    RemoteBill,
    RemotePayment,
    RemoteStatus,
)
from erp_integrations.providers.errors import (
    AuthenticationError,
    ErpError,
    ProtocolError,
    RateLimited,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.http import Limits
from tests.fakes.http_server import HttpServer, Reply


class Bill(NamedTuple):
    remote_id: str
    number: str


class Erp(Protocol):
    """An accountant in the ERP. Checks are known by their number.

    ``lacks``: acts that this ERP really does not have, and why, as a sentence.
    """

    lacks: Mapping[str, str]

    def bill(self, total: str) -> Bill: ...
    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str: ...
    def pay_directly(self, bill: Bill, amount: str) -> str:
        """By the road that can be un-applied later."""

    def issue(self, check: str) -> None: ...
    def void(self, check: str) -> None: ...
    def unapply(self, check: str) -> None: ...
    def draft(self, bill: Bill, amount: str) -> str:
        """A payment on its way that can still be deleted."""

    def delete(self, check: str) -> None: ...
    def settle(self) -> None:
        """Until the ERP's clock has moved on by more than its resolution."""

    def provider(self, **options: Any) -> Provider:
        """``options`` as the provider's class takes them: ``page_size``, ``overlap_seconds`` …"""


def needs(*acts: str) -> pytest.MarkDecorator:
    """A test of acts that not every ERP has."""
    return pytest.mark.needs(*acts)


def read(pages: Sequence[Page]) -> list[RemotePayment]:
    """The payments of these pages. Whatever was rejected fails the test."""
    assert [page.rejected for page in pages if page.rejected] == []
    return [payment for page in pages for payment in page.payments]


def ids(payments: Sequence[RemotePayment]) -> set[str]:
    return {payment.remote_id for payment in payments}


def waits(erp: Erp) -> bool:
    """Whether payments of this ERP can wait for something before they are money."""
    return "pending" not in erp.lacks


class ProviderContract:
    """Books as accountants keep them, read back."""

    def pages(
        self, erp: Erp, cursor: Cursor | None = None, *, resume: bool = False, **options: int
    ) -> list[Page]:
        return list(erp.provider(**options).pages(cursor, resume=resume))

    def of_check(self, erp: Erp, check: str) -> list[RemotePayment]:
        found = read(self.pages(erp))
        return sorted((p for p in found if p.check_number == check), key=lambda p: p.total)

    def the_bill(self, erp: Erp, bill: Bill) -> RemoteBill:
        (found,) = erp.provider().bills([bill.remote_id])
        return found

    def test_it_says_what_it_is_connected_to(self, erp: Erp) -> None:
        assert type(erp.provider()).label in erp.provider().check()

    def test_it_reads_a_payment_of_a_whole_bill(self, erp: Erp) -> None:
        bill = erp.bill("1234.56")
        (payment,) = self.of_check(erp, erp.pay((bill, "1234.56")))
        assert payment.status is RemoteStatus.ISSUED
        assert (payment.total, payment.currency) == (Decimal("1234.56"), "USD")
        (allocation,) = payment.allocations
        assert (allocation.bill_id, allocation.bill_number) == bill
        assert allocation.amount == Decimal("1234.56")
        assert payment.vendor_ref and payment.vendor_name and payment.number
        assert payment.modified_at.utcoffset() is not None

    def test_it_adds_part_payments_of_a_bill_to_the_cent(self, erp: Erp) -> None:
        bill = erp.bill("100.00")
        checks = [erp.pay((bill, amount)) for amount in ("0.10", "0.20", "33.33")]
        payments = [payment for check in checks for payment in self.of_check(erp, check)]
        assert sum(payment.total for payment in payments) == Decimal("33.63")
        assert self.the_bill(erp, bill).paid == Decimal("33.63")

    def test_it_splits_a_check_over_several_bills(self, erp: Erp) -> None:
        one, two = erp.bill("899.50"), erp.bill("1100.50")
        payments = self.of_check(erp, erp.pay((one, "899.50"), (two, "1100.50")))
        paid = {a.bill_id: a.amount for payment in payments for a in payment.allocations}
        assert paid == {one.remote_id: Decimal("899.50"), two.remote_id: Decimal("1100.50")}

    @needs("void")
    def test_it_keeps_a_voided_payment_as_voided(self, erp: Erp) -> None:
        bill = erp.bill("3200")
        check = erp.pay((bill, "3200"))
        erp.void(check)
        (payment,) = self.of_check(erp, check)
        assert (payment.status, payment.total) == (RemoteStatus.VOIDED, Decimal("3200"))
        assert self.the_bill(erp, bill).paid == 0

    @needs("pending")
    def test_it_does_not_take_a_pending_payment_for_money(self, erp: Erp) -> None:
        bill = erp.bill("500")
        check = erp.pay((bill, "200"), pending=True)
        (before,) = self.of_check(erp, check)
        assert before.status is RemoteStatus.PENDING
        assert self.the_bill(erp, bill).paid == 0
        erp.issue(check)
        (after,) = self.of_check(erp, check)
        assert (after.remote_id, after.status) == (before.remote_id, RemoteStatus.ISSUED)
        assert self.the_bill(erp, bill).paid == Decimal("200")

    @needs("unapply")
    def test_it_tells_a_payment_that_was_unapplied_from_its_bill(self, erp: Erp) -> None:
        bill = erp.bill("750")
        check = erp.pay_directly(bill, "250")
        (payment,) = self.of_check(erp, check)
        assert payment.allocations[0].bill_id == bill.remote_id
        assert self.the_bill(erp, bill).paid == Decimal("250")
        erp.unapply(check)
        assert self.the_bill(erp, bill).paid == 0
        assert all(not again.allocations for again in self.of_check(erp, check))

    def test_it_reads_one_payment_by_its_id(self, erp: Erp) -> None:
        bill = erp.bill("80")
        for check in (erp.pay((bill, "30")), erp.pay_directly(bill, "50")):
            (payment,) = self.of_check(erp, check)
            assert erp.provider().payment(payment.remote_id) == payment

    @needs("delete")
    def test_it_says_not_found_of_a_deleted_payment(self, erp: Erp) -> None:
        check = erp.draft(erp.bill("60"), "60")
        (payment,) = self.of_check(erp, check)
        erp.delete(check)
        assert self.of_check(erp, check) == []
        with pytest.raises(RecordNotFound):
            erp.provider().payment(payment.remote_id)

    def test_it_reads_only_what_changed(self, erp: Erp) -> None:
        bill = erp.bill("900")
        untouched, changed = erp.pay((bill, "100")), erp.pay((bill, "200"), pending=waits(erp))
        cursor = self.pages(erp, overlap_seconds=0)[-1].cursor
        erp.settle()
        cursor = self.pages(erp, cursor, overlap_seconds=0)[-1].cursor
        erp.issue(changed) if waits(erp) else erp.void(changed)
        new = erp.pay_directly(bill, "300")
        found = read(self.pages(erp, cursor, overlap_seconds=0))
        assert {payment.check_number for payment in found} == {changed, new}
        assert untouched not in {payment.check_number for payment in found}

    def test_it_reads_again_what_may_have_come_late(self, erp: Erp) -> None:
        check = erp.pay((erp.bill("40"), "40"))
        cursor = self.pages(erp)[-1].cursor
        found = read(self.pages(erp, cursor))
        assert check in {payment.check_number for payment in found}

    def test_it_ends_with_a_cursor_even_when_nothing_changed(self, erp: Erp) -> None:
        cursor = self.pages(erp)[-1].cursor
        erp.settle()
        again = self.pages(erp, cursor, overlap_seconds=0)
        assert again and again[-1].cursor

    def test_it_reads_the_same_in_small_pages(self, erp: Erp) -> None:
        bill = erp.bill("70")
        erp.pay((bill, "10"), (erp.bill("20"), "20"))
        erp.pay_directly(bill, "5")
        whole = sorted(map(repr, read(self.pages(erp))))
        for size in (1, 2):
            parts = self.pages(erp, page_size=size)
            assert sorted(map(repr, read(parts))) == whole

    def test_it_goes_on_exactly_after_a_stored_cursor(self, erp: Erp) -> None:
        bill = erp.bill("70")
        erp.pay((bill, "10"))
        erp.pay_directly(bill, "5")
        erp.settle()
        pages = self.pages(erp, page_size=1)
        for number in {0, len(pages) // 2, len(pages) - 2, len(pages) - 1}:
            stored = json.loads(json.dumps(pages[number].cursor))
            rest = self.pages(erp, stored, resume=True)
            assert read(rest) == read(pages[number + 1 :])

    @needs("payments_on")
    def test_it_reads_the_payments_of_some_bills_only(self, erp: Erp) -> None:
        one, two, other = erp.bill("70"), erp.bill("30"), erp.bill("20")
        checks = {erp.pay((one, "10"), (two, "5")), erp.pay_directly(two, "5")}
        pending, elsewhere = erp.pay((two, "3"), pending=waits(erp)), erp.pay((other, "15"))
        voided = erp.pay((one, "9"))
        erp.void(voided)
        # Where a void empties the record it has lost its bills with everything else.
        still_known = set() if "void" in erp.lacks else {voided}
        whole = {each.remote_id: each for each in read(self.pages(erp))}
        for size in (1, 500):
            pages = list(erp.provider(page_size=size).payments_on([one.remote_id, two.remote_id]))
            found = read(pages)
            assert {each.check_number for each in found} == {*checks, pending, *still_known}
            assert elsewhere not in {each.check_number for each in found}
            assert all(whole[each.remote_id] == each for each in found)
            assert not any(page.cursor for page in pages)

    @needs("payments_on")
    def test_it_asks_one_question_a_road_for_a_page_of_bills(self, erp: Erp) -> None:
        bills = [erp.bill("10") for _ in range(3)]
        erp.pay((bills[0], "10"))
        provider = erp.provider()
        list(provider.payments_on([bill.remote_id for bill in bills]))
        assert provider.calls <= CALLS_FOR_A_PAGE_OF_BILLS

    @needs("payments_on")
    def test_it_knows_no_payments_of_bills_that_do_not_exist(self, erp: Erp) -> None:
        assert read(list(erp.provider().payments_on(["99999999", "no such id"]))) == []

    def test_it_reads_what_came_since_a_day(self, erp: Erp) -> None:
        check = erp.pay((erp.bill("40"), "40"))
        (paid,) = self.of_check(erp, check)
        provider = erp.provider()
        today = paid.modified_at.date()
        since = read(list(provider.pages(provider.cursor_since(today))))
        assert check in {payment.check_number for payment in since}
        later = provider.cursor_since(today + dt.timedelta(days=3))
        assert read(list(provider.pages(later))) == []

    @needs("find_payments")
    def test_it_finds_payments_by_what_somebody_knows(self, erp: Erp) -> None:
        bill, other = erp.bill("431.17"), erp.bill("500")
        for pay in (lambda: erp.pay((bill, "431.17")), lambda: erp.pay_directly(other, "412.19")):
            check = pay()
            (expected,) = self.of_check(erp, check)
            provider = erp.provider()
            questions = [
                PaymentQuestion(number=check),
                PaymentQuestion(number=check, amount=expected.total),
                PaymentQuestion(amount=expected.total, vendor=expected.vendor_name[:4].lower()),
                PaymentQuestion(number=expected.number, vendor=expected.vendor_name),
            ]
            for question in questions:
                assert expected in provider.find_payments(question, limit=50), question
            wrong = PaymentQuestion(number=check, amount=expected.total + 1)
            assert provider.find_payments(wrong, limit=50) == []
            assert provider.find_payments(PaymentQuestion(vendor="%no one%"), limit=50) == []

    @needs("find_payments")
    def test_it_finds_no_more_than_it_was_asked_for(self, erp: Erp) -> None:
        bill = erp.bill("90")
        for _ in range(3):
            erp.pay((bill, "21.01"))
        found = erp.provider().find_payments(PaymentQuestion(amount=Decimal("21.01")), limit=2)
        assert len(found) == 2

    def test_it_lists_the_posted_bills(self, erp: Erp) -> None:
        bill = erp.bill("61.10")
        found = {each.remote_id: each for each in erp.provider(page_size=9).bills()}
        listed = found[bill.remote_id]
        assert (listed.number, listed.total) == (bill.number, Decimal("61.10"))
        assert listed.paid == 0
        assert listed.is_posted

    def test_it_leaves_out_bills_that_do_not_exist(self, erp: Erp) -> None:
        bill = erp.bill("10")
        found = erp.provider().bills([bill.remote_id, "99999999", "no such id"])
        assert [each.remote_id for each in found] == [bill.remote_id]


#: each road, and the names of the bills
CALLS_FOR_A_PAGE_OF_BILLS = 3
Answers = tuple[Reply, type[ErpError]]
HTML = "text/html; charset=utf-8"
BAD_ANSWERS: dict[str, Answers] = {
    "unauthorized": (Reply(401, b"", HTML), AuthenticationError),
    "forbidden": (Reply(403, b"", HTML), AuthenticationError),
    "too many requests": (Reply(429, b"", HTML), RateLimited),
    "server error": (Reply(500, b"<h1>Oops</h1>", HTML), TransientError),
    "gateway time-out": (Reply(504, b"", HTML), TransientError),
    "a page for people": (Reply(200, b"<html>Sign in</html>", HTML), ProtocolError),
    "half an answer": (Reply(200, b'[{"id": 1'), ProtocolError),
    "not a list": (Reply(200, b'{"id": 1}'), ProtocolError),
    "nested without end": (Reply(200, b"[" * 100_000), ProtocolError),
    "broken off": (Reply(200, b"[]", promise=500), TransientError),
    "silence": (Reply(200, silence=30), TransientError),
    "one byte at a time": (Reply(200, b"[" + b" " * 5000 + b"]", drip=0.05), TransientError),
    "without end": (Reply(200, b"[" + b" " * 3_000_000 + b"]"), ProtocolError),
}


#: what is given up after a while; the limits are short there, and only there
SLOW = {"silence", "one byte at a time"}
IMPATIENT = Limits(connect_seconds=5, read_seconds=0.3, total_seconds=0.6, max_bytes=2_000_000)


def patience(name: str) -> dict[str, Any]:
    return {"limits": IMPATIENT} if name in SLOW else {}


class BadAnswersContract:
    """Whatever comes over the wire ends in the error class that decides rightly."""

    @pytest.mark.parametrize("name", BAD_ANSWERS)
    def test_it_names_what_went_wrong(
        self, server: HttpServer, reader: Callable[..., Provider], name: str
    ) -> None:
        reply, expected = BAD_ANSWERS[name]
        server.faults.extend([reply] * 5)
        with pytest.raises(ErpError) as raised:
            list(reader(**patience(name)).pages(None))
        assert type(raised.value) is expected
        assert str(raised.value)[-1] in ".?"

    @pytest.mark.parametrize("name", BAD_ANSWERS)
    def test_it_never_takes_trouble_for_a_vanished_payment(
        self, server: HttpServer, reader: Callable[..., Provider], name: str, payment_id: str
    ) -> None:
        server.faults.extend([BAD_ANSWERS[name][0]] * 5)
        with pytest.raises(ErpError) as raised:
            reader(**patience(name)).payment(payment_id)
        assert type(raised.value) is BAD_ANSWERS[name][1]

    def test_it_does_not_know_a_payment_of_a_server_that_knows_nothing(
        self, server: HttpServer, reader: Callable[..., Provider], payment_id: str
    ) -> None:
        """404 for everything is a wrong address, not a vanished payment."""
        server.faults.extend([Reply(404, b"<h1>Not Found</h1>", HTML)] * 5)
        with pytest.raises(ErpError) as raised:
            reader().payment(payment_id)
        assert not isinstance(raised.value, RecordNotFound | TransientError)

    def test_it_says_nothing_secret(
        self, server: HttpServer, reader: Callable[..., Provider], secret: str, caplog: Any
    ) -> None:
        caplog.set_level("DEBUG")
        server.faults.extend([Reply(500, b"", HTML)] * 5)
        with pytest.raises(ErpError) as raised:
            list(reader().pages(None))
        assert secret not in f"{raised.value} {raised.value.detail} {caplog.text}"
