"""Bills that this program writes into QuickBooks Online.

The key of an export goes along twice: as the id of the request, with which
QuickBooks answers a repeated request as it answered the first and makes no
second bill, and in the bill's memo, by which the bill is known ever after.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from erp_integrations.providers.contract import BillLine, BillToExport
from erp_integrations.providers.errors import (
    ProtocolError,
    RecordError,
    TransientError,
)
from erp_integrations.providers.quickbooks_online import mapper
from erp_integrations.providers.quickbooks_online.client import QuickBooksClient, like, quoted
from erp_integrations.providers.quickbooks_online.errors import ERP

KEY_TEXT = "Procore Sync key {key}"
#: how many bills of one key may have been made and deleted there before this one
ROUNDS = 5
EXPENSE, RETAINAGE = "expense_account", "retainage_account"


class WrittenBill(msgspec.Struct, rename="pascal"):
    """A bill as far as it tells whether it is the one that is wanted."""

    id: str
    vendor_ref: mapper.Ref
    total_amt: Decimal
    doc_number: str | None = None
    private_note: str | None = None

    def has(self, key: str) -> bool:
        return KEY_TEXT.format(key=key) in (self.private_note or "")

    def is_like(self, bill: BillToExport) -> bool:
        return (self.doc_number or "", self.vendor_ref.value, self.total_amt) == (
            bill.number,
            bill.vendor_ref,
            bill.total,
        )


class _Account(msgspec.Struct, rename="pascal"):
    id: str
    name: str
    fully_qualified_name: str | None = None
    acct_num: str | None = None


class _Order(msgspec.Struct, rename="pascal"):
    id: str
    vendor_ref: mapper.Ref
    doc_number: str | None = None


class BillWriter:
    """Writes bills of one company; holds nothing between two bills."""

    def __init__(self, client: QuickBooksClient, settings: Mapping[str, str]) -> None:
        self._client, self._settings = client, settings

    def write(self, bill: BillToExport) -> str:
        """The id of the one bill with this key. See ``Provider.create_bill``."""
        for number in range(ROUNDS):
            if found := self._known(bill):
                self._require_same(bill, found)
                return found.id
            request_id = f"{bill.key}-{number}" if number else bill.key
            raw = self._client.create("Bill", self._values(bill), request_id=request_id)
            made = self._decoded(raw, WrittenBill)
            if self._is_there(made):
                self._require_same(bill, made)
                return made.id
            # The answer to a bill that was deleted there since: this one needs another request.
        raise TransientError(f"{ERP} does not say what became of bill {bill.number}.")

    def with_key(self, key: str) -> WrittenBill | None:
        """The bill that was written with this key, if it is still there."""
        found = self._bills(f"PrivateNote LIKE {like(KEY_TEXT.format(key=key))}")
        return next((each for each in found if each.has(key)), None)

    # ------------------------------------------------------------------ looking
    def _known(self, bill: BillToExport) -> WrittenBill | None:
        """The bill with this key. Raises ``RecordError`` when its number is taken by another."""
        if not bill.vendor_ref.isdecimal():
            raise RecordError(
                f"{ERP} does not know the vendor that the contract company is linked to. Link the "
                f"company to another vendor."
            )
        same_number = self._bills(
            f"DocNumber = {quoted(bill.number)}", f"VendorRef = {quoted(bill.vendor_ref)}"
        )
        for each in same_number:
            if each.has(bill.key):
                return each
        if same_number:
            raise RecordError(
                f"{ERP} has a similar bill already: number {bill.number} of the same vendor. "
                f"Choose another number, or delete that bill there."
            )
        return None

    def _bills(self, *where: str) -> list[WrittenBill]:
        found = self._client.query("Bill", where, order="Id").rows
        return [self._decoded(raw, WrittenBill) for raw in found]

    def _is_there(self, made: WrittenBill) -> bool:
        return bool(self._client.query("Bill", (f"Id = {quoted(made.id)}",), size=1).rows)

    def _require_same(self, bill: BillToExport, written: WrittenBill) -> None:
        if not written.is_like(bill):
            raise RecordError(
                f"{ERP} has bill {written.doc_number} over {written.total_amt} already, from an "
                f"earlier export of this invoice whose answer was lost, and the invoice was "
                f"changed since. Delete that bill there, then export again."
            )

    # ------------------------------------------------------------------- values
    def _values(self, bill: BillToExport) -> dict[str, Any]:
        order = self._order(bill)
        accounts = self._accounts()
        work = self._account(accounts, EXPENSE)
        retainage = self._account(accounts, RETAINAGE) if self._named(RETAINAGE) else work
        billed = f"Billed {bill.billing_date:%m/%d/%Y}"
        ordered = f"Purchase order {order.doc_number}" if order and order.doc_number else ""
        memo = (bill.description, ordered, billed, KEY_TEXT.format(key=bill.key))
        return {
            "VendorRef": {"value": bill.vendor_ref},
            "CurrencyRef": {"value": bill.currency},
            "DocNumber": bill.number,
            "TxnDate": bill.accounting_date.isoformat(),
            "PrivateNote": " · ".join(each for each in memo if each),
            "Line": [_line(line, retainage if line.is_retainage else work) for line in bill.lines],
        }

    def _order(self, bill: BillToExport) -> _Order | None:
        if not bill.commitment_ref:
            return None
        where = (f"Id = {quoted(bill.commitment_ref)}",) if bill.commitment_ref.isdecimal() else ()
        rows = self._client.query("PurchaseOrder", where, size=1).rows if where else []
        if not rows:
            raise RecordError(
                f"{ERP} does not know the purchase order that the commitment is linked to. Link "
                f"the commitment to another one."
            )
        order = self._decoded(rows[0], _Order)
        if order.vendor_ref.value != bill.vendor_ref:
            raise RecordError(
                f"The purchase order that the commitment is linked to belongs to another vendor "
                f"in {ERP}. Link the commitment or the company to the right one."
            )
        return order

    def _named(self, setting: str) -> str:
        return (self._settings.get(setting) or "").strip()

    def _accounts(self) -> list[_Account]:
        rows = self._client.query("Account", order="Id").rows
        return [self._decoded(raw, _Account) for raw in rows]

    def _account(self, accounts: Sequence[_Account], setting: str) -> str:
        """The id of the account that the connection names, by any of its names."""
        name = self._named(setting)
        if not name:
            raise RecordError(
                f"No account is set for exported bills. Enter the account of subcontracted work "
                f"in the settings of the connection to {ERP}."
            )
        for each in accounts:
            names = (each.fully_qualified_name, each.acct_num, each.name, each.id)
            if name.lower() in {text.lower() for text in names if text}:
                return each.id
        raise RecordError(
            f"{ERP} has no account “{name}”. Enter the name or number of an active account in the "
            f"settings of the connection."
        )

    def _decoded(self, raw: msgspec.Raw, form: type[mapper.Row]) -> mapper.Row:
        try:
            return msgspec.json.decode(raw, type=form)
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent a record that cannot be read: {error}.",
                detail=bytes(raw)[:500].decode(errors="replace"),
            ) from error


def _line(line: BillLine, account: str) -> dict[str, Any]:
    text = f"{line.cost_code} {line.description}".strip()
    return {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": line.amount,
        "Description": text,
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}},
    }
