"""Pages of long lists by keyset: every row once, whatever the address says."""

import datetime as dt
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.core.signing import Signer
from django.template import Context, Template
from django.test import RequestFactory

from commitments.models import CommitmentEvent
from payments.models import Payment
from projects import paging
from projects.paging import KeysetPage, bounded_count, bounded_counts, keyset_page
from tests.factories import CommitmentFactory, PaymentFactory

pytestmark = pytest.mark.django_db
ORDER = ("-date", "-pk")


def page(per_page: int = 3, rows: Any = None, **address: Any) -> KeysetPage:
    found = Payment.objects.all() if rows is None else rows
    return keyset_page(RequestFactory().get("/", address), found, ORDER, per_page=per_page)


def walk(name: str, first: KeysetPage) -> list[KeysetPage]:
    """The pages from there in one direction, first to last."""
    pages = [first]
    while token := getattr(pages[-1], name):
        pages.append(page(**{name: token}))
    return pages


def pks(*pages: KeysetPage) -> list[int]:
    return [row.pk for each in pages for row in each]


@pytest.fixture
def payments() -> list[int]:
    """Eight payments over three days, in the list's order; more than one page shares a day."""
    commitment, days = CommitmentFactory(), [6, 6, 6, 6, 6, 7, 8, 8]
    made = [PaymentFactory(commitment=commitment, date=dt.date(2026, 7, day)) for day in days]
    return [each.pk for each in sorted(made, key=lambda p: (p.date, p.pk), reverse=True)]


def test_going_forward_shows_every_row_once(payments: list[int]) -> None:
    assert pks(*walk("after", page())) == payments


def test_going_back_shows_the_same_rows(payments: list[int]) -> None:
    last = walk("after", page())[-1]
    back = walk("before", last)
    assert pks(back[-1]) == payments[:3]
    assert {*pks(*back)} == {*payments}


def test_an_ascending_order_works_the_same_way(payments: list[int]) -> None:
    request = RequestFactory().get("/")
    first = keyset_page(request, Payment.objects.all(), ("date", "pk"), per_page=5)
    rest = RequestFactory().get("/", {"after": first.after})
    second = keyset_page(rest, Payment.objects.all(), ("date", "pk"), per_page=5)
    assert pks(first, second) == payments[::-1]


def test_the_first_page_has_no_page_before_it_and_the_last_none_after(payments: list[int]) -> None:
    pages = walk("after", page())
    assert (pages[0].before, pages[-1].after) == ("", "")
    assert all(each.before for each in pages[1:])


def test_it_says_which_rows_of_how_many(payments: list[int]) -> None:
    shown = [(each.start_index, each.end_index) for each in walk("after", page())]
    assert shown == [(1, 3), (4, 6), (7, 8)]
    assert str(page().total) == "8"


def test_a_row_that_came_meanwhile_moves_nothing(payments: list[int]) -> None:
    first = page()
    PaymentFactory(commitment=Payment.objects.earliest("pk").commitment, date="2026-08-01")
    assert pks(page(after=first.after)) == payments[3:6]


def test_the_row_of_the_link_may_be_gone(payments: list[int]) -> None:
    first = page()
    Payment.objects.filter(pk=first.rows[-1].pk).delete()
    assert pks(page(after=first.after)) == payments[3:6]


def test_when_nothing_is_left_after_the_link_the_first_page_is_shown(payments: list[int]) -> None:
    first = page()
    Payment.objects.filter(pk__in=payments[3:]).delete()
    assert pks(page(after=first.after)) == payments[:3]


def test_going_back_to_less_than_a_page_shows_the_whole_first_page(payments: list[int]) -> None:
    second = page(after=page().after)
    Payment.objects.filter(pk=payments[0]).delete()
    assert pks(page(before=second.before)) == payments[1:4]


