"""Another system sends its payments: each row right to the cent, once, or told what is wrong."""

import json
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test import Client

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.credentials import EncryptedCredentials
from erp_integrations.models import ErpConnection, ErpPayment, PushedCall, SyncRun
from erp_integrations.push import services, views
from payments.models import Payment
from projects.models import ErpStatus
from tests.factories import ErpConnectionFactory, InvoiceFactory

pytestmark = pytest.mark.django_db
KEY = "a key that nobody can guess"
Said = dict[str, Any]


@pytest.fixture(autouse=True)
def a_fresh_minute() -> None:
    cache.clear()


@pytest.fixture
def invoice() -> SubcontractorInvoice:
    made: SubcontractorInvoice = InvoiceFactory(
        bill="9001", due=Decimal("5000"), invoice_number="A-1"
    )
    return made


@pytest.fixture
def sender(invoice: SubcontractorInvoice) -> ErpConnection:
    made: ErpConnection = ErpConnectionFactory(
        company=invoice.company,
        provider="push",
        settings={},
        credentials=EncryptedCredentials.of({"push_key": KEY}),
    )
    return made


def row(invoice: SubcontractorInvoice | None, **fields: Any) -> Said:
    made = {"origin_id": "P-1", "amount": "1250.10", "payment_date": "2026-11-20"}
    named = {"invoice_id": invoice.pk} if invoice else {}
    return {**made, "check_number": "5001", **named, **fields}


def call(
    sender: ErpConnection, *rows: Any, what: str = "invoice_payments", key: str = KEY, **more: Any
) -> Any:
    body = more.pop("body", json.dumps({"updates": rows}))
    headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
    url = f"/rest/v1.0/companies/{sender.company_id}/{what}/sync"
    client = Client(enforce_csrf_checks=True)
    return client.patch(url, body, content_type="application/json", headers=headers)


def sent(sender: ErpConnection, *rows: Any, **more: Any) -> Said:
    answer = call(sender, *rows, **more)
    assert answer.status_code == 200, answer.content
    said: Said = answer.json()
    return said


