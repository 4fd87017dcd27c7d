"""An ERP in memory that takes bills, and loses answers where a test says so."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import msgspec

from erp_integrations.providers.contract import BillToExport, Capabilities, RemoteBill
from erp_integrations.providers.errors import RecordNotFound, TransientError
from tests.fakes.books import BooksProvider

LOST = TransientError("Books in memory did not answer.")


class BillBooks:
    """What the ERP has, and what goes wrong next."""

    def __init__(self) -> None:
        self.bills: dict[str, RemoteBill] = {}
        self.exported: list[BillToExport] = []
        #: raised by the next calls, before anything is done or after everything is
        self.before: deque[Exception] = deque()
        self.after: deque[Exception] = deque()
        #: called while the ERP works on a bill
        self.meanwhile: Callable[[], None] = lambda: None

    def with_key(self, key: str) -> list[RemoteBill]:
        return [bill for name, bill in self.bills.items() if name == key and not bill.is_cancelled]

    def take(self, bill: BillToExport) -> RemoteBill:
        self.exported.append(bill)
        if self.before:
            raise self.before.popleft()
        self.meanwhile()
        made = RemoteBill(
            remote_id=f"bill-{len(self.bills) + 1}",
            number=bill.number,
            vendor_ref=bill.vendor_ref,
            vendor_name="Acme",
            currency=bill.currency,
            total=bill.total,
            paid=bill.total * 0,
            is_posted=True,
        )
        if not self.with_key(bill.key):
            self.bills[bill.key] = made
        if self.after:
            raise self.after.popleft()
        return self.bills[bill.key]

    def cancel(self, remote_id: str) -> None:
        for key, bill in self.bills.items():
            if bill.remote_id == remote_id:
                self.bills[key] = msgspec.structs.replace(bill, is_cancelled=True)

    def delete(self, remote_id: str) -> None:
        self.bills = {k: bill for k, bill in self.bills.items() if bill.remote_id != remote_id}


BOOKS = BillBooks()


class BillBooksProvider(BooksProvider):
    """Reads and writes ``BOOKS``; registered by the fixture ``bill_books``."""

    code: ClassVar[str] = "bill-books"
    capabilities: ClassVar[Capabilities] = Capabilities(
        export_bills=True, vendors=True, commitments=True, jobs=True, bill_number_length=21
    )

    def __init__(self, settings: Any, credentials: Any, *, allow_private_addresses: bool = False):
        super().__init__(settings, credentials)
        self.bill_books = BOOKS

    def check(self) -> str:
        if self.bill_books.before:
            raise self.bill_books.before.popleft()
        return "Books in memory"

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        return self.bill_books.take(bill)

    def find_bill(self, key: str) -> RemoteBill:
        for bill in self.bill_books.with_key(key):
            return bill
        raise RecordNotFound("There is no bill with this key.")

    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        if self.bill_books.before:
            raise self.bill_books.before.popleft()
        wanted = self.bill_books.bills.values()
        return iter([b for b in wanted if remote_ids is None or b.remote_id in remote_ids])
