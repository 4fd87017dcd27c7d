"""Projects and purchase orders of Acumatica: what records here can be linked to."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, TypeVar

import msgspec

from erp_integrations.providers.acumatica import mapper
from erp_integrations.providers.acumatica.client import AcumaticaClient
from erp_integrations.providers.acumatica.mapper import NO_TEXT, Amount, Text, Value
from erp_integrations.providers.acumatica.questions import both, contains, text
from erp_integrations.providers.acumatica.vendors import Vendors
from erp_integrations.providers.contract import BillToExport, RemoteCommitment, RemoteJob
from erp_integrations.providers.errors import ProtocolError, RecordError

LIVING = ("Open", "Completed", "Closed", "Pending Receipt", "Pending Email", "Pending Printing")
ORDER_FIELDS = "Type,OrderNbr,Status,VendorID,Description,OrderTotal,CurrencyID,Date,Project"
Found = TypeVar("Found")


class OrderLine(msgspec.Struct, rename="pascal"):
    line_nbr: Value[int]


class OrderRow(msgspec.Struct, rename="pascal"):
    type: Text
    order_nbr: Text
    order_total: Amount
    vendor_id: Text = msgspec.field(name="VendorID")
    currency_id: Text = msgspec.field(name="CurrencyID")
    description: Text = NO_TEXT
    date: Text = NO_TEXT
    project: Text = NO_TEXT
    details: list[OrderLine] = []


class ProjectRow(msgspec.Struct, rename="pascal"):
    project_id: Text = msgspec.field(name="ProjectID")
    description: Text = NO_TEXT


class Orders:
    """Reads purchase orders and projects. An order is known by its type and its number."""

    def __init__(self, client: AcumaticaClient, vendors: Vendors, page_size: int) -> None:
        self._client, self._vendors, self._page_size = client, vendors, page_size

    def projects(self, search: str = "") -> Iterator[RemoteJob]:
        for row in self._listed("Project", "ProjectID", "", search, "ProjectID,Description"):
            project = self._read(row, ProjectRow)
            code = project.project_id.value or ""
            yield RemoteJob(code, code, project.description.value or code)

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        """Normal orders that were approved: the number is the key only within a type."""
        where = both("Type eq 'Normal'", " or ".join(f"Status eq {text(it)}" for it in LIVING))
        for row in self._listed("PurchaseOrder", "OrderNbr", where, search, ORDER_FIELDS):
            yield self._commitment(self._read(row, OrderRow))

    def for_bill(self, bill: BillToExport) -> dict[str, Any] | None:
        """What links a line of the bill to its order. Raises ``RecordError``."""
        if not bill.commitment_ref:
            return None
        type_, _, number = bill.commitment_ref.partition("/")
        where = both(f"Type eq {text(type_)}", f"OrderNbr eq {text(number)}")
        rows = self._client.with_details("PurchaseOrder", where=where, expand="Details", top=1).rows
        if not rows:
            raise RecordError(
                "Acumatica does not know the purchase order that the commitment is linked to. "
                "Link the commitment to another one."
            )
        order = self._read(rows[0], OrderRow)
        if order.vendor_id.value != bill.vendor_ref:
            raise RecordError(
                "The purchase order that the commitment is linked to belongs to another vendor in "
                "Acumatica. Link the commitment or the company to the right one."
            )
        line = order.details[0].line_nbr.value if order.details else None
        return {"POOrderType": type_, "POOrderNbr": number, "POLine": line}

    def _listed(
        self, entity: str, key: str, where: str, search: str, select: str
    ) -> Iterator[msgspec.Raw]:
        words = [
            f"({contains(key, word)} or {contains('Description', word)})" for word in search.split()
        ]
        last = ""
        while True:
            after = f"{key} gt {text(last)}" if last else ""
            rows = self._client.entities(
                entity, where=both(where, after, *words), select=select, top=self._page_size
            ).rows
            yield from rows
            if len(rows) < self._page_size:
                return
            reached = msgspec.json.decode(rows[-1])[key]["value"]
            if reached <= last:
                raise ProtocolError(f"{self._client.name} does not keep its own order of records.")
            last = reached

    def _commitment(self, order: OrderRow) -> RemoteCommitment:
        code, vendor = order.order_nbr.value or "", order.vendor_id.value or ""
        return RemoteCommitment(
            remote_id=f"{order.type.value}/{code}",
            code=code,
            title=order.description.value or f"Purchase order {code}",
            vendor_ref=vendor,
            vendor_name=self._vendors.names([vendor]).get(vendor, vendor),
            total=mapper.money(order.order_total),
            currency=order.currency_id.value or "",
            ordered_on=date.fromisoformat(order.date.value[:10]) if order.date.value else None,
            project_ref=order.project.value or "",
        )

    def _read(self, row: msgspec.Raw, form: type[Found]) -> Found:
        decode: Callable[..., Found] = msgspec.json.decode
        try:
            return decode(row, type=form)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a record that cannot be read: {error}.",
                detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error
