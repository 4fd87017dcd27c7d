"""Every row of a file: used, or named with its line, its column and why."""

import csv
import datetime as dt
import io
import sys
import tempfile
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files import File

from erp_integrations.file_drop import services, staging
from erp_integrations.file_drop.problems import problem_rows
from erp_integrations.models import (
    DroppedFile,
    DroppedPayment,
    DroppedProblem,
    ErpConnection,
    FileSource,
    FileState,
    ProblemKind,
)
from erp_integrations.providers.contract import RemotePayment, RemoteStatus
from projects.models import User
from tests.erp_integrations.file_drop.conftest import Drop, choose, content_of, workbook

pytestmark = pytest.mark.django_db


def payments(file: DroppedFile) -> list[RemotePayment]:
    rows = DroppedPayment.objects.filter(file=file).order_by("pk")
    return [staging._payment.decode(bytes(row.content)) for row in rows]


def problems(file: DroppedFile, kind: str = ProblemKind.BAD) -> list[tuple[int, str, str]]:
    rows = DroppedProblem.objects.filter(file=file, kind=kind)
    return list(rows.values_list("line", "column", "reason"))


def row(**changes: str) -> str:
    cells = {
        "number": "5001", "date": "07/16/2026", "vendor": "V-1", "name": "Acme", "invoice": "A-1",
        "amount": "10.00",
    } | changes  # fmt: skip
    return ",".join(cells.values())


def test_it_names_every_bad_row_and_takes_the_others(drop: Drop) -> None:
    file = drop(
        content_of(
            row(),
            row(number="5002", amount="ten"),
            row(number="5003", date="16/07/2026"),
            row(number="", invoice=""),
            row(number="5005", amount="0.00"),
            row(number="5006", amount='"1,234.56"'),
            row(number="5007", amount="1,234.56"),
        )
    )
    assert [payment.number for payment in payments(file)] == ["5001", "5006"]
    assert [(line, column) for line, column, _ in problems(file)] == [
        (3, "Amount paid on the invoice"),
        (4, "Date paid"),
        (5, "Payment number, Invoice number"),
        (6, "Amount paid on the invoice"),
        (8, ""),
    ]
    assert "“ten” is not an amount" in problems(file)[0][2]
    assert "The row has 7 cells, but the heading has 6." in problems(file)[4][2]
    assert (file.lines, file.payments, file.problems) == (7, 2, 5)


def test_a_payment_goes_in_whole_or_not_at_all(drop: Drop) -> None:
    file = drop(content_of(row(), row(invoice="A-2", amount="x"), row(number="5002")))
    assert [payment.number for payment in payments(file)] == ["5002"]
    assert [line for line, _, _ in problems(file)] == [2, 3]
    assert "line 3 of the same payment is not" in problems(file)[0][2]


def test_rows_of_one_payment_find_each_other_wherever_they_stand(drop: Drop) -> None:
    between = [row(number=str(n), invoice=f"B-{n}") for n in range(6000, 6050)]
    file = drop(content_of(row(), *between, row(invoice="A-2", amount="5.00")))
    (first,) = [payment for payment in payments(file) if payment.number == "5001"]
    assert {a.bill_number: a.amount for a in first.allocations} == {
        "A-1": Decimal("10"),
        "A-2": Decimal("5"),
    }


def test_a_row_that_repeats_word_by_word_counts_once_and_is_said(drop: Drop) -> None:
    file = drop(content_of(row(), row()))
    assert payments(file)[0].total == Decimal("10")
    assert problems(file, ProblemKind.REMARK) == [
        (3, "", "It repeats line 2 word by word, so it was counted once.")
    ]
    assert (file.problems, file.remarks) == (0, 1)


def test_it_counts_twice_where_only_that_makes_the_check(drop: Drop) -> None:
    header = "Check No,Check Date,Vendor,Invoice No,Amount Paid,Check Amount"
    line = "5001,07/16/2026,V-1,A-1,10.00,20.00"
    assert payments(drop(content_of(line, line, header=header)))[0].total == Decimal("20")


def test_two_lines_of_one_invoice_add_up(drop: Drop) -> None:
    header = "Check No,Check Date,Vendor,Invoice No,Amount Paid,Cost code"
    rows = [f"5001,07/16/2026,V-1,A-1,10.00,{code}" for code in ("03", "05")]
    (payment,) = payments(drop(content_of(*rows, header=header)))
    assert [a.amount for a in payment.allocations] == [Decimal("20")]


