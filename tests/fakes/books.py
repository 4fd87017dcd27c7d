"""An ERP in memory for tests of the engine: books that can be paid from, and misread on purpose.

It is a ``Provider`` like any other. What real ERPs say on the wire is the
business of the provider tests; here only what crosses the contract matters.
"""

import datetime as dt
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from erp_integrations.providers.contract import (
    NOTIFICATION_SECRET,
    Capabilities,
    ConnectionField,
    Cursor,
    Notice,
    Page,
    PaymentQuestion,
    Provider,
    RejectedRecord,
    RemoteAllocation,
    RemoteBill,
    RemoteCommitment,
    RemoteJob,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
    RemoteVendor,
)
from erp_integrations.providers.errors import AuthenticationError, RecordError, RecordNotFound

START = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def payment(
    remote_id: str = "p1",
    *bills: tuple[str, str],
    status: RemoteStatus = RemoteStatus.ISSUED,
    **fields: Any,
) -> RemotePayment:
    """A payment over ``(bill id, amount)`` pairs; its total is their sum unless given."""
    allocations = tuple(
        RemoteAllocation(bill, f"BILL-{bill}", Decimal(amount)) for bill, amount in bills
    )
    made = RemotePayment(
        remote_id=remote_id,
        number=fields.pop("number", remote_id.upper()),
        status=status,
        method=fields.pop("method", RemoteMethod.CHECK),
        date=fields.pop("date", dt.date(2026, 7, 1)),
        currency=fields.pop("currency", "USD"),
        total=fields.pop("total", sum((each.amount for each in allocations), Decimal(0))),
        modified_at=fields.pop("modified_at", START),
        allocations=allocations,
        check_number=fields.pop("check_number", "CHK-1"),
    )
    return msgspec.structs.replace(made, **fields)


class Books:
    """The books of one company: ``put`` and ``delete`` are what accountants do there."""

    def __init__(self) -> None:
        self.payments: dict[str, RemotePayment] = {}
        self.rejected: list[RejectedRecord] = []
        #: ids that the next page says were deleted
        self.tombstones: list[str] = []
        self.page_size = 500
        self.clock = START
        self.calls: list[str] = []
        #: called with the number of the page before it is handed out; may raise
        self.before_page: Callable[[int], None] = lambda number: None
        #: called with the id before a single payment is handed out; may raise
        self.before_payment: Callable[[str], None] = lambda remote_id: None
        #: totals of bills; the ones that payments name are there too
        self.bills: dict[str, Decimal] = {}
        self.cancelled: set[str] = set()
        #: paid in ways that no payment shows
        self.paid_besides: dict[str, Decimal] = {}
        #: what can be linked to
        self.vendors: list[RemoteVendor] = []
        self.jobs: list[RemoteJob] = []
        self.commitments: list[RemoteCommitment] = []
        #: called with the kind before it is listed; may raise
        self.before_listing: Callable[[str], None] = lambda kind: None
        #: called before a search; may raise
        self.before_search: Callable[[], None] = lambda: None
        #: pages to hand out as they are, instead of the books
        self.script: list[Page] | None = None

    def put(self, *payments: RemotePayment) -> None:
        """Enter or change payments; each moves the ERP's clock by a second."""
        for each in payments:
            self.clock += dt.timedelta(seconds=1)
            self.payments[each.remote_id] = msgspec.structs.replace(each, modified_at=self.clock)

    def change(self, remote_id: str, **fields: Any) -> None:
        self.put(msgspec.structs.replace(self.payments[remote_id], **fields))

    def void(self, remote_id: str) -> None:
        self.change(remote_id, status=RemoteStatus.VOIDED)

    def bill_ids(self) -> list[str]:
        named = {part.bill_id for each in self.payments.values() for part in each.allocations}
        return sorted(named | set(self.bills))

    def bill(self, bill_id: str) -> RemoteBill | None:
        """The bill with what issued payments paid on it; None when nobody ever named it."""
        parts = [
            part.amount
            for each in self.payments.values()
            for part in each.allocations
            if part.bill_id == bill_id and each.status is RemoteStatus.ISSUED
        ]
        if bill_id not in self.bill_ids():
            return None
        return RemoteBill(
            remote_id=bill_id,
            number=f"BILL-{bill_id}",
            vendor_ref="",
            vendor_name="",
            currency="USD",
            total=self.bills.get(bill_id, Decimal(5000)),
            paid=sum(parts, self.paid_besides.get(bill_id, Decimal(0))),
            is_posted=True,
            is_cancelled=bill_id in self.cancelled,
        )

    def delete(self, remote_id: str) -> None:
        """Without a tombstone, as Tryton and Odoo do."""
        del self.payments[remote_id]


