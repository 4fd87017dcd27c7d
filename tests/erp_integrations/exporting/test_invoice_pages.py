"""Subcontractor Invoices as accounting approvers work with it."""

import datetime as dt
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse

from commitments.models import CommitmentEvent, SubcontractorInvoice
from erp_integrations.models import ErpConnection, ExportState, InvoiceExport
from projects.access import Level, Tool
from projects.models import ErpStatus, User, Vendor
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.exporting.conftest import (
    accept,
    approver_of,
    export,
    linked_commitment,
    sent_invoice,
    work_on,
)
from tests.factories import InvoiceFactory, ProjectFactory, UserFactory
from tests.fakes.bill_books import LOST, BillBooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(accountant: User) -> Client:
    return client_of(accountant)


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def url(invoice: SubcontractorInvoice, name: str = "subcontractor_invoices", **query: str) -> str:
    return reverse(f"erp_integrations:company_{name}", args=[invoice.company_id], query=query)


def page(client: Client, invoice: SubcontractorInvoice, **query: str) -> str:
    return client.get(url(invoice, **query)).content.decode()


def act(client: Client, row: SubcontractorInvoice, /, **data: Any) -> str:
    """Press a button; what the page says then."""
    data.setdefault("action", "export")
    data.setdefault("invoice", [row.pk])
    response = client.post(url(row, "invoices_act"), data, follow=True)
    row.refresh_from_db()
    return str(response.content.decode())


def test_the_row_comes_with_the_invoice_number_and_the_billing_date(
    client: Client, invoice: SubcontractorInvoice
) -> None:
    shown = page(client, invoice, view="ready")
    assert f'name="erp_number-{invoice.pk}" value="{invoice.invoice_number}"' in shown
    assert f'name="accounting_date-{invoice.pk}" value="2026-06-30"' in shown


def test_a_ticked_row_is_accepted_with_what_was_typed(
    client: Client, invoice: SubcontractorInvoice, accountant: User
) -> None:
    typed = {f"erp_number-{invoice.pk}": " E-7 ", f"accounting_date-{invoice.pk}": "2026-07-02"}
    shown = act(client, invoice, **typed)
    assert f"On the way to the ERP: {invoice.invoice_number}" in shown
    made = InvoiceExport.objects.get()
    assert (made.erp_number, made.accounting_date) == ("E-7", dt.date(2026, 7, 2))
    assert (made.requested_by, invoice.erp_status) == (accountant, ErpStatus.EXPORTING)


def test_many_rows_are_accepted_at_once(client: Client, invoice: SubcontractorInvoice) -> None:
    others = [sent_invoice(invoice.commitment) for _ in range(4)]
    act(client, invoice, invoice=[invoice.pk, *(each.pk for each in others)])
    assert InvoiceExport.objects.active().count() == 5


def test_one_row_that_cannot_be_exported_does_not_stop_the_others(
    client: Client, invoice: SubcontractorInvoice
) -> None:
    other = sent_invoice(invoice.commitment)
    shown = act(
        client,
        invoice,
        invoice=[invoice.pk, other.pk],
        **{f"erp_number-{invoice.pk}": "far-too-long-for-this-erp"},
    )
    assert "Invoice ID cannot be more than 21 characters in Tryton" in shown
    assert 'value="far-too-long-for-this-erp"' in shown
    assert invoice.erp_status == ErpStatus.SENT
    assert InvoiceExport.objects.get().invoice == other


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("erp_number", "  ", "Invoice ID can&#x27;t be blank."),
        ("accounting_date", "", "Please choose a date"),
        ("accounting_date", "soon", "Please choose a date"),
        ("accounting_date", "2026-02-31", "Please choose a date"),
        ("accounting_date", "1999-01-01", "years away"),
    ],
)
def test_what_was_typed_wrongly_is_said(
    client: Client, invoice: SubcontractorInvoice, field: str, typed: str, sentence: str
) -> None:
    assert sentence in act(client, invoice, **{f"{field}-{invoice.pk}": typed})
    assert (invoice.erp_status, InvoiceExport.objects.count()) == (ErpStatus.SENT, 0)


def test_nothing_ticked_is_said(client: Client, invoice: SubcontractorInvoice) -> None:
    assert "Tick at least one invoice first" in act(client, invoice, invoice=[])


