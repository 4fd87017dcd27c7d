"""What a ledger's books look like in QuickBooks Online's JSON (Intuit's XSD, minor version 75)."""

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.fakes.ledger import Application, Bill, Ledger, Payment, State, Vendor

Record = dict[str, Any]
#: QuickBooks tells times as they are in California, with summer and winter time
PACIFIC = ZoneInfo("America/Los_Angeles")
CURRENCIES = {"USD": "United States Dollar", "EUR": "Euro", "CAD": "Canadian Dollar"}
BANK = {"value": "35", "name": "Checking"}
CARD = {"value": "41", "name": "Mastercard"}
PAYABLES = {"value": "33", "name": "Accounts Payable (A/P)"}
ACCOUNTS = {
    "33": ("Accounts Payable (A/P)", "Accounts Payable"),
    "35": ("Checking", "Bank"),
    "64": ("Job Expenses:Subcontractors", "Expense"),
    "90": ("Retainage Payable", "Other Current Liability"),
}
#: electronic payments have no number of a check, but what people write there
ELECTRONIC = "ACH"


class OtherLine(NamedTuple):
    """A line of a bill payment that is no bill: a credit, or something else that is owed."""

    kind: str
    number: str
    amount: Decimal
    is_owed: bool = False


@cache
def stamp(moment: dt.datetime) -> str:
    """Whole seconds, with the offset of that day."""
    return moment.astimezone(PACIFIC).replace(microsecond=0).isoformat()


def clock(moment: dt.datetime) -> str:
    return moment.astimezone(PACIFIC).isoformat(timespec="milliseconds")


def meta(created: dt.datetime, modified: dt.datetime) -> Record:
    return {"CreateTime": stamp(created), "LastUpdatedTime": stamp(modified)}


def vendor_ref(vendor: Vendor) -> Record:
    return {"value": str(vendor.number), "name": vendor.name}


def currency_ref(code: str) -> Record:
    return {"value": code, "name": CURRENCIES.get(code, code)}


def common(each: Bill | Payment, currency: bool) -> Record:
    made: Record = {
        "domain": "QBO",
        "sparse": False,
        "Id": str(each.number),
        "SyncToken": "0" if each.created == each.modified else "1",
        "MetaData": meta(each.created, each.modified),
        "TxnDate": each.date.isoformat(),
        "VendorRef": vendor_ref(each.vendor),
        "APAccountRef": PAYABLES,
    }
    if currency:
        made["CurrencyRef"] = currency_ref(each.currency)
        if each.currency != "USD":
            made["ExchangeRate"] = Decimal("1.0825")
    return made


def bill_payment(payment: Payment, others: list[OtherLine], *, currency: bool = True) -> Record:
    """A void leaves the record, with all amounts at nothing and no lines."""
    is_voided, to_print = payment.state is State.VOIDED, payment.state is State.PENDING
    made = common(payment, currency)
    note = f"Voided - {payment.memo}".removesuffix(" - ") if is_voided else payment.memo
    made |= {"PrivateNote": note} if note else {}
    number = "To print" if to_print else payment.check or _number_of(payment)
    made |= {"DocNumber": number} if number else {}
    made |= _way(payment, "NeedToPrint" if to_print else "NotSet")
    lines = [] if is_voided else _lines(payment, others)
    total = payment.total + sum(each.amount if each.is_owed else -each.amount for each in others)
    return {**made, "TotalAmt": Decimal(0) if is_voided else total, "Line": lines}


def _number_of(payment: Payment) -> str:
    return ELECTRONIC if payment.method == "electronic" else ""


