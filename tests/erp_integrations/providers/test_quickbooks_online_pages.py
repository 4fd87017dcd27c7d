"""Where QuickBooks' list of changes ends, and how its pages are turned without losing a payment."""

import datetime as dt
from typing import Any

import pytest

from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.http import Limits
from erp_integrations.providers.quickbooks_online.client import MOST
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.quickbooks_online_books import connect, pages, quickbooks
from tests.fakes.http_server import Request
from tests.fakes.quickbooks_online import FakeQuickBooksOnline

__all__ = ["quickbooks"]
#: a stand-in with a thousand payments takes its time
PATIENT = Limits()


def fill(fake: FakeQuickBooksOnline, count: int) -> list[str]:
    """So many payments, all in one second; their ids."""
    bill = fake.ledger.bill("ACME-1", "99999")
    return [str(fake.ledger.pay(str(n), (bill, "1.01")).number) for n in range(count)]


def statements(fake: FakeQuickBooksOnline) -> list[str]:
    return [each.body.decode() for each in fake.requests if each.path.endswith("/query")]


# --------------------------------------------------------------- the list of changes
def test_a_cut_list_of_changes_is_not_trusted(quickbooks: FakeQuickBooksOnline) -> None:
    fill(quickbooks, 3)
    gone = quickbooks.ledger.pay("gone", (next(iter(quickbooks.ledger.bills.values())), "5"))
    quickbooks.ledger.pass_time(7200)
    cursor = pages(quickbooks)[-1].cursor
    quickbooks.ledger.pass_time(7200)
    quickbooks.ledger.delete(gone)
    changed = fill(quickbooks, MOST)
    quickbooks.ledger.pass_time(7200)
    provider = connect(quickbooks, limits=PATIENT)
    found = list(provider.pages(cursor))
    ids = [each.remote_id for each in read(found)]
    assert sorted(ids) == sorted(changed)
    assert [page.misses_deletions for page in found] == [True] + [False] * (len(found) - 1)
    assert found[0].deleted == [str(gone.number)]
    # the list that was cut, two full pages and the empty one behind them, one bill's number
    assert provider.calls == 5
    quickbooks.ledger.pass_time(7200)
    assert [
        page.misses_deletions for page in pages(quickbooks, found[-1].cursor, limits=PATIENT)
    ] == [False]


@pytest.mark.parametrize("refuses", [True, False])
def test_what_is_older_than_its_memory_is_asked_for(
    quickbooks: FakeQuickBooksOnline, refuses: bool
) -> None:
    """Whether QuickBooks refuses such a question or answers it in part, it is not believed."""
    quickbooks.refuses_old = refuses
    fill(quickbooks, 2)
    quickbooks.ledger.pass_time(7200)
    cursor = pages(quickbooks)[-1].cursor
    changed = fill(quickbooks, 2)
    quickbooks.ledger.pass_time(31 * 86400)
    changed += fill(quickbooks, 1)
    found = pages(quickbooks, cursor)
    assert {each.remote_id for each in read(found)} == set(changed)
    assert found[0].misses_deletions
    assert not pages(quickbooks, found[-1].cursor)[0].misses_deletions