def test_a_row_of_another_company_is_not_there(
    client: Client, invoice: SubcontractorInvoice
) -> None:
    foreign = sent_invoice()
    shown = act(client, invoice, invoice=[foreign.pk])
    foreign.refresh_from_db()
    assert "1 of the ticked invoices are not here any more" in shown
    assert foreign.erp_status == ErpStatus.SENT


def test_a_row_is_rejected_with_its_reason(
    client: Client, invoice: SubcontractorInvoice, accountant: User
) -> None:
    shown = act(client, invoice, action="reject", reason="Wrong retainage")
    assert f"Rejected: {invoice.invoice_number}" in shown
    assert (invoice.erp_status, invoice.erp_message) == (ErpStatus.REJECTED, "Wrong retainage")
    event = CommitmentEvent.objects.get()
    assert (event.actor, event.changes["Reason"]) == (accountant, ["", "Wrong retainage"])


def test_a_rejection_without_a_reason_is_refused(
    client: Client, invoice: SubcontractorInvoice
) -> None:
    assert "Say why" in act(client, invoice, action="reject", reason=" ")
    assert invoice.erp_status == ErpStatus.SENT


def test_what_was_retrieved_meanwhile_is_not_exported_and_says_so(
    client: Client, invoice: SubcontractorInvoice
) -> None:
    SubcontractorInvoice.objects.update(erp_status=ErpStatus.RETRIEVED)
    assert "It is retrieved by now, so this was not done." in act(client, invoice)
    assert not InvoiceExport.objects.exists()


def test_the_second_of_two_approvers_reads_that_the_first_was_faster(
    client: Client, invoice: SubcontractorInvoice
) -> None:
    second = client_of(approver_of(invoice.company, "second"))
    act(client, invoice)
    assert "It is exporting by now, so this was not done." in act(second, invoice)
    assert InvoiceExport.objects.count() == 1


def test_what_is_missing_stands_in_the_row_with_a_fix_link(
    client: Client, invoice: SubcontractorInvoice
) -> None:
    Vendor.objects.update(origin_id="")
    shown = page(client, invoice, view="ready")
    vendor = invoice.commitment.vendor
    fix = f"/erp-integrations/directory/vendors/{vendor.pk}/"
    assert f"{vendor} is not linked to a vendor in Tryton." in shown
    assert fix in shown
    assert "is not linked to a vendor" in act(client, invoice)
    assert invoice.erp_status == ErpStatus.SENT


