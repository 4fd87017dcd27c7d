"""Amounts and dates as people write them: read right, or not at all."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_integrations.providers.file_drop import amounts, dates
from erp_integrations.providers.file_drop.amounts import DecimalMark, Unreadable, amount_of
from erp_integrations.providers.file_drop.dates import DateOrder, date_of

POINT, COMMA = DecimalMark.POINT, DecimalMark.COMMA
cents = st.decimals(min_value=-(10**12), max_value=10**12, places=2)


def written(value: Decimal, mark: DecimalMark, thousands: str) -> str:
    """``-1,234.56`` with the marks of a country."""
    return f"{abs(value):,.2f}".replace(",", "T").replace(".", mark).replace("T", thousands)


@given(
    value=cents,
    mark=st.sampled_from(DecimalMark),
    space=st.sampled_from(["", " ", "\u00a0", "\u202f", "'", "’", "other"]),
    sign=st.sampled_from(["-{}", "{}-", "({})", "−{}", "-${}", "$ ({})", "{} EUR-", "({})"]),
)
def test_an_amount_is_read_as_it_was_written(
    value: Decimal, mark: DecimalMark, space: str, sign: str
) -> None:
    thousands = ("," if mark is POINT else ".") if space == "other" else space
    text = written(value, mark, thousands)
    if sign == "$ ({})":
        sign = "(${})"
    assert amount_of(sign.format(text) if value < 0 else text, mark) == value


@given(value=cents)
def test_an_amount_of_excel_is_what_was_typed(value: Decimal) -> None:
    assert amount_of(float(value), POINT) == value


@given(text=st.text(max_size=20), mark=st.sampled_from(DecimalMark))
def test_any_text_is_an_amount_or_says_why_not(text: str, mark: DecimalMark) -> None:
    try:
        assert amount_of(text, mark).is_finite()
    except Unreadable as problem:
        assert str(problem)


@pytest.mark.parametrize(
    "text", ["", "ten", "1,50", "1.2.3", "12,34,56.7x", "(-5)", "-(5)", "5 CR", "--5", "1,2345.00"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        amount_of(text, POINT)


@pytest.mark.parametrize(
    ("cells", "marks", "told"),
    [
        (["1,234.56"], {POINT}, True),
        (["1.234,56"], {COMMA}, True),
        (["1,234"], {POINT, COMMA}, False),
        (["1.50"], {POINT}, True),
        (["1,234.56", "ten", ""], {POINT}, True),
        (["12", "7"], {POINT, COMMA}, True),
        (["1,234", "5.5"], {POINT}, True),
        ([1234.5, 3], {POINT, COMMA}, True),
    ],
)
def test_it_knows_when_the_mark_is_told_and_when_it_has_to_be_asked(
    cells: list[object], marks: set[DecimalMark], told: bool
) -> None:
    assert (amounts.fitting_marks(cells), amounts.are_told_apart(cells)) == (marks, told)


FORMATS = {
    DateOrder.MONTH_FIRST: ("%m/%d/%Y", "%m-%d-%y", "%m.%d.%Y", "%m%d%Y"),
    DateOrder.DAY_FIRST: ("%d/%m/%Y", "%d.%m.%y", "%d-%m-%Y", "%d%m%Y"),
    DateOrder.YEAR_FIRST: ("%Y-%m-%d", "%y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m-%dT10:30:00Z"),
}


@given(
    day=st.dates(dt.date(1990, 1, 1), dt.date(2079, 12, 31)),
    order=st.sampled_from(DateOrder),
    number=st.integers(0, 4),
)
def test_a_date_is_read_in_the_order_that_was_said(
    day: dt.date, order: DateOrder, number: int
) -> None:
    formats = FORMATS[order]
    assert date_of(day.strftime(formats[number % len(formats)]), order) == day


@given(day=st.dates(dt.date(1990, 1, 1), dt.date(2079, 12, 31)), order=st.sampled_from(DateOrder))
def test_a_month_by_its_name_or_a_year_in_front_needs_no_order(
    day: dt.date, order: DateOrder
) -> None:
    for text in ("%d-%b-%Y", "%B %d, %Y", "%d %b %y", "%Y-%m-%d", "%Y-%m-%d 00:00:00"):
        assert date_of(day.strftime(text), order) == day
    assert date_of(day, order) == date_of(dt.datetime.combine(day, dt.time(8)), order) == day


@given(days=st.lists(st.dates(dt.date(2000, 1, 1), dt.date(2060, 1, 1)), min_size=1))
def test_an_order_is_proposed_only_where_no_other_one_reads_the_dates_differently(
    days: list[dt.date],
) -> None:
    texts = [day.strftime("%m/%d/%Y") for day in days]
    readings = {
        tuple(date_of(text, order) for text in texts) for order in dates.fitting_orders(texts)
    }
    assert DateOrder.MONTH_FIRST in dates.fitting_orders(texts)
    assert dates.are_told_apart(texts) == (len(readings) == 1)


@given(text=st.text(max_size=20), order=st.sampled_from(DateOrder))
def test_any_text_is_a_date_or_says_why_not(text: str, order: DateOrder) -> None:
    try:
        assert date_of(text, order).year > 0
    except Unreadable as problem:
        assert str(problem)


@pytest.mark.parametrize("cell", ["", "13/13/2026", "02/30/2026", "soon", 45123, 45123.5, "1/2"])
def test_what_is_no_date_is_refused(cell: object) -> None:
    with pytest.raises(Unreadable):
        date_of(cell, DateOrder.MONTH_FIRST)
