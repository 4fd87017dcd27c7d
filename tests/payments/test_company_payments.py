"""All payments of a company: what the person may see, filtered, added up, downloaded."""

import csv
import datetime as dt
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from commitments.models import Commitment
from payments import company_views
from payments.company_views import EXPORT_HEADER
from payments.models import Payment
from projects.access import Level, Tool
from projects.models import Project, User
from projects.services import grant_level, set_accounting_approver
from tests.commitments.fixtures import browser, text
from tests.factories import (
    CommitmentFactory,
    InvoiceFactory,
    PaymentFactory,
    ProjectFactory,
    UserFactory,
    VendorFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbor(riverside: Project) -> Project:
    """Another project of the same company."""
    return ProjectFactory(company=riverside.company, number="2026-021", name="Harbor Garage")


@pytest.fixture
def electric(harbor: Project) -> Commitment:
    vendor = VendorFactory(company=harbor.company, name="Lumen Electric")
    return CommitmentFactory(project=harbor, vendor=vendor, number="PO-7", title="Lighting")


@pytest.fixture
def carol(riverside: Project) -> User:
    """Commitments: Read-Only on the whole company."""
    carol = UserFactory(username="carol")
    on = riverside.company
    grant_level(user=carol, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=on)
    return carol


def address(project: Project, name: str = "company") -> str:
    return reverse(f"payments:{name}", args=[project.company_id])


def checks(user: User, project: Project, /, **filters: str) -> list[str]:
    """The check numbers that stand on the page, in its order."""
    page = browser(user).get(address(project), filters)
    return [row.payment.check_number for row in page.context["rows"]]


def workbook(user: User, project: Project, /, **filters: str) -> list[tuple[Any, ...]]:
    answer = browser(user).get(address(project, "company_xlsx"), filters)
    content: Any = b"".join(answer.streaming_content)  # type: ignore[attr-defined, arg-type]
    sheet: Any = openpyxl.load_workbook(BytesIO(content)).active
    return list(sheet.values)


def test_payments_of_all_projects_stand_together_newest_first(
    carol: User, concrete: Commitment, electric: Commitment
) -> None:
    PaymentFactory(commitment=concrete, check_number="CHK-1", date=dt.date(2026, 7, 1))
    PaymentFactory(commitment=electric, check_number="CHK-2", date=dt.date(2026, 7, 3))
    PaymentFactory(commitment=concrete, check_number="CHK-3", date=dt.date(2026, 7, 2))
    assert checks(carol, concrete.project) == ["CHK-2", "CHK-3", "CHK-1"]
    page = text(browser(carol).get(address(concrete.project)))
    for shown in ("2026-021 Harbor Garage", "PO-7", "Lumen Electric", "Acme Concrete LLC"):
        assert shown in page


def test_only_payments_that_the_person_may_see_are_there(
    bob: User, concrete: Commitment, electric: Commitment, riverside: Project
) -> None:
    PaymentFactory(commitment=concrete, check_number="OPEN")
    PaymentFactory(commitment=electric, check_number="OTHER PROJECT")
    private = CommitmentFactory(project=riverside, is_private=True)
    PaymentFactory(commitment=private, check_number="PRIVATE")
    off = CommitmentFactory(project=riverside, allow_payments=False)
    PaymentFactory(commitment=off, check_number="TAB OFF")
    assert checks(bob, riverside) == ["OPEN"]
    assert [line[13] for line in workbook(bob, riverside)[1:]] == ["OPEN"]
    shown = browser(bob).get(address(riverside)).context["filter"].form
    assert list(shown.fields["project"].queryset) == [riverside]
    assert list(shown.fields["vendor"].queryset) == [concrete.vendor]


def test_another_company_s_payments_do_not_exist(
    mallory: User, carol: User, concrete: Commitment
) -> None:
    foreign = PaymentFactory(check_number="FOREIGN")
    for name in ("company", "company_csv", "company_xlsx"):
        assert browser(mallory).get(address(concrete.project, name)).status_code == 404
        assert browser(carol).get(address(foreign.project, name)).status_code == 404
    PaymentFactory(commitment=concrete, check_number="OWN")
    grant_level(
        user=carol, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=foreign.project.company
    )
    assert checks(carol, concrete.project) == ["OWN"]
    other = str(foreign.commitment.vendor_id)
    page = browser(carol).get(address(concrete.project), {"vendor": other})
    assert "Select a valid choice" in text(page)


def test_an_accountant_without_commitments_reads_why_the_list_is_empty(
    concrete: Commitment,
) -> None:
    PaymentFactory(commitment=concrete)
    dora = UserFactory(username="dora")
    set_accounting_approver(user=dora, company=concrete.company, is_approver=True)
    page = browser(dora).get(address(concrete.project))
    assert page.status_code == 200 and not page.context["rows"]
    assert "You see payments of commitments that are open to you" in text(page)


@pytest.fixture
def three(concrete: Commitment, electric: Commitment) -> None:
    """A manual check, a synced and voided transfer, and a synced payment that is gone."""
    PaymentFactory(
        commitment=concrete, check_number="CHK-1", date=dt.date(2026, 7, 1),
        invoice=InvoiceFactory(commitment=concrete), notes="Second draw",
    )  # fmt: skip
    PaymentFactory(
        commitment=electric, check_number="ACH-2", date=dt.date(2026, 7, 5), origin_id="2",
        method="electronic", status="voided", voided_on=dt.date(2026, 7, 6),
    )  # fmt: skip
    now = timezone.now()
    PaymentFactory(
        commitment=electric, check_number="CHK-30", date=dt.date(2026, 7, 9), origin_id="3",
        missing_since=now, vanished_at=now,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("project", "2026-014", ["CHK-1"]),
        ("vendor", "Lumen Electric", ["CHK-30", "ACH-2"]),
        ("check", "chk", ["CHK-30", "CHK-1"]),
        ("paid_from", "2026-07-05", ["CHK-30", "ACH-2"]),
        ("paid_to", "2026-07-05", ["ACH-2", "CHK-1"]),
        ("method", "electronic", ["ACH-2"]),
        ("status", "voided", ["ACH-2"]),
        ("erp", "manual", ["CHK-1"]),
        ("erp", "synced", ["ACH-2"]),
        ("erp", "missing", ["CHK-30"]),
        ("q", "lumen lighting", ["CHK-30", "ACH-2"]),
        ("q", "second draw", ["CHK-1"]),
        ("q", "nowhere", []),
    ],
)
def test_each_filter_finds_what_it_says(
    carol: User, riverside: Project, three: None, name: str, value: str, found: list[str]
) -> None:
    ids = {each.number: each.pk for each in Project.objects.all()}
    ids |= {each.commitment.vendor.name: each.commitment.vendor_id for each in _payments()}
    wanted = str(ids.get(value, value))
    assert checks(carol, riverside, **{name: wanted}) == found
    assert [line[13] for line in workbook(carol, riverside, **{name: wanted})[1:]] == found


