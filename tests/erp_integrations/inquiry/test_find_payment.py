"""Find a Payment: the way of a payment up to the first no, for each person who may see it."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commitments.models import Commitment, SubcontractorInvoice
from commitments.payments_tab import set_payments_enabled
from erp_integrations import runs
from erp_integrations.inquiry.question import Question
from erp_integrations.models import ErpConnection, RunMode, RunTrigger, SyncRun
from erp_integrations.providers.contract import PaymentQuestion, RemoteStatus
from erp_integrations.providers.errors import TransientError
from payments.models import Payment
from projects.access import Level, Tool
from projects.models import Company, ErpStatus, ProjectTool, User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.conftest import run_sync
from tests.factories import InvoiceFactory, UserFactory
from tests.fakes.books import Books, payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def carla(invoice: SubcontractorInvoice) -> User:
    """Accounting approver, and Admin on Commitments."""
    carla = UserFactory()
    set_accounting_approver(user=carla, company=invoice.company, is_approver=True)
    grant_level(user=carla, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=invoice.company)
    return carla


@pytest.fixture
def bob(invoice: SubcontractorInvoice) -> User:
    """ERP Integrations: Standard, on the project of bill 7 only."""
    bob = UserFactory()
    grant_level(user=bob, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=invoice.project)
    return bob


def address(place: Any, name: str = "find_payment") -> str:
    kind = "company" if isinstance(place, Company) else "project"
    return reverse(f"erp_integrations:{kind}_{name}", args=[place.pk])


def look(user: User, place: Any, q: str, **more: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(address(place), {"q": q, **more})


def the_walk(user: User, place: Any, q: str = "CHK-1") -> Any:
    (walk,) = look(user, place, q).context["walks"]
    return walk


def stuck_at(walk: Any) -> Any:
    """The one *no* at which the way ends."""
    steps = [*walk.steps, *(step for _, steps in walk.bills for step in steps)]
    noes = [step for step in steps if step.mark == "no"]
    assert steps[-1] is noes[-1] and len(noes) == 1
    return noes[0]


# ------------------------------------------------------------------- the question
@pytest.mark.parametrize(
    "text,amount",
    [
        ("$1,250.00", "1250.00"),
        ("1,250", "1250"),
        ("1250.5", "1250.5"),
        ("$ 80", "80"),
        ("6001", "6001"),
    ],
)
def test_an_amount_is_understood_as_people_write_it(text: str, amount: str) -> None:
    assert Question(text).amount == Decimal(amount)


@pytest.mark.parametrize("text", ["CHK-6001", "Acme", "1,25.00", "1.250,00", "12 34", "", "$"])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert Question(text).amount is None


def test_the_erp_is_asked_two_questions_at_the_most() -> None:
    assert Question("$80.00").for_erp == [PaymentQuestion(amount=Decimal("80.00"))]
    assert Question("6001").for_erp == [
        PaymentQuestion(number="6001"),
        PaymentQuestion(amount=Decimal(6001)),
    ]
    assert Question("Acme").for_erp == [PaymentQuestion(vendor="Acme"), PaymentQuestion("Acme")]


# ------------------------------------------------------------------------ the way
def test_a_payment_that_is_here_leads_to_its_row(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    walk = the_walk(carla, connection.company)
    assert not walk.is_stuck and walk.verdict == "It is here"
    found = Payment.objects.get()
    args = [found.project_id, found.commitment_id, found.pk]
    assert walk.bills[0][1][-1].url == reverse("payments:detail", args=args)


@pytest.mark.parametrize("q", ["chk-1", "P1", "$80.00", "80", "acme"])
def test_it_is_found_by_number_amount_and_vendor(
    books: Books, connection: ErpConnection, carla: User, q: str
) -> None:
    books.put(payment("p1", ("7", "80"), vendor_name="Acme Concrete"))
    run_sync(connection)
    assert len(look(carla, connection.company, q).context["walks"]) == 1
    assert not any(call.startswith("find") for call in books.calls)


def test_a_payment_that_was_never_read_is_found_in_the_erp_and_synced(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    walk = the_walk(carla, connection.company)
    step = stuck_at(walk)
    assert step.question == "Read?" and step.is_sync and walk.bill_id == "7"
    client = Client()
    client.force_login(carla)
    back = client.post(address(connection.company, "sync_found"), {"q": "CHK-1", "bill": "7"})
    assert back["Location"].endswith("?q=CHK-1")
    run = SyncRun.objects.get()
    assert run.requested_by == carla


def test_a_pending_payment_waits_for_the_erp(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    books.put(payment("p1", ("7", "80"), status=RemoteStatus.PENDING))
    run_sync(connection)
    assert stuck_at(the_walk(carla, connection.company)).question == "Issued?"


def test_a_voided_payment_says_so_and_where_it_stands(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    books.void("p1")
    run_sync(connection)
    step = stuck_at(the_walk(carla, connection.company))
    assert "voided" in step.sentence and step.url


def test_a_vanished_payment_says_since_when(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    books.delete("p1")
    run_sync(connection, RunMode.SWEEP)
    step = stuck_at(the_walk(carla, connection.company))
    assert step.question == "In the ERP?" and "gone from the ERP since" in step.sentence


def test_a_payment_on_no_bill_is_told_to_the_accounting(
    books: Books, connection: ErpConnection, carla: User, bob: User
) -> None:
    books.put(payment("p1", total=Decimal(80)))
    run_sync(connection)
    assert stuck_at(the_walk(carla, connection.company)).question == "Applied to a bill?"
    assert look(bob, connection.company, "CHK-1").context["walks"] == []


def test_a_bill_that_nobody_knows(books: Books, connection: ErpConnection, carla: User) -> None:
    books.put(payment("p1", ("99", "80")))
    run_sync(connection)
    step = stuck_at(the_walk(carla, connection.company))
    assert step.question == "Is the bill an invoice here?" and "BILL-99" in step.sentence


def test_an_invoice_that_is_not_synced(
    books: Books, connection: ErpConnection, carla: User, invoice: SubcontractorInvoice
) -> None:
    SubcontractorInvoice.objects.update(
        origin_id="", erp_status=ErpStatus.NOT_SENT, invoice_number="BILL-7"
    )
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    assert stuck_at(the_walk(carla, connection.company)).question == "Is the invoice synced?"


def test_a_tool_that_is_off(books: Books, connection: ErpConnection, carla: User) -> None:
    ProjectTool.objects.filter(tool=Tool.COMMITMENTS).update(is_active=False)
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    assert stuck_at(the_walk(carla, connection.company)).question == "Is the Commitments tool on?"


def test_a_tab_that_was_off_before_and_one_switched_off_later(
    books: Books, connection: ErpConnection, carla: User, invoice: SubcontractorInvoice
) -> None:
    set_payments_enabled(commitment=invoice.commitment, is_enabled=False, by=carla)
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    settings = reverse(
        "commitments:advanced_settings", args=[invoice.project_id, invoice.commitment_id]
    )
    step = stuck_at(the_walk(carla, connection.company))
    assert (step.question, step.url) == ("Is Payments Issued on?", settings)
    Commitment.objects.update(allow_payments=True)
    run_sync(connection, RunMode.SWEEP)
    from erp_integrations.waiting import project_waiting

    project_waiting()
    assert not the_walk(carla, connection.company).is_stuck
    Commitment.objects.update(allow_payments=False)
    step = stuck_at(the_walk(carla, connection.company))
    assert (step.question, step.url) == ("Is Payments Issued on?", settings)


def test_who_may_not_see_the_commitment_reads_that(
    books: Books, connection: ErpConnection, bob: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    Commitment.objects.update(is_private=True)
    step = stuck_at(the_walk(bob, connection.company))
    assert step.question == "Shown to whom?" and "private" in step.sentence and not step.url


# ------------------------------------------------------------------- who sees what
@pytest.fixture
def elsewhere(books: Books, connection: ErpConnection) -> SubcontractorInvoice:
    """Another project's invoice, paid by the same check."""
    return InvoiceFactory(commitment__project__company=connection.company, bill="8")


