"""Linking, unlinking and importing: who may, what it leaves behind, and one winner."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.utils import timezone

from commitments.models import Commitment, CommitmentEvent
from erp_integrations.directory import linking
from erp_integrations.directory.linking import Record
from erp_integrations.models import ErpAllocation, ErpConnection, StagedRecord
from payments.models import Payment
from projects.models import Company, ErpStatus, Project, RecordEvent, User, Vendor
from projects.services import set_accounting_approver
from tests.erp_integrations.conftest import run_sync
from tests.factories import (
    CommitmentFactory,
    InvoiceFactory,
    StagedRecordFactory,
    VendorFactory,
)
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db


def order(connection: ErpConnection, **values: Any) -> StagedRecord:
    """A subcontract that only the ERP has."""
    row: dict[str, Any] = {
        "kind": "commitments",
        "code": "SC-2026-040",
        "title": "Masonry",
        "vendor_ref": "6",
        "vendor_name": "Pine Ridge Masonry LLC",
        "total": Decimal("31250.00"),
        "currency": "USD",
    }
    return StagedRecordFactory(connection=connection, **{**row, **values})


def pine(connection: ErpConnection, **values: Any) -> StagedRecord:
    row = {"remote_id": "6", "code": "V-PINE", "title": "Pine Ridge Masonry LLC"}
    return StagedRecordFactory(connection=connection, **{**row, **values})


def test_a_link_is_stored_and_written_down(
    connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    linking.link(record=vendor, staged=pine(connection), by=alice)
    vendor.refresh_from_db()
    assert (vendor.origin_id, vendor.origin_code) == ("6", "V-PINE")
    event = RecordEvent.objects.get(vendor=vendor)
    assert (event.actor, event.changes) == (alice, {"ERP ID": ["", "V-PINE"]})
    assert event.summary == "Linked to V-PINE Pine Ridge Masonry LLC in the ERP"


def test_unlinking_is_written_down_too(
    connection: ErpConnection, vendor: Vendor, carla: User
) -> None:
    linking.link(record=vendor, staged=pine(connection), by=carla)
    linking.unlink(record=vendor, by=carla)
    vendor.refresh_from_db()
    assert (vendor.origin_id, vendor.origin_code) == ("", "")
    assert RecordEvent.objects.filter(vendor=vendor).first().changes == {"ERP ID": ["V-PINE", ""]}


def test_a_linked_project_has_its_history_as_well(
    connection: ErpConnection, project: Project, alice: User
) -> None:
    job = StagedRecordFactory(connection=connection, kind="jobs", code="2026-014")
    linking.link(record=project, staged=job, by=alice)
    assert RecordEvent.objects.get(project=project).summary.startswith("Linked to 2026-014")


def test_a_linked_commitment_is_synced_and_its_history_says_by_whom(
    connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    linking.link(record=commitment, staged=order(connection), by=alice)
    commitment.refresh_from_db()
    assert (commitment.erp_status, commitment.origin_code) == (ErpStatus.SYNCED, "SC-2026-040")
    event = CommitmentEvent.objects.get(commitment=commitment)
    assert (event.actor, event.subject) == (alice, "Subcontract SC-2026-040")


def refused(sentence: str) -> Any:
    return pytest.raises(ValidationError, match=sentence)


@pytest.mark.parametrize("person", ["sam", "approver"])
def test_standard_alone_and_the_approvers_right_alone_are_not_enough(
    connection: ErpConnection, vendor: Vendor, sam: User, bob: User, person: str
) -> None:
    set_accounting_approver(user=bob, company=connection.company, is_approver=True)
    with refused("need Admin on the company's ERP Integrations tool"):
        linking.link(
            record=vendor, staged=pine(connection), by={"sam": sam, "approver": bob}[person]
        )
    vendor.refresh_from_db()
    assert not vendor.origin_id


def test_one_erp_record_belongs_to_one_record_here(
    connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    staged = pine(connection)
    linking.link(record=vendor, staged=staged, by=alice)
    other = VendorFactory(company=connection.company)
    with refused("V-PINE is linked to Pine Ridge Masonry, L.L.C. already"):
        linking.link(record=other, staged=staged, by=alice)


def test_a_record_that_is_linked_has_to_be_unlinked_first(
    connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    linking.link(record=vendor, staged=pine(connection), by=alice)
    with refused("is linked to V-PINE already. Unlink it first"):
        linking.link(record=vendor, staged=StagedRecordFactory(connection=connection), by=alice)


def test_what_is_gone_from_the_erp_cannot_be_linked(
    connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    with refused("is not in the ERP any more"):
        linking.link(record=vendor, staged=pine(connection, gone_at=timezone.now()), by=alice)


def test_another_companys_erp_record_cannot_be_linked(vendor: Vendor, alice: User) -> None:
    with refused("These two cannot be linked"):
        linking.link(record=vendor, staged=StagedRecordFactory(), by=alice)


def test_a_vendor_cannot_be_linked_to_a_job(
    connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    with refused("These two cannot be linked"):
        linking.link(
            record=vendor, staged=StagedRecordFactory(connection=connection, kind="jobs"), by=alice
        )


def test_linking_takes_a_record_out_of_the_archive(
    connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    staged = pine(connection, archived_at=timezone.now(), archived_by=alice)
    linking.link(record=vendor, staged=staged, by=alice)
    staged.refresh_from_db()
    assert staged.archived_at is None


def test_an_order_of_another_vendor_does_not_fit(
    connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    linking.link(record=commitment.vendor, staged=pine(connection), by=alice)
    theirs = order(connection, vendor_ref="7", vendor_name="Tidewater Plumbing Inc")
    with refused("is with Tidewater Plumbing Inc, but SC-2026-040 is with Pine Ridge"):
        linking.link(record=commitment, staged=theirs, by=alice)


def test_an_order_in_another_currency_does_not_fit(
    connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    with refused("is in EUR, but SC-2026-040 is in USD"):
        linking.link(record=commitment, staged=order(connection, currency="EUR"), by=alice)


def test_a_commitment_with_synced_invoices_stays_linked(
    connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    linked = linking.link(record=commitment, staged=order(connection), by=alice)
    InvoiceFactory(commitment=commitment, bill="7")
    with refused("1 invoice of SC-2026-040 is synced with the ERP, so it stays linked"):
        linking.unlink(record=linked, by=alice)


def test_a_commitment_without_synced_invoices_may_be_unlinked(
    connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    linking.link(record=commitment, staged=order(connection), by=alice)
    linking.unlink(record=commitment, by=alice)
    commitment.refresh_from_db()
    assert (commitment.erp_status, commitment.origin_id) == (ErpStatus.NOT_SENT, "")


def test_unlinking_a_vendor_leaves_its_synced_invoices_as_they_are(
    connection: ErpConnection, commitment: Commitment, alice: User
) -> None:
    vendor = commitment.vendor
    linking.link(record=vendor, staged=pine(connection), by=alice)
    invoice = InvoiceFactory(commitment=commitment, bill="7")
    linking.unlink(record=vendor, by=alice)
    invoice.refresh_from_db()
    assert (invoice.origin_id, invoice.erp_status) == ("7", ErpStatus.SYNCED)


@pytest.mark.parametrize("which", ["vendor", "project", "commitment"])
def test_nothing_is_unlinked_while_an_invoice_is_being_exported(
    connection: ErpConnection, commitment: Commitment, alice: User, which: str
) -> None:
    record: Record = {
        "vendor": commitment.vendor, "project": commitment.project, "commitment": commitment
    }[which]  # fmt: skip
    type(record)._default_manager.filter(pk=record.pk).update(origin_id="9", origin_code="9")
    InvoiceFactory(commitment=commitment, erp_status=ErpStatus.EXPORTING)
    record.refresh_from_db()
    with refused("is being exported at this moment"):
        linking.unlink(record=record, by=alice)


# ------------------------------------------------------------------ importing
def test_an_imported_vendor_is_here_and_linked(connection: ErpConnection, carla: User) -> None:
    vendor = linking.import_vendor(staged=pine(connection), by=carla)
    assert (vendor.name, vendor.code) == ("Pine Ridge Masonry LLC", "V-PINE")
    vendor.refresh_from_db()
    assert vendor.origin_id == "6"
    assert [event.summary for event in vendor.events.all()] == [
        "Linked to V-PINE Pine Ridge Masonry LLC in the ERP",
        "Created",
    ]


def test_a_vendor_of_that_name_is_to_be_linked_instead(
    connection: ErpConnection, company: Company, alice: User
) -> None:
    VendorFactory(company=company, name="Pine Ridge Masonry LLC")
    with refused("There is a vendor called Pine Ridge Masonry LLC here already. Link that one"):
        linking.import_vendor(staged=pine(connection), by=alice)


def test_nothing_is_imported_twice(connection: ErpConnection, alice: User) -> None:
    staged = pine(connection)
    linking.import_vendor(staged=staged, by=alice)
    with refused("is linked to a record here already"):
        linking.import_vendor(staged=staged, by=alice)
    assert Vendor.objects.count() == 1


def test_an_imported_job_is_a_project_with_its_tools(
    connection: ErpConnection, alice: User
) -> None:
    job = StagedRecordFactory(connection=connection, kind="jobs", code="2026-044", title="Library")
    project = linking.import_job(staged=job, by=alice)
    assert (project.number, project.name, project.tools.count()) == ("2026-044", "Library", 2)
    project.refresh_from_db()
    assert project.origin_code == "2026-044"


def bring(staged: StagedRecord, project: Project, by: User, **values: Any) -> Commitment:
    values = {"kind": "subcontract", "number": "SC-1", "title": "Masonry", **values}
    return linking.import_commitment(
        staged=staged, project=project, is_private=False, by=by,
        with_vendor=values.pop("with_vendor", True), **values,
    )  # fmt: skip


def test_an_imported_commitment_has_its_sum_and_its_link(
    connection: ErpConnection, project: Project, alice: User
) -> None:
    VendorFactory(company=project.company, name="Pine", origin_id="6")
    made = bring(order(connection), project, alice)
    assert (made.erp_status, made.origin_code, made.status) == ("synced", "SC-2026-040", "Approved")
    assert made.schedule_of_values.get().amount == Decimal("31250.00")
    assert made.vendor.name == "Pine"


def test_its_vendor_is_imported_along_with_it(
    connection: ErpConnection, project: Project, alice: User
) -> None:
    pine(connection)
    made = bring(order(connection), project, alice)
    assert (made.vendor.name, made.vendor.origin_id) == ("Pine Ridge Masonry LLC", "6")


def test_a_vendor_of_the_same_name_is_linked_along_with_it(
    connection: ErpConnection, project: Project, alice: User
) -> None:
    mine = VendorFactory(company=project.company, name="PINE RIDGE Masonry LLC")
    pine(connection)
    assert bring(order(connection), project, alice).vendor == mine
    mine.refresh_from_db()
    assert mine.origin_id == "6"


def test_without_leave_to_bring_the_vendor_nothing_is_imported(
    connection: ErpConnection, project: Project, alice: User
) -> None:
    pine(connection)
    with refused("is not linked to a vendor here"):
        bring(order(connection), project, alice, with_vendor=False)
    assert not Vendor.objects.exists()


def test_a_refused_commitment_brings_no_vendor_either(
    connection: ErpConnection, project: Project, alice: User
) -> None:
    CommitmentFactory(project=project, number="SC-1")
    pine(connection)
    with refused("has a commitment with this number already"):
        bring(order(connection), project, alice)
    assert not Vendor.objects.filter(origin_id="6").exists()


# ------------------------------------------------------- payments that wait
def test_linking_the_right_vendor_lets_a_waiting_payment_through(
    books: Books,
    connection: ErpConnection,
    commitment: Commitment,
    alice: User,
    django_capture_on_commit_callbacks: Any,
) -> None:
    vendor = commitment.vendor
    InvoiceFactory(commitment=commitment, bill="7")
    wrong = StagedRecordFactory(connection=connection)
    linking.link(record=vendor, staged=wrong, by=alice)
    books.put(payment("p1", ("7", "100"), vendor_ref="6"))
    run_sync(connection)
    assert ErpAllocation.objects.get().reason == "vendor_mismatch"
    linking.unlink(record=vendor, by=alice)
    with django_capture_on_commit_callbacks(execute=True):
        linking.link(record=vendor, staged=pine(connection), by=alice)
    assert Payment.objects.get().amount == Decimal(100)


# ----------------------------------------------------------------- two at once
def both(*acts: Any) -> list[str]:
    """Do things at the same time; what each ended with, sorted."""
    ready, ended = threading.Barrier(len(acts)), []

    def run(act: Any) -> None:
        try:
            ready.wait(timeout=30)
            act()
            ended.append("linked")
        except ValidationError as error:
            ended.append(error.messages[0])
        finally:
            database.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ended)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_link_one_erp_record_one_wins_and_the_other_reads_why(
    connection: ErpConnection, vendor: Vendor, alice: User, carla: User
) -> None:
    staged, other = pine(connection), VendorFactory(company=connection.company, name="Other")
    said = both(
        lambda: linking.link(record=vendor, staged=staged, by=alice),
        lambda: linking.link(record=other, staged=staged, by=carla),
    )
    assert said.count("linked") == 1
    assert said[0].startswith("V-PINE is linked to ")
    assert Vendor.objects.filter(origin_id="6").count() == 1
    assert RecordEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_link_one_vendor_one_wins(
    connection: ErpConnection, vendor: Vendor, alice: User, carla: User
) -> None:
    one, two = StagedRecordFactory.create_batch(2, connection=connection)
    said = both(
        lambda: linking.link(record=vendor, staged=one, by=alice),
        lambda: linking.link(record=vendor, staged=two, by=carla),
    )
    assert said.count("linked") == 1
    assert "Unlink it first." in said[0]


@pytest.mark.django_db(transaction=True)
def test_a_vendor_that_two_people_import_is_here_once(
    connection: ErpConnection, alice: User, carla: User
) -> None:
    staged = pine(connection)
    said = both(
        lambda: linking.import_vendor(staged=staged, by=alice),
        lambda: linking.import_vendor(staged=staged, by=carla),
    )
    assert said.count("linked") == 1
    assert Vendor.objects.count() == 1