BOOKS = Books()


class BooksProvider(Provider):
    """Reads ``BOOKS``; registered with the engine by the fixture ``books``."""

    code: ClassVar[str] = "books"
    label: ClassVar[str] = "Books in memory"
    capabilities: ClassVar[Capabilities] = Capabilities(
        overlap_seconds=0,
        payment_search=True,
        scoped_sync=True,
        vendors=True,
        jobs=True,
        commitments=True,
    )
    fields: ClassVar[Sequence[ConnectionField]] = ()

    def __init__(self, settings: Any, credentials: Any, *, allow_private_addresses: bool = False):
        self.books = BOOKS
        self._before = len(BOOKS.calls)

    @property
    def calls(self) -> int:
        return len(self.books.calls) - self._before

    def check(self) -> str:
        return "Books in memory"

    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        self.books.calls.append(f"pages after {cursor}")
        if self.books.script is not None:
            yield from self.books.script
            return
        after = (cursor["modified"], cursor["id"]) if cursor else ("", "")
        rows = sorted(self.books.payments.values(), key=_position)
        rows = [row for row in rows if _position(row) > after]
        size = self.books.page_size
        for number, start in enumerate(range(0, len(rows) or 1, size), 1):
            self.books.before_page(number)
            chunk = rows[start : start + size]
            if chunk:
                after = _position(chunk[-1])
            bad, self.books.rejected = self.books.rejected, []
            gone, self.books.tombstones = self.books.tombstones, []
            yield Page(chunk, bad, {"modified": after[0], "id": after[1]}, deleted=gone)

    def cursor_since(self, day: dt.date) -> Cursor:
        return {"modified": dt.datetime.combine(day, dt.time(), dt.UTC).isoformat(), "id": ""}

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        wanted = set(bill_ids)
        rows = [row for row in self.books.payments.values() if wanted & _bills(row)]
        for number, start in enumerate(range(0, len(rows) or 1, self.books.page_size), 1):
            self.books.calls.append(f"payments on {len(wanted)} bills")
            self.books.before_page(number)
            yield Page(rows[start : start + self.books.page_size], (), {})

    def payment(self, remote_id: str) -> RemotePayment:
        self.books.calls.append(f"payment {remote_id}")
        self.books.before_payment(remote_id)
        if remote_id not in self.books.payments:
            raise RecordNotFound(f"There is no payment {remote_id}.")
        return self.books.payments[remote_id]

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        self.books.calls.append(f"find {question}")
        self.books.before_search()
        found = [
            each
            for each in self.books.payments.values()
            if question.number.lower() in f"{each.check_number} {each.number}".lower()
            and question.amount in (None, each.total)
            and question.vendor.lower() in each.vendor_name.lower()
        ]
        return found[:limit]

    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        wanted = self.books.bill_ids() if remote_ids is None else remote_ids
        size = self.capabilities.page_size
        for start in range(0, len(wanted), size):
            self.books.calls.append(f"bills {start}")
            found = map(self.books.bill, wanted[start : start + size])
            yield from (bill for bill in found if bill is not None)

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        return self._listed("vendors", search)

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        return self._listed("jobs", search)

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        return self._listed("commitments", search)

    def _listed(self, kind: str, search: str) -> Iterator[Any]:
        self.books.calls.append(f"{kind} {search}".strip())
        self.books.before_listing(kind)
        for row in getattr(self.books, kind):
            name = getattr(row, "name", "") or getattr(row, "title", "")
            if search.lower() in f"{row.code} {name}".lower():
                yield row

    def close(self) -> None:
        pass


def _bills(row: RemotePayment) -> set[str]:
    return {each.bill_id for each in row.allocations}


def _position(row: RemotePayment) -> tuple[str, str]:
    return row.modified_at.isoformat(), row.remote_id


class NotifyingBooksProvider(BooksProvider):
    """Books that tell of what was changed in them, signed with the key of the connection."""

    code: ClassVar[str] = "notifying-books"
    capabilities: ClassVar[Capabilities] = Capabilities(
        overlap_seconds=0, scoped_sync=True, notifications=True
    )
    fields: ClassVar[Sequence[ConnectionField]] = (NOTIFICATION_SECRET,)

    @classmethod
    def read_notification(
        cls, headers: Mapping[str, str], body: bytes, secret: str
    ) -> list[Notice]:
        if not hmac.compare_digest(headers.get("x-signature", ""), signature(body, secret)):
            raise AuthenticationError("The signature is not that of these books.")
        try:
            return msgspec.json.decode(body, type=list[Notice])
        except msgspec.DecodeError as error:
            raise RecordError("This is no list of events.") from error


def signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()