def test_a_payment_that_was_sent_is_on_its_invoice(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    said = sent(sender, row(invoice, origin_code="PAY-7", payment_method="electronic"))
    payment = Payment.objects.get()
    assert (payment.invoice, payment.amount, payment.check_number) == (
        invoice, Decimal("1250.10"), "5001",
    )  # fmt: skip
    assert (payment.origin_code, payment.method) == ("PAY-7", "electronic")
    [entity] = said["entities"]
    assert (entity["id"], entity["status"], said["errors"]) == (payment.pk, "applied", [])


def test_numbers_are_never_floats(sender: ErpConnection, invoice: SubcontractorInvoice) -> None:
    rows = [row(invoice, origin_id=f"P-{n}") for n in range(3)]
    body = json.dumps({"updates": rows}).replace('"1250.10"', "0.10")
    assert call(sender, body=body).status_code == 200
    assert {each.amount for each in Payment.objects.all()} == {Decimal("0.10")}


def test_the_same_payment_again_changes_nothing(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    first, second = sent(sender, row(invoice)), sent(sender, row(invoice))
    assert first["entities"] == second["entities"]
    assert Payment.objects.count() == ErpPayment.objects.count() == 1
    assert list(SyncRun.objects.order_by("pk").values_list("created", "unchanged")) == [
        (1, 0), (0, 1),
    ]  # fmt: skip


def test_a_changed_payment_is_changed_and_a_voided_one_leaves_the_totals(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    sent(sender, row(invoice))
    sent(sender, row(invoice, amount="1300.00"))
    assert Payment.objects.counted().get().amount == Decimal("1300.00")
    sent(sender, row(invoice, amount="1300.00", status="voided"))
    assert not Payment.objects.counted().exists()
    assert Payment.objects.get().amount == Decimal("1300.00")


def test_an_older_state_that_comes_late_is_not_taken(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    sent(sender, row(invoice, status="voided", updated_at="2026-11-21T10:00:00Z"))
    sent(sender, row(invoice, status="issued", updated_at="2026-11-21T09:00:00+00:00"))
    assert not Payment.objects.counted().exists()


def test_a_payment_that_moves_to_another_invoice_counts_once(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    other = InvoiceFactory(
        commitment=invoice.commitment, position=2, bill="9002", due=Decimal("5000")
    )
    sent(sender, row(invoice))
    sent(sender, row(other))
    counted = Payment.objects.counted().get()
    assert (counted.invoice, counted.amount) == (other, Decimal("1250.10"))


BAD = {
    "origin_id": ({"origin_id": ""}, "origin_id is missing"),
    "float": ({"amount": "12,50"}, "is not a number"),
    "negative": ({"amount": "-5"}, "zero or more"),
    "nothing": ({"amount": "0"}, "more than zero"),
    "cents": ({"amount": "1.005"}, "2 decimals"),
    "infinite": ({"amount": "Infinity"}, "zero or more"),
    "date": ({"payment_date": "11/20/2026"}, "write it like 2026-11-30"),
    "no date": ({"payment_date": None}, "payment_date is missing"),
    "century": ({"payment_date": "2126-11-20"}, "cannot be right"),
    "status": ({"status": "paid"}, "it can be: pending, issued, voided"),
    "method": ({"payment_method": "barter"}, "it can be: check"),
    "field": ({"ammount": "1"}, "There is no field “ammount”"),
    "both": ({"invoice_origin_id": "9001"}, "one of the two"),
    "currency": ({"currency": "XXQ"}, "not a currency we know"),
    "type": ({"invoice_type": "Bill"}, "Billings::Requisition"),
    "text": ({"check_number": {"a": 1}}, "check_number has to be a text"),
    "nul": ({"check_number": "5\x00"}, "not text"),
    "moment": ({"updated_at": "2026-11-20T10:00:00"}, "write it like 2026-11-30T17:05:00Z"),
    "long": ({"check_number": "5" * 300}, "longer than any ERP makes"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_row_is_named_and_the_good_ones_go_in(
    sender: ErpConnection, invoice: SubcontractorInvoice, name: str
) -> None:
    fields, sentence = BAD[name]
    said = sent(sender, row(invoice, **{"origin_id": "P-0", **fields}), row(invoice))
    [error] = said["errors"]
    assert error["row"] == 0
    assert sentence in error["messages"][0]
    assert [each["origin_id"] for each in said["entities"]] == ["P-1"]
    assert Payment.objects.count() == 1
    assert SyncRun.objects.get().problems == 1


@pytest.mark.parametrize("rows", [["text"], [None], [[]], [17]])
def test_a_row_that_is_no_object_is_named(sender: ErpConnection, rows: list[Any]) -> None:
    [error] = sent(sender, *rows)["errors"]
    assert "object" in error["messages"][0]


def test_a_key_that_is_twice_in_a_call_is_taken_once(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    said = sent(sender, row(invoice), row(invoice, amount="9"))
    assert "twice" in said["errors"][0]["messages"][0]
    assert Payment.objects.get().amount == Decimal("1250.10")


def test_an_invoice_of_another_company_does_not_exist(sender: ErpConnection) -> None:
    elsewhere = InvoiceFactory(bill="77", due=Decimal("5000"))
    said = sent(sender, row(elsewhere))
    assert "There is no invoice" in said["errors"][0]["messages"][0]
    assert not ErpPayment.objects.exists()


def test_an_invoice_without_a_bill_is_an_error_that_says_how_to_link_it(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    unlinked = InvoiceFactory(commitment=invoice.commitment, position=2, due=Decimal("100"))
    assert "external_data/sync" in sent(sender, row(unlinked))["errors"][0]["messages"][0]
    link = {"item_type": "requisition", "item_id": unlinked.pk, "origin_id": "9010"}
    assert sent(sender, link, what="external_data")["entities"][0]["origin_id"] == "9010"
    unlinked.refresh_from_db()
    assert unlinked.erp_status == ErpStatus.SYNCED
    assert sent(sender, row(unlinked, amount="100"))["entities"][0]["status"] == "applied"


def test_a_payment_of_a_bill_that_nobody_linked_waits_and_then_appears(
    sender: ErpConnection, invoice: SubcontractorInvoice, django_capture_on_commit_callbacks: Any
) -> None:
    said = sent(sender, row(None, invoice_origin_id="9010"))
    assert (said["entities"][0]["status"], said["entities"][0]["reason"]) == (
        "waiting", "bill_unknown",
    )  # fmt: skip
    late = InvoiceFactory(commitment=invoice.commitment, position=2, due=Decimal("5000"))
    link = {"item_type": "requisition", "item_id": late.pk, "origin_id": "9010"}
    with django_capture_on_commit_callbacks(execute=True):
        sent(sender, link, what="external_data")
    assert Payment.objects.get().invoice == late


def test_a_bill_has_one_invoice(sender: ErpConnection, invoice: SubcontractorInvoice) -> None:
    other = InvoiceFactory(commitment=invoice.commitment, position=2, due=Decimal("5000"))
    link = {"item_type": "requisition", "item_id": other.pk, "origin_id": "9001"}
    said = sent(sender, link, {"item_type": "vendor"}, what="external_data")
    assert "linked to this ERP bill already" in said["errors"][0]["messages"][0]
    assert "requisition" in said["errors"][1]["messages"][0]


def test_a_tab_that_is_off_lets_the_payment_wait(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    Commitment.objects.update(allow_payments=False)
    assert sent(sender, row(invoice))["entities"][0]["reason"] == "tab_disabled"
    assert not Payment.objects.exists()


# ------------------------------------------------------------------- idempotency
def test_a_repeated_call_gets_the_first_answer(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    headers = {"Idempotency-Key": "call-1"}
    first = sent(sender, row(invoice), headers=headers)
    assert sent(sender, row(invoice), headers=headers) == first
    assert SyncRun.objects.count() == PushedCall.objects.count() == 1


def test_a_key_with_another_body_is_refused(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    headers = {"Idempotency-Key": "call-1"}
    sent(sender, row(invoice), headers=headers)
    answer = call(sender, row(invoice, amount="7"), headers=headers)
    assert answer.status_code == 422
    assert Payment.objects.get().amount == Decimal("1250.10")


def test_old_calls_are_forgotten(sender: ErpConnection, invoice: SubcontractorInvoice) -> None:
    sent(sender, row(invoice), headers={"Idempotency-Key": "call-1"})
    assert services.forget_old_calls() == 0
    PushedCall.objects.update(received_at="2020-01-01T00:00:00Z")
    assert services.forget_old_calls() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_call_four_times_at_once_is_one(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    start, answers = threading.Barrier(4), []

    def send() -> None:
        start.wait()
        answers.append(sent(sender, row(invoice), headers={"Idempotency-Key": "call-1"}))
        database.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(answers) == 4
    assert all(each == answers[0] for each in answers)
    assert SyncRun.objects.count() == Payment.objects.count() == 1


# ------------------------------------------------------------------- who may send
@pytest.mark.parametrize("key", ["", "wrong", KEY + " ", "Ω" * 20])
def test_without_the_key_nothing_gets_in(
    sender: ErpConnection, invoice: SubcontractorInvoice, key: str
) -> None:
    answer = call(sender, row(invoice), key=key.strip() if key.endswith(" ") else key)
    assert answer.status_code == (200 if key.strip() == KEY else 401)


def test_the_key_of_one_company_opens_no_other(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    other = ErpConnectionFactory(
        provider="push",
        settings={},
        credentials=EncryptedCredentials.of({"push_key": "another key entirely"}),
    )
    assert call(other, row(invoice)).status_code == 401


def test_a_connection_to_another_kind_of_erp_takes_nothing(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    ErpConnection.objects.update(provider="tryton")
    assert call(sender, row(invoice)).status_code == 401


@pytest.mark.parametrize("field", ["is_active", "export_subcontractor_invoices"])
def test_a_connection_that_is_switched_off_takes_nothing(
    sender: ErpConnection, invoice: SubcontractorInvoice, field: str
) -> None:
    ErpConnection.objects.update(**{field: False})
    answer = call(sender, row(invoice))
    assert (answer.status_code, "switched off" in answer.json()["error"]) == (409, True)
    assert not ErpPayment.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ("[]", 400), ('{"updates": 1}', 400), ("[" * 100_000, 400), ("\xff", 400)],
)
def test_a_body_that_is_no_call_is_refused(sender: ErpConnection, body: str, status: int) -> None:
    assert call(sender, body=body).status_code == status


def test_more_than_a_thousand_rows_are_too_many(
    sender: ErpConnection, invoice: SubcontractorInvoice
) -> None:
    rows = [row(invoice, origin_id=f"P-{n}") for n in range(1001)]
    assert call(sender, *rows).status_code == 413
    assert call(sender, *rows[:1000]).status_code == 200
    assert ErpPayment.objects.count() == 1000
    assert call(sender, body="x" * (views.LONGEST_BODY + 1)).status_code == 413


def test_too_many_calls_in_a_minute_have_to_wait(
    sender: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "AT_MOST_A_MINUTE", 1)
    assert call(sender).status_code == 200
    answer = call(sender)
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")


def test_a_call_of_many_rows_takes_as_many_queries_as_one_of_few(
    sender: ErpConnection, invoice: SubcontractorInvoice, django_assert_max_num_queries: Any
) -> None:
    rows = [row(invoice, origin_id=f"P-{n}", amount="1") for n in range(500)]
    sent(sender, row(invoice, origin_id="warm"))
    with django_assert_max_num_queries(35):
        sent(sender, *rows)


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"], ids=["NUL", "half a character"])
@pytest.mark.parametrize("field", ["origin_id", "status", "invoice_origin_id", "notes", "\x00"])
def test_a_text_that_cannot_be_stored_is_an_error_of_its_row_alone(
    sender: ErpConnection, invoice: SubcontractorInvoice, field: str, bad: str
) -> None:
    rows = row(invoice, **{field: bad}), row(invoice, origin_id="P-2")
    said = sent(sender, *rows, headers={"Idempotency-Key": "k-1"})
    assert [each["row"] for each in said["errors"]] == [0]
    assert "not text" in said["errors"][0]["messages"][0]
    assert [each["origin_id"] for each in said["entities"]] == ["P-2"]
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("field", ["origin_id", "origin_code"])
def test_a_link_with_a_text_that_cannot_be_stored_is_an_error_of_its_row(
    sender: ErpConnection, invoice: SubcontractorInvoice, field: str
) -> None:
    link = {"item_type": "requisition", "item_id": invoice.pk, "origin_id": "77", field: "7\x00"}
    said = sent(sender, link, what="external_data")
    assert "not text" in said["errors"][0]["messages"][0]
