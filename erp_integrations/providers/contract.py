"""What a provider hands to the sync engine, and nothing else crosses that line.

A provider reads one ERP over HTTP and maps its records to these types. It has
no database access, so the next page can be fetched in a thread while this one
is written. The rules the types answer are the fifteen observations about real
ERPs that are described in ``docs/providers.md``.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import msgspec

from erp_integrations.providers.capabilities import NOTIFICATION_SECRET as NOTIFICATION_SECRET
from erp_integrations.providers.capabilities import Capabilities as Capabilities
from erp_integrations.providers.capabilities import ConnectionField as ConnectionField
from erp_integrations.providers.capabilities import RemoteMethod as RemoteMethod
from erp_integrations.providers.errors import NotOffered
from erp_integrations.providers.oauth import Authorization

#: JSON object that only the provider that made it can read.
Cursor = dict[str, Any]


class RemoteStatus(StrEnum):
    """Only *issued* is money that left; *pending* is remembered, not shown."""

    PENDING = "pending"
    ISSUED = "issued"
    VOIDED = "voided"


class RemoteAllocation(msgspec.Struct, frozen=True, gc=False):
    """The part of one payment that was applied to one bill (or bill line)."""

    bill_id: str
    bill_number: str
    amount: Decimal
    bill_line_id: str = ""
    discount: Decimal = Decimal(0)


class RemotePayment(msgspec.Struct, frozen=True):
    """One payment as the ERP states it now.

    ``remote_id`` is stable for ever: where an ERP re-uses names it includes the
    creation time. ``check_number`` is not a key in either direction.
    ``modified_at`` is aware UTC. Amounts are in ``currency``, never rounded.
    """

    remote_id: str
    number: str
    status: RemoteStatus
    method: RemoteMethod
    date: date
    currency: str
    total: Decimal
    modified_at: datetime
    allocations: tuple[RemoteAllocation, ...]
    check_number: str = ""
    vendor_ref: str = ""
    vendor_name: str = ""
    memo: str = ""


class RejectedRecord(msgspec.Struct, frozen=True):
    """A record that could not be mapped; the rest of its page still goes in.

    ``remote_id`` is empty when not even the id could be read. ``raw`` is what
    the ERP sent, cut to a size that is safe to keep.
    """

    remote_id: str
    reason: str
    raw: str


class Page(msgspec.Struct, frozen=True):
    """One page of records and the place up to which everything has been read.

    ``cursor`` may be stored once the page is stored: asking again from it
    repeats nothing but the provider's overlap and loses nothing. It never lies
    past the ERP's own clock at the start of the reading.

    ``deleted``: ids of payments that the ERP says were deleted, where
    ``capabilities.tombstones`` is on. Ids that were never stored are no trouble.
    ``misses_deletions``: the ERP does not know any more what was deleted since the
    cursor, so that only a sweep can tell.
    """

    payments: Sequence[RemotePayment]
    rejected: Sequence[RejectedRecord]
    cursor: Cursor
    deleted: Sequence[str] = ()
    misses_deletions: bool = False


class RemoteBill(msgspec.Struct, frozen=True):
    """A supplier bill as the ERP states it now; ``paid`` counts issued payments only.

    A cancelled bill is as good as a deleted one: nothing is owed on it.
    """

    remote_id: str
    number: str
    vendor_ref: str
    vendor_name: str
    currency: str
    total: Decimal
    paid: Decimal
    is_posted: bool
    is_cancelled: bool = False


class BillLine(msgspec.Struct, frozen=True):
    """One line of a bill that is exported; retainage is a line of its own, below zero."""

    description: str
    amount: Decimal
    cost_code: str = ""
    is_retainage: bool = False


class BillToExport(msgspec.Struct, frozen=True):
    """A subcontractor invoice on its way into the ERP; its lines add up to the payment due.

    ``key`` is written into the ERP's bill and never used twice: by it the bill
    is found again when the answer to its creation was lost.
    """

    key: str
    number: str
    vendor_ref: str
    commitment_ref: str
    project_ref: str
    billing_date: date
    accounting_date: date
    currency: str
    description: str
    lines: tuple[BillLine, ...]

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


class Tenant(msgspec.Struct, frozen=True):
    """One of several companies' books that a sign-in can open (``Provider.tenants``)."""

    remote_id: str
    name: str


