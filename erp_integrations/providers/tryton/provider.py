"""Tryton as the sync sees it: two roads to the same money, read as one list of payments.

``account.payment`` holds what went through a payment journal (id
``payment-<n>``). The "Pay" button of a bill makes a journal entry and no such
record; it is found on the bill, among ``payment_lines`` (id ``line-<n>``). No
money is on both: a payment through a clearing journal never appears there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

import msgspec

from erp_integrations.providers.contract import (
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    RemoteBill,
    RemotePayment,
)
from erp_integrations.providers.errors import (
    ConfigurationError,
    ProtocolError,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.http import Limits, RetryPolicy
from erp_integrations.providers.tryton import mapper
from erp_integrations.providers.tryton.client import TrytonClient, timestamp
from erp_integrations.providers.tryton.directory import TrytonDirectory

PAYMENT, BILL = "account.payment", "account.invoice"
JOURNAL, ENTRY = "account.payment.journal", "account.move"
CHANGE_ORDER = (("last_modified_at", "ASC"), ("id", "ASC"))
#: a draft is a thought; everything after it is at least on its way
STATES = sorted(set(mapper.STATUSES) - {"draft"})
#: ids in one question, so that its address stays short enough for any proxy
IDS_AT_ONCE = 200
COUNTED = 1000
#: the Date header has whole seconds
CLOCK_STEP = timedelta(seconds=1)


class Position(NamedTuple):
    """A place in the order of changes; everything up to and including it was read."""

    modified: datetime
    id: int = 0


#: by stream; None: from the beginning
Positions = dict[str, Position | None]


class Stream(NamedTuple):
    """One kind of record that holds payments, and how to read it."""

    name: str
    model: str
    domain: Sequence[Any]
    fields: Sequence[str]


STREAMS = (
    Stream(
        "payments",
        PAYMENT,
        (("kind", "=", "payable"), ("state", "in", STATES)),
        mapper.PAYMENT_FIELDS,
    ),
    Stream(
        "bills",
        BILL,
        (("type", "=", "in"), ("payment_lines", "!=", None)),
        mapper.BILL_PAYMENT_FIELDS,
    ),
)


class TrytonProvider(TrytonDirectory):
    """Reads one Tryton database over its REST API; writes nothing."""

    code: ClassVar[str] = "tryton"
    label: ClassVar[str] = "Tryton"
    capabilities: ClassVar[Capabilities] = Capabilities(vendors=True, jobs=True, commitments=True)
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

    def __init__(
        self,
        settings: Mapping[str, str],
        credentials: Mapping[str, str],
        *,
        allow_private_addresses: bool = False,
        page_size: int | None = None,
        overlap_seconds: int | None = None,
        limits: Limits | None = None,
        retries: RetryPolicy | None = None,
    ) -> None:
        self._client = TrytonClient(
            _required(settings, "url"),
            _required(settings, "database"),
            _required(credentials, "key"),
            allow_private=allow_private_addresses,
            limits=limits,
            retries=retries,
        )
        self._page_size = page_size or self.capabilities.page_size
        overlap = self.capabilities.overlap_seconds if overlap_seconds is None else overlap_seconds
        self._overlap = timedelta(seconds=overlap)

    def close(self) -> None:
        self._client.close()

    @property
    def calls(self) -> int:
        return self._client.calls

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
        reached = _positions(cursor)
        here: Positions = dict(reached)
        if not resume:
            here = {name: self._before(position) for name, position in reached.items()}
        reading = _Reading(self._client, self._page_size, self._overlap, reached, here)
        if cursor is None:
            self._require_sight()
        yield from reading.pages(STREAMS[0], self._payments)
        yield from reading.pages(STREAMS[1], mapper.bill_payments, is_last=True)

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
        """See the contract. Bills that do not exist are left out.

        Raises ``ProtocolError`` when a bill cannot be read: a comparison of
        two books that skips some of them would be worse than none.
        """
        if remote_ids is None:
            yield from self._all_bills()
            return
        wanted = sorted({int(each) for each in remote_ids if each.isdecimal()})
        for start in range(0, len(wanted), IDS_AT_ONCE):
            some = wanted[start : start + IDS_AT_ONCE]
            yield from map(self._bill, self._bill_rows((("id", "in", some),), len(some)))

    def _all_bills(self) -> Iterator[RemoteBill]:
        last = 0
        while True:
            domain = (("state", "in", ["posted", "paid"]), ("id", ">", last))
            found = [self._bill(row) for row in self._bill_rows(domain, self._page_size)]
            yield from found
            if len(found) < self._page_size:
                return
            last = self._advanced(last, int(found[-1].remote_id))

    def _advanced(self, before: int, after: int) -> int:
        if after <= before:
            raise ProtocolError(f"{self._client.name} does not keep its own order of bills.")
        return after

    def _bill_rows(self, domain: Sequence[Any], size: int) -> list[msgspec.Raw]:
        supplier = (("type", "=", "in"), *domain)
        return self._client.search(BILL, supplier, mapper.BILL_FIELDS, size=size).rows

    def _bill(self, row: msgspec.Raw) -> RemoteBill:
        try:
            return mapper.bill(row)
        except (ValueError, ArithmeticError) as error:
            raise ProtocolError(
                f"{self._client.name} sent a bill that cannot be read: {error}.",
                detail=bytes(row)[: mapper.RAW_SIZE].decode(errors="replace"),
            ) from error


class _Reading:
    """One walk through the streams: where it is, and what may be stored of that."""

    def __init__(
        self,
        client: TrytonClient,
        page_size: int,
        overlap: timedelta,
        reached: Positions,
        here: Positions,
    ) -> None:
        self._client = client
        self._page_size = page_size
        self._overlap = overlap
        #: where earlier runs ended; never given up for an earlier place
        self._reached = reached
        self._here = here
        self._clock: datetime | None = None

    def pages(
        self,
        stream: Stream,
        mapped: Callable[[Sequence[msgspec.Raw]], mapper.Mapped],
        *,
        is_last: bool = False,
    ) -> Iterator[Page]:
        """The stream from here to its end; the last stream always gives a page."""
        while True:
            rows = self._next_rows(stream)
            is_done = len(rows) < self._page_size
            self._move(stream.name, rows, is_done=is_done)
            payments, rejected = mapped(rows) if rows else mapper.Mapped([], [])
            if is_done:
                self._settle(stream.name)
            if rows or (is_done and is_last):
                yield Page(payments, rejected, self._cursor())
            if is_done:
                return

    def _next_rows(self, stream: Stream) -> list[msgspec.Raw]:
        found = self._client.search(
            stream.model,
            (*stream.domain, *_after(self._here[stream.name])),
            stream.fields,
            size=self._page_size,
            order=CHANGE_ORDER,
        )
        self._clock = self._clock or found.server_time
        return found.rows

    def _move(self, name: str, rows: Sequence[msgspec.Raw], *, is_done: bool) -> None:
        key = mapper.last_key(rows)
        before = self._here[name]
        if key is not None and (before is None or Position(*key) > before):
            self._here[name] = Position(*key)
        elif not is_done:
            raise ProtocolError(
                f"{self._client.name} does not keep its own order of changes, so it cannot be read "
                f"without a risk of losing some."
            )

    def _settle(self, name: str) -> None:
        """At its end a stream is read up to now, less the time that rows may be late."""
        ends = [self._here[name], self._reached[name], Position(self._now() - self._overlap)]
        self._here[name] = max(end for end in ends if end is not None)

    def _now(self) -> datetime:
        if self._clock is None:
            raise AssertionError("the clock is known from the first answer on")
        return self._clock

    def _cursor(self) -> Cursor:
        """What may be stored: nothing past the ERP's clock at the start."""
        latest = Position(self._now() + CLOCK_STEP)
        return {
            name: position and _as_json(min(position, latest))
            for name, position in self._here.items()
        }