def test_a_check_that_is_taken_back_in_the_same_file_is_voided(drop: Drop) -> None:
    back = row(date="07/20/2026", amount="(10.00)")
    (payment,) = payments(drop(content_of(row(), back)))
    assert (payment.status, payment.total) == (RemoteStatus.VOIDED, Decimal("10"))
    assert f"{payment.date}" == "2026-07-16"


@pytest.mark.parametrize("word", ["V", "Void", "yes", "07/20/2026", "1", "Voided"])
def test_a_column_can_say_that_a_payment_is_voided(drop: Drop, word: str) -> None:
    header = "Check No,Check Date,Vendor,Invoice No,Amount Paid,Void"
    line = "5001,07/16/2026,V-1,A-1,10.00"
    file = drop(content_of(f"{line},{word}", header=header))
    assert payments(file)[0].status is RemoteStatus.VOIDED


def test_a_word_that_says_neither_is_asked_about(drop: Drop) -> None:
    header = "Check No,Check Date,Vendor,Invoice No,Amount Paid,Void"
    file = drop(content_of("5001,07/16/2026,V-1,A-1,10.00,maybe", header=header))
    assert problems(file)[0][:2] == (2, "Voided")


def test_a_void_of_a_payment_nobody_knows_is_only_remarked(drop: Drop) -> None:
    header = "Check No,Check Date,Vendor,Invoice No,Amount Paid,Void"
    file = drop(content_of("5001,07/16/2026,V-1,A-1,0.00,Void", header=header))
    assert payments(file) == []
    assert "no file has told of" in problems(file, ProblemKind.REMARK)[0][2]


def test_a_part_that_is_taken_back_is_refused(drop: Drop) -> None:
    drop(content_of(row()))
    file = drop(content_of(row(amount="-4.00")))
    assert "A payment is voided whole" in problems(file)[0][2]


def test_a_credit_inside_of_a_check_is_refused_with_what_to_do(drop: Drop) -> None:
    file = drop(content_of(row(), row(invoice="CM-1", amount="-4.00")))
    assert payments(file) == []
    assert "Lower that invoice's amount" in problems(file)[0][2]


def test_rows_that_disagree_about_their_check_are_refused(drop: Drop) -> None:
    file = drop(content_of(row(), row(invoice="A-2", date="07/17/2026")))
    assert "line 2 says 07/16/2026, line 3 says 07/17/2026" in problems(file)[0][2]
    assert [line for line, _, _ in problems(file)] == [2, 3]


def test_a_check_is_refused_whose_rows_add_up_to_more_than_it(drop: Drop) -> None:
    header = "Check No,Check Date,Vendor,Invoice No,Amount Paid,Check Amount"
    file = drop(content_of("5001,07/16/2026,V-1,A-1,10.00,9.00", header=header))
    assert "of it are applied to bills" in problems(file)[0][2]


def test_the_bad_rows_can_be_mended_and_dropped_again(drop: Drop) -> None:
    file = drop(content_of(row(), row(number="5002", name="=1+1", amount="-ten")))
    text = "".join(problem_rows(file))
    assert "'=1+1" in text and "'-ten" in text  # a spreadsheet runs neither
    again = drop(text.replace("'-ten", "11.00").encode(), name="mended.csv")
    (payment,) = payments(again)
    assert (payment.number, payment.vendor_name) == ("5002", "=1+1")
    assert again.mapping == file.mapping  # nobody was asked for the columns again


def test_a_bad_row_of_a_workbook_comes_back_as_it_was(drop: Drop, carla: User) -> None:
    header = ("Check No", "Check Date", "Vendor", "Invoice No", "Amount Paid")
    day = dt.datetime(2026, 7, 5)
    file = drop(
        workbook(header, (5001, day, "V-1", "A-1", 1234.5), (5002, day, "V-1", "", 99.1)),
        name="register.xlsx", decimal_mark=",",
    )  # fmt: skip
    assert payments(file)[0].total == Decimal("1234.5")
    assert payments(file)[0].number == "5001"
    lines = list(csv.reader(io.StringIO("".join(problem_rows(file)).lstrip("\ufeff"))))
    assert lines[1][:5] == ["5002", "2026-07-05", "V-1", "", "99,1"]