def test_a_change_costs_two_calls_however_many_there_are(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    fill(quickbooks, 1200)
    quickbooks.ledger.pass_time(7200)
    cursor = pages(quickbooks, limits=PATIENT)[-1].cursor
    quickbooks.ledger.pass_time(7200)
    changed = fill(quickbooks, 200)
    provider = connect(quickbooks, limits=PATIENT)
    assert {each.remote_id for each in read(list(provider.pages(cursor)))} == set(changed)
    assert provider.calls == 2  # the changes, and the numbers of their bills
    provider = connect(quickbooks, limits=PATIENT)
    quickbooks.ledger.pass_time(7200)
    assert read(list(provider.pages(pages(quickbooks, cursor, limits=PATIENT)[-1].cursor))) == []
    assert provider.calls == 1


# ------------------------------------------------------------------- turning pages
@pytest.mark.parametrize("size", [90, 500, 1000])
def test_more_payments_of_one_second_than_a_page_holds(
    quickbooks: FakeQuickBooksOnline, size: int
) -> None:
    made = fill(quickbooks, 1300)
    found = [each.remote_id for each in read(pages(quickbooks, page_size=size, limits=PATIENT))]
    assert len(found) == len(set(found))
    assert set(found) == set(made)


def test_no_question_is_for_more_than_a_thousand(quickbooks: FakeQuickBooksOnline) -> None:
    fill(quickbooks, 1300)
    pages(quickbooks, page_size=1000, limits=PATIENT)
    sizes = {int(each.rpartition(" ")[2]) for each in statements(quickbooks)}
    assert max(sizes) == MOST


def test_a_payment_that_goes_while_pages_are_turned_hides_no_other(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    made, found = fill(quickbooks, 20), []
    for number, page in enumerate(connect(quickbooks, page_size=3).pages(None)):
        found += [each.remote_id for each in page.payments]
        if number in (1, 2):  # one that was read already, so that all others move up
            quickbooks.ledger.delete(
                quickbooks.ledger.payments[int(found[0 if number == 1 else 4])]
            )
    assert set(found) == set(made)
    assert len(found) == len(made)


def test_a_payment_that_changes_while_pages_are_turned_comes_again(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    made, found = fill(quickbooks, 9), []
    for number, page in enumerate(connect(quickbooks, page_size=3).pages(None)):
        found += [each.remote_id for each in page.payments]
        if number == 0:
            quickbooks.ledger.pass_time(5)
            quickbooks.ledger.void(quickbooks.ledger.payments[int(found[1])])
    assert set(found) == set(made)
    assert found.count(found[1]) == 2


def test_an_order_that_is_not_kept_is_not_trusted(quickbooks: FakeQuickBooksOnline) -> None:
    quickbooks.ledger.ticks = True
    fill(quickbooks, 9)
    answer = quickbooks.answer

    def disordered(request: Request) -> Any:
        body = request.body.replace(b" ORDERBY MetaData.LastUpdatedTime", b"")
        return answer(Request(request.path, request.query, request.headers, request.method, body))

    quickbooks.answer = disordered
    with pytest.raises(ProtocolError, match="order of changes"):
        pages(quickbooks, page_size=3)


def test_a_cursor_never_lies_past_the_clock_of_quickbooks(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    fill(quickbooks, 2)
    began = quickbooks.ledger.now
    for page in connect(quickbooks, page_size=1).pages(None):
        quickbooks.ledger.pass_time(100)
        fill(quickbooks, 1) if len(quickbooks.ledger.payments) < 6 else None
        assert dt.datetime.fromisoformat(page.cursor["modified"]) <= began


@pytest.mark.parametrize(
    "cursor",
    [
        {"page": 3},
        {"modified": "yesterday", "ids": [], "deleted": "2026-11-22T08:00:00+00:00"},
        {"modified": "2026-11-22T08:00:00+00:00", "ids": None, "deleted": None},
    ],
)
def test_a_cursor_of_another_program_is_refused(
    quickbooks: FakeQuickBooksOnline, cursor: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="stored place"):
        pages(quickbooks, cursor)


# ---------------------------------------------------------------------- the wire
def test_every_question_names_the_minor_version_and_is_a_statement(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    fill(quickbooks, 2)
    cursor = pages(quickbooks)[-1].cursor
    pages(quickbooks, cursor)
    connect(quickbooks).payment(next(iter(map(str, quickbooks.ledger.payments))))
    asked = [each for each in quickbooks.requests if each.path.startswith("/v3/")]
    assert {each.query["minorversion"][0] for each in asked} == {"75"}
    posted = [each for each in asked if each.method == "POST"]
    assert {each.headers["Content-Type"] for each in posted} == {"application/text"}
    assert all(b" ORDERBY " in each.body or b"Id IN" in each.body for each in posted)


def test_changes_are_asked_for_with_their_zone(quickbooks: FakeQuickBooksOnline) -> None:
    """Without one QuickBooks takes the time as Californian, and hours are lost."""
    fill(quickbooks, 1)
    pages(quickbooks, pages(quickbooks)[-1].cursor)
    asked = next(each for each in quickbooks.requests if each.path.endswith("/cdc"))
    assert asked.query["changedSince"] == ["2026-11-22T07:50:00Z"]
