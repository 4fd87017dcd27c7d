"""Files to begin with: the columns that an ERP's list of payments commonly has.

Reports of these systems are set up differently everywhere, so each of these is
a starting point. Its columns are known by their headings: such a file needs no
more than the order of its dates. The generic one has the fields of Agave's
neutral shape of payments.
"""

from collections.abc import Sequence
from typing import NamedTuple

from erp_integrations.file_drop.mappings import signature


class StartingPoint(NamedTuple):
    """``columns``: heading → what it means (``FileColumn.name``; empty: nothing that is read)."""

    code: str
    label: str
    columns: dict[str, str]
    rows: Sequence[Sequence[str]]

    @property
    def chosen(self) -> dict[str, str]:
        """``{name: heading}``, as a mapping keeps it."""
        return {name: heading for heading, name in self.columns.items() if name}


STARTING_POINTS = (
    StartingPoint(
        "generic",
        "Any system",
        {
            "payment_number": "number", "payment_date": "date", "payment_method": "method",
            "bank_account_id": "bank_account", "currency": "currency", "vendor_id": "vendor_code",
            "vendor_name": "vendor_name", "payment_total": "total", "invoice_number": "invoice",
            "amount_paid": "amount", "discount_taken": "discount", "retainage": "",
            "contract_number": "", "job": "", "void": "void", "description": "memo",
        },
        (
            ("5001", "2026-07-31", "check", "1000", "USD", "V-100", "Acme Concrete LLC", "2000.50",
             "INV-1", "1250.00", "0.00", "125.00", "SC-0012", "26-014", "no", "Draw 1"),
            ("5001", "2026-07-31", "check", "1000", "USD", "V-100", "Acme Concrete LLC", "2000.50",
             "INV-2", "750.50", "0.00", "75.00", "SC-0012", "26-014", "no", "Draw 2"),
        ),
    ),
    StartingPoint(
        "sage-300-cre",
        "Sage 300 CRE",
        {
            "Bank Account": "bank_account", "Check Number": "number", "Check Date": "date",
            "Payment Type": "method", "Check Amount": "total", "Vendor ID": "vendor_code",
            "Vendor Name": "vendor_name", "Invoice": "invoice", "Commitment": "", "Job": "",
            "Retainage Held": "", "Discount Taken": "discount", "Amount Paid": "amount",
            "Void Date": "void",
        },
        (
            ("OPER", "5001", "07/31/2026", "Check", "1,250.00", "ACME", "Acme Concrete LLC",
             "INV-1", "SC-0012", "26-014", "125.00", "0.00", "1,250.00", ""),
        ),
    ),
    StartingPoint(
        "sage-100-contractor",
        "Sage 100 Contractor",
        {
            "Account": "bank_account", "Check#": "number", "Date": "date", "Vendor#": "vendor_code",
            "Vendor": "vendor_name", "Invoice#": "invoice", "Job": "", "Subcontract": "",
            "Discount": "discount", "Paid": "amount", "Status": "void", "Description": "memo",
        },
        (
            ("1000", "5001", "07/31/2026", "100", "Acme Concrete LLC", "INV-1", "14", "12", "0.00",
             "1250.00", "Open", "Draw 1"),
        ),
    ),
    StartingPoint(
        "vista",
        "Vista",
        {
            "CMCo": "", "CMAcct": "bank_account", "PayMethod": "method", "CMRef": "number",
            "PaidDate": "date", "Vendor": "vendor_code", "VendorName": "vendor_name",
            "APRef": "invoice", "SL": "", "Gross": "", "Retainage": "", "DiscTaken": "discount",
            "NetAmount": "amount", "VoidYN": "void",
        },
        (
            ("1", "1000", "C", "5001", "07/31/2026", "100", "Acme Concrete LLC", "INV-1", "SC-0012",
             "1375.00", "125.00", "0.00", "1250.00", "N"),
        ),
    ),
    StartingPoint(
        "spectrum",
        "Spectrum",
        {
            "Bank Code": "bank_account", "Check No": "number", "Check Date": "date",
            "Check Type": "method", "Vendor Code": "vendor_code", "Vendor Name": "vendor_name",
            "Invoice No": "invoice", "Job Number": "", "Subcontract": "", "Retention": "",
            "Discount": "discount", "Net Paid": "amount", "Check Status": "void",
        },
        (
            ("OP", "5001", "07/31/2026", "Check", "ACME", "Acme Concrete LLC", "INV-1", "26-014",
             "SC-0012", "125.00", "0.00", "1250.00", "Outstanding"),
        ),
    ),
)  # fmt: skip
BY_CODE = {each.code: each for each in STARTING_POINTS}
_BY_SIGNATURE = {signature(each.columns): each for each in STARTING_POINTS}


def starting_point_of(header: Sequence[object]) -> StartingPoint | None:
    """The one whose headings these are."""
    return _BY_SIGNATURE.get(signature(header))
