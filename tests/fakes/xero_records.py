"""A ledger in Xero's words: what its lists hold, before it is put on the wire."""

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from tests.fakes.ledger import Application, Bill, BillLine, Ledger, Payment, State, Vendor

Row = dict[str, Any]
SPACE = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
TENANT = "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
BANK = uuid.uuid5(SPACE, "bank")
NOTHING: list[Any] = []
#: how much of a currency one dollar buys; the bank account is in dollars
RATES = {"EUR": Decimal("0.800000")}


def guid(kind: str, *numbers: object) -> uuid.UUID:
    return uuid.uuid5(SPACE, "-".join([kind, *map(str, numbers)]))


def on_the_wire(value: Any) -> Any:
    """Dates as Xero's own, and money as numbers with their cents."""
    if isinstance(value, dict):
        return {key: on_the_wire(each) for key, each in value.items()}
    if isinstance(value, list):
        return [on_the_wire(each) for each in value]
    if isinstance(value, Decimal):
        return msgspec.Raw(f"{value:f}".encode())
    if isinstance(value, dt.datetime):
        return f"/Date({round(value.timestamp() * 1000)}+0000)/"
    if isinstance(value, dt.date):
        midnight = dt.datetime.combine(value, dt.time.min, dt.UTC)
        return f"/Date({round(midnight.timestamp() * 1000)}+0000)/"
    return str(value) if isinstance(value, uuid.UUID) else value


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


