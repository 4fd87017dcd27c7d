"""Bills of Tryton by their ids: in few questions, with addresses that every proxy lets through."""

from urllib.parse import urlencode

import pytest

from erp_integrations.providers.http import Limits
from erp_integrations.providers.tryton.bills import LONGEST_IDS, id_clauses
from tests.erp_integrations.providers.fake_books import connect
from tests.fakes.tryton import FakeTryton, matches

#: what nginx and Apache let through unless told otherwise, less room for the server's own prefix
LONGEST_ADDRESS = 7_800
#: the fake looks through ten thousand records for each answer
PATIENT = Limits()


def fill(tryton: FakeTryton, ids: list[int]) -> None:
    for number in ids:
        tryton.bill(f"B-{number}", "10")["id"] = number


def asked(tryton: FakeTryton) -> list[int]:
    """The length of each question's address."""
    return [len(each.path) + len(urlencode(each.query, doseq=True)) for each in tryton.requests]


@pytest.mark.parametrize("step", [1, 3, 997])
def test_ten_thousand_bills_take_a_question_for_each_page(tryton: FakeTryton, step: int) -> None:
    ids = [1_000_000 + number * step for number in range(10_000)]
    fill(tryton, ids)
    found = list(connect(tryton, limits=PATIENT).bills([str(each) for each in ids]))
    assert [int(bill.remote_id) for bill in found] == ids
    assert len(tryton.requests) == 20
    assert max(asked(tryton)) < LONGEST_ADDRESS


def test_ids_too_long_for_a_list_are_asked_for_as_ranges(tryton: FakeTryton) -> None:
    ids = [10**11 + number * 3 for number in range(1_000)]
    others = [each + 1 for each in ids]
    fill(tryton, sorted([*ids, *others]))
    found = list(connect(tryton, limits=PATIENT).bills([str(each) for each in ids]))
    assert [int(bill.remote_id) for bill in found] == ids
    assert max(asked(tryton)) < LONGEST_ADDRESS


def test_a_bill_that_is_gone_is_left_out_and_ends_nothing(tryton: FakeTryton) -> None:
    fill(tryton, [5, 7, 9])
    found = connect(tryton, page_size=2).bills(["5", "6", "7", "8", "9", "rubbish"])
    assert [bill.remote_id for bill in found] == ["5", "7", "9"]


def test_a_cancelled_bill_says_so(tryton: FakeTryton) -> None:
    bill = tryton.bill("B-1", "10")
    tryton.change(bill, state="cancelled")
    (found,) = connect(tryton).bills([str(bill["id"])])
    assert found.is_cancelled and not found.is_posted


@pytest.mark.parametrize("gap", [1, 2, 50, 10_000])
def test_no_list_of_ids_is_longer_than_it_may_be(gap: int) -> None:
    ids = [10**12 + number * gap + number % 2 for number in range(500)]
    clauses = id_clauses(sorted(set(ids)))
    assert all(matches({"id": each}, clauses) for each in ids)
    assert len(str(clauses)) < LONGEST_IDS * 1.5
