"""Which invoice here is which bill of a file: by its number, and by whose it is.

A file names bills by vendor and invoice number only, and vendors number their
invoices alike. So nothing is linked by itself: a person sees both sides and
says which ones belong together.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Sum
from django.db.models.functions import Trim, Upper

from commitments.erp_links import link_invoice_to_bill
from commitments.models import InvoiceStatus, SubcontractorInvoice
from erp_integrations.directory.names import plain_name
from erp_integrations.file_drop.rights import require_right
from erp_integrations.models import ErpAllocation, ErpConnection, WaitReason
from projects.models import User, Vendor

#: bills that one page shows
MOST = 100
WAITS = (WaitReason.BILL_UNKNOWN, WaitReason.INVOICE_NOT_SYNCED)
NO_PAIR = "One of these is linked, or gone, by now."


@dataclass(frozen=True)
class Bill:
    """A bill that payments of files pay, and that no invoice here is linked to."""

    bill_id: str
    number: str
    vendor_ref: str
    vendor_name: str
    currency: str
    paid: Decimal
    payments: int


@dataclass(frozen=True)
class Pair:
    """A bill and an invoice with the same number."""

    bill: Bill
    invoice: SubcontractorInvoice
    is_same_vendor: bool
    #: nothing else here or there has this number and vendor
    is_sure: bool

    @property
    def value(self) -> str:
        """Both ids, for a checkbox."""
        return f"{self.invoice.pk}:{self.bill.bill_id}"


def pairs_to_link(connection: ErpConnection) -> list[Pair]:
    """Pairs with the same number, the sure ones first; at most ``MOST`` bills."""
    bills = _bills(connection)
    by_number: dict[str, list[Any]] = defaultdict(list)
    for invoice in _invoices(connection, {_plain(bill.number) for bill in bills}):
        by_number[_plain(invoice.invoice_number)].append(invoice)
    pairs = [
        (bill, invoice, is_same(bill, invoice.commitment.vendor))
        for bill in bills
        for invoice in by_number[_plain(bill.number)]
    ]
    of_bill: dict[str, int] = defaultdict(int)
    of_invoice: dict[int, int] = defaultdict(int)
    for bill, invoice, same in pairs:
        of_bill[bill.bill_id] += same
        of_invoice[invoice.pk] += same
    made = [
        Pair(bill, invoice, same, same and of_bill[bill.bill_id] == 1 == of_invoice[invoice.pk])
        for bill, invoice, same in pairs
    ]
    return sorted(made, key=lambda pair: (not pair.is_sure, not pair.is_same_vendor))


def link(*, connection: ErpConnection, values: Sequence[str], by: User) -> tuple[int, list[str]]:
    """Link these pairs, each by itself: how many were, and why the others were not."""
    require_right(connection, by)
    known = {pair.value: pair for pair in pairs_to_link(connection)}
    linked, refused = 0, []
    for value in values:
        pair = known.get(value)
        try:
            if pair is None:
                raise ValidationError(NO_PAIR)
            bill = pair.bill
            link_invoice_to_bill(
                invoice=pair.invoice, bill_id=bill.bill_id, bill_number=bill.number, by=by
            )
            linked += 1
        except ValidationError as error:
            number = f"{pair.invoice.invoice_number}: " if pair else ""
            refused.append(number + " ".join(error.messages))
    return linked, refused


def is_same(bill: Bill, vendor: Vendor) -> bool:
    """By the ERP's number of the vendor, or by the name without *LLC* and the like."""
    codes = {code.upper() for code in (vendor.code, vendor.origin_id, vendor.origin_code) if code}
    if bill.vendor_ref.upper() in codes:
        return True
    names = {plain_name(name) for name in (bill.vendor_name, bill.vendor_ref) if name}
    return plain_name(vendor.name) in names


def _bills(connection: ErpConnection) -> list[Bill]:
    numbers = _unlinked(connection).values("plain")
    rows = (
        ErpAllocation.objects.waiting()
        .filter(erp_payment__connection=connection, reason__in=WAITS)
        .annotate(plain=Upper(Trim("bill_number")))
        .filter(plain__in=numbers)
    )
    grouped = rows.order_by("bill_id").values_list("bill_id", "erp_payment__currency")
    found = grouped.annotate(
        number=Max("bill_number"),
        ref=Max("erp_payment__vendor_ref"),
        name=Max("erp_payment__vendor_name"),
        paid=Sum("amount"),
        payments=Count("pk"),
    )
    return [
        Bill(bill_id, number, ref, name, currency, paid, payments)
        for bill_id, currency, number, ref, name, paid, payments in found[:MOST]
    ]


def _invoices(connection: ErpConnection, numbers: Iterable[str]) -> Any:
    rows = _unlinked(connection).filter(plain__in=list(numbers))
    return rows.select_related("commitment__vendor", "project").order_by("pk")


def _unlinked(connection: ErpConnection) -> Any:
    rows = SubcontractorInvoice.objects.filter(company=connection.company_id, origin_id="")
    visible = rows.exclude(status=InvoiceStatus.DRAFT)
    return visible.annotate(plain=Upper(Trim("invoice_number")))


def _plain(number: str) -> str:
    return number.strip().upper()