class Records:
    """The lists of one company, made anew from its ledger for every question."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.orders: list[Row] = []

    def of(self, name: str) -> list[Row]:
        lists: dict[str, Callable[[], list[Row]]] = {
            "Payments": self.payments,
            "BatchPayments": self.batches,
            "Prepayments": self.prepayments,
            "Overpayments": self.overpayments,
            "CreditNotes": self.credit_notes,
            "Invoices": self.invoices,
            "PurchaseOrders": lambda: self.orders,
            "Contacts": lambda: [contact(each) for each in self.ledger.vendors],
            "Organisation": lambda: [organisation()],
        }
        return lists[name]()

    # ----------------------------------------------------------------- payments
    def payments(self) -> list[Row]:
        return [
            self._payment(payment, place, each)
            for payment in self._money()
            if not is_advance(payment)
            for place, each in enumerate(payment.applications)
        ]

    def batches(self) -> list[Row]:
        return [
            {
                **batch(payment),
                "Reference": payment.check,
                "Payments": [
                    {
                        "Invoice": {"InvoiceID": guid("bill", each.bill.number)},
                        "PaymentID": guid("payment", payment.number, place),
                        "Amount": cents(each.amount),
                    }
                    for place, each in enumerate(payment.applications)
                ],
            }
            for payment in self._money()
            if is_run(payment)
        ]

    def _payment(self, payment: Payment, place: int, each: Application) -> Row:
        run, rate = is_run(payment), RATES.get(payment.currency, Decimal("1.000000"))
        row: Row = {"PaymentID": guid("payment", payment.number, place)}
        if run:
            shown = batch(payment)
            row |= {"BatchPaymentID": shown["BatchPaymentID"], "BatchPayment": shown}
        return row | {
            "Date": payment.date,
            "BankAmount": cents(each.amount / rate),
            "Amount": cents(each.amount),
            "Reference": "" if run else payment.check,
            "CurrencyRate": rate,
            "PaymentType": "ACCPAYPAYMENT",
            "Status": "DELETED" if payment.state is State.VOIDED else "AUTHORISED",
            "UpdatedDateUTC": payment.modified,
            "HasAccount": True,
            "IsReconciled": False,
            "Account": {"AccountID": BANK, "Code": "090", "Name": "Operating"},
            "Invoice": paid_bill(each.bill),
            "HasValidationErrors": False,
        }

    def _money(self) -> list[Payment]:
        """Xero knows nothing of payments that are still to be released."""
        left = {State.ISSUED, State.VOIDED}
        return [p for p in self.ledger.payments.values() if p.state in left and not p.is_credit]

    # ----------------------------------------------------- advances and credits
    def prepayments(self) -> list[Row]:
        return [
            {"PrepaymentID": guid("advance", p.number), "Type": "SPEND-PREPAYMENT"} | advance(p)
            for p in self._money()
            if is_advance(p) and p.method != "overpayment"
        ]

    def overpayments(self) -> list[Row]:
        return [
            {"OverpaymentID": guid("advance", p.number), "Type": "SPEND-OVERPAYMENT"} | advance(p)
            for p in self._money()
            if is_advance(p) and p.method == "overpayment"
        ]

    def credit_notes(self) -> list[Row]:
        return [
            {
                "CreditNoteID": guid("credit", p.number),
                "CreditNoteNumber": p.check,
                "Type": "ACCPAYCREDIT",
            }
            | advance(p)
            for p in self.ledger.payments.values()
            if p.is_credit
        ]

    def order(self, vendor: Vendor, number: str, total: str, status: str = "AUTHORISED") -> Row:
        made = {
            "PurchaseOrderID": guid("order", self.ledger.next_number()),
            "PurchaseOrderNumber": number,
            "Reference": "Riverside Tower",
            "Status": status,
            "Contact": contact(vendor),
            "Date": self.ledger.now.date(),
            "CurrencyCode": "USD",
            "Total": cents(Decimal(total)),
            "UpdatedDateUTC": self.ledger.now,
        }
        self.orders.append(made)
        return made

    # -------------------------------------------------------------------- bills
    def invoices(self) -> list[Row]:
        return [self.invoice(bill) for bill in self.ledger.bills.values()]

    def invoice(self, bill: Bill) -> Row:
        applied = self.ledger.applied_to(bill)
        paid = sum((a.amount for p, a in applied if not _credits(p)), Decimal(0))
        credited = sum((a.amount for p, a in applied if _credits(p)), Decimal(0))
        due = bill.total - paid - credited
        return {
            "Type": "ACCPAY",
            "InvoiceID": guid("bill", bill.number),
            "InvoiceNumber": bill.reference,
            "Reference": bill.memo,
            **_settled_by(applied),
            "AmountDue": cents(due),
            "AmountPaid": cents(paid),
            "AmountCredited": cents(credited),
            "CurrencyRate": Decimal("1.000000"),
            "IsDiscounted": False,
            "HasAttachments": False,
            "HasErrors": False,
            "Contact": contact(bill.vendor),
            "DateString": f"{bill.date}T00:00:00",
            "Date": bill.date,
            "DueDateString": f"{bill.date}T00:00:00",
            "DueDate": bill.date,
            "Status": _status(bill, due),
            "LineAmountTypes": "NoTax",
            "LineItems": [_line_of(line) for line in bill.lines],
            "SubTotal": cents(bill.total),
            "TotalTax": Decimal("0.00"),
            "Total": cents(bill.total),
            "UpdatedDateUTC": bill.modified,
            "CurrencyCode": bill.currency,
        }


def _status(bill: Bill, due: Decimal) -> str:
    if bill.is_cancelled:
        return "VOIDED"
    if not bill.is_posted:
        return "DRAFT"
    return "AUTHORISED" if due else "PAID"


def _settled_by(applied: list[tuple[Payment, Application]]) -> Row:
    """What paid a bill, in the four lists that Xero keeps of it."""
    advances = [(p, a) for p, a in applied if is_advance(p)]
    return {
        "Payments": [_paid_by(p, a) for p, a in applied if not _credits(p)],
        "CreditNotes": [
            {"CreditNoteID": guid("credit", p.number), "CreditNoteNumber": p.check}
            | applied_part(p, a)
            for p, a in applied
            if p.is_credit
        ],
        "Prepayments": [
            {"PrepaymentID": guid("advance", p.number)} | applied_part(p, a)
            for p, a in advances
            if p.method != "overpayment"
        ],
        "Overpayments": [
            {"OverpaymentID": guid("advance", p.number)} | applied_part(p, a)
            for p, a in advances
            if p.method == "overpayment"
        ],
    }


def _paid_by(payment: Payment, part: Application) -> Row:
    return {
        "PaymentID": guid("payment", payment.number, payment.applications.index(part)),
        "Date": payment.date,
        "Amount": cents(part.amount),
        "Reference": "" if is_run(payment) else payment.check,
        "CurrencyRate": Decimal("1.000000"),
        "HasAccount": False,
        "HasValidationErrors": False,
    }


def _line_of(line: BillLine) -> Row:
    return {
        "LineItemID": guid("line", line.number),
        "Description": line.description,
        "Quantity": Decimal("1.0000"),
        "UnitAmount": cents(line.amount),
        "LineAmount": cents(line.amount),
        "AccountCode": "500",
        "TaxType": "NONE",
        "TaxAmount": Decimal("0.00"),
        "Tracking": NOTHING,
    }


def is_advance(payment: Payment) -> bool:
    return payment.is_direct


def is_run(payment: Payment) -> bool:
    """Several bills on one check are a payment run; a single one is a payment."""
    return len(payment.applications) > 1 and not payment.is_direct and not payment.is_credit


def _credits(payment: Payment) -> bool:
    """What Xero counts as credited: money too, where it left before the bill was there."""
    return payment.is_credit or payment.is_direct


def batch(payment: Payment) -> Row:
    return {
        "BatchPaymentID": guid("batch", payment.number),
        "Account": {"AccountID": BANK},
        "Date": payment.date,
        "Type": "PAYBATCH",
        "Status": "DELETED" if payment.state is State.VOIDED else "AUTHORISED",
        "TotalAmount": str(cents(payment.total)),
        "UpdatedDateUTC": payment.modified,
        "IsReconciled": False,
    }


def advance(payment: Payment) -> Row:
    applied = sum((each.amount for each in payment.applications), Decimal(0))
    open_ = payment.total - applied
    status = "AUTHORISED" if open_ else "PAID"
    return {
        "Reference": payment.check,
        "Contact": {
            "ContactID": guid("contact", payment.vendor.number),
            "Name": payment.vendor.name,
        },
        "DateString": f"{payment.date}T00:00:00",
        "Date": payment.date,
        "Status": "VOIDED" if payment.state is State.VOIDED else status,
        "LineAmountTypes": "NoTax",
        "LineItems": NOTHING,
        "SubTotal": cents(payment.total),
        "TotalTax": Decimal("0.00"),
        "Total": cents(payment.total),
        "UpdatedDateUTC": payment.modified,
        "CurrencyCode": payment.currency,
        "CurrencyRate": Decimal("1.000000"),
        "RemainingCredit": cents(open_),
        "Allocations": [
            {
                "AllocationID": guid("allocation", payment.number, place),
                "Amount": cents(each.amount),
                "Date": payment.date,
                "Invoice": {
                    "InvoiceID": guid("bill", each.bill.number),
                    "InvoiceNumber": each.bill.reference,
                },
            }
            for place, each in enumerate(payment.applications)
        ],
        "Payments": NOTHING,
        "HasAttachments": False,
    }


def applied_part(payment: Payment, part: Application) -> Row:
    return {
        "AppliedAmount": cents(part.amount),
        "DateString": f"{payment.date}T00:00:00",
        "Date": payment.date,
        "LineItems": NOTHING,
        "Total": cents(payment.total),
    }


def paid_bill(bill: Bill) -> Row:
    return {
        "Type": "ACCPAY",
        "InvoiceID": guid("bill", bill.number),
        "InvoiceNumber": bill.reference,
        "Payments": NOTHING,
        "CreditNotes": NOTHING,
        "Prepayments": NOTHING,
        "Overpayments": NOTHING,
        "HasErrors": False,
        "IsDiscounted": False,
        "Contact": {
            "ContactID": guid("contact", bill.vendor.number),
            "Name": bill.vendor.name,
            "Addresses": NOTHING,
            "Phones": NOTHING,
            "ContactGroups": NOTHING,
            "ContactPersons": NOTHING,
            "HasValidationErrors": False,
        },
        "LineItems": NOTHING,
        "CurrencyCode": bill.currency,
    }


def contact(vendor: Vendor) -> Row:
    return {
        "ContactID": guid("contact", vendor.number),
        "AccountNumber": vendor.code,
        "ContactStatus": "ACTIVE",
        "Name": vendor.name,
        "Addresses": NOTHING,
        "Phones": NOTHING,
        "ContactGroups": NOTHING,
        "ContactPersons": NOTHING,
        "IsSupplier": True,
        "IsCustomer": False,
        "HasValidationErrors": False,
    }


def organisation() -> Row:
    return {
        "OrganisationID": uuid.UUID(TENANT),
        "Name": "Northstar General Contractors",
        "LegalName": "Northstar General Contractors Inc",
        "BaseCurrency": "USD",
        "CountryCode": "US",
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
    }
