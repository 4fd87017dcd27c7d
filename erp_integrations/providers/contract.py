"""What a provider hands to the sync engine, and nothing else crosses that line.

A provider reads one ERP over HTTP and maps its records to these types. It has
no database access, so the next page can be fetched in a thread while this one
is written. The rules the types answer are the fifteen observations about real
ERPs that are described in ``docs/providers.md``.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import msgspec

#: JSON object that only the provider that made it can read.
Cursor = dict[str, Any]


class RemoteStatus(StrEnum):
    """Only *issued* is money that left; *pending* is remembered, not shown."""

    PENDING = "pending"
    ISSUED = "issued"
    VOIDED = "voided"


class RemoteMethod(StrEnum):
    CHECK = "check"
    CREDIT_CARD = "credit_card"
    ELECTRONIC = "electronic"


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
    """

    payments: Sequence[RemotePayment]
    rejected: Sequence[RejectedRecord]
    cursor: Cursor


class RemoteBill(msgspec.Struct, frozen=True):
    """A supplier bill as the ERP states it now; ``paid`` counts issued payments only."""

    remote_id: str
    number: str
    vendor_ref: str
    vendor_name: str
    currency: str
    total: Decimal
    paid: Decimal
    is_posted: bool


class Capabilities(msgspec.Struct, frozen=True):
    """What this ERP can do; drives buttons, settings and the sweep."""

    payment_sync: bool = True
    voids: bool = True
    sweep: bool = True
    page_size: int = 500
    #: how far behind the cursor the provider re-reads, for rows that became visible late
    overlap_seconds: int = 600


class ConnectionField(msgspec.Struct, frozen=True):
    """One thing an administrator types to connect this ERP."""

    name: str
    label: str
    help_text: str
    secret: bool = False


class Provider(Protocol):
    """One reader of one ERP, made for one run and closed after it."""

    code: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    #: non-secret settings (``ConnectionField.secret`` false) and secrets
    fields: ClassVar[Sequence[ConnectionField]]

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

    def check(self) -> str:
        """Prove that address and credentials work; a sentence that names what answered.

        Raises ``AuthenticationError``, ``ConfigurationError`` or ``TransientError``.
        """

    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        """Every payment that changed since ``cursor`` (None: all there are), oldest change first.

        A fresh run re-reads ``capabilities.overlap_seconds`` before the cursor;
        with ``resume`` the same run goes on exactly after it. Always ends with
        at least one page, so that a run without changes still has a cursor.
        """

    def payment(self, remote_id: str) -> RemotePayment:
        """One payment. Raises ``RecordNotFound`` only when the ERP says it does not exist."""

    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        """These bills, or all posted ones; what reconciliation and linking ask."""

    def close(self) -> None:
        """Give the connections back."""
