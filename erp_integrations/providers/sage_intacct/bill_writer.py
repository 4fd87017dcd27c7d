"""Bills of subcontractor invoices that this program writes into Sage Intacct.

A bill is made and posted by one request, so nothing half done is ever left. Its
key stands in the description, which Intacct searches and people can read. It is
looked for before, because the answer to an earlier request may have been lost,
and after, because that request may have arrived late.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from erp_integrations.providers.contract import BillToExport
from erp_integrations.providers.errors import ProtocolError, RecordError, TransientError
from erp_integrations.providers.sage_intacct import mapper
from erp_integrations.providers.sage_intacct.client import IntacctClient
from erp_integrations.providers.sage_intacct.kinds import BILL, VENDOR_TO_PAY
from erp_integrations.providers.sage_intacct.query import Filter, Is, every

KEY_TEXT = "Procore Sync key {key}"
#: bills with one key, or of one vendor with one number; more were never seen, and all are looked at
MOST = 50


class BillWriter:
    """Writes bills through one client. Accounts and location are IDs that people see."""

    def __init__(
        self, client: IntacctClient, *, expense: str = "", retainage: str = "", location: str = ""
    ) -> None:
        self._client = client
        self._expense, self._retainage, self._location = expense, retainage, location

    def write(self, bill: BillToExport) -> mapper.BillRow:
        """The one posted bill with this key. See ``Provider.create_bill``."""
        if written := self.written(bill.key):
            return self._the_same(bill, written[0])
        vendor = self._vendor(bill)
        self._refuse_second_of_number(bill, vendor)
        self._client.create(BILL, self._values(bill, vendor))
        made = self.written(bill.key)
        if not made:
            raise TransientError(
                f"{self._client.name} took bill {bill.number} and does not show it yet. It will "
                f"be looked for again by itself."
            )
        for late in made[1:]:
            self._client.delete(BILL, late.key)
        return self._the_same(bill, made[0])

    def written(self, key: str) -> list[mapper.BillRow]:
        """Bills with this key on which something is owed, the first one first."""
        return self._bills(Is("$contains", "description", KEY_TEXT.format(key=key)))

    # ------------------------------------------------------------------ looking
    def _bills(self, wanted: Filter) -> list[mapper.BillRow]:
        found = [self._decoded(row) for row in self._client.query(BILL, wanted, size=MOST).rows]
        return [row for row in found if row.state not in mapper.CANCELLED]

    def _vendor(self, bill: BillToExport) -> mapper.PayeeRow:
        ref = bill.vendor_ref
        wanted = Is("$eq", "key", ref)
        rows = self._client.query(VENDOR_TO_PAY, wanted, size=1).rows if ref.isdecimal() else []
        if not rows:
            raise RecordError(
                "Sage Intacct does not know the vendor that the contract company is linked to. "
                "Link the company to another vendor."
            )
        return msgspec.json.decode(rows[0], type=mapper.PayeeRow)

    def _refuse_second_of_number(self, bill: BillToExport, vendor: mapper.PayeeRow) -> None:
        """Whether Intacct minds depends on its configuration; people who pay twice always do."""
        same = every(Is("$eq", "vendor.key", vendor.key), Is("$eq", "billNumber", bill.number))
        if self._bills(same):
            raise RecordError(
                f"Sage Intacct has a similar bill of {vendor.name or vendor.id} already, with the "
                f"same number {bill.number}. Export with another number, or reverse that bill."
            )

    def _the_same(self, bill: BillToExport, made: mapper.BillRow) -> mapper.BillRow:
        if made.total != bill.total or made.vendor_key != bill.vendor_ref:
            raise RecordError(
                f"Sage Intacct has bill {made.number} over {made.total} already, from an earlier "
                f"export of this invoice whose answer was lost, and the invoice was changed since. "
                f"Reverse that bill in Sage Intacct, then export again."
            )
        return made

    def _decoded(self, row: msgspec.Raw) -> mapper.BillRow:
        try:
            return msgspec.json.decode(row, type=mapper.BillRow)
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}."
            ) from error

    # ------------------------------------------------------------------- making
    def _values(self, bill: BillToExport, vendor: mapper.PayeeRow) -> dict[str, Any]:
        due = {"term": {"id": vendor.term}} if vendor.term else {}
        day = max(bill.billing_date, bill.accounting_date).isoformat()
        text = f"{bill.description} · {KEY_TEXT.format(key=bill.key)}"
        return {
            "billNumber": bill.number,
            "vendor": {"key": vendor.key},
            "description": text.removeprefix(" · "),
            "createdDate": bill.billing_date.isoformat(),
            "postingDate": bill.accounting_date.isoformat(),
            "currency": {"txnCurrency": bill.currency},
            **(due or {"dueDate": day}),
            "lines": [
                {
                    "glAccount": {"id": self._account(is_retainage=line.is_retainage)},
                    "txnAmount": _text(line.amount),
                    "memo": line.description,
                    **self._dimensions(bill),
                }
                for line in bill.lines
            ],
        }

    def _account(self, *, is_retainage: bool) -> str:
        account = self._retainage if is_retainage else self._expense
        if not account:
            what = "retainage" if is_retainage else "expenses"
            raise RecordError(
                f"The connection to Sage Intacct has no account for {what} yet. Enter its number "
                f"in the settings of the connection."
            )
        return account

    def _dimensions(self, bill: BillToExport) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        if self._location:
            found["location"] = {"id": self._location}
        if bill.project_ref:
            found["project"] = {"key": bill.project_ref}
        return {"dimensions": found} if found else {}


def _text(amount: Decimal) -> str:
    return f"{amount:.2f}"
