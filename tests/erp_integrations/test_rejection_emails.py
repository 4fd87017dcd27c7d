"""Whoever sent an invoice hears of its rejection."""

import pytest
from django.db import transaction

from commitments import erp_states
from commitments.models import SubcontractorInvoice
from erp_integrations.models import NoticeKind, OutgoingEmail
from erp_integrations.notices.preferences import set_preference
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level, set_accounting_approver
from tests.factories import ErpConnectionFactory, InvoiceFactory, UserFactory

pytestmark = pytest.mark.django_db

REASON = "The retainage is wrong.\nPlease correct line 3."


@pytest.fixture
def invoice() -> SubcontractorInvoice:
    invoice = InvoiceFactory(invoice_number="ACME-7")
    ErpConnectionFactory(company=invoice.company)
    return invoice


@pytest.fixture
def pam(invoice: SubcontractorInvoice) -> User:
    pam = UserFactory(username="pam")
    grant_level(user=pam, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=invoice.project)
    return pam


@pytest.fixture
def carla(invoice: SubcontractorInvoice) -> User:
    carla = UserFactory(username="carla", first_name="Carla", last_name="Counts")
    make_approver(carla, invoice)
    return carla


def make_approver(person: User, invoice: SubcontractorInvoice) -> None:
    tool = Tool.ERP_INTEGRATIONS
    grant_level(user=person, tool=tool, level=Level.STANDARD, on=invoice.project)
    set_accounting_approver(user=person, company=invoice.company, is_approver=True)


def reject(invoice: SubcontractorInvoice, pam: User, carla: User) -> None:
    erp_states.send_to_erp(invoice=invoice, by=pam)
    erp_states.reject(invoice=invoice, reason=REASON, by=carla)


def test_the_sender_reads_who_rejected_it_and_why(
    invoice: SubcontractorInvoice, pam: User, carla: User
) -> None:
    reject(invoice, pam, carla)
    email = OutgoingEmail.objects.get()
    assert email.person == pam and "ACME-7 was rejected" in email.subject
    assert "Carla Counts rejected invoice ACME-7" in email.body
    assert "The retainage is wrong." in email.body and f"/invoices/{invoice.pk}/" in email.body


def test_every_rejection_is_told(invoice: SubcontractorInvoice, pam: User, carla: User) -> None:
    reject(invoice, pam, carla)
    reject(invoice, pam, carla)
    assert OutgoingEmail.objects.count() == 2


def test_a_rejection_that_is_rolled_back_is_not_told(
    invoice: SubcontractorInvoice, pam: User, carla: User
) -> None:
    with transaction.atomic():
        reject(invoice, pam, carla)
        transaction.set_rollback(True)
    assert not OutgoingEmail.objects.exists()


def test_nobody_is_told_of_his_own_rejection(invoice: SubcontractorInvoice, pam: User) -> None:
    make_approver(pam, invoice)
    reject(invoice, pam, pam)
    assert not OutgoingEmail.objects.exists()


def test_whoever_does_not_want_it_is_not_told(
    invoice: SubcontractorInvoice, pam: User, carla: User
) -> None:
    set_preference(person=pam, company=invoice.company, kind=NoticeKind.REJECTION, is_wanted=False)
    reject(invoice, pam, carla)
    assert not OutgoingEmail.objects.exists()
