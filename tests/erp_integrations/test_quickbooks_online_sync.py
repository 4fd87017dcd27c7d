"""QuickBooks Online from the sign-in to the rows of an invoice, over the stand-in."""

import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ValidationError

from erp_integrations import connections
from erp_integrations.grants import services as grants
from erp_integrations.models import ErpConnection, ErpPayment, RunMode, RunState, RunTrigger
from payments.models import Payment
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level
from tests.erp_integrations.conftest import run_sync
from tests.factories import InvoiceFactory, UserFactory
from tests.fakes.ledger import Bill
from tests.fakes.quickbooks_online import REALM, FakeQuickBooksOnline
from tests.fakes.quickbooks_online import connection as typed

#: tokens are fetched by the thread that reads, on a connection of its own
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quickbooks(settings: Any) -> Iterator[FakeQuickBooksOnline]:
    settings.ERP_PRIVATE_ADDRESSES = True
    fake = FakeQuickBooksOnline()
    with fake.running():
        yield fake


@pytest.fixture
def bill(quickbooks: FakeQuickBooksOnline) -> Bill:
    return quickbooks.ledger.bill("ACME-1001", "5000.00")


@pytest.fixture
def connection(quickbooks: FakeQuickBooksOnline, bill: Bill) -> ErpConnection:
    """Typed in, and signed in to by an administrator."""
    company = InvoiceFactory(bill=quickbooks.remote_id_of(bill)).company
    alice = UserFactory(username="alice")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=company)
    settings, credentials = typed(quickbooks)
    made = connections.connect(
        company=company,
        by=alice,
        provider="quickbooks_online",
        name="QuickBooks",
        settings=settings,
        credentials=credentials,
        export_subcontractor_invoices=True,
    )
    return sign_in(made, alice, quickbooks)


def sign_in(made: ErpConnection, person: User, fake: FakeQuickBooksOnline) -> ErpConnection:
    redirect = f"{fake.url}/back"
    address = grants.begin(connection=made, by=person, session_key="s", redirect_uri=redirect)
    try:
        urllib.request.build_opener(_Stay).open(address)
    except urllib.request.HTTPError as answer:
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
    back = {name: values[0] for name, values in query.items()}
    attempt = grants.take_up(state=back["state"], by=person, session_key="s")
    return grants.complete(attempt=attempt, by=person, code=back["code"], answer=back)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def many(fake: FakeQuickBooksOnline) -> None:
    """So many payments that what changed is read, not everything."""
    other = fake.ledger.bill("OTHER-1", "99999")
    for number in range(120):
        fake.ledger.pay(f"9{number}", (other, "1.01"))


def test_the_company_of_the_sign_in_is_the_one_that_is_read(connection: ErpConnection) -> None:
    assert connection.settings["realm_id"] == REALM
    assert connection.stopped_at is None


def test_a_payment_is_shown_voided_and_stays_what_it_was(
    quickbooks: FakeQuickBooksOnline, connection: ErpConnection, bill: Bill
) -> None:
    paid = quickbooks.ledger.pay("5001", (bill, "1234.56"))
    run_sync(connection)
    row = Payment.objects.get()
    assert (row.amount, row.status, row.check_number) == (Decimal("1234.56"), "issued", "5001")
    quickbooks.ledger.pass_time(3600)
    quickbooks.ledger.void(paid)
    for mode in (RunMode.CHANGES, RunMode.SWEEP):
        assert run_sync(connection, mode).state == RunState.SUCCEEDED
        row.refresh_from_db()
        assert (row.amount, row.status) == (Decimal("1234.56"), "voided")
        assert row.void_reason == "Voided in the ERP"
    assert not Payment.objects.counted().exists()
    assert ErpPayment.objects.get().total == Decimal("1234.56")


def test_a_deleted_payment_leaves_the_totals_with_the_next_changes(
    quickbooks: FakeQuickBooksOnline, connection: ErpConnection, bill: Bill
) -> None:
    many(quickbooks)
    deleted = quickbooks.ledger.pay("5001", (bill, "100"))
    quickbooks.ledger.pay("5002", (bill, "50"))
    quickbooks.ledger.pass_time(3600)
    run_sync(connection, RunMode.SWEEP)
    quickbooks.ledger.delete(deleted)
    quickbooks.ledger.pass_time(3600)
    run = run_sync(connection)
    assert (run.mode, run.vanished, run.calls) == (RunMode.CHANGES, 1, 1)
    assert [each.check_number for each in Payment.objects.counted()] == ["5002"]


def test_a_deletion_that_quickbooks_forgot_is_found_by_the_sweep_that_follows(
    quickbooks: FakeQuickBooksOnline, connection: ErpConnection, bill: Bill
) -> None:
    many(quickbooks)
    deleted = quickbooks.ledger.pay("5001", (bill, "100"))
    quickbooks.ledger.pass_time(3600)
    run_sync(connection, RunMode.SWEEP)
    quickbooks.ledger.delete(deleted)
    quickbooks.ledger.pass_time(40 * 86400)
    assert run_sync(connection).vanished == 0
    follower = connection.runs.order_by("pk").last()
    assert follower is not None
    assert (follower.mode, follower.trigger) == (RunMode.SWEEP, RunTrigger.SCHEDULE)
    assert (follower.state, follower.vanished) == (RunState.SUCCEEDED_WITH_ISSUES, 1)
    assert not Payment.objects.counted().exists()


def test_an_account_for_exports_can_be_changed_after_the_first_payment(
    quickbooks: FakeQuickBooksOnline, connection: ErpConnection, bill: Bill
) -> None:
    quickbooks.ledger.pay("5001", (bill, "100"))
    run_sync(connection)
    cursor = connection.cursor
    changed = {**connection.settings, "expense_account": "Job Expenses:Subcontractors"}
    same = {"provider": connection.provider, "name": connection.name, "credentials": {}}
    after = connections.change_connection(connection=connection, by=None, settings=changed, **same)
    assert after.cursor == cursor
    run_sync(after)
    assert after.stopped_at is None
    with pytest.raises(ValidationError, match="another set of books"):
        connections.change_connection(
            connection=after, by=None, settings={**changed, "realm_id": "77"}, **same
        )