@pytest.mark.parametrize(
    "token",
    [
        "nonsense", "a:b:c", "\x00", "é" * 50, "x" * 5000, ":", "WzNd:1234",
        Signer(salt="other").sign_object([3, "2026-07-06", "1"]),
        Signer(salt="projects.paging:-date,-pk").sign_object([3, "no date", "1"]),
        Signer(salt="projects.paging:-date,-pk").sign_object([3, "2026-07-06"]),
        Signer(salt="projects.paging:-date,-pk").sign_object({"a": 1}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_token_that_is_not_ours_is_the_first_page(
    payments: list[int], name: str, token: str
) -> None:
    assert pks(page(**{name: token})) == payments[:3]


def test_a_changed_token_is_the_first_page(payments: list[int]) -> None:
    token = page().after
    assert pks(page(after=f"{'X' if token[0] != 'X' else 'Y'}{token[1:]}")) == payments[:3]


def test_a_page_costs_two_queries_and_no_offset(
    payments: list[int], django_assert_num_queries: Any
) -> None:
    token = page().after
    with django_assert_num_queries(2) as asked:
        page(after=token)
    assert not any("OFFSET" in each["sql"] for each in asked.captured_queries)


def test_names_that_run_different_ways_are_refused(payments: list[int]) -> None:
    token = page().after
    request = RequestFactory().get("/", {"after": token})
    with pytest.raises(ValueError, match="same way"):
        keyset = paging.Keyset([Payment.objects.all()], ("-date", "pk"), lambda row: [])
        keyset.beside(paging.Edge((dt.date(2026, 7, 6), 1), True, 3), 2)
    assert pks(keyset_page(request, Payment.objects.all(), ("-pk",), per_page=3))


def test_two_sources_are_merged_by_the_database() -> None:
    commitment = CommitmentFactory()
    for number in range(4):
        event = CommitmentEvent.objects.create(
            company=commitment.company, commitment=commitment, subject=str(number), summary=""
        )
        when = dt.datetime(2026, 7, 1 + number, tzinfo=dt.UTC)
        CommitmentEvent.objects.filter(pk=event.pk).update(at=when)
    rows = CommitmentEvent.objects.order_by().values_list("at", "pk", "subject")
    odd, even = rows.filter(subject__in="13"), rows.filter(subject__in="02")

    def merged(**address: str) -> KeysetPage:
        return keyset_page(
            RequestFactory().get("/", address), odd, ("-at", "-pk"), also=[even],
            values_of=lambda row: row[:2], per_page=3,
        )  # fmt: skip

    first = merged()
    assert [row[2] for row in first] == ["3", "2", "1"]
    assert [row[2] for row in merged(after=first.after)] == ["0"]
    assert str(first.total) == "4"


def test_counting_stops_at_the_bound(payments: list[int], monkeypatch: Any) -> None:
    monkeypatch.setattr(paging, "COUNTED", 8)
    assert str(bounded_count(Payment.objects.all())) == "8"
    monkeypatch.setattr(paging, "COUNTED", 7)
    assert str(bounded_count(Payment.objects.all())) == "7+"


def test_several_lists_are_counted_in_one_query(
    payments: list[int], django_assert_num_queries: Any
) -> None:
    rows = Payment.objects.all()
    with django_assert_num_queries(1):
        counts = bounded_counts({"all": rows, "none": rows.none(), "8th": rows.filter(date__day=8)})
    assert {name: str(count) for name, count in counts.items()} == {
        "all": "8", "none": "0", "8th": "2",
    }  # fmt: skip


def test_links_keep_the_filters_and_drop_the_other_direction(payments: list[int]) -> None:
    request = RequestFactory().get("/", {"status": "issued", "page": "2"})
    shown = keyset_page(request, Payment.objects.all(), ORDER, per_page=3)
    text = Template('{% include "projects/_pages.html" with noun="payment" %}')
    html = text.render(Context({"page": shown}))
    address = html.split('href="?')[1].split('"')[0].replace("&amp;", "&")
    assert parse_qs(address) == {"status": ["issued"], "after": [shown.after]}
    assert "1–3 of 8 payments" in html
