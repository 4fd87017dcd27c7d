"""The whole way: a live Tryton's books, read over the network, on the Payments Issued tab.

Both sides are read and compared bill by bill; then the books are changed, as an
accountant would, and compared again.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from commitments.models import SubcontractorInvoice
from erp_integrations.credentials import EncryptedCredentials
from erp_integrations.models import ErpConnection, RunMode
from payments.models import Payment
from projects.models import ErpStatus
from projects.money import ZERO
from tests.erp_integrations.conftest import run_sync
from tests.erp_integrations.providers.contract_suite import Bill, Erp
from tests.factories import CommitmentFactory, ErpConnectionFactory, InvoiceFactory
from tests.live_tryton import accountant, alone, connect, given

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.live_erp,
    pytest.mark.timeout(300),
]


@pytest.fixture
def erp() -> Iterator[Erp]:
    with alone(), accountant() as at_work:
        yield at_work


@pytest.fixture
def connection(erp: Erp, db: None) -> ErpConnection:
    """A connection to the live ERP, and an invoice here for every bill there."""
    commitment = CommitmentFactory()
    for bill in connect().bills():
        InvoiceFactory(
            commitment=commitment, invoice_number=bill.number, bill=bill.remote_id, due=bill.total
        )
    return ErpConnectionFactory(
        company=commitment.company,
        settings={"url": given("TRYTON_URL"), "database": "lab"},
        credentials=EncryptedCredentials.of({"key": given("TRYTON_KEY")}),
    )


@pytest.fixture
def new_bill(erp: Erp, connection: ErpConnection) -> Callable[[str], Bill]:
    """A bill in the ERP with its synced invoice here."""

    def make(total: str) -> Bill:
        bill = erp.bill(total)
        commitment = SubcontractorInvoice.objects.filter(company=connection.company)[0].commitment
        InvoiceFactory(
            commitment=commitment,
            invoice_number=bill.number,
            bill=bill.remote_id,
            due=Decimal(total),
        )
        return bill

    return make


def paid_here() -> dict[str, Decimal]:
    invoices = SubcontractorInvoice.objects.filter(erp_status=ErpStatus.SYNCED)
    paid = invoices.annotate(paid=Payment.objects.total_of("invoice"))
    return dict(paid.values_list("origin_id", "paid"))


def paid_there() -> dict[str, Decimal]:
    return {bill.remote_id: bill.paid for bill in connect().bills()}


def test_every_bill_is_paid_here_as_it_is_there_to_the_cent(
    erp: Erp, connection: ErpConnection
) -> None:
    run = run_sync(connection)
    assert run.is_good, run.error_message
    assert run.problems == 0
    assert paid_here() == paid_there()
    assert sum(paid_here().values()) > ZERO


def test_a_payment_made_in_the_erp_is_here_after_the_next_sync(
    erp: Erp, connection: ErpConnection, new_bill: Callable[[str], Bill]
) -> None:
    run_sync(connection)
    bill = new_bill("480.35")
    check = erp.pay((bill, "480.35"))
    run_sync(connection)
    assert Payment.objects.get(check_number=check).amount == Decimal("480.35")
    assert paid_here() == paid_there()


def test_a_check_voided_in_the_erp_leaves_the_totals(
    erp: Erp, connection: ErpConnection, new_bill: Callable[[str], Bill]
) -> None:
    bill = new_bill("100.10")
    check = erp.pay((bill, "100.10"))
    run_sync(connection)
    erp.void(check)
    run_sync(connection)
    assert Payment.objects.get(check_number=check).status == "voided"
    assert paid_here() == paid_there()


def test_a_check_run_over_two_bills_is_two_payments_of_one_check(
    erp: Erp, connection: ErpConnection, new_bill: Callable[[str], Bill]
) -> None:
    one, two = new_bill("70.25"), new_bill("29.75")
    check = erp.pay((one, "70.25"), (two, "29.75"))
    run_sync(connection)
    amounts = Payment.objects.filter(check_number=check).values_list("amount", flat=True)
    assert sorted(amounts) == [Decimal("29.75"), Decimal("70.25")]


def test_a_pending_payment_appears_when_it_is_issued(
    erp: Erp, connection: ErpConnection, new_bill: Callable[[str], Bill]
) -> None:
    bill = new_bill("60.00")
    check = erp.pay((bill, "60.00"), pending=True)
    run_sync(connection)
    assert not Payment.objects.filter(check_number=check).exists()
    erp.issue(check)
    run_sync(connection)
    assert Payment.objects.filter(check_number=check).count() == 1
    assert paid_here() == paid_there()


def test_a_payment_made_with_the_bills_own_button_is_swept_away_when_it_is_un_applied(
    erp: Erp, connection: ErpConnection, new_bill: Callable[[str], Bill]
) -> None:
    bill = new_bill("90.00")
    check = erp.pay_directly(bill, "40.00")
    run_sync(connection)
    assert paid_here()[bill.remote_id] == Decimal("40.00")
    erp.unapply(check)
    run_sync(connection, RunMode.SWEEP)
    assert paid_here()[bill.remote_id] == ZERO == paid_there()[bill.remote_id]


def test_a_second_sync_changes_nothing(erp: Erp, connection: ErpConnection) -> None:
    run_sync(connection)
    run = run_sync(connection)
    assert (run.created, run.updated) == (0, 0)


def test_a_wrong_key_stops_the_connection_with_a_sentence(connection: ErpConnection) -> None:
    connection.credentials = EncryptedCredentials.of({"key": "0" * 128})
    connection.save()
    run = run_sync(connection)
    assert run.error_code == "AuthenticationError"
    assert "key" in connection.stopped_reason
