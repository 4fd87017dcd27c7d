"""``manage.py load_demo``."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client

from commitments.models import BillingPeriod, ChangeOrder, Commitment, SubcontractorInvoice
from erp_integrations.demo.books import read_books
from erp_integrations.models import ErpConnection
from payments.models import Payment, PaymentAttachment
from projects.access import Level, Tool
from projects.models import Company, ErpStatus, Project, User
from tests.commitments.fixtures import browser

pytestmark = pytest.mark.django_db

ERP = ("--erp-url", "http://127.0.0.1:9", "--erp-database", "lab", "--erp-key", "very-secret-key")


def load(*words: str) -> None:
    call_command("load_demo", *words)


def rows() -> dict[str, int]:
    models = (Company, Project, User, Commitment, ChangeOrder, BillingPeriod)
    others = (SubcontractorInvoice, Payment, PaymentAttachment, ErpConnection)
    return {model.__name__: model.objects.count() for model in (*models, *others)}


def test_it_can_be_loaded_again_and_again() -> None:
    load(*ERP)
    first = rows()
    load(*ERP)
    assert rows() == first


def test_what_people_changed_stays() -> None:
    load()
    Commitment.objects.filter(number="SC-2024-001").update(title="Concrete and rebar")
    Payment.objects.get().delete()
    pm = User.objects.get(username="pm")
    pm.set_password("something else")
    pm.save()
    load()
    pm.refresh_from_db()
    assert Commitment.objects.get(number="SC-2024-001").title == "Concrete and rebar"
    assert not Payment.objects.exists() and pm.check_password("something else")


def test_every_bill_of_the_erp_is_a_synced_invoice() -> None:
    load()
    synced = SubcontractorInvoice.objects.synced().values_list(
        "origin_id", "invoice_number", "current_payment_due", "commitment__number"
    )
    bills = {(b.id, b.reference, b.total, b.order) for b in read_books().bills}
    assert set(synced) == bills


def test_no_commitment_is_billed_for_more_than_its_sum() -> None:
    load()
    for commitment in Commitment.objects.with_totals():
        billed = commitment.invoices.aggregate(total=Sum("current_payment_due"))["total"]
        assert (billed or Decimal(0)) <= commitment.revised_amount


def test_there_is_something_of_everything() -> None:
    load()
    kinds = set(SubcontractorInvoice.objects.values_list("erp_status", flat=True))
    wanted = {ErpStatus.NOT_SENT, ErpStatus.SENT, ErpStatus.FAILED, ErpStatus.REJECTED}
    assert wanted <= kinds
    assert Commitment.objects.filter(is_private=True).count() == 1
    assert Commitment.objects.filter(allow_payments=False).count() == 1
    assert PaymentAttachment.objects.get().payment.is_synced is False


@pytest.mark.parametrize(
    ("username", "numbers"),
    [
        ("admin", {"2026-014", "2026-021", "2026-030", "W-100"}),
        ("accountant", {"2026-014", "2026-021", "2026-030"}),
        ("pm", {"2026-014", "2026-021"}),
        ("viewer", {"2026-014"}),
        ("stranger", set()),
        ("elsewhere", {"W-100"}),
    ],
)
def test_everybody_sees_what_is_theirs(username: str, numbers: set[str]) -> None:
    load()
    user = User.objects.get(username=username)
    visible = Project.objects.for_user(user, Tool.COMMITMENTS, Level.READ_ONLY)
    assert {project.number for project in visible} == numbers


def test_project_staff_do_not_see_the_private_commitment() -> None:
    load()
    pm = User.objects.get(username="pm")
    private = Commitment.objects.get(is_private=True)
    url = f"/projects/{private.project_id}/commitments/{private.pk}/"
    assert browser(pm).get(url).status_code == 404


def test_people_sign_in_with_the_password_of_the_demo() -> None:
    load()
    for username in ("admin", "accountant", "pm", "viewer", "stranger", "elsewhere"):
        assert Client().login(username=username, password="procore-sync-demo")


def test_without_an_erp_there_is_no_connection() -> None:
    load()
    assert not ErpConnection.objects.exists()


def test_the_connection_can_sync_at_once_and_its_key_is_never_printed(capsys: Any) -> None:
    load(*ERP)
    connection = ErpConnection.objects.get()
    assert connection.settings == {"url": "http://127.0.0.1:9", "database": "lab"}
    assert connection.export_subcontractor_invoices and connection.sync_schedule == "hourly"
    assert connection.credentials.reveal() == {"key": "very-secret-key"}
    said = capsys.readouterr()
    assert "very-secret-key" not in said.out + said.err
    assert "elsewhere" not in said.out


def test_a_tryton_that_moved_keeps_its_place(capsys: Any) -> None:
    load(*ERP)
    ErpConnection.objects.update(cursor={"payments": None, "bills": None})
    load("--erp-url", "http://127.0.0.1:10", *ERP[2:])
    connection = ErpConnection.objects.get()
    assert connection.settings["url"] == "http://127.0.0.1:10"
    assert connection.cursor == {"payments": None, "bills": None}