class RemoteVendor(msgspec.Struct, frozen=True):
    """A company that the ERP can pay. ``code`` is what people see, as in the two below."""

    remote_id: str
    code: str
    name: str


class RemoteJob(msgspec.Struct, frozen=True):
    """What the ERP has for a project."""

    remote_id: str
    code: str
    name: str


class RemoteCommitment(msgspec.Struct, frozen=True):
    """A subcontract or purchase order of the ERP."""

    remote_id: str
    code: str
    title: str
    vendor_ref: str
    vendor_name: str
    total: Decimal
    currency: str
    #: True, False, or None where the ERP does not tell the two apart
    is_subcontract: bool | None = None
    ordered_on: date | None = None
    project_ref: str = ""


class PaymentQuestion(msgspec.Struct, frozen=True):
    """What somebody knows of a payment; every part that is given has to fit."""

    #: check number or the ERP's own number
    number: str = ""
    amount: Decimal | None = None
    vendor: str = ""


class Notice(msgspec.Struct, frozen=True):
    """What a notification of an ERP says has changed. ``event_id`` is the same when it repeats."""

    event_id: str
    payment_ids: tuple[str, ...] = ()
    bill_ids: tuple[str, ...] = ()


class Statements(Protocol):
    """What was stated to this server and is stored here, for a provider that reads it as pages.

    Rows are numbered in the order in which they became readable.
    """

    def after(self, row: int, size: int) -> Sequence[tuple[int, RemotePayment]]:
        """The next ones, with their numbers."""

    def before(self, moment: datetime) -> int:
        """The last number before those that arrived at this moment or later."""

    def newest(self, remote_id: str) -> RemotePayment | None: ...
    def bills(self, remote_ids: Sequence[str] | None) -> Iterator[RemoteBill]: ...


