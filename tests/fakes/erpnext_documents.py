"""A ledger's records as the documents of ERPNext 15 show them, after recorded ones."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.erpnext_ledger import ErpNextLedger
from tests.fakes.ledger import Application, Bill, Payment, State

Record = dict[str, Any]
RECORDINGS = Path(__file__).parents[1] / "recordings" / "erpnext.json"
ORDER = "purchase order (=commitment)"
BANK, PAYABLE, COST = "Operating - NGC", "Creditors - NGC", "Cost of Goods Sold - NGC"
DISCOUNT = "Discounts Taken - NGC"
DOCSTATUS = {State.DRAFT: 0, State.PENDING: 0, State.ISSUED: 1, State.VOIDED: 2}
ENTRY_STATUS = {0: "Draft", 1: "Submitted", 2: "Cancelled"}


def recorded(note: str) -> Any:
    """What was answered once, by the note of its exchange."""
    exchanges = json.loads(RECORDINGS.read_text(encoding="utf-8"))
    return next(each["response"]["body"] for each in exchanges if each["note"] == note)


#: fields that ERPNext leaves out of a document while they are empty, and lists as null
EMPTY_FIELDS = {
    "Payment Entry": ["mode_of_payment", "clearance_date", "amended_from", "project"],
    "Purchase Invoice": ["project", "cost_center", "amended_from", "mode_of_payment"],
    "Purchase Invoice Item": ["project"],
    "Purchase Order": ["project", "amended_from"],
    "Purchase Order Item": ["project"],
}
SUMS = ["debit", "credit", "debit_in_account_currency", "credit_in_account_currency"]
#: of doctypes that no exchange was recorded of, after ERPNext's own definitions
DEFINED_FIELDS = {
    "Journal Entry": ["voucher_type", "company", "posting_date", "cheque_no", "cheque_date"]
    + ["user_remark", "total_debit", "total_credit", "multi_currency", "clearance_date"],
    "Journal Entry Account": ["account", "account_type", "account_currency", "party_type"]
    + ["party", "reference_type", "reference_name", "cost_center", "project", *SUMS],
    "Deleted Document": ["deleted_name", "deleted_doctype", "restored", "new_name", "data"],
    "Supplier": ["supplier_name", "disabled"],
    "Project": ["project_name", "company", "status"],
    "Company": ["default_currency", "default_expense_account", "cost_center"],
    "Account": ["account_type", "company"],
}


def known_fields() -> dict[str, list[str]]:
    """Fields of every doctype, whether or not there is a document."""
    found = {name: list(fields) for name, fields in (EMPTY_FIELDS | DEFINED_FIELDS).items()}
    for note in ("one payment, whole document", "bill with its PO link", ORDER):
        document = recorded(note)["data"]
        lines = [each for value in document.values() if isinstance(value, list) for each in value]
        for each in (document, *lines):
            found.setdefault(each["doctype"], []).extend(each)
    return found


def amount(value: Decimal) -> float:
    """Frappe sends money as JSON floats."""
    return float(value)


class Documents:
    """Shows the ledger in the site's zone, as one of its users sees it."""

    def __init__(self, ledger: ErpNextLedger, zone: str) -> None:
        self.ledger, self.zone = ledger, ZoneInfo(zone)
        self._entry = recorded("one payment, whole document")["data"]
        self._bill = recorded("bill with its PO link")["data"]
        self._order = recorded(ORDER)["data"]
        self._settled: dict[int, Decimal] = {}

    def look(self) -> None:
        """What is shown from here on is what the ledger holds now."""
        self._settled = self.ledger.settled()

    def _settled_of(self, bill: Bill) -> Decimal:
        return self._settled.get(bill.number, Decimal(0))

    def moment(self, instant: dt.datetime) -> str:
        return str(instant.astimezone(self.zone).replace(tzinfo=None))

    def _stamped(self, record: Bill | Payment, docstatus: int) -> Record:
        return {
            "name": self.ledger.name_of(record),
            "creation": self.moment(record.created),
            "modified": self.moment(record.modified),
            "docstatus": docstatus,
        }

    # ----------------------------------------------------------------- payments
    def entry(self, payment: Payment) -> Record:
        made: Record = {**self._entry, "taxes": []}
        docstatus, total = DOCSTATUS[payment.state], amount(payment.total)
        allocated = sum((each.amount + each.discount for each in payment.applications), Decimal(0))
        applied = sum((each.amount for each in payment.applications), Decimal(0))
        day = payment.date.isoformat()
        money = ("paid", "received")
        made |= {f"{b}{m}_amount{a}": total for b in ("", "base_") for m in money for a in AFTER}
        made |= self._stamped(payment, docstatus) | {
            "status": ENTRY_STATUS[docstatus],
            "company": self.ledger.company,
            "party": payment.vendor.name,
            "party_name": payment.vendor.name,
            "title": payment.vendor.name,
            "posting_date": day,
            "reference_date": day,
            "reference_no": payment.check,
            "paid_from_account_currency": payment.currency,
            "paid_to_account_currency": payment.currency,
            "total_allocated_amount": amount(allocated),
            "base_total_allocated_amount": amount(allocated),
            "unallocated_amount": amount(payment.total - applied),
            "remarks": f"Amount {payment.currency} {total} to {payment.vendor.name}",
            "deductions": self._deductions(payment),
        }
        if payment.method != "check":
            made["mode_of_payment"] = MODES[payment.method]
        made["references"] = [
            self._reference(payment, each, place)
            for place, each in enumerate(payment.applications, start=1)
        ]
        return made

    def _reference(self, payment: Payment, part: Application, place: int) -> Record:
        made: Record = dict(self._entry["references"][0])
        stamped = self._stamped(payment, DOCSTATUS[payment.state])
        open_now = part.bill.total - self._settled_of(part.bill)
        return made | {
            **stamped,
            "name": f"ref{payment.number}x{place}",
            "idx": place,
            "reference_name": self.ledger.name_of(part.bill),
            "bill_no": part.bill.reference,
            "due_date": part.bill.date.isoformat(),
            "total_amount": amount(part.bill.total),
            "outstanding_amount": amount(open_now),
            "allocated_amount": amount(part.amount + part.discount),
            "parent": stamped["name"],
        }

    def _deductions(self, payment: Payment) -> list[Record]:
        taken = sum((each.discount for each in payment.applications), Decimal(0))
        return [{"account": DISCOUNT, "amount": -amount(taken)}] if taken else []

    # ----------------------------------------------------------- journal entries
    def journal(self, payment: Payment) -> Record:
        """A payment that was booked by hand, or a credit that was set against a bill."""
        stamped = self._stamped(payment, DOCSTATUS[payment.state])
        moved = self.ledger.entry_modified.get(payment.number, payment.modified)
        lines = [self._debit(part.amount, part.bill) for part in payment.applications]
        applied = sum((part.amount for part in payment.applications), Decimal(0))
        if payment.total > applied:
            lines.append(self._debit(payment.total - applied, None))
        lines.append(CREDIT_NOTE if payment.is_credit else BANK_LINE)
        for place, line in enumerate(lines, start=1):
            supplier = {"party": payment.vendor.name} if line["account"] == PAYABLE else {}
            credit = payment.total if line in (BANK_LINE, CREDIT_NOTE) else Decimal(0)
            lines[place - 1] = {
                **stamped,
                **_sums(line.get("given", Decimal(0)), credit),
                **{name: value for name, value in line.items() if name != "given"},
                **supplier,
                "name": f"jea{payment.number}x{place}",
                "idx": place,
                "account_currency": payment.currency,
                "parent": stamped["name"],
                "parenttype": "Journal Entry",
                "parentfield": "accounts",
                "doctype": "Journal Entry Account",
            }
        return stamped | {
            "modified": self.moment(moved),
            "owner": "Administrator",
            "modified_by": "Administrator",
            "idx": 0,
            "voucher_type": "Debit Note" if payment.is_credit else "Bank Entry",
            "company": self.ledger.company,
            "posting_date": payment.date.isoformat(),
            "cheque_no": payment.check,
            "cheque_date": payment.date.isoformat(),
            "total_debit": amount(payment.total),
            "total_credit": amount(payment.total),
            "multi_currency": 0,
            "doctype": "Journal Entry",
            "accounts": lines,
        }

    def _debit(self, given: Decimal, bill: Bill | None) -> Record:
        made: Record = {"account": PAYABLE, "party_type": "Supplier", "given": given}
        if bill:
            made |= {"reference_type": "Purchase Invoice"}
            made |= {"reference_name": self.ledger.name_of(bill)}
        return made

    # -------------------------------------------------------------------- bills
    def bill(self, bill: Bill) -> Record:
        made: Record = dict(self._bill)
        docstatus = 2 if bill.is_cancelled else 1 if bill.is_posted else 0
        total, open_now = bill.total, bill.total - self._settled_of(bill)
        made |= dict.fromkeys(TOTALS, amount(total))
        made |= self._stamped(bill, docstatus) | {
            "company": self.ledger.company,
            "title": bill.vendor.name,
            "supplier": bill.vendor.name,
            "supplier_name": bill.vendor.name,
            "posting_date": bill.date.isoformat(),
            "bill_date": self.ledger.bill_dates.get(bill.number, bill.date).isoformat(),
            "due_date": bill.date.isoformat(),
            "bill_no": bill.reference,
            "currency": bill.currency,
            "party_account_currency": bill.currency,
            "outstanding_amount": amount(open_now),
            "status": _status(docstatus, open_now, total),
            "remarks": bill.memo or f"Against Supplier Invoice {bill.reference}",
            "payment_schedule": [],
        }
        item = made["items"][0]
        made["items"] = [
            {
                **item,
                "name": f"pii{line.number}",
                "idx": place,
                "description": line.description,
                "rate": amount(line.amount),
                "amount": amount(line.amount),
                "purchase_order": bill.order or None,
                "parent": made["name"],
            }
            for place, line in enumerate(bill.lines, start=1)
        ]
        return made

    # ------------------------------------------------------------------- others
    def order(self, order: Record) -> Record:
        made: Record = dict(self._order)
        total, vendor = amount(order["total"]), order["vendor"].name
        made |= {name: total for name in TOTALS if name in made}
        made |= {
            "name": order["name"],
            "creation": self.moment(order["created"]),
            "modified": self.moment(order["created"]),
            "docstatus": order["docstatus"],
            "company": self.ledger.company,
            "supplier": vendor,
            "supplier_name": vendor,
            "order_confirmation_no": order["code"],
        }
        item = made["items"][0]
        made["items"] = [{**item, "name": f"poi-{order['name']}", "parent": order["name"]}]
        return made

    def tombstone(self, payment: Payment, when: dt.datetime, number: int) -> Record:
        is_journal = payment.is_direct or payment.is_credit
        document = self.journal(payment) if is_journal else self.entry(payment)
        stamp = self.moment(when)
        return {
            "name": f"tomb{number:06d}",
            "creation": stamp,
            "modified": stamp,
            "docstatus": 0,
            "deleted_name": document["name"],
            "deleted_doctype": document["doctype"],
            "restored": 0,
            "data": json.dumps(document),
        }


AFTER = ("", "_after_tax")
MODES = {"electronic": "Wire Transfer", "credit_card": "Credit Card", "check": None}
TOTALS = (
    "total",
    "net_total",
    "base_total",
    "base_net_total",
    "grand_total",
    "base_grand_total",
    "rounded_total",
    "base_rounded_total",
)
BANK_LINE: Record = {"account": BANK, "account_type": "Bank"}
CREDIT_NOTE: Record = {
    "account": PAYABLE,
    "party_type": "Supplier",
    "reference_type": "Purchase Invoice",
    "reference_name": "ACC-PINV-RET-2026-00001",
}


def _sums(debit: Decimal, credit: Decimal) -> Record:
    both = {"debit": amount(debit), "credit": amount(credit)}
    return both | {f"{name}_in_account_currency": value for name, value in both.items()}


def _status(docstatus: int, open_now: Decimal, total: Decimal) -> str:
    if docstatus != 1:
        return {0: "Draft", 2: "Cancelled"}[docstatus]
    return "Paid" if not open_now else "Unpaid" if open_now == total else "Partly Paid"
