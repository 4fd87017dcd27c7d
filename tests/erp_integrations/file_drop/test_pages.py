"""The Files tab: who sees it, what is asked there, and what can be taken from it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from commitments.models import SubcontractorInvoice
from erp_integrations.file_drop.starting_points import STARTING_POINTS
from erp_integrations.models import DroppedFile, DroppedPayment, ErpConnection, FileMapping
from payments.models import Payment
from projects.access import Level, Tool
from projects.models import Company, User
from projects.services import grant_level
from tests.erp_integrations.file_drop.conftest import Drop, content_of
from tests.factories import CompanyFactory, ErpConnectionFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db

BAD, GOOD = "5002,07/16/2026,V-ACME,=Acme,INV-2,ten", "5001,07/16/2026,V-ACME,Acme,INV-1,1250.00"
#: what the form asks for a file with our headings
CHOSEN = {
    "encoding": "utf-8-sig", "delimiter": ",", "header_line": "1", "number": "Check No",
    "date": "Check Date", "vendor_code": "Vendor", "vendor_name": "Vendor Name",
    "invoice": "Invoice No", "amount": "Amount Paid", "date_order": "mdy", "decimal_mark": ".",
    "paid_by": "check",
}  # fmt: skip


@pytest.fixture
def files(connection: ErpConnection) -> str:
    return url(connection, "files")


def url(connection: ErpConnection, page: str, *args: Any) -> str:
    return reverse(f"erp_integrations:company_{page}", args=[connection.company_id, *args])


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sent(content: bytes, name: str = "july.csv") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, content)}


@pytest.fixture
def people(northstar: Company, carla: User) -> dict[str, User]:
    made = {name: UserFactory(username=name) for name in ("admin", "standard", "pm", "stranger")}
    tool = Tool.ERP_INTEGRATIONS
    grant_level(user=made["admin"], tool=tool, level=Level.ADMIN, on=northstar)
    grant_level(user=made["standard"], tool=tool, level=Level.STANDARD, on=northstar)
    project = ProjectFactory(company=northstar)
    grant_level(user=made["pm"], tool=tool, level=Level.ADMIN, on=project)
    mallory = UserFactory(username="mallory")
    grant_level(user=mallory, tool=tool, level=Level.ADMIN, on=CompanyFactory())
    return {**made, "carla": carla, "mallory": mallory}


GET = ("files", "file", "file_original", "file_problems")
POST = ("file_upload", "files_look", "files_link", "file_discard")


@pytest.mark.parametrize("name", ["admin", "carla"])
def test_administrators_and_approvers_of_the_company_may(
    drop: Drop, connection: ErpConnection, people: dict[str, User], name: str
) -> None:
    file, client = drop(content_of(GOOD)), browser(people[name])
    for page in GET:
        args = [] if page == "files" else [file.pk]
        assert client.get(url(connection, page, *args)).status_code == 200, page
    for page in POST:
        args = [file.pk] if page == "file_discard" else []
        assert client.post(url(connection, page, *args)).status_code in (302, 422), page


@pytest.mark.parametrize("name", ["standard", "pm", "stranger", "mallory"])
def test_for_everybody_else_there_is_nothing(
    drop: Drop, connection: ErpConnection, people: dict[str, User], name: str
) -> None:
    """A file holds payments of all projects, so a right on one of them is not enough."""
    file, client = drop(content_of(GOOD)), browser(people[name])
    point = url(connection, "file_starting_point", "vista")
    assert client.get(point).status_code == 404
    for page in (*GET, *POST):
        args = [] if page.startswith("files") or page == "file_upload" else [file.pk]
        address = url(connection, page, *args)
        assert client.get(address).status_code in (404, 405), page
        if page != "file":
            assert client.post(address).status_code in (404, 405), page
    assert client.post(url(connection, "file", file.pk), {**CHOSEN, "save": "1"}).status_code == 404
    assert DroppedFile.objects.get().state == "read"


def test_a_file_of_another_company_is_not_there(
    drop: Drop, people: dict[str, User], connection: ErpConnection
) -> None:
    file = drop(content_of(GOOD))
    theirs = ErpConnectionFactory(provider="file_drop", settings={})
    tool = Tool.ERP_INTEGRATIONS
    grant_level(user=people["mallory"], tool=tool, level=Level.ADMIN, on=theirs.company)
    client = browser(people["mallory"])
    for page in ("file", "file_original", "file_problems"):
        assert client.get(url(theirs, page, file.pk)).status_code == 404


def test_the_tab_is_there_only_where_books_arrive_as_files(
    files: str, connection: ErpConnection, carla: User
) -> None:
    home = url(connection, "home")
    assert f'href="{files}"' in browser(carla).get(home).content.decode()
    ErpConnection.objects.update(provider="tryton")
    assert f'href="{files}"' not in browser(carla).get(home).content.decode()
    assert browser(carla).get(files).status_code == 404


def test_from_the_upload_to_the_rows_to_mend(
    connection: ErpConnection, carla: User, django_capture_on_commit_callbacks: Any
) -> None:
    client = browser(carla)
    answer = client.post(url(connection, "file_upload"), sent(content_of(GOOD, BAD)))
    file = DroppedFile.objects.get()
    assert answer["Location"] == url(connection, "file", file.pk)
    page = client.get(answer["Location"]).content.decode()
    assert "July 16, 2026" in page  # only one order fits, so it is proposed
    assert "“ten” is not an amount" in page
    assert not DroppedPayment.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(answer["Location"], {**CHOSEN, "save": "1"})
    page = client.get(answer["Location"]).content.decode()
    assert "Rows to mend (CSV)" in page and "3" in page
    response = client.get(url(connection, "file_problems", file.pk))
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=Acme" in text and "is not an amount" in text
    assert "attachment" in response["Content-Disposition"]


def test_an_order_of_dates_that_is_not_told_has_to_be_chosen(
    connection: ErpConnection, carla: User
) -> None:
    client = browser(carla)
    early = GOOD.replace("07/16/2026", "05/07/2026")
    client.post(url(connection, "file_upload"), sent(content_of(early)))
    address = url(connection, "file", DroppedFile.objects.get().pk)
    page = client.get(address).content.decode()
    assert "“05/07/2026” could be May 7, 2026 or July 5, 2026" in page
    assert "Say in which order the dates are written" in page
    client.post(address, {**CHOSEN, "date_order": "", "save": "1"})
    assert not FileMapping.objects.exists()
    shown = client.post(address, {**CHOSEN, "date_order": "dmy", "show": "1"}).content.decode()
    assert "July 5, 2026" in shown
    assert not FileMapping.objects.exists()  # looking writes nothing


def test_another_encoding_can_be_looked_at_before_it_is_chosen(
    connection: ErpConnection, carla: User
) -> None:
    client = browser(carla)
    content = content_of(GOOD.replace("Acme", "Bétons")).decode().encode("cp1252")
    client.post(url(connection, "file_upload"), sent(content))
    address = url(connection, "file", DroppedFile.objects.get().pk)
    assert "Bétons" in client.get(address).content.decode()
    shown = client.post(address, {**CHOSEN, "encoding": "mac_roman", "show": "1"})
    assert "BÈtons" in shown.content.decode()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"%PDF-1.7 x", "neither an Excel file"), (b"<html>", "web page"), (b" ", "empty")],
)
def test_what_is_no_table_is_refused_with_what_to_do(
    connection: ErpConnection, carla: User, content: bytes, why: str
) -> None:
    answer = browser(carla).post(url(connection, "file_upload"), sent(content, "list.csv"))
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not DroppedFile.objects.exists()


def test_a_file_that_is_too_large_is_not_kept(
    connection: ErpConnection, carla: User, settings: Any
) -> None:
    settings.FILE_DROP_MAX_BYTES = 10
    answer = browser(carla).post(url(connection, "file_upload"), sent(content_of(GOOD)))
    assert "larger than" in answer.content.decode()


def test_the_file_is_given_back_as_a_download_only(
    drop: Drop, connection: ErpConnection, carla: User
) -> None:
    file = drop(content_of(GOOD))
    answer = browser(carla).get(url(connection, "file_original", file.pk))
    assert b"".join(answer.streaming_content) == content_of(GOOD)  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_was_not_read_can_be_taken_away_and_dropped_again(
    connection: ErpConnection, carla: User
) -> None:
    client = browser(carla)
    for _ in range(2):
        client.post(url(connection, "file_upload"), sent(content_of(GOOD)))
        client.post(url(connection, "file_discard", DroppedFile.objects.get().pk))
        assert not DroppedFile.objects.exists()


def test_one_whose_payments_are_in_stays(
    drop: Drop, connection: ErpConnection, carla: User
) -> None:
    file = drop(content_of(GOOD))
    browser(carla).post(url(connection, "file_discard", file.pk))
    assert DroppedFile.objects.filter(pk=file.pk).exists()


@pytest.mark.parametrize("point", STARTING_POINTS, ids=lambda it: it.code)
def test_a_file_to_begin_with_can_be_dropped_as_it_is(
    connection: ErpConnection, carla: User, drop: Drop, point: Any
) -> None:
    answer = browser(carla).get(url(connection, "file_starting_point", point.code))
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    client = browser(carla)
    client.post(url(connection, "file_upload"), sent(content))
    page = client.get(url(connection, "file", DroppedFile.objects.get().pk)).content.decode()
    assert f"These are the headings of {point.label}" in page
    assert "July 31, 2026" in page and "$1,250.00" in page
    assert "Not used" not in page


def test_the_list_costs_as_many_queries_for_many_files_as_for_one(
    drop: Drop, files: str, carla: User, django_assert_num_queries: Any
) -> None:
    client = browser(carla)
    drop(content_of(GOOD))
    with django_assert_num_queries(10):
        client.get(files)
    for number in range(5003, 5008):
        drop(content_of(GOOD.replace("5001", str(number))))
    with django_assert_num_queries(10):
        client.get(files)


@pytest.mark.django_db(transaction=True)
def test_ticked_invoices_are_linked_and_their_payments_shown(
    drop: Drop, connection: ErpConnection, invoice: SubcontractorInvoice, carla: User, files: str
) -> None:
    drop(content_of(GOOD))
    client = browser(carla)
    page = client.get(files).content.decode()
    value = f"{invoice.pk}:V-ACME|INV-1"
    assert f'value="{value}" aria-label="Link invoice INV-1 of SC-0012" checked' in page
    client.post(url(connection, "files_link"), {"pair": [value, "1:forged"]})
    assert Payment.objects.get().invoice == invoice
    assert "Invoices to link" not in client.get(files).content.decode()


def test_the_column_of_the_method_is_another_than_the_method_of_all_rows(
    connection: ErpConnection, carla: User
) -> None:
    client = browser(carla)
    header = "Check No,Check Date,Vendor,Invoice No,Amount Paid,How"
    row = "5001,07/16/2026,V-ACME,INV-1,1250.00,Wire"
    client.post(url(connection, "file_upload"), sent(content_of(row, header=header)))
    address = url(connection, "file", DroppedFile.objects.get().pk)
    client.post(address, {**CHOSEN, "vendor_name": "", "method": "How", "save": "1"})
    mapping = FileMapping.objects.get()
    assert (mapping.columns["method"], mapping.method) == ("How", "check")
