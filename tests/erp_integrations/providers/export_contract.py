"""What every provider that exports bills must do: inherit, and give the fixture ``exporter``."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, Protocol

import pytest

from erp_integrations.providers.contract import BillLine, BillToExport, Provider
from erp_integrations.providers.errors import RecordError, RecordNotFound

DAY = dt.date(2026, 11, 2)


class Exporter(Protocol):
    """An ERP that has a vendor, and a purchase order of that vendor."""

    vendor_ref: str
    order_ref: str

    def provider(self) -> Provider: ...


def bill_to_export(exporter: Exporter, due: str = "900.00", **fields: Any) -> BillToExport:
    """With a tenth of retainage, unless ``lines`` are given."""
    retainage = Decimal(due) / 9
    key = str(uuid.uuid4())
    given: dict[str, Any] = {
        "key": key,
        "number": f"EX-{key[:8]}",
        "vendor_ref": exporter.vendor_ref,
        "commitment_ref": exporter.order_ref,
        "project_ref": "",
        "billing_date": DAY,
        "accounting_date": DAY + dt.timedelta(days=3),
        "currency": "USD",
        "description": "Riverside Tower",
        "lines": (
            BillLine("Work", Decimal(due) + retainage),
            BillLine("Retainage", -retainage, is_retainage=True),
        ),
    }
    return BillToExport(**(given | fields))


class ExportContract:
    """Bills that are written into the ERP, each once."""

    def test_an_invoice_becomes_a_posted_bill(self, exporter: Exporter) -> None:
        bill = bill_to_export(exporter, "900.00")
        made = exporter.provider().create_bill(bill)
        assert (made.number, made.vendor_ref) == (bill.number, exporter.vendor_ref)
        assert (made.total, made.paid, made.currency) == (Decimal("900.00"), 0, "USD")
        assert made.is_posted and not made.is_cancelled

    def test_the_same_key_is_the_same_bill(self, exporter: Exporter) -> None:
        bill = bill_to_export(exporter)
        once, again = (exporter.provider().create_bill(bill) for _ in range(2))
        assert once == again

    def test_a_bill_is_found_by_its_key(self, exporter: Exporter) -> None:
        bill = bill_to_export(exporter)
        made = exporter.provider().create_bill(bill)
        assert exporter.provider().find_bill(bill.key) == made

    def test_a_key_that_was_never_used_finds_nothing(self, exporter: Exporter) -> None:
        with pytest.raises(RecordNotFound):
            exporter.provider().find_bill(str(uuid.uuid4()))

    def test_a_bill_without_a_purchase_order_is_made_too(self, exporter: Exporter) -> None:
        made = exporter.provider().create_bill(bill_to_export(exporter, commitment_ref=""))
        assert made.is_posted

    @pytest.mark.parametrize(
        "wrong", [{"vendor_ref": "99999"}, {"commitment_ref": "99999"}, {"currency": "XTS"}]
    )
    def test_what_cannot_be_booked_leaves_nothing_behind(
        self, exporter: Exporter, wrong: dict[str, str]
    ) -> None:
        bill = bill_to_export(exporter, **wrong)
        with pytest.raises(RecordError):
            exporter.provider().create_bill(bill)
        with pytest.raises(RecordNotFound):
            exporter.provider().find_bill(bill.key)

    def test_a_number_that_the_vendor_used_already_is_refused_and_leaves_nothing(
        self, exporter: Exporter
    ) -> None:
        first = bill_to_export(exporter)
        exporter.provider().create_bill(first)
        second = bill_to_export(exporter, number=first.number)
        with pytest.raises(RecordError, match="similar"):
            exporter.provider().create_bill(second)
        with pytest.raises(RecordNotFound):
            exporter.provider().find_bill(second.key)

    def test_an_invoice_that_changed_after_its_bill_was_posted_is_refused(
        self, exporter: Exporter
    ) -> None:
        bill = bill_to_export(exporter, "900.00")
        exporter.provider().create_bill(bill)
        changed = bill_to_export(exporter, "450.00", key=bill.key, number=bill.number)
        with pytest.raises(RecordError, match="answer was lost"):
            exporter.provider().create_bill(changed)
