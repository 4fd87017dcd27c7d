"""Documents of a ledger as Acumatica shows them: ``{"value": …}``, keys, details, and statuses."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from tests.fakes.ledger import Application, Bill, Ledger, Payment, State

#: field by field, plain values; details are lists of records
Record = dict[str, Any]
#: applications that were reversed, by the number of their payment
Reversals = Mapping[int, Sequence[Application]]
NOTHING: Reversals = {}
CODES = {
    "Bill": "INV",
    "Credit Adj.": "ACR",
    "Debit Adj.": "ADR",
    "Check": "CHK",
    "Payment": "CHK",
    "Prepayment": "PPM",
    "Refund": "REF",
    "Vendor Refund": "REF",
    "Voided Check": "VCK",
    "Voided Payment": "VCK",
    "Voided Refund": "VRF",
}
VOIDED_TYPES = {"Check": "Voided Check", "Payment": "Voided Payment"}
METHODS = {"check": "CHECK", "credit_card": "CORPCARD", "electronic": "ACH"}
FIELDS = {
    "Check": {
        "Type",
        "ReferenceNbr",
        "Status",
        "Vendor",
        "PaymentMethod",
        "PaymentRef",
        "CurrencyID",
        "ApplicationDate",
        "PaymentAmount",
        "UnappliedBalance",
        "Description",
        "LastModifiedDateTime",
    },
    "Bill": {
        "Type",
        "ReferenceNbr",
        "Status",
        "Vendor",
        "VendorRef",
        "CurrencyID",
        "Date",
        "Amount",
        "Balance",
        "Description",
        "LastModifiedDateTime",
    },
    "Vendor": {"VendorID", "VendorName", "Status"},
    "Project": {"ProjectID", "Description", "Status"},
    "PurchaseOrder": {
        "Type",
        "OrderNbr",
        "Status",
        "VendorID",
        "Description",
        "OrderTotal",
        "CurrencyID",
        "Date",
        "Project",
    },
}
KEYS = {
    "Check": ("Type", "ReferenceNbr"),
    "Bill": ("Type", "ReferenceNbr"),
    "Vendor": ("VendorID",),
    "Project": ("ProjectID",),
    "PurchaseOrder": ("Type", "OrderNbr"),
}
DETAILS = {"Details", "History", "Applications"}


@dataclass
class Other:
    """A document of *Checks and Payments* that is written down as it is."""

    type: str
    number: str
    amount: Decimal
    modified: dt.datetime
    vendor: str = "V-ACME"
    status: str = "Closed"
    history: list[tuple[str, str, Decimal]] = field(default_factory=list)


def number(of: int) -> str:
    return f"{of:06d}"


def status_of(payment: Payment) -> str:
    match payment.state:
        case State.DRAFT:
            return "On Hold"
        case State.PENDING:
            return "Pending Print"
        case State.VOIDED:
            return "Voided"
    return "Closed" if _unapplied(payment) == 0 else "Open"


def checks(ledger: Ledger, check_type: str, reversals: Reversals) -> list[Record]:
    found = [each for each in ledger.payments.values() if not each.is_credit]
    records = [_check(each, check_type, reversals) for each in found]
    records += [_voiding(each, check_type) for each in found if each.voided]
    credits = [each for each in ledger.payments.values() if each.is_credit]
    return records + [_check(each, "Debit Adj.") for each in credits]


def _check(payment: Payment, type_: str, reversals: Reversals = NOTHING) -> Record:
    is_released = payment.state in {State.ISSUED, State.VOIDED}

    def applied() -> list[Record]:
        return [_application(each) for each in payment.applications]

    return {
        "id": _id(type_, payment.number),
        "Type": type_,
        "ReferenceNbr": number(payment.number),
        "Status": status_of(payment),
        "Vendor": payment.vendor.code,
        "PaymentMethod": METHODS[payment.method],
        "PaymentRef": payment.check,
        "CurrencyID": payment.currency,
        "ApplicationDate": _midnight(payment.date),
        "PaymentAmount": payment.total,
        "UnappliedBalance": _unapplied(payment),
        "Description": payment.memo,
        "LastModifiedDateTime": _stamp(payment.modified),
        # Details are only worked out where somebody expands them.
        "Details": lambda: [] if is_released else [_waiting(each) for each in applied()],
        "History": lambda: (
            [*applied(), *_reversed(reversals.get(payment.number, []))] if is_released else []
        ),
    }


def _voiding(payment: Payment, check_type: str) -> Record:
    """The second document of a void: another type, the same number, below zero."""
    made = _check(payment, check_type)
    type_ = VOIDED_TYPES[check_type]

    def mirrored() -> list[Record]:
        return [
            {**each, "id": str(uuid.uuid4()), "AmountPaid": -each["AmountPaid"]}
            for each in made["History"]()
        ]

    return made | {
        "id": _id(type_, payment.number),
        "Type": type_,
        "Status": "Closed",
        "PaymentAmount": -payment.total,
        "UnappliedBalance": Decimal(0),
        "History": mirrored,
    }


def other(document: Other) -> Record:
    """A refund, a prepayment …"""
    history = [
        {
            "id": str(uuid.uuid4()),
            "DocType": type_,
            "ReferenceNbr": of,
            "VendorRef": "",
            "AmountPaid": amount,
            "CashDiscountTaken": Decimal(0),
            "Balance": Decimal(0),
        }
        for type_, of, amount in document.history
    ]
    return {
        "id": _id(document.type, document.number),
        "Type": document.type,
        "ReferenceNbr": document.number,
        "Status": document.status,
        "Vendor": document.vendor,
        "PaymentMethod": "ACH",
        "PaymentRef": f"{document.type} {document.number}",
        "CurrencyID": "USD",
        "ApplicationDate": _midnight(document.modified.date()),
        "PaymentAmount": document.amount,
        "UnappliedBalance": Decimal(0),
        "Description": "",
        "LastModifiedDateTime": _stamp(document.modified),
        "Details": [],
        "History": history,
    }


def _application(applied: Application) -> Record:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{id(applied)}")),
        "DocType": "Bill",
        "ReferenceNbr": number(applied.bill.number),
        "VendorRef": applied.bill.reference,
        "AmountPaid": applied.amount,
        "CashDiscountTaken": applied.discount,
        "CashDiscountBalance": Decimal(0),
        "Balance": Decimal(0),
    }


def _waiting(applied: Record) -> Record:
    """In ``Details`` there is neither the vendor's number nor a discount that was taken."""
    kept = ("id", "DocType", "ReferenceNbr", "AmountPaid", "Balance")
    return {name: applied[name] for name in kept} | {"DocLineNbr": 0}


