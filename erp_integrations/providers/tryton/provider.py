"""Tryton as the sync sees it: two roads to the same money, read as one list of payments.

``account.payment`` holds what went through a payment journal (id
``payment-<n>``). The "Pay" button of a bill makes a journal entry and no such
record; it is found on the bill, among ``payment_lines`` (id ``line-<n>``). No
money is on both: a payment through a clearing journal never appears there.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar

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
from erp_integrations.providers.tryton import mapper
from erp_integrations.providers.tryton.bill_export import TrytonBillExport
from erp_integrations.providers.tryton.bills import Bills
from erp_integrations.providers.tryton.client import TrytonClient
from erp_integrations.providers.tryton.of_bills import pages_of_bills
from erp_integrations.providers.tryton.search import PaymentSearch
from erp_integrations.providers.tryton.walk import (
    BILL,
    PAYMENT,
    STREAMS,
    Position,
    Positions,
    Walk,
    as_json,
    positions,
)

JOURNAL, ENTRY = "account.payment.journal", "account.move"
COUNTED = 1000


class TrytonProvider(TrytonBillExport):
    """Reads one Tryton database over its REST API, and writes bills into it."""

    code: ClassVar[str] = "tryton"
    label: ClassVar[str] = "Tryton"
    capabilities: ClassVar[Capabilities] = Capabilities(
        export_bills=True,
        scoped_sync=True,
        payment_search=True,
        vendors=True,
        jobs=True,
        commitments=True,
    )
    fields: ClassVar[Sequence[ConnectionField]] = (
        ConnectionField("url", "Address", "Where Tryton answers, e.g. https://erp.example.com"),
        ConnectionField("database", "Database", "The name of the database, e.g. northstar."),
        ConnectionField(
            "key",
            "Key",
            "A user application key of kind REST API, made in Tryton's user preferences.",
            secret=True,
        ),
    )

    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> TrytonClient:
        return TrytonClient(
            transport,
            self._required(settings, "url"),
            self._required(settings, "database"),
            self._required(credentials, "key"),
        )

    # ------------------------------------------------------------------- check
    def check(self) -> str:
        """Says version, company and how much is readable; see the contract.

        Asks for every field that a sync will ask for, so that a missing right
        shows here and not in the first run.
        """
        search = self._client.search
        company = search("company.company", (), ("party.name",), size=1).rows
        if not company:
            raise ConfigurationError(
                f"The user of the key belongs to no company in {self._client.name}. "
                f"Set the company in that user's preferences in Tryton."
            )
        self._require_sight()
        for stream in STREAMS:
            search(stream.model, stream.domain, stream.fields, size=1)
        search(BILL, (("type", "=", "in"),), mapper.BILL_FIELDS, size=1)
        name = _text(company, "party", "name")
        return f"{self._version()} · company {name} · {self._count()} readable"

    def _version(self) -> str:
        module = self._client.search(
            "ir.module", (("name", "=", "account_payment"),), ("version",), size=1
        ).rows
        return f"Tryton {'.'.join(_text(module, 'version').split('.')[:2])}".strip()

    def _count(self) -> str:
        payments = STREAMS[0]
        found = len(self._client.search(PAYMENT, payments.domain, ("state",), size=COUNTED).rows)
        if found == 1:
            return "1 payment"
        return f"{found:,}{' or more' if found == COUNTED else ''} payments"

    def _require_sight(self) -> None:
        """Proof that an empty answer means empty books, not a user who sees none.

        Payment journals and entries obey the same company rule as payments and
        bills, and nobody pays without either. Raises ``ConfigurationError``.
        """
        for model in (JOURNAL, ENTRY):
            if self._client.search(model, (), ("company",), size=1).rows:
                return
        raise ConfigurationError(
            f"The user of the key sees no books at all in {self._client.name}, so what it sees of "
            f"the payments says nothing. Set the company in that user's preferences."
        )

    # ------------------------------------------------------------------- pages
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """See the contract. Payments first, then the bills with payments of their own."""
        reached = positions(cursor)
        here: Positions = dict(reached)
        if not resume:
            here = {name: self._before(position) for name, position in reached.items()}
        reading = Walk(self._client, self._page_size, self._overlap, reached, here)
        if cursor is None:
            self._require_sight()
        yield from reading.pages(STREAMS[0], self._payments)
        yield from reading.pages(STREAMS[1], mapper.bill_payments, is_last=True)

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        """The stream that is furthest behind; None before each was read to its end once."""
        reached = list(positions(cursor).values())
        known = [each.modified for each in reached if each]
        return min(known) if len(known) == len(reached) else None

    def _before(self, position: Position | None) -> Position | None:
        return position and Position(position.modified - self._overlap)

    def _payments(self, rows: Sequence[msgspec.Raw]) -> mapper.Mapped:
        return mapper.payments(rows, self._numbers)

    def _numbers(self, bill_ids: Sequence[int]) -> dict[int, str]:
        """The vendor's numbers of these bills: REST cannot follow a payment to its bill."""
        if not bill_ids:
            return {}
        fields, size = ("number", "reference"), len(bill_ids)
        return mapper.numbers_of(
            self._client.search(BILL, (("id", "in", bill_ids),), fields, size=size).rows
        )

    def cursor_since(self, day: date) -> Cursor:
        """See the contract. Tryton's moments have no zone: the day began where it begins first."""
        began = first_moment_of(day)
        return {stream.name: as_json(Position(began)) for stream in STREAMS}

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """See the contract. One question a road for every ``IDS_AT_ONCE`` bills."""
        yield from pages_of_bills(self._client, bill_ids, self._page_size, self._payments)

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """See the contract. Two questions, and one for the numbers of the bills."""
        return PaymentSearch(self._client, self._payments).newest(question, limit)

    # ----------------------------------------------------------------- one by id
    def payment(self, remote_id: str) -> RemotePayment:
        """See the contract. Raises ``RecordError`` when Tryton's record cannot be read."""
        kind, _, number = remote_id.partition("-")
        if kind not in {"payment", "line"} or not number.isdecimal():
            raise RecordError(f"“{remote_id}” is not the id of a payment in Tryton.")
        mapped = self._one_payment(int(number)) if kind == "payment" else self._line(int(number))
        for found in mapped.payments:
            if found.remote_id == remote_id:
                return found
        for rejected in mapped.rejected:
            raise RecordError(rejected.reason, detail=rejected.raw)
        self._require_sight()
        raise RecordNotFound(f"{self._client.name} does not know this payment any more.")

    def _one_payment(self, number: int) -> mapper.Mapped:
        domain = (("kind", "=", "payable"), ("id", "=", number))
        return self._payments(
            self._client.search(PAYMENT, domain, mapper.PAYMENT_FIELDS, size=1).rows
        )

    def _line(self, number: int) -> mapper.Mapped:
        domain = (("type", "=", "in"), ("payment_lines", "=", number))
        return mapper.bill_payments(
            self._client.search(BILL, domain, mapper.BILL_PAYMENT_FIELDS, size=1).rows
        )

    # -------------------------------------------------------------------- bills
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """See the contract and ``Bills``."""
        bills = Bills(self._client, self._page_size)
        yield from bills.all_posted() if remote_ids is None else bills.these(remote_ids)


def _text(rows: Sequence[msgspec.Raw], *path: str) -> str:
    """A text to show, from the first record; empty when it is not there."""
    value = msgspec.json.decode(rows[0]) if rows else None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
