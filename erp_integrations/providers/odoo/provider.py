"""Odoo 17 to 19 as the sync sees it: vendor payments, and what their entries settle."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

import msgspec

from erp_integrations.providers.contract import (
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    PaymentQuestion,
    RemoteBill,
    RemotePayment,
)
from erp_integrations.providers.days import first_moment_of
from erp_integrations.providers.errors import (
    ConfigurationError,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.http_provider import Transport
from erp_integrations.providers.odoo import mapper
from erp_integrations.providers.odoo.auth import Session
from erp_integrations.providers.odoo.bill_writer import OdooBillExport
from erp_integrations.providers.odoo.bills import Bills, ids_in
from erp_integrations.providers.odoo.books import Books
from erp_integrations.providers.odoo.client import PAYMENT, OdooClient, Question
from erp_integrations.providers.odoo.rows import payment_fields
from erp_integrations.providers.odoo.search import newest_first
from erp_integrations.providers.odoo.walk import Place, Walk, begun, cursor_of, place_of, session_of

VERSIONS = {"17": 17, "18": 18, "19": 19}


class OdooProvider(OdooBillExport):
    """Reads one company of one Odoo database, and writes bills into it."""

    code: ClassVar[str] = "odoo"
    label: ClassVar[str] = "Odoo"
    capabilities: ClassVar[Capabilities] = Capabilities(
        scoped_sync=True,
        payment_search=True,
        time_resolution_seconds=1,
        export_bills=True,
        vendors=True,
        jobs=True,
        commitments=True,
        bills_need_links=False,
    )
    ways: ClassVar[frozenset[str]] = frozenset({"version"})
    fields: ClassVar[Sequence[ConnectionField]] = (
        ConnectionField("url", "Address", "Where Odoo answers, e.g. https://northstar.odoo.com"),
        ConnectionField(
            "database", "Database", "The name of the database; on odoo.com the first word of it."
        ),
        ConnectionField(
            "key",
            "API key",
            "Made in Odoo, in the user's preferences under Account Security. It expires.",
            secret=True,
        ),
        ConnectionField(
            "login",
            "Login",
            "The user whose key it is. Odoo 17 and 18 ask for it; 19 does not.",
            is_required=False,
        ),
        ConnectionField(
            "company",
            "Company",
            "Its name or number in Odoo; only where the user sees several companies.",
            is_required=False,
        ),
        ConnectionField(
            "version",
            "Version",
            "17, 18 or 19. Leave empty to find out.",
            is_required=False,
        ),
    )

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> OdooClient:
        client = OdooClient(
            transport,
            self._required(settings, "url"),
            self._required(settings, "database"),
            self._required(credentials, "key"),
            login=self._entered(settings, "login"),
            version=_version(settings),
        )
        self._books = Books(client, self._entered(settings, "company"))
        return client

    def check(self) -> str:
        """Says version, company and how much is readable; see the contract.

        Asks for everything that a sync will ask for, so that a missing right
        shows here and not in the first run.
        """
        company = self._books.company_name()
        self._books.require_sight()
        self._rows([], 1)
        next(iter(Bills(self._client, self._books.domain, 1).these(["1"])), None)
        count = self._client.count(PAYMENT, self._books.payments(self._client.session))
        found = "1 payment" if count == 1 else f"{count:,} payments"
        return f"Odoo {self._client.version()} · company {company} · {found} readable"

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract and ``Walk``."""
        place = begun(cursor, self._overlap, resume=resume)
        self._client.remember(session_of(cursor))
        if cursor is None:
            self._books.require_sight()
        walk = Walk(self._client, self._books.payments)
        yield from walk.pages(place, self._page_size, self._mapped)

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        return place_of(cursor).since

    def cursor_since(self, day: date) -> Cursor:
        """See the contract. The day began where it begins first on Earth."""
        return cursor_of(Place(since=first_moment_of(day)))

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract. One question a page of payments."""
        wanted = ids_in(bill_ids)
        for start in range(0, len(wanted), self._page_size):
            some, last = wanted[start : start + self._page_size], 0
            while True:
                rows = self._rows([("id", ">", last)], self._page_size, bills=some)
                if rows:
                    payments, rejected, _ = self._mapped(rows)
                    yield Page(payments, rejected, {})
                if len(rows) < self._page_size:
                    break
                last = max(last + 1, mapper.last_id(rows) or 0)

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract. One question."""
        return newest_first(self._client, self._books.payments, question, limit)

    # ----------------------------------------------------------------- one by id
    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract. Raises ``RecordError`` when Odoo's record cannot be read."""
        numbers = ids_in([remote_id])
        if not numbers:
            raise RecordError(f"“{remote_id}” is not the id of a payment in Odoo.")
        mapped = self._mapped(self._rows([("id", "=", numbers[0])], 1))
        for found in mapped.payments:
            return found
        for rejected in mapped.rejected:
            raise RecordError(rejected.reason, detail=rejected.raw)
        self._books.require_sight()
        raise RecordNotFound(f"{self._client.name} does not know this payment any more.")

    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract and ``Bills``."""
        bills = Bills(self._client, self._books.domain, self._page_size)
        yield from bills.all_posted() if remote_ids is None else bills.these(remote_ids)

    # -------------------------------------------------------------------- rows
    def _rows(
        self, clauses: Sequence[Any], limit: int, *, bills: Sequence[int] | None = None
    ) -> list[msgspec.Raw]:
        def asked(session: Session) -> Question:
            domain = [*self._books.payments(session), *clauses]
            if bills is not None:
                domain += _touching(session, bills)
            return Question(PAYMENT, domain, payment_fields(session), limit)

        return self._client.records(asked).rows

    def _mapped(self, rows: Sequence[msgspec.Raw]) -> mapper.Mapped:
        mapped = mapper.payments(rows)
        self._books.require_one_company(mapped.companies)
        return mapped


def _touching(session: Session, bills: Sequence[int]) -> list[Any]:
    """Payments that settle one of these bills, or that list one (voided ones still do)."""
    path = "move_id.line_ids.matched_credit_ids.credit_move_id.move_id"
    if not session.names_its_bills:
        return [(path, "in", bills)]
    return ["|", (path, "in", bills), ("invoice_ids", "in", bills)]


def _version(settings: Mapping[str, str]) -> int:
    """The number that was chosen; 0: find out."""
    typed = (settings.get("version") or "").strip()
    if typed and typed.partition(".")[0] not in VERSIONS:
        raise ConfigurationError("The version of Odoo must be 17, 18 or 19, or left empty.")
    return VERSIONS[typed.partition(".")[0]] if typed else 0
