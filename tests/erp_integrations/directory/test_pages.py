"""The Companies, Jobs and Commitments tabs."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commitments.models import Commitment
from erp_integrations.directory import refreshing
from erp_integrations.explanations import Adviser
from erp_integrations.models import DirectoryRefresh, ErpConnection, StagedRecord
from erp_integrations.providers.contract import RemoteVendor
from erp_integrations.providers.errors import ConfigurationError, TransientError
from projects.models import Company, Project, RecordEvent, User, Vendor
from tests.erp_integrations.rows import allocation_of, erp_payment_of
from tests.factories import (
    CommitmentFactory,
    InvoiceFactory,
    ProjectFactory,
    StagedRecordFactory,
    VendorFactory,
)
from tests.fakes.books import Books

pytestmark = pytest.mark.django_db

TABS = ("vendors", "jobs", "commitments")


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(company: Company, name: str, *args: Any) -> str:
    return reverse(f"erp_integrations:company_{name}", args=[company.pk, *args])


def record_url(record: Vendor | Project | Commitment, page: str = "record") -> str:
    kind = {Vendor: "vendors", Project: "jobs", Commitment: "commitments"}[type(record)]
    return url(record.company, f"directory_{page}", kind, record.pk)


def text(page: Any) -> str:
    plain = page.content.decode().replace("&#x27;", "'").replace("&quot;", '"')
    return " ".join(plain.split())


def names(page: Any) -> list[str]:
    return [row.name for row in page.context["rows"]]


@pytest.fixture
def linked(company: Company) -> Vendor:
    return VendorFactory(company=company, name="Acme", origin_id="2", origin_code="V-ACME")


# ----------------------------------------------------------------- who sees what
@pytest.mark.parametrize("tab", TABS)
def test_standard_people_may_look_and_are_offered_no_buttons(
    books: Books, connection: ErpConnection, commitment: Commitment, sam: User, tab: str
) -> None:
    page = browser(sam).get(url(connection.company, tab))
    assert page.status_code == 200
    assert "Refresh C" not in text(page) and "Link…" not in text(page)


def test_somebody_of_one_project_sees_its_records_only(
    books: Books, connection: ErpConnection, commitment: Commitment, bob: User
) -> None:
    VendorFactory(company=connection.company, name="Not on Bob's project")
    CommitmentFactory(project=ProjectFactory(company=connection.company, number="2026-999"))
    StagedRecordFactory(connection=connection)
    client, company = browser(bob), connection.company
    assert names(client.get(url(company, "vendors"))) == [commitment.vendor.name]
    assert names(client.get(url(company, "jobs"))) == ["Riverside Tower"]
    assert names(client.get(url(company, "commitments"))) == ["Masonry"]
    assert client.get(url(company, "vendors") + "?view=ready").context["rows"] == []


def test_a_projects_page_lists_its_own_commitments(
    books: Books, connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    CommitmentFactory(project=ProjectFactory(company=connection.company), title="Elsewhere")
    page = browser(alice).get(
        reverse("erp_integrations:project_commitments", args=[commitment.project_id])
    )
    assert names(page) == ["Masonry"]


def test_records_of_another_company_do_not_exist(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    foreign = VendorFactory()
    here = url(connection.company, "directory_record", "vendors", foreign.pk)
    assert browser(alice).get(here).status_code == 404
    staged = StagedRecordFactory(kind="commitments", total=1, currency="USD")
    page = url(connection.company, "commitment_import", staged.pk)
    assert browser(alice).get(page).status_code == 404


def test_a_forged_link_to_another_companys_erp_record_is_not_found(
    books: Books, connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    foreign = StagedRecordFactory()
    answer = browser(alice).post(record_url(vendor, "link"), {"staged": foreign.pk})
    assert answer.status_code == 404


@pytest.mark.parametrize("staged", ["", "x", "9" * 30, "-1"])
def test_a_link_to_nonsense_is_not_found(
    books: Books, connection: ErpConnection, vendor: Vendor, alice: User, staged: str
) -> None:
    answer = browser(alice).post(record_url(vendor, "link"), {"staged": staged})
    assert answer.status_code == 404


def test_who_may_only_look_is_refused(
    books: Books, connection: ErpConnection, vendor: Vendor, sam: User
) -> None:
    staged = StagedRecordFactory(connection=connection)
    client = browser(sam)
    assert client.post(record_url(vendor, "link"), {"staged": staged.pk}).status_code == 403
    assert client.post(record_url(vendor, "unlink")).status_code == 403
    for page in ("directory_import", "directory_archive", "directory_refresh"):
        answer = client.post(url(vendor.company, page, "vendors"), {"staged": staged.pk})
        assert answer.status_code == 403


def test_an_unknown_kind_does_not_exist(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    assert browser(alice).get(url(connection.company, "directory_matches", "x")).status_code == 404


# ------------------------------------------------------------------------ lists
def test_a_row_says_what_it_is_linked_to(
    books: Books, connection: ErpConnection, linked: Vendor, vendor: Vendor, sam: User
) -> None:
    StagedRecordFactory(connection=connection, remote_id="2", title="Acme Concrete LLC")
    page = browser(sam).get(url(connection.company, "vendors"))
    rows = [(row.name, row.erp_id, row.state) for row in page.context["rows"]]
    assert rows == [("Acme", "V-ACME", "Linked"), (vendor.name, "", "Not linked")]
    assert "Acme Concrete LLC" in text(page)


def test_a_linked_record_that_is_gone_from_the_erp_is_red(
    books: Books, connection: ErpConnection, linked: Vendor, sam: User
) -> None:
    StagedRecordFactory(connection=connection, remote_id="2", gone_at=timezone.now())
    (row,) = browser(sam).get(url(connection.company, "vendors")).context["rows"]
    assert (row.state, row.tone) == ("Not found in the ERP any more", "bad")


@pytest.mark.parametrize(
    ("view", "shown"), [("all", ["Acme", "Bolt"]), ("linked", ["Acme"]), ("not_linked", ["Bolt"])]
)
def test_views_say_what_is_linked(
    books: Books, connection: ErpConnection, linked: Vendor, sam: User, view: str, shown: list[str]
) -> None:
    VendorFactory(company=connection.company, name="Bolt")
    page = browser(sam).get(url(connection.company, "vendors") + f"?view={view}")
    assert names(page) == shown
    counts = {each["label"]: each["count"] for each in page.context["views"]}
    assert (counts["All"], counts["Linked"], counts["Not linked"]) == (2, 1, 1)


def test_a_search_wants_every_word(
    books: Books, connection: ErpConnection, commitment: Commitment, sam: User
) -> None:
    CommitmentFactory(project=commitment.project, title="Roofing")
    page = url(connection.company, "commitments")
    assert names(browser(sam).get(page + "?q=masonry+riverside")) == ["Masonry"]
    assert "Nothing here has all these words" in text(browser(sam).get(page + "?q=nope"))


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("view", ["all", "ready"])
def test_a_list_costs_the_same_queries_whatever_its_length(
    books: Books,
    connection: ErpConnection,
    alice: User,
    tab: str,
    view: str,
    django_assert_num_queries: Any,
) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            CommitmentFactory(project=ProjectFactory(company=connection.company))
        StagedRecordFactory.create_batch(
            number, connection=connection, kind=tab, total=1, currency="USD"
        )

    from django.db import connection as database
    from django.test.utils import CaptureQueriesContext

    client, page = browser(alice), url(connection.company, tab) + f"?view={view}"
    fill(2)
    client.get(page)
    with CaptureQueriesContext(database) as few:
        client.get(page)
    fill(20)
    with django_assert_num_queries(len(few)):
        client.get(page)
    assert len(few) < 30


# ---------------------------------------------------------------------- linking
def test_a_search_asks_the_erp_and_its_answer_can_be_linked(
    books: Books, connection: ErpConnection, vendor: Vendor, carla: User
) -> None:
    books.vendors = [RemoteVendor("6", "V-PINE", "Pine Ridge Masonry LLC")]
    client = browser(carla)
    page = client.get(record_url(vendor) + "?q=pine")
    assert "vendors pine" in books.calls
    staged = StagedRecord.objects.get(remote_id="6")
    ((match, taken),) = page.context["results"]
    assert (match.staged, taken) == (staged, None)
    client.post(record_url(vendor, "link"), {"staged": staged.pk})
    vendor.refresh_from_db()
    assert vendor.origin_code == "V-PINE"
    assert "Carla Counts" in text(client.get(record_url(vendor)))


def test_what_is_linked_already_is_named_in_the_results(
    books: Books, connection: ErpConnection, vendor: Vendor, linked: Vendor, alice: User
) -> None:
    books.vendors = [RemoteVendor("2", "V-ACME", "Acme Concrete LLC")]
    assert "Linked to Acme" in text(browser(alice).get(record_url(vendor) + "?q=acme"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TransientError("It did not answer. The sync will try again."), "Search again in a moment"),
        (ConfigurationError("Tryton keeps its vendors."), "Tryton keeps its vendors."),
    ],
)
def test_an_erp_that_cannot_be_asked_is_a_sentence(
    books: Books,
    connection: ErpConnection,
    vendor: Vendor,
    alice: User,
    error: Exception,
    sentence: str,
) -> None:
    def refuse(kind: str) -> None:
        raise error

    books.before_listing = refuse
    page = text(browser(alice).get(record_url(vendor) + "?q=acme"))
    assert sentence in page and "The sync will" not in page


def test_a_search_that_finds_nothing_says_so(
    books: Books, connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    page = text(browser(alice).get(record_url(vendor) + "?q=nobody"))
    assert "The ERP has nothing with the words “nobody”" in page


def test_a_search_by_somebody_who_may_only_look_asks_nothing(
    books: Books, connection: ErpConnection, vendor: Vendor, sam: User
) -> None:
    page = browser(sam).get(record_url(vendor) + "?q=acme")
    assert books.calls == []
    assert "Ask one of those people" in text(page)


def test_unlinking_says_beforehand_what_it_does(
    books: Books, connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    Vendor.objects.filter(pk=commitment.vendor_id).update(origin_id="6", origin_code="V-PINE")
    InvoiceFactory(commitment=commitment, bill="7")
    vendor = Vendor.objects.get(pk=commitment.vendor_id)
    client = browser(alice)
    page = text(client.get(record_url(vendor)))
    assert "1 synced invoice stay linked to their bills" in page
    assert "cannot be exported until it is linked again" in page
    client.post(record_url(vendor, "unlink"))
    vendor.refresh_from_db()
    assert not vendor.origin_id


def test_a_commitment_that_has_to_stay_linked_says_why(
    books: Books, connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    Commitment.objects.update(origin_id="5", origin_code="SC-2026-040", erp_status="synced")
    InvoiceFactory(commitment=commitment, bill="7")
    page = text(browser(alice).get(record_url(commitment)))
    assert "so it stays linked" in page and "Unlink from" not in page


def test_exact_matches_are_linked_when_they_are_ticked(
    books: Books, connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    other = VendorFactory(company=connection.company, name="Bolt Electric")
    StagedRecordFactory(connection=connection, title="Pine Ridge Masonry LLC")
    StagedRecordFactory(connection=connection, title="Bolt Electric Inc")
    client, page = browser(alice), url(connection.company, "directory_matches", "vendors")
    found = client.get(page).context["matches"]
    assert {match.record for match in found} == {vendor, other}
    assert not RecordEvent.objects.exists()
    (pair,) = [match.value for match in found if match.record == vendor]
    answer = client.post(page, {"pair": [pair, "1:2:3", "x:y"]}, follow=True)
    assert "1 record is linked." in text(answer)
    assert Vendor.objects.exclude(origin_id="").get() == vendor


# -------------------------------------------------------------------- importing
def test_vendors_that_are_ticked_are_imported(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    one, two = StagedRecordFactory.create_batch(2, connection=connection)
    StagedRecordFactory(connection=connection)
    VendorFactory(company=connection.company, name=two.title)
    answer = browser(carla).post(
        url(connection.company, "directory_import", "vendors"),
        {"staged": [one.pk, two.pk]},
        follow=True,
    )
    assert "1 record is imported and linked." in text(answer)
    assert "Link that one instead." in text(answer)
    assert Vendor.objects.get(origin_id=one.remote_id).name == one.title


def test_a_vendor_here_that_looks_the_same_is_pointed_out(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    staged = StagedRecordFactory(connection=connection)
    mine = VendorFactory(company=connection.company, name=staged.title.upper())
    page = browser(alice).get(url(connection.company, "vendors") + "?view=ready")
    assert f'<a href="{record_url(mine)}">' in text(page)


def test_what_nobody_will_import_is_archived_and_comes_back(
    books: Books, connection: ErpConnection, alice: User
) -> None:
    staged = StagedRecordFactory(connection=connection)
    client, page = browser(alice), url(connection.company, "directory_archive", "vendors")
    client.post(page, {"staged": staged.pk})
    staged.refresh_from_db()
    assert staged.archived_by == alice
    shown = client.get(url(connection.company, "vendors") + "?view=archived")
    assert [row["staged"] for row in shown.context["rows"]] == [staged]
    client.post(page, {"staged": staged.pk, "restore": "1"})
    assert StagedRecord.objects.ready("vendors").get() == staged


def order(connection: ErpConnection) -> StagedRecord:
    StagedRecordFactory(connection=connection, remote_id="6", code="V-PINE", title="Pine Ridge LLC")
    return StagedRecordFactory(
        connection=connection, kind="commitments", code="PO-2026-041", title="Masonry",
        vendor_ref="6", vendor_name="Pine Ridge LLC", total=Decimal("8675.50"), currency="USD",
    )  # fmt: skip


def test_an_order_is_imported_with_its_vendor(
    books: Books, connection: ErpConnection, project: Project, carla: User
) -> None:
    page, client = (
        url(connection.company, "commitment_import", order(connection).pk),
        browser(carla),
    )
    shown = client.get(page)
    assert shown.context["form"]["kind"].value() == "purchase_order"
    assert "Import the vendor V-PINE Pine Ridge LLC along with it" in text(shown)
    chosen = {"project": project.pk, "kind": "purchase_order", "number": "PO-2026-041"}
    answer = client.post(page, {**chosen, "title": "Masonry", "with_vendor": "on"}, follow=True)
    assert "PO-2026-041 Masonry is imported and linked" in text(answer)
    made = Commitment.objects.get()
    assert (made.origin_code, made.vendor.origin_code) == ("PO-2026-041", "V-PINE")
    assert made.schedule_of_values.get().amount == Decimal("8675.50")


def test_an_import_that_is_refused_says_why_on_the_form(
    books: Books, connection: ErpConnection, commitment: Commitment, carla: User
) -> None:
    page = url(connection.company, "commitment_import", order(connection).pk)
    chosen = {"project": commitment.project_id, "kind": "subcontract", "title": "Masonry"}
    answer = browser(carla).post(page, {**chosen, "number": commitment.number, "with_vendor": "on"})
    assert "has a commitment with this number already" in text(answer)
    assert Commitment.objects.get() == commitment


def test_a_project_of_another_company_cannot_be_chosen(
    books: Books, connection: ErpConnection, project: Project, carla: User
) -> None:
    page = url(connection.company, "commitment_import", order(connection).pk)
    chosen = {"project": ProjectFactory().pk, "kind": "subcontract", "number": "1", "title": "M"}
    assert browser(carla).post(page, {**chosen, "with_vendor": "on"}).status_code == 200
    assert not Commitment.objects.exists()


# --------------------------------------------------------------------- refreshing
def test_the_button_reads_the_erp_and_the_page_tells_what_was_found(
    books: Books,
    connection: ErpConnection,
    carla: User,
    django_capture_on_commit_callbacks: Any,
) -> None:
    books.vendors = [RemoteVendor("6", "V-PINE", "Pine Ridge Masonry LLC")]
    client = browser(carla)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url(connection.company, "directory_refresh", "vendors"))
    assert DirectoryRefresh.objects.get().requested_by == carla
    page = text(client.get(url(connection.company, "vendors") + "?view=ready"))
    assert "1 vendor, 0 jobs, 0 commitments" in page and "V-PINE" in page


def test_a_failed_reading_says_why(books: Books, connection: ErpConnection, carla: User) -> None:
    def refuse(kind: str) -> None:
        raise ConfigurationError("Tryton does not let the user read its lists.")

    books.before_listing = refuse
    refreshing.work_on(refreshing.request_refresh(connection=connection, requested_by=carla).pk)
    page = text(browser(carla).get(url(connection.company, "vendors")))
    assert "The last reading failed" in page and "asked for by you" in page
    assert "Tryton does not let the user read its lists." in page


def test_progress_is_asked_for_until_it_is_over(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    page = url(connection.company, "directory_progress", "vendors")
    refresh = refreshing.request_refresh(connection=connection)
    assert browser(carla).get(page).status_code == 200
    refreshing.work_on(refresh.pk)
    answer = browser(carla).get(page)
    assert answer.status_code == 286
    assert answer["HX-Trigger-After-Swap"] == "directory-refreshed"


def test_without_a_connection_the_page_says_what_to_do(company: Company, alice: User) -> None:
    page = browser(alice).get(url(company, "vendors"))
    assert "No ERP is connected to this company." in text(page)


def test_a_payment_to_another_vendor_leads_to_the_link_that_mends_it(
    books: Books, connection: ErpConnection, commitment: Commitment, sam: User
) -> None:
    invoice = InvoiceFactory(commitment=commitment, bill="7")
    waiting = allocation_of(
        erp_payment_of(connection), reason="vendor_mismatch", invoice=invoice, outcome="waiting"
    )
    advice = Adviser(sam, connection.company).on_waiting(waiting)
    assert "link Pine Ridge Masonry, L.L.C. to the right vendor of the ERP" in advice.sentence
    assert advice.url == record_url(commitment.vendor)
