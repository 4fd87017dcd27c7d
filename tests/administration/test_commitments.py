"""Commitments and invoices in the Django admin."""

from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commitments.models import Commitment, CommitmentEvent, SubcontractorInvoice
from projects.models import Company, ErpStatus, User
from tests.commitments.fixtures import browser
from tests.factories import (
    BillingPeriodFactory,
    ChangeOrderFactory,
    CommitmentFactory,
    InvoiceFactory,
    PaymentFactory,
    ProjectFactory,
    VendorFactory,
)

pytestmark = pytest.mark.django_db

MODELS = ("commitment", "changeorder", "billingperiod", "subcontractorinvoice", "commitmentevent")
SCHEDULE, CHANGES = "schedule_of_values", "change_orders"


def url(row: Any, what: str = "change") -> str:
    return reverse(f"admin:commitments_{row._meta.model_name}_{what}", args=[row.pk])


def page_of(model: str) -> str:
    return reverse(f"admin:commitments_{model}_changelist")


def formset(prefix: str, *rows: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def form(row: Any, **values: Any) -> dict[str, Any]:
    typed = {
        key: value
        for key, value in model_to_dict(row).items()
        if value is not None and value is not False
    }
    return {**typed, **formset(SCHEDULE), **formset(CHANGES), **values}


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_and_shows_no_other_company(
    dora: User, mallory: User, concrete: Commitment, model: str
) -> None:
    ChangeOrderFactory(commitment=concrete)
    BillingPeriodFactory(project=concrete.project)
    InvoiceFactory(commitment=concrete)
    CommitmentEvent.objects.create(company=concrete.company, commitment=concrete, subject="x")
    assert browser(dora).get(page_of(model)).context["cl"].result_count == 1
    page = browser(mallory).get(page_of(model))
    assert page.context["cl"].result_count == 0
    assert "SC-0012" not in page.content.decode()
    assert concrete.project.name not in page.content.decode()


@pytest.mark.parametrize("model", ["commitment", "subcontractorinvoice"])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    dora: User, concrete: Commitment, model: str
) -> None:
    client = browser(dora)
    counts = []
    for number in ("SC-1", "SC-2", "SC-3"):
        InvoiceFactory(commitment=CommitmentFactory(project=concrete.project, number=number))
        with CaptureQueriesContext(connection) as queries:
            client.get(page_of(model))
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_a_commitment_is_made_with_its_lines(dora: User, northstar: Company) -> None:
    project = ProjectFactory(company=northstar)
    vendor = VendorFactory(company=northstar)
    line = {"position": 1, "description": "Footings", "amount": "100.00"}
    data = {
        "project": project.pk,
        "vendor": vendor.pk,
        "kind": "subcontract",
        "number": "SC-1",
        "title": "Concrete",
        "status": "Approved",
        "currency": "USD",
        "retainage_percent": "10",
        "allow_payments": "on",
        **formset(SCHEDULE, line),
        **formset(CHANGES),
    }
    page = browser(dora).post(reverse("admin:commitments_commitment_add"), data)
    assert page.status_code == 302, page.context["adminform"].form.errors
    made = Commitment.objects.get()
    assert made.company == northstar
    assert made.schedule_of_values.get().company == northstar


def test_a_wrong_status_is_answered_by_a_sentence(dora: User, concrete: Commitment) -> None:
    page = browser(dora).post(url(concrete), form(concrete, status="Closed"))
    assert "This status does not exist for this type of commitment." in page.content.decode()


def test_a_number_that_is_taken_is_answered_by_a_sentence(dora: User, concrete: Commitment) -> None:
    other = CommitmentFactory(project=concrete.project, number="SC-0013")
    page = browser(dora).post(url(other), form(other, number="SC-0012"))
    assert "The project has a commitment with this number already." in page.content.decode()


def test_a_position_that_is_taken_is_answered_by_a_sentence(
    dora: User, concrete: Commitment
) -> None:
    line = {"position": 1, "description": "Footings", "amount": "100.00"}
    data = form(concrete, **formset(SCHEDULE, line, line))
    page = browser(dora).post(url(concrete), data)
    assert page.status_code == 200 and not concrete.schedule_of_values.exists()


def test_a_vendor_of_others_cannot_be_chosen(dora: User, concrete: Commitment) -> None:
    data = form(concrete, vendor=VendorFactory().pk)
    page = browser(dora).post(url(concrete), data)
    assert "Select a valid choice" in page.content.decode()