def _payments() -> Any:
    return Payment.objects.select_related("commitment__vendor")


@pytest.mark.parametrize(
    "filters", [{"paid_from": "yesterday"}, {"q": "\x00"}, {"project": "x"}, {"after": "x"}]
)
def test_a_filter_that_makes_no_sense_is_no_error(
    carol: User, riverside: Project, three: None, filters: dict[str, str]
) -> None:
    assert browser(carol).get(address(riverside), filters).status_code == 200


def test_totals_are_by_currency_and_say_what_they_leave_out(
    carol: User, riverside: Project, three: None, concrete: Commitment
) -> None:
    PaymentFactory(commitment=concrete, amount=Decimal("70"), currency="CAD")
    page = browser(carol).get(address(riverside))
    assert [(each.currency, each.amount, each.left_out) for each in page.context["totals"]] == [
        ("CAD", Decimal("70"), ""),
        ("USD", Decimal("1250"), "Not counted: 1 voided and 1 gone from the ERP."),
    ]
    assert str(page.context["page"].total) == "4"


def test_the_next_page_keeps_the_filters(carol: User, concrete: Commitment) -> None:
    PaymentFactory.create_batch(51, commitment=concrete, check_number="CHK")
    PaymentFactory(commitment=concrete, check_number="ACH")
    first = browser(carol).get(address(concrete.project), {"check": "CHK"})
    assert "1–50 of 51 payments" in text(first)
    rest = browser(carol).get(address(concrete.project) + first.context["page"].next_url)
    assert [row.payment.check_number for row in rest.context["rows"]] == ["CHK"]


def test_the_files_hold_numbers_and_dates_and_no_formulas(
    carol: User, concrete: Commitment
) -> None:
    PaymentFactory(
        commitment=concrete, amount=Decimal("-1250.5"), notes="=HYPERLINK(1)", check_number="@x"
    )
    header, row = workbook(carol, concrete.project)
    assert header == EXPORT_HEADER
    cells = dict(zip(header, row, strict=True))
    assert (cells["Amount"], cells["Date Paid"]) == (-1250.5, dt.datetime(2026, 7, 6))
    assert (cells["Notes"], cells["Check Number"]) == ("=HYPERLINK(1)", "@x")
    answer = browser(carol).get(address(concrete.project, "company_csv"))
    sheet = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined, arg-type]
    [line] = csv.DictReader(StringIO(sheet))
    assert (line["Amount"], line["Date Paid"]) == ("-1250.50", "2026-07-06")
    assert (line["Notes"], line["Check Number"]) == ("'=HYPERLINK(1)", "'@x")


def test_too_many_payments_for_excel_are_said_and_lead_back(
    carol: User, riverside: Project, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company_views, "EXCEL_ROWS", 2)
    page = browser(carol).get(address(riverside))
    assert "at most" in text(page) and "Export Excel" not in text(page)
    answer = browser(carol).get(address(riverside, "company_xlsx"), {"status": "issued"})
    assert answer.status_code == 200  # two of them fit
    answer = browser(carol).get(address(riverside, "company_xlsx"), {"method": ""})
    assert answer["Location"] == f"{address(riverside)}?method="


def test_a_page_costs_the_same_for_three_rows_and_for_forty(
    carol: User, concrete: Commitment, electric: Commitment
) -> None:
    counts = []
    for number in (3, 37):
        for _ in range(number):
            PaymentFactory(commitment=electric, invoice=InvoiceFactory(commitment=electric))
        client = browser(carol)
        with CaptureQueriesContext(connection) as asked:
            client.get(address(concrete.project))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 12


def test_the_page_stands_in_the_top_bar_and_in_the_portfolio(
    carol: User, concrete: Commitment
) -> None:
    page = text(browser(carol).get(address(concrete.project)))
    assert f'<a href="{address(concrete.project)}" aria-current="true">All payments</a>' in page
    assert "ERP Integrations" not in page
    portfolio = text(browser(carol).get("/"))
    assert f'href="{address(concrete.project)}">All payments' in portfolio
