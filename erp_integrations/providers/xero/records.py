"""Records of Xero's API as they come over the wire, as far as they are read."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

#: ``/Date(1543449600000+0000)/``: milliseconds since 1970 in UTC; the offset is for show
MOMENT = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{2,4})?\)/")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str) -> datetime:
    """Aware UTC. Raises ``ValueError``."""
    found = MOMENT.fullmatch(text)
    if not found:
        raise ValueError(f"“{text[:40]}” is no date of Xero")
    try:
        return EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError as error:
        raise ValueError(f"“{text[:40]}” is no date of Xero") from error


def day(text: str) -> date:
    """A date has no time in it: it is midnight in UTC."""
    return moment(text).date()


class Contact(msgspec.Struct, rename={"id": "ContactID", "name": "Name"}):
    id: str
    name: str = ""


class PaidDocument(
    msgspec.Struct,
    rename={
        "id": "InvoiceID",
        "number": "InvoiceNumber",
        "type": "Type",
        "currency": "CurrencyCode",
        "contact": "Contact",
    },
):
    """The bill that a payment is for, as a payment shows it."""

    id: str
    type: str
    currency: str
    contact: Contact
    number: str | None = None


class Batch(
    msgspec.Struct,
    rename={
        "id": "BatchPaymentID",
        "date": "Date",
        "reference": "Reference",
        "narrative": "Narrative",
        "details": "Details",
        "particulars": "Particulars",
        "code": "Code",
    },
):
    """A payment run. Which of its texts people fill in differs by country."""

    id: str
    date: str | None = None
    reference: str | None = None
    narrative: str | None = None
    details: str | None = None
    particulars: str | None = None
    code: str | None = None

    @property
    def name(self) -> str:
        texts = (self.reference, self.narrative, self.details, self.particulars, self.code)
        return next((text.strip() for text in texts if text and text.strip()), "")


class PaymentRow(
    msgspec.Struct,
    rename={
        "id": "PaymentID",
        "type": "PaymentType",
        "status": "Status",
        "date": "Date",
        "amount": "Amount",
        "updated": "UpdatedDateUTC",
        "reference": "Reference",
        "invoice": "Invoice",
        "batch_id": "BatchPaymentID",
        "batch": "BatchPayment",
    },
):
    id: str
    type: str
    status: Literal["AUTHORISED", "DELETED"]
    date: str
    amount: Decimal
    updated: str
    invoice: PaidDocument
    reference: str | None = None
    batch_id: str | None = None
    batch: Batch | None = None


class AllocatedTo(msgspec.Struct, rename={"id": "InvoiceID", "number": "InvoiceNumber"}):
    id: str
    number: str | None = None


class Allocation(
    msgspec.Struct,
    rename={"amount": "Amount", "invoice": "Invoice", "is_deleted": "IsDeleted"},
):
    amount: Decimal
    invoice: AllocatedTo
    is_deleted: bool = False


class AdvanceRow(
    msgspec.Struct,
    rename={
        "prepayment_id": "PrepaymentID",
        "overpayment_id": "OverpaymentID",
        "type": "Type",
        "status": "Status",
        "date": "Date",
        "total": "Total",
        "currency": "CurrencyCode",
        "updated": "UpdatedDateUTC",
        "contact": "Contact",
        "reference": "Reference",
        "allocations": "Allocations",
    },
):
    """Money that a vendor got before there was a bill for it, or more than the bill was over."""

    type: str
    status: Literal["AUTHORISED", "PAID", "VOIDED"]
    date: str
    total: Decimal
    currency: str
    updated: str
    contact: Contact
    prepayment_id: str = ""
    overpayment_id: str = ""
    reference: str | None = None
    allocations: list[Allocation] = []

    @property
    def id(self) -> str:
        return self.prepayment_id or self.overpayment_id


class Applied(
    msgspec.Struct,
    rename={
        "amount": "AppliedAmount",
        "prepayment_id": "PrepaymentID",
        "overpayment_id": "OverpaymentID",
    },
):
    """What a bill says of an advance that was allocated to it."""

    amount: Decimal
    prepayment_id: str = ""
    overpayment_id: str = ""


class LineText(msgspec.Struct, rename={"description": "Description"}):
    description: str | None = None


class BillRow(
    msgspec.Struct,
    rename={
        "id": "InvoiceID",
        "type": "Type",
        "number": "InvoiceNumber",
        "reference": "Reference",
        "status": "Status",
        "currency": "CurrencyCode",
        "total": "Total",
        "paid": "AmountPaid",
        "contact": "Contact",
        "prepayments": "Prepayments",
        "overpayments": "Overpayments",
        "lines": "LineItems",
    },
):
    id: str
    type: str
    status: str
    currency: str
    total: Decimal
    contact: Contact
    paid: Decimal = Decimal(0)
    number: str | None = None
    reference: str | None = None
    prepayments: list[Applied] = []
    overpayments: list[Applied] = []
    lines: list[LineText] = []


class Key(
    msgspec.Struct,
    rename={
        "payment_id": "PaymentID",
        "prepayment_id": "PrepaymentID",
        "overpayment_id": "OverpaymentID",
        "updated": "UpdatedDateUTC",
    },
):
    """What the order of reading hangs on."""

    updated: str
    payment_id: str = ""
    prepayment_id: str = ""
    overpayment_id: str = ""

    @property
    def id(self) -> str:
        return self.payment_id or self.prepayment_id or self.overpayment_id