def _required(values: Mapping[str, str], name: str) -> str:
    value = (values.get(name) or "").strip()
    if not value:
        label = next(field.label for field in TrytonProvider.fields if field.name == name)
        raise ConfigurationError(f"The connection to Tryton has no {label.lower()} yet.")
    return value


def _text(rows: Sequence[msgspec.Raw], *path: str) -> str:
    """A text to show, from the first record; empty when it is not there."""
    value = msgspec.json.decode(rows[0]) if rows else None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _after(position: Position | None) -> Sequence[Any]:
    """The part of a domain that leaves out what was read: a key, not an offset.

    Several records share a moment, and rows move while pages are turned.
    """
    if position is None:
        return ()
    moment = timestamp(position.modified)
    later = (("last_modified_at", ">", moment),)
    same = (("last_modified_at", "=", moment), ("id", ">", position.id))
    return (("OR", later, same),)


def _positions(cursor: Cursor | None) -> Positions:
    """Raises ``ConfigurationError`` for a cursor that this provider did not make."""
    try:
        return {stream.name: _position((cursor or {}).get(stream.name)) for stream in STREAMS}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            "The stored place of the last sync cannot be read. Reset it, so that the next sync "
            "reads everything again; nothing is lost or doubled by that."
        ) from error


def _position(stored: Mapping[str, Any] | None) -> Position | None:
    if stored is None:
        return None
    return Position(datetime.fromisoformat(stored["modified"]).astimezone(UTC), int(stored["id"]))


def _as_json(position: Position) -> dict[str, Any]:
    return {"modified": position.modified.isoformat(), "id": position.id}
