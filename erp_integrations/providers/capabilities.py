"""What an ERP can do, and what an administrator enters to connect it."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from erp_integrations.providers.errors import ConfigurationError


class RemoteMethod(StrEnum):
    CHECK = "check"
    CREDIT_CARD = "credit_card"
    ELECTRONIC = "electronic"


class Capabilities(msgspec.Struct, frozen=True):
    """What this ERP can do; drives buttons, settings, the sweep and the table in the docs."""

    payment_sync: bool = True
    #: payments are sent to us, and nothing can be asked
    is_pushed: bool = False
    #: ways of paying that the ERP tells apart
    methods: tuple[RemoteMethod, ...] = tuple(RemoteMethod)
    voids: bool = True
    #: payments that wait for a release or a confirmation are told from money that left
    pending: bool = True
    #: one payment of the ERP can pay several bills
    several_bills: bool = True
    #: allocations name the line of the bill
    bill_lines: bool = False
    #: the ERP says which payments were deleted; else only a sweep finds out
    tombstones: bool = False
    sweep: bool = True
    page_size: int = 500
    #: how finely the ERP tells when something changed
    time_resolution_seconds: float = 0.000001
    #: how far behind the cursor the provider re-reads, for rows that became visible late
    overlap_seconds: int = 600
    #: payments of some bills only, which a sync of one project or invoice asks for
    scoped_sync: bool = False
    #: payments can be looked for by number, amount or vendor
    payment_search: bool = False
    export_bills: bool = False
    #: files of an exported invoice go along with it
    attachments: bool = False
    #: longest bill number the ERP takes
    bill_number_length: int = 50
    vendors: bool = False
    jobs: bool = False
    commitments: bool = False
    #: the project and the commitment have to be linked before a bill goes there; off: where
    #: many companies keep no jobs or orders, a bill goes without
    bills_need_links: bool = True
    notifications: bool = False
    #: calls that the ERP allows; None: it sets no limit
    calls_per_minute: int | None = None
    calls_per_day: int | None = None
    calls_at_once: int | None = None
    #: where the ERP is sold or serves its data from; empty: everywhere
    region: str = ""


class ConnectionField(msgspec.Struct, frozen=True):
    """One thing an administrator types to connect this ERP."""

    name: str
    label: str
    help_text: str
    secret: bool = False
    is_required: bool = True
    #: a key in PEM form, say: a box of one line would take its line ends away
    has_lines: bool = False

    def entered(self, values: Mapping[str, str]) -> str:
        """Empty where nothing was."""
        return (values.get(self.name) or "").strip()

    def required(self, values: Mapping[str, str], erp: str) -> str:
        """Raises ``ConfigurationError`` where nothing was entered."""
        if not (value := self.entered(values)):
            raise ConfigurationError(
                f"The connection to {erp} has no “{self.label}” yet. Enter it in its settings."
            )
        return value


#: the field of providers whose ERP signs notifications; nothing arrives until it is filled in
NOTIFICATION_SECRET = ConnectionField(
    "notification_secret",
    "Key of notifications",
    "With it the ERP signs what it sends to the notification address.",
    secret=True,
    is_required=False,
)


#: SaaS ERPs have one address for everybody; another one is for proxies and for stand-ins in tests
VENDORS_OWN_ADDRESS = ConnectionField(
    "url",
    "Address of the API",
    "Leave empty for the vendor's own.",
    is_required=False,
)
