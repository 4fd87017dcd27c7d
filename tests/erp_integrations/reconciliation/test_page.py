"""The tab Reconciliation: who sees what, in how many queries, and what can be pressed."""

import csv
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commitments.models import SubcontractorInvoice
from erp_integrations.models import ErpConnection, Reconciliation, RunMode, SyncRun
from projects.access import Level, Tool
from projects.models import Company, User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.conftest import run_sync
from tests.factories import CommitmentFactory, InvoiceFactory, PaymentFactory, UserFactory
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def carla(connection: ErpConnection) -> User:
    """Accounting approver, and Admin on Commitments."""
    carla = UserFactory()
    set_accounting_approver(user=carla, company=connection.company, is_approver=True)
    grant_level(user=carla, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=connection.company)
    return carla


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(place: Any, name: str = "reconciliation") -> str:
    kind = "company" if isinstance(place, Company) else "project"
    return reverse(f"erp_integrations:{kind}_{name}", args=[place.pk])


def text(response: Any) -> str:
    plain = response.content.decode().replace("&#x27;", "'").replace("&quot;", '"')
    return " ".join(plain.split())


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def differing(connection: ErpConnection, number: int) -> None:
    commitment = CommitmentFactory(project__company=connection.company)
    for bill in range(100, 100 + number):
        invoice = InvoiceFactory(commitment=commitment, bill=str(bill))
        PaymentFactory(commitment=commitment, invoice=invoice, amount=Decimal(bill))


def test_it_says_what_to_do_before_the_first_comparison(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    shown = text(browser(carla).get(address(connection.company)))
    assert "Not compared yet" in shown and "Compare now" in shown


def test_the_button_compares_and_the_page_explains(
    books: Books, connection: ErpConnection, carla: User, invoice: SubcontractorInvoice
) -> None:
    books.put(payment("p1", ("7", "300")))
    PaymentFactory(commitment=invoice.commitment, invoice=invoice, amount=Decimal("80.25"))
    client = browser(carla)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work, **_: work())
        client.post(address(connection.company, "compare"))
    shown = text(client.get(address(connection.company)))
    assert "by you" in shown
    assert "$219.75" in shown
    assert "paid with $300.00 more in the ERP" in shown
    assert "Payment without number was entered by hand" in shown
    assert "Open the payment" in shown and "Sync payments now" in shown


def test_only_differences_are_shown_until_all_are_wanted(
    books: Books, connection: ErpConnection, carla: User, invoice: SubcontractorInvoice
) -> None:
    books.bills["7"] = Decimal(5000)
    run_sync(connection, RunMode.RECONCILE)
    client, url = browser(carla), address(connection.company)
    assert invoice.invoice_number not in text(client.get(url))
    assert "agree on every invoice" in text(client.get(url))
    assert invoice.invoice_number in text(client.get(url, {"view": "all"}))
    assert invoice.invoice_number not in text(client.get(url, {"view": "all", "q": "nothing"}))
    assert text(client.get(url, {"view": "rubbish"}))


def test_its_queries_do_not_grow_with_the_rows(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    client, url, counts = browser(carla), address(connection.company), []
    for number in (2, 30):
        differing(connection, 0) if number == 2 else differing(connection, number)
        run_sync(connection, RunMode.RECONCILE)
        client.get(url)
        with CaptureQueriesContext(
            database,
        ) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 2  # payments and waiting are asked for where there are any
    assert counts[1] < 40


def test_people_of_one_project_see_its_rows_and_its_sums(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    differing(connection, 3)
    PaymentFactory(commitment=invoice.commitment, invoice=invoice, amount=Decimal("11.11"))
    run_sync(connection, RunMode.RECONCILE)
    bob = UserFactory()
    grant_level(user=bob, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=invoice.project)
    client = browser(bob)
    for place in (connection.company, invoice.project):
        shown = text(client.get(address(place)))
        assert "$11.11" in shown and "$314.11" not in shown and "$303.00" not in shown
        assert "Open the payment" not in shown, "no right on Commitments"
        rows = list(
            csv.reader(
                io.StringIO(
                    body(client.get(address(place, "reconciliation_csv"))).decode("utf-8-sig")
                )
            )
        )
        assert [row[0] for row in rows[1:]] == [invoice.invoice_number]
    other = SubcontractorInvoice.objects.exclude(project=invoice.project).first()
    assert other is not None
    assert client.get(address(other.project)).status_code == 404


def test_who_may_not_sync_may_not_compare(
    books: Books, connection: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    bob = UserFactory()
    grant_level(user=bob, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=invoice.project)
    assert browser(bob).post(address(invoice.project, "compare")).status_code == 403
    assert not SyncRun.objects.exists()


def test_a_project_is_compared_by_itself(
    books: Books, connection: ErpConnection, carla: User, invoice: SubcontractorInvoice
) -> None:
    browser(carla).post(address(invoice.project, "compare"))
    assert SyncRun.objects.get().project == invoice.project


def test_a_comparison_does_not_join_a_sync(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    from erp_integrations import runs
    from erp_integrations.models import RunTrigger

    runs.request_run(connection=connection, trigger=RunTrigger.COMMAND)
    client = browser(carla)
    response = client.post(address(connection.company, "compare"), follow=True)
    assert "Compare the books when it is over" in text(response)
    assert SyncRun.objects.count() == 1


def test_the_exports_hold_the_same_and_no_formula(
    books: Books, connection: ErpConnection, carla: User, invoice: SubcontractorInvoice
) -> None:
    SubcontractorInvoice.objects.update(invoice_number="=1+1")
    PaymentFactory(commitment=invoice.commitment, invoice=invoice, amount=Decimal("80.25"))
    books.bills["7"] = Decimal(5000)
    run_sync(connection, RunMode.RECONCILE)
    client = browser(carla)
    comma = body(client.get(address(connection.company, "reconciliation_csv")))
    row = list(csv.reader(io.StringIO(comma.decode("utf-8-sig"))))[1]
    assert row[0] == "'=1+1"
    assert row[6:11] == ["5000.00", "0.00", "80.25", "-80.25", "0.00"]
    assert row[11] == "Entered by hand only ($80.25) (without number)"
    excel = body(client.get(address(connection.company, "reconciliation_xlsx")))
    sheet = openpyxl.load_workbook(io.BytesIO(excel)).active
    assert sheet is not None
    cell = sheet["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
    assert sheet["J2"].value == -80.25


def test_the_chart_shows_both_totals_over_time(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    books.put(payment("p1", ("7", "300")))
    run_sync(connection, RunMode.RECONCILE)
    run_sync(connection)
    run_sync(connection, RunMode.RECONCILE)
    page = browser(carla).get(address(connection.company))
    (chart,) = page.context["charts"]
    assert [(each.erp_paid, each.paid_here) for each in chart.readings] == [
        (Decimal(300), Decimal(0)),
        (Decimal(300), Decimal(300)),
    ]
    assert "a difference of $0.00" in text(page)
    assert Reconciliation.objects.count() == 2


def test_a_failed_comparison_is_named_and_the_last_one_still_shown(
    books: Books, connection: ErpConnection, carla: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from erp_integrations.providers.errors import TransientError
    from tests.fakes.books import BooksProvider

    run_sync(connection, RunMode.RECONCILE)

    def away(self: object, ids: object) -> object:
        raise TransientError("The ERP does not answer.")

    monkeypatch.setattr(BooksProvider, "bills", away)
    run_sync(connection, RunMode.RECONCILE)
    shown = text(browser(carla).get(address(connection.company)))
    assert "did not come to its end" in shown and "The ERP does not answer." in shown
    assert "Both books" in shown
