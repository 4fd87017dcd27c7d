"""What happened at Northstar General Contractors: plain data, no Tryton in it.

``seed.py`` writes it into an empty Tryton and ``README.md`` shows it as a table.
The dates are fixed so that a snapshot restored in another year tells the same
story.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

COMPANY = "Northstar General Contractors"
CURRENCY = "USD"
#: Calendar years that can be posted to, so that an old snapshot still takes payments.
FISCAL_YEARS = range(2026, 2032)


@dataclass(frozen=True)
class Vendor:
    code: str
    name: str


@dataclass(frozen=True)
class PurchaseOrder:
    reference: str
    kind: str  # "subcontract" or "purchase_order", the two kinds of commitment
    vendor: str
    title: str
    total: Decimal
    on: date


@dataclass(frozen=True)
class Bill:
    reference: str
    order: str
    total: Decimal
    on: date
    text: str


@dataclass(frozen=True)
class Job:
    """A project, as Tryton keeps it: an analytic account."""

    code: str
    name: str


@dataclass(frozen=True)
class Check:
    """One check, or one check run when it pays several bills."""

    number: str
    on: date
    pays: tuple[tuple[str, Decimal], ...]
    #: issued | processing | voided | wizard (the invoice's own "Pay" button)
    outcome: str = "issued"


VENDORS = (
    Vendor("V-ACME", "Acme Concrete LLC"),
    Vendor("V-BOLT", "Bolt Electric Inc"),
    Vendor("V-KEY", "Keystone Drywall Co"),
    Vendor("V-LUM", "Lumen Lighting Supply"),
    # These two were never entered anywhere but here.
    Vendor("V-PINE", "Pine Ridge Masonry LLC"),
    Vendor("V-TIDE", "Tidewater Plumbing Inc"),
)

JOBS = (
    Job("2026-014", "Riverside Tower"),
    Job("2026-021", "Harbor Point Garage"),
    Job("2026-030", "Lakeside Elementary School"),
    Job("2026-044", "Summit Library"),
)


def _order(reference: str, kind: str, vendor: str, title: str, total: str) -> PurchaseOrder:
    return PurchaseOrder(reference, kind, vendor, title, Decimal(total), date(2026, 5, 4))


ORDERS = (
    _order("SC-2024-001", "subcontract", "V-ACME", "Concrete", "84500.00"),
    _order("SC-2024-002", "subcontract", "V-BOLT", "Electrical", "41200.00"),
    _order("SC-2024-003", "subcontract", "V-KEY", "Drywall and framing", "96750.00"),
    _order("PO-2024-001", "purchase_order", "V-LUM", "Light fixtures", "22400.00"),
    _order("SC-2026-040", "subcontract", "V-PINE", "Masonry", "31250.00"),
    _order("PO-2026-041", "purchase_order", "V-LUM", "Exterior fixtures", "8675.50"),
)


def _bill(reference: str, order: str, total: str, month: int, day: int, text: str) -> Bill:
    return Bill(reference, order, Decimal(total), date(2026, month, day), text)


BILLS = (
    _bill("ACME-1001", "SC-2024-001", "10000.00", 6, 30, "Footings"),
    _bill("KEY-301", "SC-2024-003", "18640.75", 7, 15, "Framing, level 1"),
    _bill("ACME-1002", "SC-2024-001", "5000.00", 7, 31, "Slab on grade"),
    _bill("LUM-8801", "PO-2024-001", "6412.90", 8, 7, "Corridor fixtures"),
    _bill("BOLT-77", "SC-2024-002", "3200.00", 8, 14, "Rough-in"),
    _bill("KEY-302", "SC-2024-003", "12305.20", 8, 31, "Framing, level 2"),
    _bill("LUM-8802", "PO-2024-001", "3377.45", 9, 4, "Exit signs"),
    _bill("LUM-8803", "PO-2024-001", "1022.05", 9, 4, "Emergency ballasts"),
    _bill("BOLT-78", "SC-2024-002", "1100.50", 9, 18, "Fixtures"),
    _bill("BOLT-79", "SC-2024-002", "899.50", 9, 18, "Trim"),
    _bill("ACME-1003", "SC-2024-001", "750.00", 9, 25, "Patching"),
    _bill("KEY-303", "SC-2024-003", "9480.00", 9, 30, "Board hanging, level 1"),
    _bill("LUM-8804", "PO-2024-001", "4150.00", 10, 9, "Lobby pendants"),
    _bill("KEY-305", "SC-2024-003", "2960.10", 10, 16, "Shaft wall"),
    _bill("KEY-304", "SC-2024-003", "7215.33", 10, 30, "Board hanging, level 2"),
    _bill("LUM-8805", "PO-2024-001", "815.99", 11, 6, "Spare drivers"),
)


def _check(
    number: str, month: int, day: int, *pays: tuple[str, str], outcome: str = "issued"
) -> Check:
    amounts = tuple((bill, Decimal(amount)) for bill, amount in pays)
    return Check(number, date(2026, month, day), amounts, outcome)


CHECKS = (
    _check("CHK-5001", 7, 30, ("ACME-1001", "10000.00")),
    _check("CHK-5007", 8, 14, ("KEY-301", "18640.75")),
    _check("CHK-5002", 8, 28, ("ACME-1002", "2000.00")),
    _check("CHK-5004", 9, 11, ("BOLT-77", "3200.00"), outcome="voided"),
    _check("CHK-5008", 9, 11, ("LUM-8801", "6412.90")),
    _check("CHK-5003", 9, 25, ("ACME-1002", "1500.00")),
    _check("CHK-5009", 9, 30, ("KEY-302", "6000.00")),
    _check("CHK-5010", 10, 9, ("LUM-8802", "3377.45"), ("LUM-8803", "1022.05")),
    _check("CHK-5005", 10, 16, ("BOLT-78", "1100.50"), ("BOLT-79", "899.50")),
    _check("CHK-5011", 10, 23, ("KEY-302", "6305.20"), ("KEY-303", "4740.00")),
    _check("CHK-5015", 10, 23, ("ACME-1003", "250.00"), outcome="wizard"),
    _check("CHK-5012", 10, 30, ("KEY-305", "2960.10"), outcome="voided"),
    _check("CHK-5013", 11, 4, ("KEY-305", "2960.10")),
    _check("CHK-5014", 11, 13, ("LUM-8804", "1000.00")),
    _check("CHK-5006", 11, 20, ("ACME-1002", "500.00"), outcome="processing"),
)