def _reversed(applications: Iterable[Application]) -> list[Record]:
    """What was taken off again stays in the history, twice: as it was and below zero."""
    rows: list[Record] = []
    for each in applications:
        once = _application(each)
        rows += [once, {**once, "id": str(uuid.uuid4()), "AmountPaid": -once["AmountPaid"]}]
    return rows


Payers = Mapping[int, Sequence[tuple[Payment, Application]]]


def bills(ledger: Ledger, check_type: str) -> list[Record]:
    applied: dict[int, list[tuple[Payment, Application]]] = {}
    for payment in ledger.payments.values():
        for each in payment.applications:
            applied.setdefault(each.bill.number, []).append((payment, each))
    return [_bill(each, check_type, applied) for each in ledger.bills.values()]


def _bill(bill: Bill, check_type: str, applied: Payers) -> Record:
    payers = applied.get(bill.number, [])
    gone = [each for payment, each in payers if payment.state is State.ISSUED]
    balance = bill.total - sum((each.amount + each.discount for each in gone), Decimal(0))
    status = "Voided" if bill.is_cancelled else "Closed" if balance == 0 else "Open"
    return {
        "id": _id("Bill", bill.number),
        "Type": "Bill",
        "ReferenceNbr": number(bill.number),
        "Status": status if bill.is_posted else "Balanced",
        "Vendor": bill.vendor.code,
        "VendorRef": bill.reference,
        "CurrencyID": bill.currency,
        "Date": _midnight(bill.date),
        "Amount": bill.total,
        "Balance": balance,
        "Description": bill.memo,
        "LastModifiedDateTime": _stamp(bill.modified),
        "Applications": lambda: [_payer(*each, check_type) for each in payers],
    }


def _payer(payment: Payment, applied: Application, check_type: str) -> Record:
    return {
        "id": str(uuid.uuid4()),
        "DocType": "Debit Adj." if payment.is_credit else check_type,
        "ReferenceNbr": number(payment.number),
        "Status": status_of(payment),
        "AmountPaid": applied.amount,
        "Balance": Decimal(0),
    }


def vendors(ledger: Ledger) -> list[Record]:
    return [
        {
            "id": _id("Vendor", each.number),
            "VendorID": each.code,
            "VendorName": each.name,
            "Status": "Active",
        }
        for each in ledger.vendors
    ]


def order(record: Record) -> tuple[str, ...]:
    if "ReferenceNbr" in record:
        return CODES[record["Type"]], record["ReferenceNbr"]
    return tuple(
        str(record[name]) for name in ("OrderNbr", "ProjectID", "VendorID") if name in record
    )


def wire(record: Record, expand: Iterable[str], select: Iterable[str] = ()) -> Record:
    """As it is sent: every scalar wrapped, nothing as ``{}``, details only where asked for."""
    sent: Record = {"id": record["id"], "rowNumber": 1, "note": {"value": ""}}
    for name, value in record.items():
        if name in DETAILS:
            if name in expand:
                rows = value() if callable(value) else value
                sent[name] = [wire(each, ()) for each in rows]
        elif name != "id" and (not select or name in select):
            sent[name] = {} if value is None or value == "" else {"value": _value(value)}
    return sent | {"custom": {}, "_links": {"self": f"/entity/…/{record['id']}"}}


def _value(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    return value


def _stamp(moment: dt.datetime) -> dt.datetime:
    """Milliseconds, and in UTC."""
    return moment.astimezone(dt.UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, dt.UTC)


@cache
def _id(kind: str, of: int | str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}-{of}"))


def _unapplied(payment: Payment) -> Decimal:
    return payment.total - sum((each.amount for each in payment.applications), Decimal(0))
