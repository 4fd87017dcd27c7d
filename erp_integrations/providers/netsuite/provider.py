"""NetSuite as the sync sees it, asked in SuiteQL.

The applications of payments are kept apart from them, so a page of payments is
two questions. Where a payment was applied to more than its money, discounts
were taken; only its record can say on which bill, and is asked for it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import msgspec

from erp_integrations.providers import change_order
from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS
from erp_integrations.providers.change_order import Batch, ChangeOrder, Mapped, Place
from erp_integrations.providers.contract import (
    BillToExport,
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    PaymentQuestion,
    RemoteBill,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
)
from erp_integrations.providers.errors import (
    ConfigurationError,
    RecordError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.http_provider import Transport
from erp_integrations.providers.netsuite import auth, mapper, sql
from erp_integrations.providers.netsuite.bill_writer import BillWriter
from erp_integrations.providers.netsuite.client import MOST_ROWS, NetSuiteClient
from erp_integrations.providers.netsuite.directory import NetSuiteDirectory
from erp_integrations.providers.oauth import (
    CLIENT_ID,
    CLIENT_SECRET,
    Authorization,
)

PAYMENTS, BILLS, APPLICATIONS = "bill payments", "bills", "applications of payments"
CURRENCY = ConnectionField(
    "currency",
    "Currency",
    "Only for an account without the feature Multiple Currencies: its code, e.g. USD.",
    is_required=False,
)
SUBSIDIARIES = ConnectionField(
    "subsidiaries",
    "Subsidiaries",
    "Internal IDs of the ones to read, e.g. 3, 7. Leave empty to read all that the role sees.",
    is_required=False,
)


EXPENSE_ACCOUNT = ConnectionField(
    "expense_account",
    "Account for expenses",
    "Number of the account on which exported invoices are booked, e.g. 5100.",
    is_required=False,
)
RETAINAGE_ACCOUNT = ConnectionField(
    "retainage_account",
    "Account for retainage",
    "Number of the account of retainage payable.",
    is_required=False,
)


class NetSuiteProvider(NetSuiteDirectory):
    """Reads one account of NetSuite, or some of its subsidiaries, over REST web services."""

    code: ClassVar[str] = "netsuite"
    label: ClassVar[str] = "NetSuite"
    uses_oauth: ClassVar[bool] = True
    capabilities: ClassVar[Capabilities] = Capabilities(
        methods=(RemoteMethod.CHECK, RemoteMethod.ELECTRONIC),
        # 400 payments with two or three bills each still fit into one answer of applications
        page_size=400,
        time_resolution_seconds=1,
        scoped_sync=True,
        payment_search=True,
        vendors=True,
        jobs=True,
        export_bills=True,
        bills_need_links=False,
        bill_number_length=45,
        calls_at_once=15,
    )
    ways: ClassVar[frozenset[str]] = frozenset({auth.CERTIFICATE_ID.name})
    fields: ClassVar[Sequence[ConnectionField]] = (
        auth.ACCOUNT,
        CLIENT_ID,
        CLIENT_SECRET,
        auth.CERTIFICATE_ID,
        auth.PRIVATE_KEY,
        SUBSIDIARIES,
        CURRENCY,
        EXPENSE_ACCOUNT,
        RETAINAGE_ACCOUNT,
        VENDORS_OWN_ADDRESS,
    )

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> NetSuiteClient:
        CLIENT_ID.required(settings, self.label)
        self._subsidiaries = _subsidiaries(settings)
        self._sql = sql.Questions(subsidiaries=self._subsidiaries, currency=_currency(settings))
        client = NetSuiteClient(transport, auth.api_address(settings))
        self._writer = BillWriter(
            client,
            self._sql,
            expense=EXPENSE_ACCOUNT.entered(settings),
            retainage=RETAINAGE_ACCOUNT.entered(settings),
            subsidiary=next(iter(self._subsidiaries), ""),
        )
        self._page_size = min(self._page_size, MOST_ROWS)
        return client

    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        return auth.authorization(settings)

    @classmethod
    def sign_in_proof(
        cls, settings: Mapping[str, str], credentials: Mapping[str, str]
    ) -> dict[str, str]:
        return auth.proof(settings, credentials)

    # ------------------------------------------------------------------- check
    def check(self) -> str:
        """See the contract. Asks for everything that a sync will ask for."""
        found = self._client.suiteql(self._sql.payments(), PAYMENTS, size=1)
        self._client.suiteql(self._sql.bills(), BILLS, size=1)
        self._client.suiteql(sql.applications(["0"]), APPLICATIONS, size=1)
        where = "all subsidiaries that the role sees"
        if self._subsidiaries:
            where = f"subsidiaries {', '.join(self._subsidiaries)}"
        count = "1 payment" if found.total == 1 else f"{found.total:,} payments"
        return f"{self.label} · {where} · {count} readable"

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract."""
        walk = ChangeOrder(
            self._client.name,
            ask=self._changed_after,
            mapped=self._payments,
            key_of=mapper.place,
            overlap=self._overlap,
        )
        is_first = cursor is None
        for page in walk.pages(cursor, resume=resume):
            if is_first and not page.payments and not page.rejected:
                self._require_sight()
            is_first = False
            yield page

    def _changed_after(self, place: Place | None) -> Batch:
        conditions = [sql.after(place)] if place else []
        query = self._sql.payments(*conditions)
        found = self._client.suiteql(query, PAYMENTS, size=self._page_size)
        return Batch(found.rows, found.server_time, found.is_last)

    def _payments(self, rows: Sequence[msgspec.Raw]) -> Mapped:
        """Payments with what they were applied to; discounts are only in their records."""
        found = mapper.ids(rows)
        try:
            query = sql.applications(found)
            links = self._client.every(query, APPLICATIONS) if found else ()
            applied = mapper.applications(links)
            split = {
                each: mapper.shares(self._client.record("vendorPayment", each))
                for each in mapper.with_discounts(rows, applied)
            }
        except ValueError as error:
            raise self._unreadable("the applications of a payment", error) from error
        return mapper.payments(rows, applied, split)

    def _require_sight(self) -> None:
        """Proof that empty books are empty, not a role that sees none of them."""
        for query, what in ((self._sql.bills(), BILLS), (sql.vendors(0, ()), "vendors")):
            if self._client.suiteql(query, what, size=1).total:
                return
        raise ConfigurationError(
            f"The role of the connection sees no payments, bills or vendors at all in "
            f"{self._client.name}, so what it sees says nothing. Give that role the subsidiaries "
            f"and the permissions that the guide lists."
        )

    def cursor_since(self, day: date) -> Cursor:
        """See the contract."""
        return change_order.cursor_at(day)

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        return change_order.read_until(cursor)

    # ----------------------------------------------------- some payments only
    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract. Three questions a page: the links, the payments, all their links."""
        for some in self._in_pages(bill_ids):
            try:
                links = self._client.every(sql.payments_of(some), APPLICATIONS)
                paying = mapper.payments_of(links)
            except ValueError as error:
                raise self._unreadable("the applications of a payment", error) from error
            for ids in self._in_pages(paying):
                query = self._sql.payments(sql.among(ids))
                rows = self._client.suiteql(query, PAYMENTS, size=len(ids)).rows
                yield Page(*self._payments(rows), {})

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract. Two questions: the payments, and what they were applied to."""
        query = self._sql.payments(*sql.fitting(question), order=sql.NEWEST_FIRST)
        return self._payments(self._client.suiteql(query, PAYMENTS, size=limit).rows).payments

    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract. Only the record itself can say that it does not exist."""
        if not remote_id.isdecimal():
            raise RecordError(f"“{remote_id}” is not the ID of a payment in NetSuite.")
        query = self._sql.payments(sql.among([remote_id]))
        mapped = self._payments(self._client.suiteql(query, PAYMENTS, size=1).rows)
        for found in mapped.payments:
            if found.remote_id == remote_id:
                return found
        for rejected in mapped.rejected:
            raise RecordError(rejected.reason, detail=rejected.raw)
        try:
            self._client.record("vendorPayment", remote_id)
        except RecordNotFound as error:
            raise RecordNotFound(
                f"{self._client.name} does not know this payment any more."
            ) from error
        raise RecordError(
            "NetSuite has this payment, but not in the subsidiaries that the connection reads."
        )

    # -------------------------------------------------------------------- bills
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract. A page of bills and, as their credits are no money, their payments."""
        if remote_ids is not None:
            for some in self._in_pages(remote_ids):
                query = self._sql.bills(sql.among(some))
                rows = self._client.suiteql(query, BILLS, size=len(some)).rows
                yield from self._with_money(rows)
            return
        last = 0
        while True:
            query = self._sql.bills(sql.above(last))
            found = self._client.suiteql(query, BILLS, size=self._page_size)
            page = self._with_money(found.rows)
            yield from (bill for bill in page if bill.is_posted)
            if found.is_last or not page:
                return
            last = int(page[-1].remote_id)

    def _with_money(self, rows: Sequence[msgspec.Raw]) -> list[RemoteBill]:
        money: dict[str, Decimal] = defaultdict(Decimal)
        for page in self.payments_on(mapper.ids(rows)):
            for rejected in page.rejected:
                raise self._unreadable("a payment of a bill", ValueError(rejected.reason))
            for payment in page.payments:
                if payment.status is RemoteStatus.ISSUED:
                    for each in payment.allocations:
                        money[each.bill_id] += each.amount
        try:
            return [mapper.bill(row, money) for row in rows]
        except ValueError as error:
            raise self._unreadable("a bill", error) from error

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """See the contract and ``BillWriter``."""
        return self._with_paid(self._writer.write(bill))

    def find_bill(self, key: str) -> RemoteBill:
        """See the contract. A cancelled bill is not found: nothing is owed on it."""
        for found in self._writer.written(key):
            if not found.is_cancelled:
                return self._with_paid(found)
        raise RecordNotFound(f"{self._client.name} has no bill with this key.")

    def _with_paid(self, bill: RemoteBill) -> RemoteBill:
        for found in self.bills([bill.remote_id]):
            return found
        raise TransientError(f"{self._client.name} does not show a bill that it showed before.")

    def _in_pages(self, ids: Sequence[str]) -> Iterator[list[str]]:
        """IDs in NetSuite are numbers; anything else is the ID of nothing."""
        known = sorted({each for each in ids if each.isdecimal()}, key=int)
        for start in range(0, len(known), self._page_size):
            yield known[start : start + self._page_size]


def _subsidiaries(settings: Mapping[str, str]) -> list[str]:
    given = (settings.get(SUBSIDIARIES.name) or "").replace(",", " ").split()
    for each in given:
        if not each.isdecimal():
            raise ConfigurationError(
                f"“{each}” is not the internal ID of a subsidiary, which is a number."
            )
    return given


def _currency(settings: Mapping[str, str]) -> str:
    code = CURRENCY.entered(settings).upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise ConfigurationError(f"“{code[:20]}” is not the code of a currency, such as USD.")
    return code
