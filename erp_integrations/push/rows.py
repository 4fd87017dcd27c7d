"""What a sender may say of a payment, and what is wrong with it, row by row. Pure.

The shape is that of Procore's ``invoice_payments/sync`` (wire contract §4.2 and
§4.6): a row is one payment of one invoice, and ``origin_id`` is its key.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from erp_integrations.acceptance import storable
from erp_integrations.providers.contract import (
    RemoteAllocation,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
)

INVOICE_TYPE = "Billings::Requisition"
ROW_FIELDS = frozenset(
    {
        *("invoice_type", "invoice_id", "invoice_origin_id", "invoice_number"),
        *("origin_id", "origin_code", "amount", "currency", "status", "updated_at"),
        *("date", "payment_date", "payment_method", "check_number", "payment_number"),
        *("notes", "vendor_origin_id", "vendor_name", "discount"),
    }
)


class RowError(Exception):
    """A sentence for whoever wrote the sender."""


class Row(msgspec.Struct, frozen=True):
    """A row that can be read. ``invoice_id`` is ours, ``invoice_origin_id`` the ERP's bill."""

    origin_id: str
    invoice_id: int | None
    invoice_origin_id: str
    amount: Decimal
    discount: Decimal
    date: dt.date
    status: RemoteStatus
    method: RemoteMethod
    currency: str
    #: when the sender's system changed it; None: it did not say
    updated_at: dt.datetime | None
    said: Mapping[str, Any]

    def payment(self, *, bill_id: str, currency: str, now: dt.datetime) -> RemotePayment:
        """As the engine wants it; the bill and the currency are known by now."""
        bill = RemoteAllocation(
            bill_id=bill_id,
            bill_number=_text(self.said, "invoice_number"),
            amount=self.amount,
            discount=self.discount,
        )
        return RemotePayment(
            remote_id=self.origin_id,
            number=_text(self.said, "origin_code") or _text(self.said, "payment_number"),
            status=self.status,
            method=self.method,
            date=self.date,
            currency=self.currency or currency,
            total=self.amount,
            modified_at=self.updated_at or now,
            allocations=(bill,),
            check_number=_text(self.said, "check_number"),
            vendor_ref=_text(self.said, "vendor_origin_id"),
            vendor_name=_text(self.said, "vendor_name"),
            memo=_text(self.said, "notes"),
        )


def read_row(said: Any) -> Row:
    """Raises ``RowError`` with what is wrong and what would be right."""
    if not isinstance(said, dict):
        raise RowError("A row has to be an object with named fields.")
    require_text(said)
    if unknown := sorted(set(said) - ROW_FIELDS):
        raise RowError(f"There is no field “{unknown[0]}”; is the name right?")
    if said.get("invoice_type", INVOICE_TYPE) != INVOICE_TYPE:
        raise RowError(f"invoice_type has to be “{INVOICE_TYPE}”.")
    invoice_id, invoice_origin_id = _invoice_id(said), _text(said, "invoice_origin_id")
    if (invoice_id is None) == (not invoice_origin_id):
        raise RowError("Name the invoice by invoice_id or by invoice_origin_id, one of the two.")
    return Row(
        origin_id=_required(said, "origin_id"),
        invoice_id=invoice_id,
        invoice_origin_id=invoice_origin_id,
        amount=_amount(said, "amount"),
        discount=_amount(said, "discount") if "discount" in said else Decimal(0),
        date=_date(said),
        status=_one_of(said, "status", RemoteStatus, RemoteStatus.ISSUED),
        method=_one_of(said, "payment_method", RemoteMethod, RemoteMethod.CHECK),
        currency=_text(said, "currency").upper(),
        updated_at=_moment(said),
        said=said,
    )


def require_text(said: Mapping[str, Any]) -> None:
    """Raises ``RowError`` where a text cannot be stored, so that no other row suffers for it."""
    for name, given in said.items():
        if any(isinstance(text, str) and storable(text) != text for text in (name, given)):
            raise RowError(f"“{storable(name)[:40]}” has characters that are not text.")


def _invoice_id(said: Mapping[str, Any]) -> int | None:
    given = said.get("invoice_id")
    if given is None:
        return None
    if isinstance(given, bool) or not str(given).isascii() or not str(given).isdecimal():
        raise RowError("invoice_id has to be the number of an invoice.")
    if len(str(given)) > 18:
        raise RowError("invoice_id is longer than any number of an invoice.")
    return int(given)


def _text(said: Mapping[str, Any], name: str) -> str:
    given = said.get(name)
    if given is None:
        return ""
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise RowError(f"{name} has to be a text.")
    return str(given).strip()


def _required(said: Mapping[str, Any], name: str) -> str:
    text = _text(said, name)
    if not text:
        raise RowError(f"{name} is missing.")
    return text


def _amount(said: Mapping[str, Any], name: str) -> Decimal:
    """Numbers arrive as ``Decimal`` already: the body is parsed without floats."""
    given = said.get(name)
    if given is None:
        raise RowError(f"{name} is missing.")
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise RowError(f"{name} has to be a number, such as “1250.00”.")
    try:
        amount = Decimal(given)
    except InvalidOperation:
        raise RowError(f"{name} is “{str(given)[:40]}”, which is not a number.") from None
    if not amount.is_finite() or amount < 0:
        raise RowError(
            f"{name} is {str(given)[:40]}; it has to be zero or more. A payment that was taken "
            f"back keeps its amount and gets the status “voided”."
        )
    return amount


def _date(said: Mapping[str, Any]) -> dt.date:
    given = said.get("payment_date", said.get("date"))
    if not isinstance(given, str):
        raise RowError("payment_date is missing.")
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise RowError(f"payment_date is “{given[:40]}”; write it like 2026-11-30.") from None


def _moment(said: Mapping[str, Any]) -> dt.datetime | None:
    given = _text(said, "updated_at")
    if not given:
        return None
    try:
        moment = dt.datetime.fromisoformat(given)
        if moment.tzinfo is None:
            raise ValueError
    except ValueError:
        raise RowError(
            f"updated_at is “{given[:40]}”; write it like 2026-11-30T17:05:00Z."
        ) from None
    return moment.astimezone(dt.UTC)


def _one_of(said: Mapping[str, Any], name: str, choices: Any, otherwise: Any) -> Any:
    text = _text(said, name).lower()
    if not text:
        return otherwise
    if text not in set(choices):
        known = ", ".join(choices)
        raise RowError(f"{name} is “{text[:40]}”; it can be: {known}.")
    return choices(text)
