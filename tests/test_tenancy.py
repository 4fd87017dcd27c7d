"""Whose a row is stands in the row, and the database holds it to that."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from payments.models import Payment
from projects.models import Company, User
from tests.factories import (
    CommitmentFactory,
    ErpConnectionFactory,
    InvoiceFactory,
    PaymentFactory,
    ProjectFactory,
)

ROOMS = ("projects", "commitments", "payments", "erp_integrations")
#: the tenant itself, people (who may work for several), and django-guardian's tables
WITHOUT_COMPANY = {Company, User}


def test_every_tenant_table_carries_its_company() -> None:
    models = [model for room in ROOMS for model in apps.get_app_config(room).get_models()]
    missing = [
        model.__name__
        for model in models
        if model not in WITHOUT_COMPANY
        and not model.__name__.endswith("ObjectPermission")
        and "company" not in {field.name for field in model._meta.fields}
    ]
    assert missing == []


def refuse(payment: Payment, **changes: object) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**changes)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.django_db
def test_a_payment_cannot_move_to_another_companys_commitment() -> None:
    refuse(PaymentFactory(), commitment=CommitmentFactory())


@pytest.mark.django_db
def test_a_payment_cannot_belong_to_another_project_than_its_commitment() -> None:
    payment = PaymentFactory()
    refuse(payment, project=ProjectFactory(company=payment.company))


@pytest.mark.django_db
def test_a_payment_cannot_pay_an_invoice_of_another_commitment() -> None:
    payment = PaymentFactory()
    refuse(payment, invoice=InvoiceFactory(commitment__project=payment.project))


@pytest.mark.django_db
def test_a_company_has_one_connection() -> None:
    first = ErpConnectionFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        ErpConnectionFactory(company=first.company)