def test_people_of_one_project_find_their_parts_only(
    books: Books, connection: ErpConnection, elsewhere: SubcontractorInvoice, bob: User
) -> None:
    books.put(payment("p1", ("7", "80"), ("8", "999")), payment("p2", ("8", "555")))
    run_sync(connection)
    for place in (connection.company, SubcontractorInvoice.objects.get(origin_id="7").project):
        page = look(bob, place, "CHK-1")
        (walk,) = page.context["walks"]
        assert [bill for bill, _ in walk.bills] == ["Bill BILL-7: $80.00"]
        assert "999" not in page.content.decode() and "555" not in page.content.decode()
        assert look(bob, place, "$555.00").context["walks"] == []
    assert look(bob, elsewhere.project, "CHK-1").status_code == 404


def test_the_erp_tells_nobody_of_what_they_may_not_see(
    books: Books, connection: ErpConnection, elsewhere: SubcontractorInvoice, bob: User
) -> None:
    books.put(payment("p2", ("8", "555")), payment("p3", ("99", "556")), payment("p4"))
    page = look(bob, connection.company, "CHK-1")
    assert page.context["found"].was_asked and page.context["walks"] == []
    books.put(payment("p5", ("7", "80")))
    assert len(look(bob, connection.company, "CHK-1").context["walks"]) == 1