def _way(payment: Payment, printed: str) -> Record:
    if payment.method == "credit_card":
        return {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": CARD}}
    return {"PayType": "Check", "CheckPayment": {"PrintStatus": printed, "BankAccountRef": BANK}}


def _lines(payment: Payment, others: list[OtherLine]) -> list[Record]:
    bills = [("Bill", str(each.bill.number), each.amount) for each in payment.applications]
    return [
        {"Amount": amount, "LinkedTxn": [{"TxnId": number, "TxnType": kind}]}
        for kind, number, amount in [*bills, *(each[:3] for each in others)]
    ]


Settling = list[tuple[Payment, Application]]


def settled_by_bill(ledger: Ledger) -> dict[int, Settling]:
    """Everything that was applied lowers a balance: money, credits, checks to be printed."""
    found: dict[int, Settling] = {}
    for payment in ledger.payments.values():
        for part in payment.applications if payment.state is not State.VOIDED else ():
            found.setdefault(part.bill.number, []).append((payment, part))
    return found


def bill(each: Bill, settled: Settling, *, currency: bool = True) -> Record:
    ways = {"credit_card": "BillPaymentCreditCard"}
    links = {
        str(payment.number): ways.get(payment.method, "BillPaymentCheck") for payment, _ in settled
    }
    made = common(each, currency)
    made |= {"PrivateNote": each.memo} if each.memo else {}
    return made | {
        "DocNumber": each.reference,
        "DueDate": (each.date + dt.timedelta(days=30)).isoformat(),
        "TotalAmt": each.total,
        "Balance": each.total - sum((part.amount for _, part in settled), Decimal(0)),
        "LinkedTxn": [{"TxnId": number, "TxnType": kind} for number, kind in links.items()],
        "Line": [
            {
                "Id": str(place),
                "LineNum": place,
                "Description": line.description,
                "Amount": line.amount,
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {
                    "AccountRef": {"value": "64", "name": ACCOUNTS["64"][0]},
                    "BillableStatus": "NotBillable",
                    "TaxCodeRef": {"value": "NON"},
                },
            }
            for place, line in enumerate(each.lines, start=1)
        ],
    }


def deleted(number: int, moment: dt.datetime) -> Record:
    """What the list of changes says of a deleted record."""
    return {
        "domain": "QBO",
        "status": "Deleted",
        "Id": str(number),
        "MetaData": {"LastUpdatedTime": stamp(moment)},
    }


def vendor(each: Vendor, began: dt.datetime) -> Record:
    return {
        "domain": "QBO", "sparse": False, "Id": str(each.number), "SyncToken": "0",
        "MetaData": meta(began, began), "DisplayName": each.name, "PrintOnCheckName": each.name,
        "AcctNum": each.code, "Active": True, "Vendor1099": False, "Balance": Decimal(0),
        "CurrencyRef": currency_ref("USD"),
    }  # fmt: skip


def customer(number: int, name: str, began: dt.datetime, *, parent: str = "") -> Record:
    """A project is a customer below a customer."""
    return {
        "domain": "QBO", "sparse": False, "Id": str(number), "SyncToken": "0",
        "MetaData": meta(began, began), "DisplayName": name, "Active": True,
        "FullyQualifiedName": f"{parent}:{name}" if parent else name,
        "Job": bool(parent), "IsProject": bool(parent), "Level": 1 if parent else 0,
    }  # fmt: skip


def account(number: str, began: dt.datetime) -> Record:
    path, kind = ACCOUNTS[number]
    return {
        "domain": "QBO", "sparse": False, "Id": number, "SyncToken": "0",
        "MetaData": meta(began, began), "Name": path.rsplit(":", 1)[-1],
        "FullyQualifiedName": path, "AccountType": kind, "Active": True,
    }  # fmt: skip


def company_info(began: dt.datetime) -> Record:
    return {
        "domain": "QBO", "sparse": False, "Id": "1", "SyncToken": "4",
        "MetaData": meta(began, began), "CompanyName": "Northstar General Contractors",
        "LegalName": "Northstar General Contractors", "Country": "US",
    }  # fmt: skip


def preferences(began: dt.datetime, *, several_currencies: bool) -> Record:
    return {
        "domain": "QBO", "sparse": False, "Id": "1", "SyncToken": "8",
        "MetaData": meta(began, began),
        "CurrencyPrefs": {
            "MultiCurrencyEnabled": several_currencies,
            "HomeCurrency": {"value": "USD"},
        },
    }  # fmt: skip
