"""The Commitments list of a project."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from commitments.models import Commitment, InvoiceStatus
from projects.access import Tool
from projects.models import Project, User
from projects.services import set_tool
from tests.commitments.fixtures import browser, text
from tests.factories import (
    ChangeOrderFactory,
    CommitmentFactory,
    InvoiceFactory,
    PaymentFactory,
    ScheduleOfValuesLineFactory,
    VendorFactory,
)

pytestmark = pytest.mark.django_db


def url(project: Project, name: str = "list") -> str:
    return reverse(f"commitments:{name}", args=[project.pk])


def listed(user: User, project: Project, query: str = "") -> list[str]:
    page = browser(user).get(f"{url(project)}?{query}")
    return [row.commitment.number for row in page.context["rows"]]


def with_money(commitment: Commitment) -> Commitment:
    ScheduleOfValuesLineFactory(commitment=commitment, amount=Decimal("10000"))
    ChangeOrderFactory(commitment=commitment, status="Approved", amount=Decimal("2000"))
    ChangeOrderFactory(commitment=commitment, status="Pending - Revised", amount=Decimal("300"))
    ChangeOrderFactory(commitment=commitment, status="Draft", amount=Decimal("40"))
    ChangeOrderFactory(commitment=commitment, status="Rejected", amount=Decimal("9999"))
    InvoiceFactory(commitment=commitment, due=Decimal("5000"))
    InvoiceFactory(commitment=commitment, due=Decimal("777"), status=InvoiceStatus.DRAFT)
    PaymentFactory(commitment=commitment, amount=Decimal("3000"))
    PaymentFactory(
        commitment=commitment, amount=Decimal("1"), status="voided", voided_on="2026-07-07"
    )
    PaymentFactory(
        commitment=commitment, amount=Decimal("2"), origin_id="9", vanished_at=timezone.now()
    )
    return commitment


def test_a_row_shows_where_the_money_stands(
    bob: User, riverside: Project, concrete: Commitment
) -> None:
    with_money(concrete)
    row = browser(bob).get(url(riverside)).context["rows"][0]
    assert row.amounts == [Decimal(n) for n in (10000, 2000, 12000, 300, 40, 5000, 3000)]
    assert row.percent_paid == "25.00%"
    assert row.commitment.remaining_balance == Decimal(9000)


def test_nothing_is_paid_of_nothing(bob: User, riverside: Project, concrete: Commitment) -> None:
    PaymentFactory(commitment=concrete)
    assert browser(bob).get(url(riverside)).context["rows"][0].percent_paid == "—"


def test_totals_are_of_all_filtered_rows_by_currency(bob: User, riverside: Project) -> None:
    for number in range(51):
        commitment = CommitmentFactory(project=riverside, title="Plumbing")
        ScheduleOfValuesLineFactory(commitment=commitment, amount=Decimal("10"))
        if number < 10:
            PaymentFactory(commitment=commitment, amount=Decimal("1"))
    euro = CommitmentFactory(project=riverside, title="Plumbing", currency="EUR")
    ScheduleOfValuesLineFactory(commitment=euro, amount=Decimal("7"))
    other = CommitmentFactory(project=riverside, title="Paving")
    ScheduleOfValuesLineFactory(commitment=other, amount=Decimal("1000"))
    page = browser(bob).get(f"{url(riverside)}?q=plumbing")
    assert len(page.context["rows"]) == 50
    totals = page.context["totals"]
    assert [(t.currency, t.amounts[0], t.amounts[-1], t.remaining) for t in totals] == [
        ("EUR", Decimal(7), Decimal(0), Decimal(7)),
        ("USD", Decimal(510), Decimal(10), Decimal(500)),
    ]
    assert totals[1].percent_paid == "1.96%"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["A", "B"]),
        ("kind=purchase_order", ["B"]),
        ("erp=synced", ["B"]),
        ("status=Draft", ["B"]),
        ("executed=yes", ["B"]),
        ("executed=no", ["A"]),
        ("ssov=Approved", ["B"]),
        ("q=acme+zinc", ["A"]),
        ("q=zzz", []),
        ("kind=nonsense", ["A", "B"]),
        ("sort=-number", ["B", "A"]),
        ("sort=title", ["B", "A"]),
        ("sort=nonsense", ["A", "B"]),
    ],
)
def test_filters_and_sorting(bob: User, riverside: Project, query: str, found: list[str]) -> None:
    acme = VendorFactory(company=riverside.company, name="Acme")
    CommitmentFactory(project=riverside, number="A", title="Zinc", vendor=acme)
    CommitmentFactory(
        project=riverside,
        number="B",
        title="Lights",
        kind="purchase_order",
        erp_status="synced",
        status="Draft",
        is_executed=True,
        ssov_status="Approved",
    )
    assert listed(bob, riverside, query) == found


def test_one_company_can_be_chosen_of_those_in_the_list(bob: User, riverside: Project) -> None:
    one = CommitmentFactory(project=riverside, number="A")
    CommitmentFactory(project=riverside, number="B")
    hidden = CommitmentFactory(project=riverside, is_private=True)
    elsewhere = CommitmentFactory()
    page = browser(bob).get(f"{url(riverside)}?vendor={one.vendor_id}")
    choices = set(page.context["filter"].form.fields["vendor"].queryset)
    assert choices.isdisjoint({hidden.vendor, elsewhere.vendor}) and len(choices) == 2
    assert listed(bob, riverside, f"vendor={one.vendor_id}") == ["A"]


@pytest.mark.parametrize(
    "column", ["percent_paid", "remaining", "payments_issued", "revised_amount", "company"]
)
def test_the_list_sorts_by_what_it_adds_up(
    bob: User, riverside: Project, concrete: Commitment, column: str
) -> None:
    with_money(concrete)
    CommitmentFactory(project=riverside, number="B")
    assert len(listed(bob, riverside, f"sort=-{column}")) == 2
    page = text(browser(bob).get(f"{url(riverside)}?sort=-{column}"))
    assert 'aria-sort="descending"' in page and f"?sort={column}" in page


def test_a_private_commitment_is_only_there_for_its_people(
    alice: User, bob: User, riverside: Project, concrete: Commitment
) -> None:
    Commitment.objects.update(is_private=True)
    ScheduleOfValuesLineFactory(commitment=concrete)
    assert listed(bob, riverside) == []
    assert browser(bob).get(url(riverside)).context["totals"] == []
    assert listed(alice, riverside) == ["SC-0012"]
    concrete.viewers.add(bob)
    assert listed(bob, riverside) == ["SC-0012"]


def test_the_list_is_not_there_for_others(mallory: User, riverside: Project) -> None:
    for name in ("list", "export"):
        assert browser(mallory).get(url(riverside, name)).status_code == 404


def test_the_list_goes_with_its_tool(alice: User, riverside: Project) -> None:
    set_tool(project=riverside, tool=Tool.COMMITMENTS, is_active=False)
    assert browser(alice).get(url(riverside)).status_code == 404


def test_an_empty_list_says_what_comes_next(alice: User, bob: User, riverside: Project) -> None:
    assert "are entered in the administration" in text(browser(alice).get(url(riverside)))
    assert "An administrator of Commitments enters them" in text(browser(bob).get(url(riverside)))
    assert "No commitment fits" in text(browser(bob).get(f"{url(riverside)}?q=x"))


def test_the_list_costs_the_same_for_one_row_and_for_twenty(
    bob: User, riverside: Project, concrete: Commitment
) -> None:
    with_money(concrete)
    client = browser(bob)
    client.get(url(riverside))
    with CaptureQueriesContext(connection) as one:
        client.get(url(riverside))
    for _ in range(19):
        CommitmentFactory(project=riverside)
    with CaptureQueriesContext(connection) as twenty:
        assert len(client.get(url(riverside)).context["rows"]) == 20
    assert len(one) == len(twenty)


def sheet(answer: Any) -> list[str]:
    return b"".join(answer.streaming_content).decode().splitlines()


def test_the_csv_is_safe_and_plain(bob: User, riverside: Project, concrete: Commitment) -> None:
    with_money(concrete)
    Commitment.objects.update(title="=1+1")
    answer = browser(bob).get(url(riverside, "export"))
    header, line = sheet(answer)
    assert header.startswith("\ufeffNumber,Contract Company,Title,ERP Status")
    assert "'=1+1" in line
    assert "USD,10000.00,2000.00,12000.00,300.00,40.00,5000.00,3000.00,25.00,9000.00,No" in line
    assert 'attachment; filename="commitments-2026-014-' in answer["Content-Disposition"]


def test_the_csv_follows_filters_and_order(bob: User, riverside: Project) -> None:
    for number in ("A", "B", "C"):
        CommitmentFactory(project=riverside, number=number, title="x" if number > "A" else "y")
    lines = sheet(browser(bob).get(f"{url(riverside, 'export')}?q=x&sort=-number"))
    assert [line.split(",")[0] for line in lines[1:]] == ["C", "B"]
