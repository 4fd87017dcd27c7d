"""Bills that this program writes into Acumatica.

The key of an export stands in the bill's description, by which it can be found
and which people can read. Every step looks first and may be repeated: a bill
that was made by a request whose answer was lost is found by its key and
released, a second one with the same key is deleted before that.
"""

import contextlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from erp_integrations.providers.acumatica.client import AcumaticaClient
from erp_integrations.providers.acumatica.mapper import (
    CANCELLED_BILL,
    NO_TEXT,
    RELEASED_BILL,
    Amount,
    Text,
)
from erp_integrations.providers.acumatica.orders import Orders
from erp_integrations.providers.acumatica.questions import both, contains, text
from erp_integrations.providers.contract import BillLine, BillToExport
from erp_integrations.providers.errors import ProtocolError, RecordError, TransientError

KEY_TEXT = "Procore Sync key {key}"
#: characters that Acumatica keeps of a description
DESCRIPTION = 512
MOST = 20
#: how often the bills of a key are looked at again before it is left for later
ROUNDS = 4
BILL = "Bill"


class WrittenBill(msgspec.Struct, rename="pascal"):
    """A bill, as far as it tells whether it is the one that is wanted."""

    reference_nbr: Text
    status: Text
    vendor: Text
    amount: Amount
    vendor_ref: Text = NO_TEXT
    description: Text = NO_TEXT

    @property
    def is_released(self) -> bool:
        return self.status.value in RELEASED_BILL

    def is_like(self, bill: BillToExport) -> bool:
        return (self.vendor_ref.value, self.vendor.value, self.amount.value) == (
            bill.number,
            bill.vendor_ref,
            bill.total,
        )


FIELDS = "ReferenceNbr,Status,Vendor,Amount,VendorRef,Description"


class BillWriter:
    """Writes bills through one client; holds nothing between two bills."""

    def __init__(self, client: AcumaticaClient, orders: Orders) -> None:
        self._client, self._orders = client, orders

    def write(self, bill: BillToExport) -> str:
        """The number of the one released bill with this key. See ``Provider.create_bill``."""
        refusal: RecordError | None = None
        for _ in range(ROUNDS):
            found = self._without_unlike(bill, self.written(bill.key))
            if not found:
                if refusal:
                    raise refusal
                self._create(bill)
                continue
            kept, *others = found
            self._delete(*(each for each in others if not each.is_released))
            if kept.is_released and not others:
                self._require_same(bill, kept)
                return kept.reference_nbr.required("the number")
            if not kept.is_released:
                refusal = self._release(kept)
        raise TransientError(
            f"{self._client.name} has bill {bill.number} in more than one version, and they are "
            f"being changed there now."
        )

    def written(self, key: str) -> list[WrittenBill]:
        """Bills with this key on which something is owed, the one to keep first."""
        found = self._bills(contains("Description", KEY_TEXT.format(key=key)))
        return sorted(found, key=lambda it: (not it.is_released, it.reference_nbr.value or ""))

    def _bills(self, clause: str) -> list[WrittenBill]:
        where = both(f"Type eq {text(BILL)}", clause)
        rows = self._client.entities(BILL, where=where, select=FIELDS, top=MOST).rows
        try:
            found = [msgspec.json.decode(row, type=WrittenBill) for row in rows]
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}."
            ) from error
        return [each for each in found if each.status.value not in CANCELLED_BILL]

    # ------------------------------------------------------------------ steps
    def _without_unlike(
        self, bill: BillToExport, found: Sequence[WrittenBill]
    ) -> list[WrittenBill]:
        """Drafts of an earlier attempt that was entered otherwise are thrown away."""
        unlike = [each for each in found if not (each.is_released or each.is_like(bill))]
        self._delete(*unlike)
        return [each for each in found if each not in unlike]

    def _create(self, bill: BillToExport) -> None:
        self._require_new(bill)
        self._client.put(BILL, self._values(bill))
        for made in self.written(bill.key):
            if not made.is_released and not made.is_like(bill):
                self._delete(made)
                raise RecordError(
                    f"Acumatica made {made.amount.value} of the {bill.total} of bill "
                    f"{bill.number}, probably with taxes. Change the vendor's tax zone or the tax "
                    f"category there, then export again."
                )

    def _require_new(self, bill: BillToExport) -> None:
        """Acumatica may be set up to take a vendor's number twice."""
        same = both(f"Vendor eq {text(bill.vendor_ref)}", f"VendorRef eq {text(bill.number)}")
        for each in self._bills(same):
            raise RecordError(
                f"Acumatica has a similar bill already: {each.reference_nbr.value} of the same "
                f"vendor with the number {bill.number}. Void it there, or change the invoice's "
                f"number, then export again."
            )

    def _release(self, draft: WrittenBill) -> RecordError | None:
        """What Acumatica refuses to release it does not keep, as a bill of ours."""
        number = draft.reference_nbr.required("the number")
        try:
            self._client.act(BILL, "ReleaseBill", {"Type": BILL, "ReferenceNbr": number})
        except RecordError as error:
            self._delete(draft)
            return error
        return None

    def _delete(self, *drafts: WrittenBill) -> None:
        for each in drafts:
            # Released meanwhile? The next look tells.
            with contextlib.suppress(RecordError):
                self._client.delete(BILL, BILL, each.reference_nbr.required("the number"))

    def _require_same(self, bill: BillToExport, released: WrittenBill) -> None:
        same = (released.amount.value, released.vendor.value) == (bill.total, bill.vendor_ref)
        if not same:
            raise RecordError(
                f"Acumatica has bill {released.vendor_ref.value} over {released.amount.value} "
                f"already, from an earlier export of this invoice whose answer was lost, and the "
                f"invoice was changed since. Void that bill in Acumatica, then export again."
            )

    # ----------------------------------------------------------------- values
    def _values(self, bill: BillToExport) -> dict[str, Any]:
        order = self._orders.for_bill(bill)
        key = KEY_TEXT.format(key=bill.key)
        described = bill.description[: DESCRIPTION - len(key) - 3]
        values = {
            "Type": BILL,
            "Vendor": bill.vendor_ref,
            "VendorRef": bill.number,
            "Date": bill.billing_date.isoformat(),
            "CurrencyID": bill.currency,
            "Description": f"{described} · {key}" if described else key,
            "Hold": False,
        }
        months = {(day.year, day.month) for day in (bill.billing_date, bill.accounting_date)}
        if len(months) > 1:
            values["PostPeriod"] = f"{bill.accounting_date:%m%Y}"
        lines = [_line(each) for each in bill.lines]
        if order:
            work = next((at for at, each in enumerate(bill.lines) if not each.is_retainage), 0)
            lines[work] |= order
        return {**_wrapped(values), "Details": [_wrapped(each) for each in lines]}


def _line(line: BillLine) -> dict[str, Any]:
    """Below zero by its quantity: a unit cost never is."""
    return {
        "TransactionDescription": line.description,
        "Qty": -1 if line.amount < 0 else 1,
        "UnitCost": abs(line.amount),
    }


def _wrapped(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"value": _exact(value)} for name, value in values.items() if value is not None}


def _exact(value: Any) -> Any:
    """Money as a number of exactly these digits."""
    return msgspec.Raw(f"{value:f}".encode()) if isinstance(value, Decimal) else value
