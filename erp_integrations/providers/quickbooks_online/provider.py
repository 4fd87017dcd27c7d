"""QuickBooks Online as the sync sees it: bill payments, by what changed since the last look.

One road to the money: ``BillPayment``. A void leaves it with nothing in it, a
deletion shows only in the list of changes; see ``mapper`` and ``walk``.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import ClassVar

import msgspec

from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS
from erp_integrations.providers.contract import (
    NOTIFICATION_SECRET,
    BillToExport,
    Capabilities,
    ConnectionField,
    Cursor,
    Notice,
    Page,
    PaymentQuestion,
    RemoteBill,
    RemotePayment,
)
from erp_integrations.providers.days import first_moment_of
from erp_integrations.providers.errors import (
    ConfigurationError,
    ProtocolError,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.http_provider import Transport
from erp_integrations.providers.oauth import (
    CLIENT_ID,
    CLIENT_SECRET,
    Authorization,
)
from erp_integrations.providers.quickbooks_online import auth, mapper, notifications
from erp_integrations.providers.quickbooks_online.bill_writer import (
    EXPENSE,
    RETAINAGE,
    BillWriter,
)
from erp_integrations.providers.quickbooks_online.bills import Bills
from erp_integrations.providers.quickbooks_online.client import (
    CALLS_PER_MINUTE,
    QuickBooksClient,
)
from erp_integrations.providers.quickbooks_online.directory import QuickBooksDirectory
from erp_integrations.providers.quickbooks_online.errors import ERP
from erp_integrations.providers.quickbooks_online.search import Search
from erp_integrations.providers.quickbooks_online.walk import (
    PAYMENT,
    Place,
    Position,
    Walk,
    position_of,
)


class QuickBooksOnlineProvider(QuickBooksDirectory):
    """Reads one company's books, and writes bills into them."""

    code: ClassVar[str] = "quickbooks_online"
    label: ClassVar[str] = ERP
    capabilities: ClassVar[Capabilities] = Capabilities(
        tombstones=True,
        time_resolution_seconds=1,
        scoped_sync=True,
        payment_search=True,
        export_bills=True,
        vendors=True,
        jobs=True,
        commitments=True,
        bills_need_links=False,
        notifications=True,
        bill_number_length=21,
        calls_per_minute=CALLS_PER_MINUTE,
        calls_at_once=10,
    )
    uses_oauth: ClassVar[bool] = True
    ways: ClassVar[frozenset[str]] = frozenset({EXPENSE, RETAINAGE})
    fields: ClassVar[Sequence[ConnectionField]] = (
        CLIENT_ID,
        CLIENT_SECRET,
        ConnectionField(
            "environment",
            "Environment",
            "Leave empty for a company's real books; “sandbox” for a developer's test company.",
            is_required=False,
        ),
        ConnectionField(
            auth.REALM,
            "Company ID",
            "Filled in by itself when somebody presses “Connect” and chooses the company.",
            is_required=False,
        ),
        ConnectionField(
            EXPENSE,
            "Account of exported bills",
            "Name or number of the account for subcontracted work. Only for exporting invoices.",
            is_required=False,
        ),
        ConnectionField(
            RETAINAGE,
            "Account of retainage",
            "Where retainage is kept back on exported bills. Empty: the account above.",
            is_required=False,
        ),
        VENDORS_OWN_ADDRESS,
        NOTIFICATION_SECRET,
    )

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> QuickBooksClient:
        realm = self._entered(settings, auth.REALM)
        if realm and not realm.isdecimal():
            raise ConfigurationError(f"The company ID of {ERP} is a number without spaces.")
        self._settings = settings
        client = QuickBooksClient(transport, auth.api_address(settings), realm)
        self._bills = Bills(client, self._home_currency)
        #: numbers of bills that were asked for in this run
        self._numbers: dict[str, str] = {}
        return client

    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        return auth.authorization(settings)

    @classmethod
    def settings_of_grant(cls, answer: Mapping[str, str]) -> dict[str, str]:
        return auth.realm_of(answer)

    def check(self) -> str:
        """Names the company and how many payments are readable."""
        company = self._text("CompanyInfo", "CompanyName")
        found = self._client.count(PAYMENT)
        payments = "1 payment" if found == 1 else f"{found:,} payments"
        return f"{ERP} · company {company} · {payments} readable"

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract and ``Walk``."""
        walk = Walk(self._client, self._payments, size=self._page_size, overlap=self._overlap)
        position = position_of(cursor)
        if position is None:
            yield from walk.everything()
        elif resume:
            yield from walk.after(position)
        else:
            yield from walk.since(position)

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        position = position_of(cursor)
        return position.place.at if position else None

    def cursor_since(self, day: date) -> Cursor:
        """See the contract. The company's zone is not asked for: it began where it begins first."""
        began = first_moment_of(day)
        return Position(Place(began), began).as_json()

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract. A voided payment has lost its bills: it is found by its own id only."""
        yield from self._bills.pages_of_payments(bill_ids, self._payments)

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract and ``Search``."""
        return Search(self._client, self._payments, self._directory).newest(question, limit)

    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract. Raises ``RecordError`` when the record cannot be read."""
        if not remote_id.isdecimal():
            raise RecordError(f"“{remote_id}” is not the id of a payment in {ERP}.")
        payments, rejected = self._payments([self._client.record(PAYMENT, remote_id)])
        for bad in rejected:
            raise RecordError(bad.reason, detail=bad.raw)
        return payments[0]

    # -------------------------------------------------------------------- bills
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract and ``Bills``: a question more where something was paid."""
        if remote_ids is None:
            yield from self._bills.all(self._page_size)
        else:
            yield from self._bills.these(remote_ids)

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """See the contract and ``BillWriter``."""
        return self._bill(BillWriter(self._client, self._settings).write(bill))

    def find_bill(self, key: str) -> RemoteBill:
        found = BillWriter(self._client, self._settings).with_key(key)
        if found is None:
            raise RecordNotFound(f"{self._client.name} has no bill with this key.")
        return self._bill(found.id)

    def _bill(self, remote_id: str) -> RemoteBill:
        for bill in self._bills.these([remote_id]):
            return bill
        raise RecordNotFound(f"{self._client.name} has this bill no more.")

    @classmethod
    def read_notification(
        cls, headers: Mapping[str, str], body: bytes, secret: str
    ) -> list[Notice]:
        return notifications.read(headers, body, secret)

    # ------------------------------------------------------------------ the rest
    def _payments(self, rows: Sequence[msgspec.Raw]) -> mapper.Mapped:
        return mapper.payments(rows, self._numbers_of, self._home_currency)

    def _numbers_of(self, bill_ids: Sequence[str]) -> Mapping[str, str]:
        missing = [each for each in bill_ids if each not in self._numbers]
        self._numbers |= self._bills.numbers(missing)
        return self._numbers

    def _home_currency(self) -> str:
        return self._home

    @cached_property
    def _home(self) -> str:
        """The currency of a company that has only one; its records need not name it."""
        found = self._client.query("Preferences", size=1).rows
        try:
            preferences = msgspec.json.decode(found[0], type=_Preferences)
        except (IndexError, ValueError) as error:
            raise ProtocolError(f"{self._client.name} does not tell its currency.") from error
        return preferences.currency_prefs.home_currency.value

    def _text(self, entity: str, name: str) -> str:
        """A text to show, from the first record; empty when it is not there."""
        found = self._client.query(entity, size=1).rows
        value = msgspec.json.decode(found[0]) if found else None
        text = value.get(name) if isinstance(value, dict) else None
        return text if isinstance(text, str) else ""


class _CurrencyPrefs(msgspec.Struct, rename="pascal"):
    home_currency: mapper.Ref


class _Preferences(msgspec.Struct, rename="pascal"):
    currency_prefs: _CurrencyPrefs