def test_a_file_that_was_dropped_before_is_said_and_not_done_twice(drop: Drop) -> None:
    drop(content_of(row()), name="july.csv")
    with pytest.raises(ValidationError, match="This is the same file as “july.csv”"):
        drop(content_of(row()), name="july (copy).csv")
    assert DroppedFile.objects.count() == 1


def test_dates_that_could_be_either_are_asked(
    drop: Drop, connection: ErpConnection, carla: User
) -> None:
    first = drop(content_of(row(date="05/07/2026")), date_order="dmy")
    assert f"{payments(first)[0].date}" == "2026-07-05"
    # the next file with these headings is read the same way, and nobody is asked
    second = drop(content_of(row(number="5002", date="06/07/2026")))
    assert f"{payments(second)[0].date}" == "2026-07-06"


def test_a_saved_order_that_does_not_fit_is_asked_about_anew(drop: Drop, carla: User) -> None:
    drop(content_of(row(date="05/07/2026")), date_order="dmy")
    odd = content_of(row(number="5002", date="05/07/2026"), row(number="5003", date="07/16/2026"))
    file = services.receive(
        connection=DroppedFile.objects.get().connection,
        content=io.BytesIO(odd), name="august.csv", source=FileSource.FOLDER,
    )  # fmt: skip
    assert file.state == FileState.ASKING
    choose(file, carla, date_order="mdy")


def test_reading_again_with_other_columns_states_the_payments_anew(drop: Drop, carla: User) -> None:
    file = drop(content_of(row(date="05/07/2026")), date_order="dmy")
    choose(file, carla, date_order="mdy")
    staging.stage(file.pk)
    assert [f"{payment.date}" for payment in payments(file)] == ["2026-05-07"]


def test_a_worker_that_dies_leaves_nothing_behind(
    drop: Drop, carla: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(staging, "_store", dies)
    with pytest.raises(KeyboardInterrupt):
        drop(content_of(row(), row(number="")))
    file = DroppedFile.objects.get()
    assert file.state == FileState.READY
    assert not DroppedProblem.objects.exists()
    monkeypatch.undo()
    staging.stage(file.pk)
    assert len(payments(file)) == 1


def register_of(known: DroppedFile, rows: int) -> DroppedFile:
    """A register with so many checks, with the columns of a file that is known."""
    with tempfile.TemporaryFile() as content:
        content.write(content_of())
        for n in range(rows):
            line = row(number=str(n), vendor=f"V-{n % 50}", invoice=f"INV-{n}", amount=f"{n}.25")
            content.write(f"{line}\r\n".encode())
        big = DroppedFile.objects.get(pk=known.pk)
        big.pk, big.sha256, big.state = None, f"{rows}", FileState.READY
        big.file.save(f"{rows}", File(content), save=True)
    return big


def peak_of(file: DroppedFile, monkeypatch: pytest.MonkeyPatch) -> int:
    """The most pieces of memory that reading a file holds at once."""
    before, peak = sys.getallocatedblocks(), 0

    def watched(inner: Any) -> Any:
        def call(*given: Any) -> Any:
            nonlocal peak
            peak = max(peak, sys.getallocatedblocks() - before)
            return inner(*given)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(staging, "_entry", watched(staging._entry))
        patch.setattr(staging, "_store", watched(staging._store))
        staging.stage(file.pk)
    return peak


@pytest.mark.timeout(400)
def test_twenty_times_the_rows_take_no_more_memory(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = drop(content_of(row()))
    small, large = register_of(known, 10_000), register_of(known, 200_000)
    few = peak_of(small, monkeypatch)
    assert peak_of(large, monkeypatch) < 1.5 * few
    large.refresh_from_db()
    assert (large.lines, large.payments, large.problems) == (200_000, 200_000, 0)


def test_a_file_that_the_worker_does_not_find_is_refused_with_what_to_do(drop: Drop) -> None:
    file = register_of(drop(content_of(row())), 1)
    file.file.storage.delete(file.file.name)
    staging.stage(file.pk)
    file.refresh_from_db()
    assert file.state == FileState.REFUSED
    assert "share MEDIA_ROOT" in file.message