def test_a_project_page_finds_that_project_only(
    books: Books, connection: ErpConnection, elsewhere: SubcontractorInvoice, carla: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    assert look(carla, elsewhere.project, "CHK-1").context["walks"] == []
    assert len(look(carla, connection.company, "CHK-1").context["walks"]) == 1


# ---------------------------------------------------------------- asking the ERP
def test_an_erp_that_does_not_answer_is_said_so(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    def away() -> None:
        raise TransientError("The ERP does not answer.")

    books.before_search = away
    shown = look(carla, connection.company, "CHK-1").content.decode()
    assert "The ERP could not be asked." in shown and "The ERP does not answer." in shown


def test_the_erp_is_asked_again_where_somebody_wants_it(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    run_sync(connection)
    books.put(payment("p2", ("7", "90")))
    assert len(look(carla, connection.company, "CHK-1").context["walks"]) == 1
    assert len(look(carla, connection.company, "CHK-1", ask="1").context["walks"]) == 2


def test_while_a_sync_is_under_way_its_answer_is_waited_for(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    runs.request_run(connection=connection, trigger=RunTrigger.COMMAND)
    page = look(carla, connection.company, "CHK-1")
    assert page.context["walks"] == [] and not page.context["found"].was_asked
    assert "shown here when it is over" in page.content.decode()


def test_who_may_not_sync_gets_no_button(
    books: Books, connection: ErpConnection, bob: User
) -> None:
    books.put(payment("p1", ("7", "80")))
    step = stuck_at(the_walk(bob, connection.company))
    assert not step.is_sync and "accounting approver" in step.sentence
    client = Client()
    client.force_login(bob)
    assert client.post(address(connection.company, "sync_found"), {"q": "x"}).status_code == 403


def test_its_queries_do_not_grow_with_the_matches(
    books: Books, connection: ErpConnection, carla: User
) -> None:
    counts = []
    for number in (1, 15):
        books.put(*(payment(f"p{number}-{n}", ("7", "1")) for n in range(number)))
        run_sync(connection)
        look(carla, connection.company, "CHK-1")
        with CaptureQueriesContext(database) as queries:
            look(carla, connection.company, "CHK-1")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_tab_of_a_commitment_leads_here(
    books: Books, connection: ErpConnection, carla: User, invoice: SubcontractorInvoice
) -> None:
    page = reverse("payments:payments_issued", args=[invoice.project_id, invoice.commitment_id])
    reader = UserFactory()
    grant_level(user=reader, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=invoice.project)
    shown = {}
    for user in (carla, reader):
        client = Client()
        client.force_login(user)
        shown[user] = client.get(page).content.decode()
    assert address(invoice.project) in shown[carla]
    assert address(invoice.project) not in shown[reader]
