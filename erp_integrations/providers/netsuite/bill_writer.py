"""Bills of subcontractor invoices that this program writes into NetSuite.

A bill is made by one request, so nothing half done is ever left. Its key is the
bill's external ID, which NetSuite keeps unique: a request that arrives late, or
is repeated, cannot make a second one.
"""

from typing import Any

import msgspec

from erp_integrations.providers.contract import BillToExport, RemoteBill
from erp_integrations.providers.errors import ProtocolError, RecordError, TransientError
from erp_integrations.providers.netsuite import mapper, sql
from erp_integrations.providers.netsuite.client import NetSuiteClient

BILL, APPROVED = "vendorBill", {"id": "2"}
#: bills with one key, or of one vendor with one number; more were never seen
MOST = 50


class BillWriter:
    """Writes bills through one client. ``expense`` and ``retainage`` are account numbers."""

    def __init__(
        self,
        client: NetSuiteClient,
        questions: sql.Questions,
        *,
        expense: str = "",
        retainage: str = "",
        subsidiary: str = "",
    ) -> None:
        self._client, self._sql = client, questions
        self._expense, self._retainage, self._subsidiary = expense, retainage, subsidiary

    def write(self, bill: BillToExport) -> RemoteBill:
        """The one bill with this key. See ``Provider.create_bill``."""
        written = self.written(bill.key)
        living = [each for each in written if not each.is_cancelled]
        if living:
            return self._the_same(bill, living[0])
        self._require_vendor(bill)
        self._refuse_second_of_number(bill)
        values = self._values(bill, cancelled=len(written))
        try:
            self._client.create(BILL, values)
        except RecordError:
            # It exists already where an earlier request arrived only now.
            if not self._living(bill.key):
                raise
        for made in self._living(bill.key):
            return self._the_same(bill, made)
        raise TransientError(
            f"{self._client.name} took bill {bill.number} and does not show it yet. It will be "
            f"looked for again by itself."
        )

    def written(self, key: str) -> list[RemoteBill]:
        """Bills with this key, cancelled ones too, the first one first; without what was paid."""
        return self._bills(sql.has_external_id(key))

    # ------------------------------------------------------------------ looking
    def _living(self, key: str) -> list[RemoteBill]:
        return [each for each in self.written(key) if not each.is_cancelled]

    def _bills(self, *conditions: str) -> list[RemoteBill]:
        found = self._client.suiteql(self._sql.bills(*conditions), "bills", size=MOST)
        try:
            return [mapper.bill(row, {}) for row in found.rows]
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}."
            ) from error

    def _require_vendor(self, bill: BillToExport) -> None:
        ref = bill.vendor_ref
        known = ref.isdecimal() and self._client.suiteql(sql.vendor(ref), "vendors", size=1).rows
        if not known:
            raise RecordError(
                "NetSuite does not know the vendor that the contract company is linked to. Link "
                "the company to another vendor."
            )

    def _refuse_second_of_number(self, bill: BillToExport) -> None:
        same = self._bills(*sql.of_vendor_with_number(bill.vendor_ref, bill.number))
        if any(not each.is_cancelled for each in same):
            raise RecordError(
                f"NetSuite has a similar bill of this vendor already, with the same number "
                f"{bill.number}. Export with another number, or void that bill in NetSuite."
            )

    def _the_same(self, bill: BillToExport, made: RemoteBill) -> RemoteBill:
        if made.total != bill.total or made.vendor_ref != bill.vendor_ref:
            raise RecordError(
                f"NetSuite has bill {made.number} over {made.total} already, from an earlier "
                f"export of this invoice whose answer was lost, and the invoice was changed since. "
                f"Void that bill in NetSuite, then export again."
            )
        return made

    # ------------------------------------------------------------------- making
    def _values(self, bill: BillToExport, *, cancelled: int) -> dict[str, Any]:
        job = {"customer": {"id": bill.project_ref}} if bill.project_ref else {}
        lines = [
            {
                "account": {"id": self._account(is_retainage=line.is_retainage)},
                # A number with its cents, not a binary fraction of it.
                "amount": msgspec.Raw(f"{line.amount:.2f}".encode()),
                "memo": line.description,
                **job,
            }
            for line in bill.lines
        ]
        return {
            "externalId": f"{bill.key}-{cancelled}" if cancelled else bill.key,
            "tranId": bill.number,
            "entity": {"id": bill.vendor_ref},
            **({"subsidiary": {"id": self._subsidiary}} if self._subsidiary else {}),
            **self._currency(bill),
            "tranDate": bill.accounting_date.isoformat(),
            "memo": f"{bill.description} · billed {bill.billing_date:%m/%d/%Y}",
            "approvalStatus": APPROVED,
            "expense": {"items": lines},
        }

    def _currency(self, bill: BillToExport) -> dict[str, Any]:
        if self._sql.has_one_currency:
            return {}
        found = self._client.suiteql(sql.currency(bill.currency), "currencies", size=1)
        ids = mapper.ids(found.rows)
        if not ids:
            raise RecordError(f"NetSuite has no currency {bill.currency}. Enter it there.")
        return {"currency": {"id": ids[0]}}

    def _account(self, *, is_retainage: bool) -> str:
        number = self._retainage if is_retainage else self._expense
        what = "retainage" if is_retainage else "expenses"
        if not number:
            raise RecordError(
                f"The connection to NetSuite has no account for {what} yet. Enter its number in "
                f"the settings of the connection."
            )
        ids = mapper.ids(self._client.suiteql(sql.account(number), "accounts", size=1).rows)
        if not ids:
            raise RecordError(
                f"NetSuite has no account {number}, which the settings of the connection name for "
                f"{what}."
            )
        return ids[0]
