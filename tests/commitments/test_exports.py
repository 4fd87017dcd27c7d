"""Files for a spreadsheet: numbers are numbers, dates are dates, text is never a formula."""

import datetime as dt
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from commitments.exports import FORMULA_STARTS, csv_response, write_workbook, xlsx_response
from projects.models import Project

HEADER = ["Amount", "Day", "Text", "Number", "Yes or no", "At"]
AT = dt.datetime(2026, 7, 6, 9, 30, tzinfo=dt.UTC)
ROW = (Decimal("1250.00"), dt.date(2026, 7, 6), "=1+1", 3, True, AT)


def opened(header: list[str], rows: Any) -> Worksheet:
    file = BytesIO()
    write_workbook(file, header, rows)
    sheet = openpyxl.load_workbook(file).active
    assert isinstance(sheet, Worksheet)
    return sheet


def test_each_cell_has_the_type_of_its_value() -> None:
    amount, day, text, number, answer, at = opened(HEADER, [ROW])[2]
    assert (amount.value, amount.number_format) == (1250, "#,##0.00")
    assert (day.value, day.is_date) == (dt.datetime(2026, 7, 6), True)
    assert (text.value, text.data_type) == ("=1+1", "s")
    assert (number.value, answer.value) == (3, "Yes")
    assert at.value == dt.datetime(2026, 7, 6, 9, 30)


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_text_is_run_as_a_formula(start: str) -> None:
    cell = opened(["Text"], [[f'{start}HYPERLINK("http://example.com")']])["A2"]
    assert cell.data_type == "s"
    assert cell.hyperlink is None


def test_an_address_or_a_number_in_a_text_stays_a_text() -> None:
    sheet = opened(["Text"], [["https://example.com"], ["0012"], ["{=1}"], ["\x01"]])
    assert {cell.data_type for cell in sheet["A"]} == {"s"}
    assert (sheet["A2"].hyperlink, sheet["A3"].value) == (None, "0012")


def test_an_amount_has_the_decimals_of_its_currency() -> None:
    sheet = opened(["Amount"], [[Decimal("5")], [Decimal("-5.125")], [Decimal("99999999999.99")]])
    assert [cell.number_format for cell in sheet["A"][1:]] == ["#,##0", "#,##0.000", "#,##0.00"]
    assert [cell.value for cell in sheet["A"][1:]] == [5, -5.125, 99999999999.99]


def test_nothing_leaves_the_cell_empty_and_a_long_text_is_cut() -> None:
    sheet = opened(["Text"], [[None], ["x" * 40_000]])
    assert sheet["A2"].value is None
    assert len(str(sheet["A3"].value)) == 32_767


def test_the_heading_stays_in_view_and_filters() -> None:
    sheet = opened(HEADER, [ROW, ROW])
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:F3")


def test_a_list_without_rows_is_still_a_workbook() -> None:
    assert [cell.value for cell in opened(HEADER, [])[1]] == HEADER


@pytest.mark.parametrize(("response_of", "kind"), [(csv_response, "csv"), (xlsx_response, "xlsx")])
def test_the_file_is_named_after_the_list_and_the_day(response_of: Any, kind: str) -> None:
    response = response_of(name="payments", header=HEADER, rows=[ROW])
    of_project = response_of(name="payments", header=HEADER, rows=[], project=Project(number="A 1"))
    day = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    assert f'filename="payments-{day}.{kind}"' in response["Content-Disposition"]
    assert f'filename="payments-a-1-{day}.{kind}"' in of_project["Content-Disposition"]


def test_the_workbook_is_downloaded_whole() -> None:
    response = xlsx_response(name="payments", header=HEADER, rows=[ROW])
    sheet = openpyxl.load_workbook(BytesIO(response.getvalue())).active
    assert sheet is not None and sheet.max_row == 2
