"""What of an invoice stands on its bill."""

from decimal import Decimal
from typing import Any

import pytest

from commitments.models import SubcontractorInvoice
from erp_integrations.exporting.bill_lines import bill_to_export
from erp_integrations.models import InvoiceExport
from erp_integrations.providers.contract import BillLine
from tests.erp_integrations.exporting.conftest import linked_commitment, sent_invoice

pytestmark = pytest.mark.django_db


def lines(invoice: SubcontractorInvoice) -> tuple[BillLine, ...]:
    export = InvoiceExport(invoice=invoice, erp_number="E-1", accounting_date=invoice.billing_date)
    bill = bill_to_export(export)
    assert bill.total == invoice.current_payment_due
    return bill.lines


def period(commitment: Any, work: str, retainage: str, before: str = "0") -> SubcontractorInvoice:
    """An invoice with these totals to date; ``before``: less previous certificates."""
    earned = Decimal(work) - Decimal(retainage)
    return sent_invoice(
        commitment,
        original_contract_sum=Decimal(100_000),
        contract_sum_to_date=Decimal(100_000),
        total_completed_and_stored_to_date=Decimal(work),
        total_retainage=Decimal(retainage),
        total_earned_less_retainage=earned,
        less_previous_certificates=Decimal(before),
        current_payment_due=earned - Decimal(before),
        balance_to_finish=Decimal(100_000) - earned,
    )


def amounts(invoice: SubcontractorInvoice) -> list[tuple[Decimal, bool]]:
    return [(line.amount, line.is_retainage) for line in lines(invoice)]


def test_without_retainage_there_is_one_line() -> None:
    assert amounts(sent_invoice()) == [(Decimal("5000.00"), False)]


def test_retainage_is_a_line_below_zero() -> None:
    invoice = period(linked_commitment(), "10000", "1000")
    assert amounts(invoice) == [(Decimal(10_000), False), (Decimal(-1_000), True)]


def test_only_the_work_and_the_retainage_of_the_period_are_billed() -> None:
    commitment = linked_commitment()
    period(commitment, "10000", "1000")
    second = period(commitment, "25000", "2500", before="9000")
    assert amounts(second) == [(Decimal(15_000), False), (Decimal(-1_500), True)]


def test_retainage_that_is_released_is_a_line_above_zero() -> None:
    commitment = linked_commitment()
    period(commitment, "10000", "1000")
    release = period(commitment, "10000", "0", before="9000")
    (line,) = lines(release)
    assert (line.amount, line.is_retainage) == (Decimal(1_000), True)
    assert line.description == "Retainage released"


def test_a_g702_that_does_not_continue_the_one_before_is_one_line() -> None:
    commitment = linked_commitment()
    period(commitment, "10000", "1000")
    odd = period(commitment, "25000", "2500", before="8000")
    assert amounts(odd) == [(Decimal(14_500), False)]
