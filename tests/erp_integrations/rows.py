"""Rows as syncing writes them, for the tests of pages and admin."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from erp_integrations.models import ErpAllocation, ErpConnection, ErpPayment


def erp_payment_of(connection: ErpConnection, **values: Any) -> ErpPayment:
    now = timezone.now()
    row: dict[str, Any] = {
        "company": connection.company,
        "connection": connection,
        "remote_id": f"account.payment,{ErpPayment.objects.count() + 1}",
        "number": "PAY-1",
        "status": "issued",
        "method": "check",
        "date": dt.date(2026, 7, 6),
        "total": Decimal("1250.00"),
        "vendor_name": "Acme Concrete",
        "remote_modified_at": now,
        "content_hash": b"0" * 16,
        "first_seen_at": now,
        "changed_at": now,
        **values,
    }
    return ErpPayment.objects.create(**row)


def allocation_of(payment: ErpPayment, **values: Any) -> ErpAllocation:
    """An allocation that waits, unless told otherwise."""
    row: dict[str, Any] = {
        "company": payment.company,
        "erp_payment": payment,
        "bill_id": "7",
        "bill_number": "BILL-7",
        "amount": payment.total,
        "outcome": "waiting",
        "reason": "bill_unknown",
        "waiting_since": timezone.now(),
        **values,
    }
    return ErpAllocation.objects.create(**row)
