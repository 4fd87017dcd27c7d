"""Which records look alike; what fits more than one is left to a person."""

import pytest

from commitments.models import Commitment
from erp_integrations.directory.matches import exact_matches, suggestions
from erp_integrations.directory.names import plain_name
from erp_integrations.models import DirectoryKind, ErpConnection
from projects.models import Project, Vendor
from tests.factories import StagedRecordFactory, VendorFactory

VENDORS, JOBS, COMMITMENTS = DirectoryKind.VENDORS, DirectoryKind.JOBS, DirectoryKind.COMMITMENTS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Concrete, L.L.C.", "ACME CONCRETE LLC"),
        ("The Bolt Electric Co., Inc.", "Bolt Electric"),
        ("Müller & Söhne GmbH", "Muller and Sohne"),
        ("O'Brien Plumbing", "OBrien Plumbing"),
    ],
)
def test_names_are_the_same_without_what_does_not_matter(one: str, other: str) -> None:
    assert plain_name(one) == plain_name(other)


def test_a_name_of_nothing_but_such_words_stays_itself() -> None:
    assert plain_name("The Company, Inc.") == "the company inc"
    assert plain_name("株式会社") == "株式会社"


def test_different_names_stay_different() -> None:
    assert plain_name("Acme Concrete") != plain_name("Acme Plumbing")


@pytest.mark.django_db
def test_the_same_code_comes_before_the_same_name(
    connection: ErpConnection, vendor: Vendor
) -> None:
    StagedRecordFactory(connection=connection, code="X", title="Pine Ridge Masonry Inc")
    StagedRecordFactory(connection=connection, code="v-pine", title="Somebody")
    StagedRecordFactory(connection=connection, title="Nobody")
    found = suggestions(connection, VENDORS, vendor)
    assert [(match.staged.code, match.reason) for match in found] == [
        ("v-pine", "Same code"),
        ("X", "Same name"),
    ]


@pytest.mark.django_db
def test_what_is_linked_already_is_no_suggestion(connection: ErpConnection, vendor: Vendor) -> None:
    staged = StagedRecordFactory(connection=connection, code="V-PINE")
    VendorFactory(company=connection.company, origin_id=staged.remote_id)
    assert suggestions(connection, VENDORS, vendor) == []


@pytest.mark.django_db
def test_orders_of_the_same_company_are_suggested(
    connection: ErpConnection, commitment: Commitment
) -> None:
    Vendor.objects.update(origin_id="6")
    commitment.vendor.refresh_from_db()
    StagedRecordFactory(
        connection=connection, kind=COMMITMENTS, title="Brickwork", vendor_ref="6",
        total=1, currency="USD",
    )  # fmt: skip
    assert [m.reason for m in suggestions(connection, COMMITMENTS, commitment)] == ["Same company"]


@pytest.mark.django_db
def test_pairs_that_fit_nothing_else_are_exact(connection: ErpConnection, vendor: Vendor) -> None:
    staged = StagedRecordFactory(connection=connection, title="Pine Ridge Masonry LLC")
    StagedRecordFactory(connection=connection, title="Somebody else")
    found, has_more = exact_matches(connection, VENDORS, Vendor.objects.all())
    assert [(match.record, match.staged) for match in found] == [(vendor, staged)]
    assert not has_more


@pytest.mark.django_db
def test_two_candidates_for_one_vendor_are_left_to_a_person(
    connection: ErpConnection, vendor: Vendor
) -> None:
    StagedRecordFactory(connection=connection, title="Pine Ridge Masonry LLC")
    StagedRecordFactory(connection=connection, code="V-PINE")
    assert exact_matches(connection, VENDORS, Vendor.objects.all()) == ([], False)


@pytest.mark.django_db
def test_two_vendors_for_one_candidate_are_left_to_a_person(
    connection: ErpConnection, vendor: Vendor
) -> None:
    VendorFactory(company=vendor.company, name="PINE RIDGE MASONRY")
    StagedRecordFactory(connection=connection, title="Pine Ridge Masonry LLC")
    assert exact_matches(connection, VENDORS, Vendor.objects.all()) == ([], False)


@pytest.mark.django_db
def test_jobs_match_by_number(connection: ErpConnection, project: Project) -> None:
    StagedRecordFactory(connection=connection, kind=JOBS, code="2026-014", title="Tower")
    found, _ = exact_matches(connection, JOBS, Project.objects.all())
    assert [match.reason for match in found] == ["Same code"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("vendor_ref", "currency", "count"), [("6", "USD", 1), ("7", "USD", 0), ("6", "EUR", 0)]
)
def test_commitments_match_by_number_when_vendor_and_currency_agree(
    connection: ErpConnection, commitment: Commitment, vendor_ref: str, currency: str, count: int
) -> None:
    Vendor.objects.update(origin_id="6")
    StagedRecordFactory(
        connection=connection, kind=COMMITMENTS, code="sc-2026-040", vendor_ref=vendor_ref,
        total=1, currency=currency,
    )  # fmt: skip
    rows = Commitment.objects.select_related("vendor")
    assert len(exact_matches(connection, COMMITMENTS, rows)[0]) == count