def test_the_tab_is_switched_on_with_history_and_a_ring(
    dora: User,
    concrete: Commitment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rung: list[int] = []
    monkeypatch.setattr("commitments.payments_tab.announce_enabled", rung.append)
    Commitment.objects.update(allow_payments=False)
    page = browser(dora).post(url(concrete), form(concrete, allow_payments="on"))
    assert page.status_code == 302
    concrete.refresh_from_db()
    assert concrete.allow_payments and rung == [concrete.company_id]
    assert concrete.events.get().summary == "Payments Issued switched on"


def test_tabs_are_switched_off_together(dora: User, concrete: Commitment) -> None:
    data = {"action": "disable_payments", "_selected_action": [concrete.pk]}
    page = browser(dora).post(page_of("commitment"), data, follow=True)
    assert "Payments Issued is switched off on SC-0012." in page.content.decode()
    concrete.refresh_from_db()
    assert not concrete.allow_payments


def test_mallory_switches_nothing(mallory: User, concrete: Commitment) -> None:
    data = {"action": "disable_payments", "_selected_action": [concrete.pk]}
    browser(mallory).post(page_of("commitment"), data)
    assert browser(mallory).get(url(concrete)).status_code == 302
    concrete.refresh_from_db()
    assert concrete.allow_payments


#: what the browser sends for the list of files, which is only read here
NO_ATTACHMENTS = {"attachments-TOTAL_FORMS": "0", "attachments-INITIAL_FORMS": "0"}


def invoice_form(invoice: SubcontractorInvoice, **values: Any) -> dict[str, Any]:
    return form(invoice, **NO_ATTACHMENTS, **values)


def test_an_invoice_is_linked_to_its_bill(
    dora: User, concrete: Commitment, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr("commitments.erp_links.announce_enabled", rung.append)
    invoice = InvoiceFactory(commitment=concrete)
    data = invoice_form(invoice, bill_id="7", bill_number="BILL-7")
    page = browser(dora).post(url(invoice), data)
    assert page.status_code == 302, page.context["adminform"].form.errors
    invoice.refresh_from_db()
    assert (invoice.origin_id, invoice.origin_code) == ("7", "BILL-7")
    assert invoice.erp_status == ErpStatus.SYNCED and rung == [concrete.company_id]
    assert concrete.events.get().summary == "Linked to ERP bill BILL-7"


def test_one_bill_is_one_invoice(dora: User, concrete: Commitment) -> None:
    InvoiceFactory(commitment=concrete, bill="7", invoice_number="ACME-1")
    invoice = InvoiceFactory(commitment=concrete)
    page = browser(dora).post(url(invoice), invoice_form(invoice, bill_id="7"))
    sentence = "Invoice ACME-1 of SC-0012 is linked to this ERP bill already."
    assert sentence in page.content.decode()


def test_an_invoice_with_synced_payments_stays_linked(dora: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7")
    PaymentFactory(commitment=concrete, invoice=invoice, origin_id="1/1/7")
    page = browser(dora).post(url(invoice), {"bill_id": "", "bill_number": "", **NO_ATTACHMENTS})
    assert "so it stays linked to its bill" in page.content.decode()


def test_an_invoice_without_payments_is_unlinked(dora: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7")
    page = browser(dora).post(url(invoice), {"bill_id": "", "bill_number": "", **NO_ATTACHMENTS})
    assert page.status_code == 302
    invoice.refresh_from_db()
    assert invoice.origin_id == "" and invoice.erp_status == ErpStatus.NOT_SENT


def test_a_synced_invoice_is_locked(dora: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7", invoice_number="ACME-1")
    data = invoice_form(invoice, invoice_number="ACME-2", bill_id="7")
    browser(dora).post(url(invoice), data)
    invoice.refresh_from_db()
    assert invoice.invoice_number == "ACME-1"
    assert browser(dora).post(url(invoice, "delete"), {"post": "yes"}).status_code == 403


def test_lines_that_do_not_add_up_are_answered_by_a_sentence(
    dora: User, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    page = browser(dora).post(url(invoice), invoice_form(invoice, current_payment_due="1"))
    assert "The lines of the G702 do not add up." in page.content.decode()


def test_what_the_administration_changes_is_written_down(dora: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, invoice_number="ACME-1")
    page = browser(dora).post(url(invoice), invoice_form(invoice, invoice_number="ACME-2"))
    assert page.status_code == 302, page.context["adminform"].form.errors
    event = invoice.events.get()
    assert event.actor == dora and event.changes == {"Invoice #": ["ACME-1", "ACME-2"]}


def test_an_invoice_is_entered_in_the_administration(dora: User, concrete: Commitment) -> None:
    made = InvoiceFactory.build(commitment=concrete, company=None, project=None)
    data = {**invoice_form(made), "commitment": concrete.pk}
    page = browser(dora).post(reverse("admin:commitments_subcontractorinvoice_add"), data)
    assert page.status_code == 302, page.context["adminform"].form.errors
    stored = SubcontractorInvoice.objects.get()
    assert stored.project == concrete.project and stored.events.get().summary == "Created"


@pytest.mark.parametrize("state", ["sent", "exporting", "failed"])
def test_what_was_sent_is_locked_here_as_well(dora: User, concrete: Commitment, state: str) -> None:
    invoice = InvoiceFactory(commitment=concrete, erp_status=state, invoice_number="ACME-1")
    browser(dora).post(url(invoice), invoice_form(invoice, invoice_number="ACME-2"))
    invoice.refresh_from_db()
    assert invoice.invoice_number == "ACME-1" and invoice.erp_status == state
    assert browser(dora).post(url(invoice, "delete"), {"post": "yes"}).status_code == 403


def test_invoice_contacts_are_named_in_the_administration(dora: User, concrete: Commitment) -> None:
    page = browser(dora).post(url(concrete), form(concrete, invoice_contacts=[dora.pk]))
    assert page.status_code == 302
    assert list(concrete.invoice_contacts.all()) == [dora]


def test_the_last_invoice_is_deleted_here_and_the_others_stay(
    dora: User, concrete: Commitment
) -> None:
    first, last = InvoiceFactory.create_batch(2, commitment=concrete)
    page = browser(dora).post(url(first, "delete"), {"post": "yes"}, follow=True)
    assert "Only the last invoice of a commitment can be deleted" in page.content.decode()
    browser(dora).post(url(last, "delete"), {"post": "yes"})
    assert list(concrete.invoices.all()) == [first]
    assert concrete.events.get().summary == "Deleted"
