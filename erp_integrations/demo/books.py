"""What the demo's ERP has in its books: vendors, purchase orders and bills."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from django.conf import settings


class BookedVendor(NamedTuple):
    party_id: str
    code: str
    name: str


class BookedJob(NamedTuple):
    id: str
    code: str


class BookedOrder(NamedTuple):
    id: str
    reference: str
    kind: str
    title: str
    vendor_code: str
    total: Decimal
    date: dt.date


class BookedBill(NamedTuple):
    id: str
    reference: str
    total: Decimal
    date: dt.date
    description: str
    order: str


class Books(NamedTuple):
    currency: str
    vendors: list[BookedVendor]
    jobs: list[BookedJob]
    orders: list[BookedOrder]
    bills: list[BookedBill]

    def bills_on(self, order: str) -> list[BookedBill]:
        """The bills of one commitment, oldest first."""
        return sorted((bill for bill in self.bills if bill.order == order), key=lambda b: b.date)


def read_books(listing: str = "") -> Books:
    """The demo Tryton's books, or those that a listing of another ERP names.

    Raises ``FileNotFoundError`` where the repository's ``tryton`` folder is not.
    """
    path = Path(listing or Path(settings.BASE_DIR) / "tryton" / "books.json")
    data = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return Books(
        currency=data["currency"],
        vendors=[
            BookedVendor(str(each["party_id"]), each["code"], each["name"])
            for each in data["vendors"]
        ],
        jobs=[BookedJob(str(each["id"]), each["code"]) for each in data["jobs"]],
        orders=[
            BookedOrder(
                id=str(each["id"]),
                reference=each["reference"],
                kind=each["kind"],
                title=each["title"],
                vendor_code=each["vendor_code"],
                total=Decimal(each["total"]),
                date=dt.date.fromisoformat(each["date"]),
            )
            for each in data["purchase_orders"]
        ],
        bills=[
            BookedBill(
                id=str(each["id"]),
                reference=each["reference"],
                total=Decimal(each["total"]),
                date=dt.date.fromisoformat(each["date"]),
                description=each["description"],
                order=each["purchase_order"],
            )
            for each in data["bills"]
        ],
    )
