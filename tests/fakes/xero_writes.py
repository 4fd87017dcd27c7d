"""How the stand-in for Xero takes bills: all or nothing, once for each idempotency key."""

import datetime as dt
import json
import re
from collections import deque
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from tests.fakes.http_server import Reply
from tests.fakes.ledger import BillLine, Ledger, Vendor
from tests.fakes.xero_records import Records, Row, guid, on_the_wire

#: an answer that breaks off before its first byte
LOST = Reply(200, b"", promise=500)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Loss(Enum):
    """What becomes of a write whose answer does not arrive."""

    NONE = "it is done and answered"
    BEFORE = "it never arrives"
    AFTER = "it is done, the answer is lost"
    LATE = "the answer is lost, and it is done only after the next write"


class Writes:
    def __init__(self, ledger: Ledger, records: Records) -> None:
        self.ledger, self.records = ledger, records
        self.losses: deque[Loss] = deque()
        #: by idempotency key: what was asked, and what was answered
        self.known: dict[str, tuple[bytes, Reply]] = {}
        self.late: list[tuple[bytes, str]] = []
        self.currencies, self.accounts = {"USD", "EUR"}, {"500", "310"}
        #: Xero's guide says that bills have no Reference; its API has been seen to keep one
        self.keeps_references = True

    def put(self, body: bytes, key: str) -> Reply:
        loss = self.losses.popleft() if self.losses else Loss.NONE
        if loss is Loss.BEFORE:
            return LOST
        if loss is Loss.LATE:
            self.late.append((body, key))
            return LOST
        reply = self._once(body, key)
        late, self.late = self.late, []
        for each in late:
            self._once(*each)
        return LOST if loss is Loss.AFTER else reply

    def forget(self) -> None:
        """Keys are remembered for some minutes only."""
        self.known.clear()

    def _once(self, body: bytes, key: str) -> Reply:
        if len(key) > 128:
            return refused("ValidationException", "Idempotency key is longer than 128", 10)
        if key in self.known:
            before, reply = self.known[key]
            if before != body:
                return refused("ValidationException", "Idempotency key was used before", 10)
            return reply
        reply = self._make(json.loads(body, parse_float=Decimal, parse_int=Decimal))
        if key and reply.status < 300:
            self.known[key] = body, reply
        return reply

    def _make(self, asked: Any) -> Reply:
        (wanted,) = asked["Invoices"]
        vendor = self._vendor(wanted)
        if reasons := self._against(wanted, vendor):
            errors = [{"Message": reason} for reason in reasons]
            shown = {"Type": "ACCPAY", "InvoiceNumber": wanted.get("InvoiceNumber")}
            return refused(
                "ValidationException",
                "A validation exception occurred",
                10,
                [{**shown, "ValidationErrors": errors}],
            )
        assert vendor is not None
        made = self.ledger.bill(
            wanted["InvoiceNumber"],
            vendor=vendor,
            currency=wanted["CurrencyCode"],
            memo=wanted.get("Reference", "") if self.keeps_references else "",
            date=dt.date.fromisoformat(wanted["Date"]),
        )
        made.lines = [
            BillLine(
                self.ledger.next_number(), line["Description"], line.get("UnitAmount", Decimal(0))
            )
            for line in wanted["LineItems"]
        ]
        return answered([self.records.invoice(made)])

    def _vendor(self, wanted: Row) -> Vendor | None:
        given = wanted.get("Contact", {}).get("ContactID")
        known = {str(guid("contact", each.number)): each for each in self.ledger.vendors}
        return known.get(given)

    def _against(self, wanted: Row, vendor: Vendor | None) -> list[str]:
        """What Xero says against an authorised bill, in its words."""
        lines = wanted.get("LineItems") or []
        priced = [line for line in lines if "UnitAmount" in line]
        total = sum((line["UnitAmount"] for line in priced), Decimal(0))
        days = (str(wanted.get("Date", "")), str(wanted.get("DueDate", "")))
        checks = {
            "The Contact must contain at least 1 of the following elements": vendor is not None,
            "Invoice not of valid status for creation": wanted.get("Status") == "AUTHORISED",
            "Type is not valid": wanted.get("Type") == "ACCPAY",
            "One or more line items must be specified": bool(priced),
            "Description must be specified": all(line.get("Description") for line in lines),
            "Account code must be specified": all(
                line.get("AccountCode") in self.accounts for line in priced
            ),
            "Date and DueDate must be specified": all(DAY.fullmatch(day) for day in days),
            "The document total must be zero or more": total >= 0,
            f"Organisation is not subscribed to currency {wanted.get('CurrencyCode')}": (
                wanted.get("CurrencyCode") in self.currencies
            ),
        }
        return [reason for reason, is_right in checks.items() if not is_right]


def answered(rows: list[Row]) -> Reply:
    told = {"Id": str(guid("answer")), "Status": "OK", "Invoices": on_the_wire(rows)}
    return Reply(200, msgspec.json.encode(told), "application/json; charset=utf-8")


def refused(kind: str, message: str, number: int, elements: list[Row] | None = None) -> Reply:
    told: Row = {"ErrorNumber": number, "Type": kind, "Message": message}
    if elements is not None:
        told["Elements"] = on_the_wire(elements)
    return Reply(400, msgspec.json.encode(told), "application/json; charset=utf-8")