def test_failed_to_export_lists_the_sentence_and_the_fix_and_takes_it_again(
    client: Client, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    Vendor.objects.update(origin_id="")
    work_on(made)
    shown = page(client, invoice, view="failed")
    assert 'class="error"' in shown and ">Fix<" in shown
    Vendor.objects.filter(pk=invoice.commitment.vendor_id).update(origin_id="v1")
    assert "Nothing is missing here any more. Export it again." in page(
        client, invoice, view="failed"
    )
    act(client, invoice)
    assert work_on(InvoiceExport.objects.active().get()).state == ExportState.SUCCEEDED
    assert "No export has failed" in page(client, invoice, view="failed")


def test_a_failed_one_can_be_rejected(
    client: Client, invoice: SubcontractorInvoice, accountant: User, erp: BillBooks
) -> None:
    erp.before.append(ZeroDivisionError())
    made = accept(invoice, accountant)
    with pytest.raises(ZeroDivisionError):
        work_on(made)
    act(client, invoice, action="reject", reason="Look at the vendor")
    assert invoice.erp_status == ErpStatus.REJECTED


def test_people_who_may_not_see_the_rows_and_who_may(
    invoice: SubcontractorInvoice, accountant: User
) -> None:
    person = UserFactory()
    grant_level(user=person, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=invoice.company)
    shown = page(client_of(person), invoice)
    assert invoice.invoice_number in shown
    assert f"Ask {accountant}." in shown
    assert "export-form" not in shown


def test_an_approver_without_standard_on_the_tool_may_not(invoice: SubcontractorInvoice) -> None:
    person = UserFactory()
    set_accounting_approver(user=person, company=invoice.company, is_approver=True)
    client = client_of(person)
    assert client.post(url(invoice, "invoices_act"), {"invoice": invoice.pk}).status_code == 403


def test_an_approver_who_lost_the_right_between_page_and_click_is_refused(
    client: Client, invoice: SubcontractorInvoice, accountant: User
) -> None:
    page(client, invoice)
    set_accounting_approver(user=accountant, company=invoice.company, is_approver=False)
    response = client.post(
        url(invoice, "invoices_act"), {"action": "export", "invoice": invoice.pk}
    )
    assert response.status_code == 403
    assert not InvoiceExport.objects.exists()


def test_the_page_follows_what_is_being_exported_until_it_ended(
    client: Client, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accept(invoice, accountant)
    assert f"subcontractor-invoices/progress/?row={invoice.pk}" in page(client, invoice)
    progress = url(invoice, "export_progress", row=str(invoice.pk))
    under_way = client.get(progress)
    assert under_way.status_code == 200 and b"every 2s" in under_way.content
    work_on(made)
    ended = client.get(progress)
    assert ended.status_code == 286 and b"every 2s" not in ended.content
    assert ended["HX-Trigger-After-Swap"] == "sync-finished"
    assert f"Invoice {invoice.invoice_number}: Synced." in ended.content.decode()


def test_an_erp_that_is_away_is_said_while_the_export_waits(
    erp: BillBooks, client: Client, invoice: SubcontractorInvoice, accountant: User
) -> None:
    erp.before.append(LOST)
    work_on(accept(invoice, accountant))
    assert "Books in memory did not answer." in page(client, invoice)


def test_the_list_of_exports_says_who_what_when_and_what_came_of_it(
    client: Client, invoice: SubcontractorInvoice, accountant: User
) -> None:
    export(invoice, accountant, erp_number="E-7")
    shown = client.get(url(invoice, "exports")).content.decode()
    assert str(accountant) in shown and "E-7" in shown and "Exported" in shown


@pytest.mark.parametrize("rows", [3, 40])
def test_the_page_costs_the_same_whatever_is_on_it(
    client: Client,
    invoice: SubcontractorInvoice,
    rows: int,
    django_assert_num_queries: Any,
) -> None:
    states = (ErpStatus.SENT, ErpStatus.FAILED, ErpStatus.EXPORTING)
    for number in range(rows):
        commitment = linked_commitment(ProjectFactory(company=invoice.company))
        sent_invoice(commitment, erp_status=states[number % 3])
        InvoiceFactory(commitment=commitment, bill=f"b{number}")
    with django_assert_num_queries(PAGE_QUERIES):
        page(client, invoice)


PAGE_QUERIES = 21


# ------------------------------------------------------------------- direct export
def test_direct_export_needs_no_approver(
    erp: BillBooks,
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    django_capture_on_commit_callbacks: Any,
) -> None:
    made = send(invoice, django_capture_on_commit_callbacks, direct=True)
    assert made is not None and made.is_direct
    assert work_on(made).state == ExportState.SUCCEEDED


def test_without_it_an_invoice_waits_for_its_approver(
    erp: BillBooks,
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    django_capture_on_commit_callbacks: Any,
) -> None:
    assert send(invoice, django_capture_on_commit_callbacks, direct=False) is None
    invoice.refresh_from_db()
    assert invoice.erp_status == ErpStatus.SENT


def test_what_is_missing_makes_a_direct_export_fail_where_it_is_seen(
    erp: BillBooks,
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    django_capture_on_commit_callbacks: Any,
) -> None:
    Vendor.objects.update(origin_id="")
    made = send(invoice, django_capture_on_commit_callbacks, direct=True)
    assert made is not None
    made = work_on(made)
    assert made.invoice.erp_status == ErpStatus.FAILED
    assert "is not linked to a vendor" in made.invoice.erp_message


def test_who_sent_it_must_be_administrator_of_commitments_still(
    erp: BillBooks,
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    django_capture_on_commit_callbacks: Any,
) -> None:
    made = send(invoice, django_capture_on_commit_callbacks, direct=True)
    assert made is not None
    grant_level(
        user=made.requested_by, tool=Tool.COMMITMENTS, level=Level.STANDARD, on=invoice.company
    )
    made = work_on(made)
    assert (made.state, erp.exported) == (ExportState.FAILED, [])


def test_direct_export_that_was_switched_off_meanwhile_waits_for_an_approver(
    erp: BillBooks,
    connection: ErpConnection,
    invoice: SubcontractorInvoice,
    django_capture_on_commit_callbacks: Any,
) -> None:
    made = send(invoice, django_capture_on_commit_callbacks, direct=True)
    assert made is not None
    ErpConnection.objects.update(direct_export=False)
    made = work_on(made)
    assert "an accounting approver has to export it" in made.invoice.erp_message


def send(invoice: SubcontractorInvoice, on_commit: Any, *, direct: bool) -> InvoiceExport | None:
    from commitments.erp_states import send_to_erp

    ErpConnection.objects.update(direct_export=direct)
    SubcontractorInvoice.objects.update(erp_status=ErpStatus.NOT_SENT)
    person = UserFactory()
    grant_level(user=person, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=invoice.company)
    ringing = mock.patch("erp_integrations.exporting.services.ring_for")
    with ringing, on_commit(execute=True):
        send_to_erp(invoice=invoice, by=person)
    return InvoiceExport.objects.first()


# -------------------------------------------------------------------------- unlink
@pytest.fixture
def synced(invoice: SubcontractorInvoice, accountant: User, client: Client) -> SubcontractorInvoice:
    grant_level(user=accountant, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=invoice.company)
    return export(invoice, accountant).invoice


def unlink(client: Client, invoice: SubcontractorInvoice) -> str:
    return act(client, invoice, action="", invoice=[], unlink=str(invoice.pk))


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_an_invoice_whose_bill_is_gone_is_unlinked(
    erp: BillBooks, client: Client, synced: SubcontractorInvoice, how: str
) -> None:
    getattr(erp, how)(synced.origin_id)
    assert '<li class="success">Successfully Unlinked</li>' in unlink(client, synced)
    assert (synced.erp_status, synced.origin_id) == (ErpStatus.NOT_SENT, "")


def test_an_invoice_whose_bill_is_there_stays_linked(
    client: Client, synced: SubcontractorInvoice
) -> None:
    shown = unlink(client, synced)
    sentence = "The requisition is still in Tryton. Please delete it before retrying."
    assert f'<li class="error">{sentence}</li>' in shown
    assert synced.is_synced


def test_an_erp_that_cannot_be_asked_changes_nothing_and_is_not_a_yes(
    erp: BillBooks, client: Client, synced: SubcontractorInvoice
) -> None:
    erp.delete(synced.origin_id)
    erp.before.append(LOST)
    shown = unlink(client, synced)
    assert "could not be asked whether the bill is gone, so nothing was changed" in shown
    assert "still in Tryton" not in shown and "Successfully" not in shown
    assert synced.is_synced


def test_payments_that_count_keep_it_linked_and_voided_ones_do_not(
    erp: BillBooks, client: Client, synced: SubcontractorInvoice
) -> None:
    from payments.models import Payment
    from tests.factories import PaymentFactory

    erp.delete(synced.origin_id)
    PaymentFactory(commitment=synced.commitment, invoice=synced, origin_id="1/p/7")
    assert "Payments came for this invoice" in unlink(client, synced)
    assert synced.is_synced
    Payment.objects.update(status="voided", voided_on=dt.date(2026, 7, 9))
    unlink(client, synced)
    assert not synced.is_synced
    assert Payment.objects.get().invoice == synced


def test_unlinking_takes_all_three_rights(
    erp: BillBooks, client: Client, synced: SubcontractorInvoice, accountant: User
) -> None:
    erp.delete(synced.origin_id)
    assert f"Unlink invoice {synced.invoice_number}" in page(client, synced)
    grant_level(user=accountant, tool=Tool.COMMITMENTS, level=Level.STANDARD, on=synced.company)
    assert f"Unlink invoice {synced.invoice_number}" not in page(client, synced)
    assert "Unlinking needs Admin on Commitments" in unlink(client, synced)
    assert synced.is_synced


def test_the_page_of_the_invoice_has_the_button_and_the_checklist(
    erp: BillBooks, client: Client, synced: SubcontractorInvoice
) -> None:
    place = [synced.project_id, synced.commitment_id, synced.pk]
    shown = client.get(reverse("commitments:invoice", args=place)).content.decode()
    assert "Unlink from the ERP" in shown
    erp.delete(synced.origin_id)
    button = reverse("erp_integrations:project_invoice_unlink", args=[place[0], synced.pk])
    told = client.post(button, follow=True).content.decode()
    assert "Successfully Unlinked" in told
    assert "is linked to a vendor in Tryton." in told