class Provider(ABC):
    """One reader of one ERP, made for one run and closed after it.

    What an ERP cannot do is left as it is here: its capability is off, nothing
    asks for it, and asking all the same raises ``NotOffered``.
    """

    code: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    #: non-secret settings (``ConnectionField.secret`` false) and secrets
    fields: ClassVar[Sequence[ConnectionField]]
    #: what somebody must have at hand to connect it, as a sentence for the list of ERPs;
    #: empty: said from the labels of ``fields``
    needs: ClassVar[str] = ""
    #: a person connects it in the browser, or it fetches its own tokens: see ``oauth``.
    #: The class is then made with ``tokens=`` besides, an ``oauth.Tokens``.
    uses_oauth: ClassVar[bool] = False
    #: the setting that holds which of the ``tenants`` is read; empty: there is only one
    tenant_setting: ClassVar[str] = ""
    #: what it reads is stored here: the class is made with ``statements=`` besides
    wants_statements: ClassVar[bool] = False
    #: settings that say how the books are reached and not which they are, so that they may change
    ways: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def __init__(
        self,
        settings: Mapping[str, str],
        credentials: Mapping[str, str],
        *,
        allow_private_addresses: bool = False,
    ) -> None:
        """``settings`` and ``credentials`` hold the values of ``fields``, by name.

        Raises ``ConfigurationError`` when one is missing or cannot be right.
        """

    @property
    def calls(self) -> int:
        """Requests sent to the ERP so far, repeated ones included."""
        return 0

    @abstractmethod
    def check(self) -> str:
        """Prove that address and credentials work; a sentence that names what answered.

        Raises ``AuthenticationError``, ``ConfigurationError`` or ``TransientError``.
        """

    @abstractmethod
    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """Every payment that changed since ``cursor`` (None: all there are), oldest change first.

        A fresh run re-reads ``capabilities.overlap_seconds`` before the cursor;
        with ``resume`` the same run goes on exactly after it. Always ends with
        at least one page, so that a run without changes still has a cursor.
        """

    @abstractmethod
    def payment(self, remote_id: str) -> RemotePayment:
        """One payment. Raises ``RecordNotFound`` only when the ERP says it does not exist."""

    @abstractmethod
    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """These bills, or all posted ones; what reconciliation and linking ask.

        Bills that do not exist are left out. At most ``ceil(ids / page size)`` calls.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the connections back."""

    @classmethod
    def read_until(cls, cursor: Cursor) -> datetime | None:
        """The ERP's time up to which ``cursor`` has read; None where that cannot be told."""
        return None

    def hurry(self) -> None:  # noqa: B027  most tests' providers have nothing to wait for
        """Somebody waits in front of a page: from here on give up within seconds, once."""

    # ------------------------------------------------ what not every ERP can do
    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        """Where its tokens come from; asked only where ``uses_oauth`` is on."""
        raise NotOffered(cls.label, "OAuth")

    @classmethod
    def books_besides(cls, settings: Mapping[str, str]) -> dict[str, str]:
        """What tells these books from others and hides in a setting that says who signs in."""
        return {}

    @classmethod
    def sign_in_proof(
        cls, settings: Mapping[str, str], credentials: Mapping[str, str]
    ) -> dict[str, str]:
        """What a program that signs in by itself sends besides its client ID (a signed JWT …)."""
        return {}

    @classmethod
    def settings_of_grant(cls, answer: Mapping[str, str]) -> dict[str, str]:
        """Settings that the ERP's redirect back to us carried (QuickBooks: ``realmId``)."""
        return {}

    def tenants(self) -> list[Tenant]:
        """The companies that the sign-in can open, for ``tenant_setting``."""
        raise NotOffered(self.label, "a choice of companies")

    def cursor_since(self, day: date) -> Cursor:
        """A cursor from which ``pages`` reads what was entered or changed since that day began."""
        raise NotOffered(self.label, "a back-fill from a date")

    def payments_on(self, bill_ids: Sequence[str]) -> Iterator[Page]:
        """Every payment, whole, that touches one of these bills; the pages have empty cursors."""
        raise NotOffered(self.label, "a sync of single bills")

    def find_payments(self, question: PaymentQuestion, *, limit: int) -> list[RemotePayment]:
        """The newest payments that fit; at most ``limit``."""
        raise NotOffered(self.label, "a search for payments")

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """Make the bill, post it, and say what the ERP made of it.

        Looks for ``bill.key`` first, and finishes what it finds half done:
        called again after any failure it ends with exactly one bill. Raises
        ``RecordError`` when the ERP refuses this bill, with what to do about it.
        """
        raise NotOffered(self.label, "an export of bills")

    def find_bill(self, key: str) -> RemoteBill:
        """The bill that was exported with this key. Raises ``RecordNotFound``."""
        raise NotOffered(self.label, "an export of bills")

    def vendors(self, search: str = "") -> Iterator[RemoteVendor]:
        """Vendors whose code or name has the text; all of them without one."""
        raise NotOffered(self.label, "its vendors")

    def jobs(self, search: str = "") -> Iterator[RemoteJob]:
        """Jobs whose code or name has the text."""
        raise NotOffered(self.label, "its jobs")

    def commitments(self, search: str = "") -> Iterator[RemoteCommitment]:
        """Confirmed subcontracts and purchase orders whose number or title has the text."""
        raise NotOffered(self.label, "its purchase orders")

    @classmethod
    def read_notification(
        cls, headers: Mapping[str, str], body: bytes, secret: str
    ) -> list[Notice]:
        """What a notification says. Raises ``AuthenticationError`` for a wrong signature.

        Raises ``RecordError`` for one that cannot be read. Header names are in
        lower case; ``secret`` is what was entered for ``NOTIFICATION_SECRET``,
        which has to be among ``fields``. Bills are looked at only where
        ``capabilities.scoped_sync`` is on.
        """
        raise NotOffered(cls.label, "notifications")
