"""Sending invoices to the ERP and taking them back, one or many (rule 14 of the domain sheet)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from commitments import erp_states, extensions
from commitments.extensions import ChecklistItem
from commitments.models import (
    Commitment,
    CommitmentEvent,
    InvoiceStatus,
    SubcontractorInvoice,
)
from projects.access import Level, Tool
from projects.models import ErpStatus, User
from projects.services import grant_level, set_accounting_approver, set_tool
from tests.commitments.fixtures import at, browser, text
from tests.factories import CommitmentFactory, InvoiceFactory, UserFactory

pytestmark = pytest.mark.django_db

SENDABLE = ("approved", "approved_as_noted", "pending_owner_approval")
NOT_SENDABLE = ("draft", "under_review", "revise_and_resubmit")


def press(
    by: User, commitment: Commitment, action: str, *rows: SubcontractorInvoice, **more: Any
) -> Any:
    data = {"action": action, "invoice": [row.pk for row in rows], **more}
    return browser(by).post(at(commitment, "commitments:invoices_act"), data, follow=True)


def states(*rows: SubcontractorInvoice) -> list[str]:
    found = SubcontractorInvoice.objects.in_bulk([row.pk for row in rows])
    return [found[row.pk].erp_status for row in rows]


@pytest.mark.parametrize("status", SENDABLE)
@pytest.mark.parametrize("state", [ErpStatus.NOT_SENT, ErpStatus.RETRIEVED, ErpStatus.REJECTED])
def test_three_statuses_can_be_sent_and_sent_again(
    alice: User, concrete: Commitment, status: str, state: str
) -> None:
    invoice = InvoiceFactory(commitment=concrete, status=status, erp_status=state, erp_message="x")
    erp_states.send_to_erp(invoice=invoice, by=alice)
    invoice.refresh_from_db()
    assert (invoice.erp_status, invoice.erp_message) == (ErpStatus.SENT, "")
    assert invoice.events.get().actor == alice


@pytest.mark.parametrize("status", NOT_SENDABLE)
def test_other_statuses_cannot_be_sent(alice: User, concrete: Commitment, status: str) -> None:
    invoice = InvoiceFactory(commitment=concrete, status=status)
    with pytest.raises(ValidationError, match="Only invoices that are Approved"):
        erp_states.send_to_erp(invoice=invoice, by=alice)
    assert states(invoice) == [ErpStatus.NOT_SENT]


@pytest.mark.parametrize("state", erp_states.NOT_NOW)
def test_what_was_sent_is_not_sent_twice(alice: User, concrete: Commitment, state: str) -> None:
    bill = "7" if state == ErpStatus.SYNCED else ""
    invoice = InvoiceFactory(commitment=concrete, erp_status=state, bill=bill)
    with pytest.raises(ValidationError) as refused:
        erp_states.send_to_erp(invoice=invoice, by=alice)
    assert refused.value.messages == [erp_states.NOT_NOW[state]]


def test_an_invoice_without_a_number_cannot_be_sent(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, invoice_number="")
    with pytest.raises(ValidationError, match="no invoice number"):
        erp_states.send_to_erp(invoice=invoice, by=alice)


@pytest.mark.parametrize(
    "state", [each for each in ErpStatus.values if each not in ("sent", "synced")]
)
def test_only_what_waits_for_an_approver_is_retrieved(
    alice: User, concrete: Commitment, state: str
) -> None:
    invoice = InvoiceFactory(commitment=concrete, erp_status=state)
    with pytest.raises(ValidationError):
        erp_states.retrieve_from_erp(invoice=invoice, by=alice)
    assert states(invoice) == [state]


def test_several_are_sent_each_by_itself_and_the_refused_are_named(
    alice: User, concrete: Commitment
) -> None:
    first, second = InvoiceFactory.create_batch(2, commitment=concrete)
    draft = InvoiceFactory(commitment=concrete, status="draft", invoice_number="ACME-D")
    page = text(press(alice, concrete, "send", first, draft, second))
    assert states(first, draft, second) == ["sent", "not_sent", "sent"]
    assert "2 invoices were sent to the ERP." in page
    assert "ACME-D was not sent to the ERP: It is Draft. Only invoices" in page


def test_several_are_retrieved(alice: User, concrete: Commitment) -> None:
    rows = InvoiceFactory.create_batch(2, commitment=concrete, erp_status="sent")
    page = press(alice, concrete, "retrieve", *rows)
    assert states(*rows) == ["retrieved", "retrieved"]
    assert "2 invoices were retrieved from the ERP." in text(page)


def test_five_are_approved_at_once(alice: User, concrete: Commitment) -> None:
    rows = InvoiceFactory.create_batch(5, commitment=concrete, status="under_review")
    page = press(alice, concrete, "status", *rows, status="approved")
    assert "5 invoices were changed to Approved." in text(page)
    assert set(concrete.invoices.values_list("status", flat=True)) == {InvoiceStatus.APPROVED}
    assert CommitmentEvent.objects.filter(actor=alice, invoice__in=rows).count() == 5


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"action": "send"}, "Tick at least one invoice first."),
        ({"action": "send", "invoice": ["", "x", "9" * 30]}, "Tick at least one invoice first."),
        ({"action": "delete", "invoice": ["1"]}, "Choose what to do"),
        ({"action": "status", "status": "paid", "invoice": ["1"]}, "Choose what to do"),
        ({"action": "send", "invoice": ["999999"]}, "1 of the ticked invoices are not there"),
    ],
)
def test_nonsense_is_answered_by_a_sentence(
    alice: User, concrete: Commitment, data: dict[str, Any], sentence: str
) -> None:
    url = at(concrete, "commitments:invoices_act")
    assert sentence in text(browser(alice).post(url, data, follow=True))


def test_an_invoice_of_another_commitment_is_not_reached(alice: User, concrete: Commitment) -> None:
    other = InvoiceFactory(commitment=CommitmentFactory(project=concrete.project, number="PO-1"))
    press(alice, concrete, "send", other)
    assert states(other) == ["not_sent"]


def test_readers_have_no_buttons_and_their_post_is_refused(bob: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    page = browser(bob).get(at(concrete, "commitments:invoices"))
    assert "Send to ERP" not in text(page) and page.context["bulk"] is None
    assert press(bob, concrete, "send", invoice).status_code == 403
    one = at(concrete, "commitments:invoice_act", invoice.pk)
    assert browser(bob).post(one, {"action": "send"}).status_code == 403
    assert states(invoice) == ["not_sent"]


def test_the_buttons_rest_with_a_reason_that_can_be_read(alice: User, concrete: Commitment) -> None:
    InvoiceFactory(commitment=concrete, status="draft")
    page = text(browser(alice).get(at(concrete, "commitments:invoices")))
    assert "Nothing on this page can be sent to the ERP." in page
    assert "Nothing on this page can be retrieved" in page
    assert 'value="send" disabled aria-describedby="why-not"' in page
    assert "Draft: not approved" in page


def test_where_the_erp_tool_is_off_nothing_is_sent(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    set_tool(project=concrete.project, tool=Tool.ERP_INTEGRATIONS, is_active=False)
    page = text(browser(alice).get(at(concrete, "commitments:invoices")))
    assert "ERP Integrations is switched off on this project" in page
    assert "is switched off on project" in text(press(alice, concrete, "send", invoice))
    assert states(invoice) == ["not_sent"]


def test_one_is_sent_and_retrieved_on_its_own_page(alice: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete)
    url = at(concrete, "commitments:invoice_act", invoice.pk)
    page = text(browser(alice).post(url, {"action": "send"}, follow=True))
    assert f"{invoice.invoice_number} was sent to the ERP." in page
    assert "Retrieve from ERP" in page and "notice ribbon info" in page
    assert "Sent to the ERP" in page and "ERP Status: Not sent → Sent, waiting" in page
    page = text(browser(alice).post(url, {"action": "retrieve"}, follow=True))
    assert "notice ribbon warn" in page and states(invoice) == ["retrieved"]


@pytest.mark.parametrize(
    ("state", "tone"),
    [("not_sent", "plain"), ("sent", "info"), ("exporting", "info"), ("retrieved", "warn"),
     ("rejected", "warn"), ("failed", "bad"), ("synced", "good")],
)  # fmt: skip
def test_the_ribbon_has_the_colour_of_the_icon_and_the_reason(
    bob: User, concrete: Commitment, state: str, tone: str
) -> None:
    bill = "7" if state == "synced" else ""
    invoice = InvoiceFactory(
        commitment=concrete, erp_status=state, bill=bill, origin_code=bill, erp_message="Wrong PO."
    )
    page = text(browser(bob).get(at(concrete, "commitments:invoice", invoice.pk)))
    assert f'class="notice ribbon {tone}"' in page and "Reason: <strong>Wrong PO.</strong>" in page
    assert ("ERP ID 7" in page) == (state == "synced")


def test_the_page_lists_what_is_missing_before_the_export(
    alice: User, bob: User, concrete: Commitment
) -> None:
    invoice = InvoiceFactory(commitment=concrete, status="draft")
    url = at(concrete, "commitments:invoice", invoice.pk)
    done = {item.code: item.is_done for item in browser(bob).get(url).context["checklist"]}
    assert (done["status"], done["invoice_number"], done["billing_date"]) == (False, True, True)
    page = text(browser(alice).get(url))
    assert at(concrete, "commitments:invoice_edit", invoice.pk) in page
    assert "It is Draft. It has to be Approved" in page and "It has an invoice number." in page
    assert "It cannot be sent to the ERP yet. It is Draft." in page


def test_rooms_to_the_right_add_to_the_list(
    bob: User, concrete: Commitment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extensions, "_checklists", [])
    item = ChecklistItem("vendor", "The vendor is linked.", False, "/somewhere/", "Link it")
    extensions.register_export_checklist(lambda invoice, person: [item])
    invoice = InvoiceFactory(commitment=concrete)
    page = text(browser(bob).get(at(concrete, "commitments:invoice", invoice.pk)))
    assert 'The vendor is linked. <a href="/somewhere/">Link it</a>' in page


def test_what_the_erp_has_needs_nothing(bob: User, concrete: Commitment) -> None:
    invoice = InvoiceFactory(commitment=concrete, bill="7")
    page = browser(bob).get(at(concrete, "commitments:invoice", invoice.pk))
    assert page.context["checklist"] == []


@pytest.mark.django_db(transaction=True)
def test_pressing_twice_at_the_same_moment_sends_once() -> None:
    invoice = InvoiceFactory()
    alice = UserFactory()
    grant_level(user=alice, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=invoice.project)
    together = Barrier(4)

    def send(_: int) -> str:
        together.wait()
        try:
            erp_states.send_to_erp(invoice=invoice, by=alice)
        except ValidationError as error:
            return error.messages[0]
        finally:
            connection.close()
        return "sent"

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(send, range(4)))
    assert answers == [erp_states.NOT_NOW[ErpStatus.SENT]] * 3 + ["sent"]
    assert invoice.events.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_retrieval_and_a_rejection_at_the_same_moment_one_wins() -> None:
    invoice = InvoiceFactory(erp_status=ErpStatus.SENT)
    alice = UserFactory()
    for tool in Tool:
        grant_level(user=alice, tool=tool, level=Level.ADMIN, on=invoice.project)
    set_accounting_approver(user=alice, company=invoice.company, is_approver=True)
    together = Barrier(2)

    def act(step: Callable[[], SubcontractorInvoice]) -> str:
        together.wait()
        try:
            return str(step().erp_status)
        except ValidationError as error:
            return error.messages[0]
        finally:
            connection.close()

    steps = [
        lambda: erp_states.retrieve_from_erp(invoice=invoice, by=alice),
        lambda: erp_states.reject(invoice=invoice, reason="Wrong PO.", by=alice),
    ]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(act, steps))
    invoice.refresh_from_db()
    assert [invoice.erp_status in answers, invoice.events.count()] == [True, 1]
    assert sum("by now, so this was not done" in each for each in answers) == 1
