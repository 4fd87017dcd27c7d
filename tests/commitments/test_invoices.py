"""What people do with invoices: adding, changing, approving, locking, and their files."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from commitments import invoices
from commitments.erp_states import NOT_ADMIN
from commitments.invoices import LOCKED, InvoiceEntry
from commitments.models import (
    BillingPeriod,
    Commitment,
    CommitmentEvent,
    InvoiceAttachment,
    InvoiceStatus,
    SubcontractorInvoice,
)
from projects.models import ErpStatus, User
from tests.commitments.fixtures import at, browser, text
from tests.factories import (
    BillingPeriodFactory,
    ChangeOrderFactory,
    InvoiceFactory,
    PaymentFactory,
    ScheduleOfValuesLineFactory,
)

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4\n%%EOF\n"
IN_THE_ERP = (ErpStatus.SENT, ErpStatus.EXPORTING, ErpStatus.FAILED, ErpStatus.SYNCED)
ENTRY = InvoiceEntry(
    invoice_number="ACME-7",
    billing_date=dt.date(2026, 6, 30),
    status=InvoiceStatus.UNDER_REVIEW,
    original_contract_sum=Decimal("10000"),
    net_change_by_change_orders=Decimal("2000"),
    total_completed_and_stored_to_date=Decimal("6000"),
    total_retainage=Decimal("600"),
    less_previous_certificates=Decimal("1400.50"),
)


def in_state(commitment: Commitment, state: str, **values: Any) -> SubcontractorInvoice:
    bill = "7" if state == ErpStatus.SYNCED else ""
    return InvoiceFactory(commitment=commitment, erp_status=state, bill=bill, **values)


def form_of(entry: InvoiceEntry, **values: Any) -> dict[str, Any]:
    filled = {
        name: str(value)
        for name, value in vars(entry).items()
        if value not in (None, False)
    }  # fmt: skip
    return {**filled, **values}


def test_the_other_lines_follow_from_the_five_that_are_entered(
    alice: User, concrete: Commitment
) -> None:
    made = invoices.create_invoice(commitment=concrete, entry=ENTRY, by=alice)
    made.refresh_from_db()
    assert made.contract_sum_to_date == 12000
    assert made.total_earned_less_retainage == 5400
    assert made.current_payment_due == Decimal("3999.50")
    assert made.balance_to_finish == 6600


def test_a_new_invoice_gets_the_next_position(alice: User, concrete: Commitment) -> None:
    InvoiceFactory(commitment=concrete, position=4)
    made = invoices.create_invoice(commitment=concrete, entry=ENTRY, by=alice)
    assert (made.position, made.project_id, made.company_id) == (
        5,
        concrete.project_id,
        concrete.company_id,
    )


def test_every_change_is_written_down_with_its_old_value(alice: User, concrete: Commitment) -> None:
    made = invoices.create_invoice(commitment=concrete, entry=ENTRY, by=alice)
    changed = replace(ENTRY, invoice_number="ACME-8", total_retainage=Decimal("500"))
    invoices.edit_invoice(invoice=made, entry=changed, by=alice)
    edited, created = made.events.all()
    assert created.summary == "Created" and created.changes["Invoice #"] == ["", "ACME-7"]
    assert edited.actor == alice and edited.changes == {
        "Invoice #": ["ACME-7", "ACME-8"],
        "Total Retainage": ["$600.00", "$500.00"],
        "Total Earned Less Retainage": ["$5,400.00", "$5,500.00"],
        "Current Payment Due": ["$3,999.50", "$4,099.50"],
        "Balance To Finish, Including Retainage": ["$6,600.00", "$6,500.00"],
    }


def test_saving_without_a_change_leaves_no_trace(alice: User, concrete: Commitment) -> None:
    made = invoices.create_invoice(commitment=concrete, entry=ENTRY, by=alice)
    invoices.edit_invoice(invoice=made, entry=ENTRY, by=alice)
    assert made.events.count() == 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("invoice_number", "  ", invoices.NO_NUMBER),
        ("invoice_number", "x" * 51, "at most 50"),
        ("status", "rejected", invoices.WRONG_STATUS),
        ("billing_date", dt.date(1999, 12, 31), invoices.WRONG_DATE),
        ("period_start", dt.date(1999, 12, 31), invoices.WRONG_DATE),
        ("total_retainage", Decimal("0.001"), "at most 2 decimals"),
        ("total_retainage", Decimal("1e13"), "at most 13 digits"),
        ("total_retainage", Decimal("NaN"), "Enter a number."),
    ],
)
def test_what_cannot_be_is_answered_by_a_sentence(
    alice: User, concrete: Commitment, name: str, value: Any, sentence: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        invoices.create_invoice(
            commitment=concrete, entry=replace(ENTRY, **{name: value}), by=alice
        )
    assert sentence in refused.value.message_dict[name][0]
    assert not SubcontractorInvoice.objects.exists()


def test_a_period_does_not_end_before_it_starts(alice: User, concrete: Commitment) -> None:
    dates = {"period_start": dt.date(2026, 6, 30), "period_end": dt.date(2026, 6, 1)}
    with pytest.raises(ValidationError, match="ends before it starts"):
        invoices.create_invoice(commitment=concrete, entry=replace(ENTRY, **dates), by=alice)


def test_the_billing_period_is_the_projects(alice: User, concrete: Commitment) -> None:
    foreign = BillingPeriodFactory()
    with pytest.raises(ValidationError, match="billing period of the project"):
        entry = replace(ENTRY, billing_period=foreign)
        invoices.create_invoice(commitment=concrete, entry=entry, by=alice)


@pytest.mark.parametrize("state", IN_THE_ERP)
def test_what_was_sent_is_locked_with_a_sentence(
    alice: User, concrete: Commitment, state: str
) -> None:
    invoice = in_state(concrete, state)
    for refused in (
        lambda: invoices.edit_invoice(invoice=invoice, entry=ENTRY, by=alice),
        lambda: invoices.set_status(invoice=invoice, status=InvoiceStatus.DRAFT, by=alice),
    ):
        with pytest.raises(ValidationError) as error:
            refused()
        assert error.value.messages == [LOCKED[state]]
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.APPROVED and not invoice.events.exists()


def test_procores_sentence_stands_on_a_synced_invoice() -> None:
    sentence = "The invoice is not editable because it has been synced with ERP"
    assert LOCKED[ErpStatus.SYNCED] == sentence


@pytest.mark.parametrize("state", [ErpStatus.NOT_SENT, ErpStatus.RETRIEVED, ErpStatus.REJECTED])
def test_what_came_back_can_be_changed(alice: User, concrete: Commitment, state: str) -> None:
    invoice = in_state(concrete, state)
    invoices.edit_invoice(invoice=invoice, entry=ENTRY, by=alice)
    invoice.refresh_from_db()
    assert invoice.invoice_number == "ACME-7" and invoice.erp_status == state


@pytest.mark.parametrize("state", IN_THE_ERP)
def test_files_come_and_go_in_every_state(alice: User, concrete: Commitment, state: str) -> None:
    invoice = in_state(concrete, state)
    upload = SimpleUploadedFile("waiver.pdf", PDF)
    attachment = invoices.attach_file(invoice=invoice, file=upload, by=alice)
    assert attachment.file.read() == PDF and attachment.company_id == invoice.company_id
    invoices.remove_attachment(attachment=attachment, by=alice)
    assert not invoice.attachments.exists()
    assert [event.changes for event in invoice.events.order_by("pk")] == [
        {"Attachment": ["", "waiver.pdf"]},
        {"Attachment": ["waiver.pdf", ""]},
    ]


def test_a_program_is_no_document(alice: User, concrete: Commitment) -> None:
    upload = SimpleUploadedFile("waiver.pdf", b"MZ\x90\0")
    with pytest.raises(ValidationError, match="cannot be attached"):
        invoices.attach_file(invoice=InvoiceFactory(commitment=concrete), file=upload, by=alice)
    assert not InvoiceAttachment.objects.exists() and not CommitmentEvent.objects.exists()


def test_readers_and_strangers_change_nothing(
    bob: User, mallory: User, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    upload = SimpleUploadedFile("a.pdf", PDF)
    for person in (bob, mallory):
        for refused in (
            lambda by: invoices.create_invoice(commitment=concrete, entry=ENTRY, by=by),
            lambda by: invoices.edit_invoice(invoice=invoice, entry=ENTRY, by=by),
            lambda by: invoices.set_status(invoice=invoice, status="draft", by=by),
            lambda by: invoices.attach_file(invoice=invoice, file=upload, by=by),
        ):
            with pytest.raises(ValidationError) as error:
                refused(person)
            assert error.value.messages == [NOT_ADMIN]


def test_an_administrator_who_left_changes_nothing(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    alice.is_active = False
    with pytest.raises(ValidationError):
        invoices.set_status(invoice=invoice, status="draft", by=alice)


def test_an_invoice_is_submitted_when_it_stops_being_a_draft(
    alice: User, concrete: Commitment
) -> None:
    draft = invoices.create_invoice(
        commitment=concrete, entry=replace(ENTRY, status=InvoiceStatus.DRAFT), by=alice
    )
    assert draft.submitted_at is None
    reviewed = invoices.set_status(invoice=draft, status=InvoiceStatus.UNDER_REVIEW, by=alice)
    first = reviewed.submitted_at
    approved = invoices.set_status(invoice=reviewed, status=InvoiceStatus.APPROVED, by=alice)
    assert first is not None and approved.submitted_at == first


def test_one_that_is_refused_does_not_stop_the_others(alice: User, concrete: Commitment) -> None:
    rows = [in_state(concrete, state) for state in ("not_sent", "synced", "retrieved")]
    batch = invoices.for_each(
        rows, lambda row: invoices.set_status(invoice=row, status="draft", by=alice)
    )
    assert [row.pk for row in batch.done] == [rows[0].pk, rows[2].pk]
    assert batch.refused == [(rows[1], LOCKED[ErpStatus.SYNCED])]


def test_the_form_of_a_new_invoice_goes_on_where_the_last_one_ended(
    alice: User, concrete: Commitment
) -> None:
    ScheduleOfValuesLineFactory(commitment=concrete, amount=Decimal("10000"))
    ChangeOrderFactory(commitment=concrete, status="Approved", amount=Decimal("2000"))
    InvoiceFactory(commitment=concrete, due=Decimal("1400.50"))
    period = BillingPeriodFactory(project=concrete.project)
    initial = browser(alice).get(at(concrete, "commitments:invoice_new")).context["form"].initial
    assert initial["billing_period"] == period and initial["period_end"] == period.ends_on
    assert initial["original_contract_sum"] == 10000
    assert initial["net_change_by_change_orders"] == 2000
    assert initial["less_previous_certificates"] == Decimal("1400.50")


def test_an_invoice_is_added_and_changed_in_the_browser(alice: User, concrete: Commitment) -> None:
    client = browser(alice)
    page = client.post(at(concrete, "commitments:invoice_new"), form_of(ENTRY), follow=True)
    assert "Invoice ACME-7 was added." in text(page)
    made = SubcontractorInvoice.objects.get()
    period = BillingPeriod.objects.create(
        company=concrete.company, project=concrete.project, starts_on=dt.date(2026, 6, 1),
        ends_on=dt.date(2026, 6, 30), due_on=dt.date(2026, 7, 10),
    )  # fmt: skip
    data = form_of(ENTRY, status="approved", is_final="on", billing_period=period.pk)
    page = client.post(at(concrete, "commitments:invoice_edit", made.pk), data, follow=True)
    assert "The invoice was saved." in text(page)
    made.refresh_from_db()
    assert (made.status, made.is_final, made.billing_period) == ("approved", True, period)
    assert "Alice Admin" in text(page) and "Status: Under Review → Approved" in text(page)


def test_the_form_says_what_is_wrong_beside_the_field(alice: User, concrete: Commitment) -> None:
    page = browser(alice).post(
        at(concrete, "commitments:invoice_new"), form_of(ENTRY, total_retainage="0.001")
    )
    assert page.context["form"].errors["total_retainage"] == [
        "Amounts in USD have at most 2 decimals."
    ]


@pytest.mark.parametrize("state", IN_THE_ERP)
def test_the_form_of_a_locked_invoice_is_its_reason(
    alice: User, concrete: Commitment, state: str
) -> None:
    invoice = in_state(concrete, state)
    url = at(concrete, "commitments:invoice_edit", invoice.pk)
    page = browser(alice).get(url)
    assert LOCKED[state] in text(page) and "Save</button>" not in text(page)
    posted = browser(alice).post(url, form_of(ENTRY), follow=True)
    assert LOCKED[state] in text(posted)
    invoice.refresh_from_db()
    assert invoice.invoice_number != "ACME-7"


def test_of_two_people_who_edit_one_loses_nothing_of_the_other(
    alice: User, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    url = at(concrete, "commitments:invoice_edit", invoice.pk)
    seen = browser(alice).get(url).context["form"].initial["seen_at"]
    invoices.set_status(invoice=invoice, status=InvoiceStatus.UNDER_REVIEW, by=alice)
    page = browser(alice).post(url, form_of(ENTRY, seen_at=seen), follow=True)
    assert "Somebody changed this invoice while you had it open" in text(page)
    invoice.refresh_from_db()
    assert invoice.invoice_number != "ACME-7" and invoice.status == InvoiceStatus.UNDER_REVIEW


def test_a_file_is_attached_downloaded_and_removed_on_the_invoices_page(
    alice: User, bob: User, mallory: User, concrete: Commitment
) -> None:
    invoice = in_state(concrete, ErpStatus.SYNCED)
    url = at(concrete, "commitments:invoice_attach", invoice.pk)
    upload = {"file": SimpleUploadedFile("lien waiver.pdf", PDF)}
    assert "“lien waiver.pdf” was attached." in text(browser(alice).post(url, upload, follow=True))
    attachment = InvoiceAttachment.objects.get()
    there = at(concrete, "commitments:invoice_attachment", invoice.pk, attachment.pk)
    answer = browser(bob).get(there)
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Disposition"] == 'attachment; filename="lien waiver.pdf"'
    assert browser(mallory).get(there).status_code == 404
    other = InvoiceFactory(commitment=concrete)
    elsewhere = at(concrete, "commitments:invoice_attachment", other.pk, attachment.pk)
    assert browser(alice).get(elsewhere).status_code == 404
    delete = at(concrete, "commitments:invoice_detach", invoice.pk, attachment.pk)
    assert browser(bob).post(delete).status_code == 403
    assert "The attachment was removed." in text(browser(alice).post(delete, follow=True))
    assert not InvoiceAttachment.objects.exists()


def test_a_refused_file_is_explained_on_the_page(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    url = at(concrete, "commitments:invoice_attach", invoice.pk)
    upload = {"file": SimpleUploadedFile("a.html", b"<html>")}
    assert "cannot be attached" in text(browser(alice).post(url, upload, follow=True))
    assert "This field is required." in text(browser(alice).post(url, follow=True))


def test_the_last_invoice_is_deleted_with_its_files_and_leaves_its_history(
    alice: User, concrete: Commitment, django_capture_on_commit_callbacks: Any
) -> None:
    first, last = InvoiceFactory.create_batch(2, commitment=concrete)
    upload = SimpleUploadedFile("a.pdf", PDF)
    stored = invoices.attach_file(invoice=last, file=upload, by=alice).file.name
    with pytest.raises(ValidationError, match="Only the last invoice"):
        invoices.delete_invoice(invoice=first, by=alice)
    with django_capture_on_commit_callbacks(execute=True):
        invoices.delete_invoice(invoice=last, by=alice)
    assert list(concrete.invoices.all()) == [first]
    assert not default_storage.exists(stored)
    event = concrete.events.get(summary="Deleted")
    assert event.invoice is None and event.changes["Invoice #"] == [last.invoice_number, ""]


def test_an_invoice_with_payments_stays(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    PaymentFactory(commitment=concrete, invoice=invoice)
    with pytest.raises(ValidationError, match="Payments stand on this invoice"):
        invoices.delete_invoice(invoice=invoice, by=alice)


@pytest.mark.parametrize("state", IN_THE_ERP)
def test_what_was_sent_is_not_deleted(alice: User, concrete: Commitment, state: str) -> None:
    invoice = in_state(concrete, state)
    with pytest.raises(ValidationError) as refused:
        invoices.delete_invoice(invoice=invoice, by=alice)
    assert refused.value.messages == [LOCKED[state]]
