"""Who and what is in the demo company, as plain data. What the ERP has is in its books."""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from commitments.models import CommitmentKind, InvoiceStatus
from commitments.models.change_order import ChangeOrderStatus
from projects.access import Level, Tool
from projects.models import ErpStatus

COMPANY, OTHER_COMPANY = "Northstar General Contractors", "Westwind Contractors"
TIME_ZONE = "America/New_York"
PASSWORD = "procore-sync-demo"  # noqa: S105 - printed for everybody who starts the demo
RIVERSIDE, HARBOR, LAKESIDE = "2026-014", "2026-021", "2026-030"


class DemoProject(NamedTuple):
    number: str
    name: str
    address: str


PROJECTS = (
    DemoProject(RIVERSIDE, "Riverside Tower", "410 River Street, Albany, NY"),
    DemoProject(HARBOR, "Harbor Point Garage", "22 Dock Road, Portland, ME"),
    DemoProject(LAKESIDE, "Lakeside Elementary School", "75 Lake Avenue, Burlington, VT"),
)


class Right(NamedTuple):
    """A level in a tool, on a project or (``""``) on the company."""

    tool: Tool
    level: Level
    project: str = ""


class DemoPerson(NamedTuple):
    username: str
    first_name: str
    last_name: str
    rights: tuple[Right, ...] = ()
    is_approver: bool = False
    is_superuser: bool = False


PEOPLE = (
    DemoPerson("admin", "Dana", "Whitfield", is_superuser=True),
    DemoPerson(
        "accountant",
        "Priya",
        "Raman",
        rights=(
            Right(Tool.ERP_INTEGRATIONS, Level.STANDARD),
            Right(Tool.COMMITMENTS, Level.ADMIN),
        ),
        is_approver=True,
    ),
    DemoPerson(
        "pm",
        "Marcus",
        "Oyelaran",
        rights=(
            Right(Tool.COMMITMENTS, Level.READ_ONLY, RIVERSIDE),
            Right(Tool.COMMITMENTS, Level.READ_ONLY, HARBOR),
        ),
    ),
    DemoPerson(
        "viewer",
        "Elena",
        "Kowalski",
        rights=(
            Right(Tool.COMMITMENTS, Level.READ_ONLY, RIVERSIDE),
            Right(Tool.ERP_INTEGRATIONS, Level.STANDARD, RIVERSIDE),
        ),
    ),
    DemoPerson("stranger", "Tom", "Hale"),
)
OTHER_PERSON = DemoPerson(
    "elsewhere",
    "Ingrid",
    "Solberg",
    rights=tuple(Right(tool, Level.ADMIN) for tool in Tool),
    is_approver=True,
)


class DemoChange(NamedTuple):
    number: str
    title: str
    status: ChangeOrderStatus
    amount: Decimal


class DemoInvoice(NamedTuple):
    """An invoice that the ERP does not have (yet)."""

    number: str
    due: Decimal
    status: InvoiceStatus
    erp_status: ErpStatus
    erp_message: str = ""
    date: dt.date = dt.date(2026, 11, 13)


class DemoContract(NamedTuple):
    """A commitment; ``lines`` are cost code, description and share of the sum in percent."""

    number: str
    project: str
    lines: tuple[tuple[str, str, int], ...]
    changes: tuple[DemoChange, ...] = ()
    invoices: tuple[DemoInvoice, ...] = ()
    retainage: Decimal = Decimal(0)
    #: the rest is in the ERP's books for commitments that the ERP has
    kind: CommitmentKind = CommitmentKind.SUBCONTRACT
    title: str = ""
    vendor: str = ""
    total: Decimal = Decimal(0)
    is_private: bool = False
    allow_payments: bool = True
    ssov_status: str = "Approved"


_APPROVED, _PENDING = ChangeOrderStatus.APPROVED, ChangeOrderStatus.PENDING_IN_REVIEW

CONTRACTS = (
    DemoContract(
        "SC-2024-001",
        RIVERSIDE,
        lines=(
            ("03-100", "Footings and foundation walls", 30),
            ("03-300", "Slab on grade", 25),
            ("03-310", "Elevated decks", 45),
        ),
        changes=(
            DemoChange("CO-001", "Deeper footings at grid C", _APPROVED, Decimal("3250.00")),
            DemoChange("CO-002", "Ramp at loading dock", _PENDING, Decimal("1800.00")),
        ),
        invoices=(
            DemoInvoice(
                "ACME-1004", Decimal("6200.00"), InvoiceStatus.APPROVED, ErpStatus.NOT_SENT
            ),
        ),
        retainage=Decimal(5),
    ),
    DemoContract(
        "SC-2024-003",
        RIVERSIDE,
        lines=(
            ("09-200", "Metal framing", 45),
            ("09-250", "Gypsum board", 40),
            ("09-260", "Shaft wall", 15),
        ),
        changes=(
            DemoChange("CO-001", "Extra layer at stair 2", _APPROVED, Decimal("2140.50")),
            DemoChange(
                "CO-002", "Level 5 finish in lobby", ChangeOrderStatus.DRAFT, Decimal("4400.00")
            ),
        ),
        invoices=(
            DemoInvoice("KEY-306", Decimal("5120.40"), InvoiceStatus.APPROVED, ErpStatus.SENT),
            DemoInvoice(
                "KEY-307",
                Decimal("1980.00"),
                InvoiceStatus.UNDER_REVIEW,
                ErpStatus.NOT_SENT,
                date=dt.date(2026, 11, 20),
            ),
        ),
        retainage=Decimal(10),
    ),
    DemoContract(
        "SC-2024-002",
        HARBOR,
        lines=(
            ("26-050", "Rough-in", 40),
            ("26-500", "Fixtures", 45),
            ("26-700", "Trim and testing", 15),
        ),
        invoices=(
            DemoInvoice(
                "BOLT-80",
                Decimal("4310.00"),
                InvoiceStatus.APPROVED,
                ErpStatus.FAILED,
                "The ERP has no open period for 11/13/2026. Open it there, then export again.",
            ),
        ),
        retainage=Decimal(5),
    ),
    DemoContract(
        "PO-2024-001",
        LAKESIDE,
        lines=(
            ("26-510", "Corridor fixtures", 60),
            ("26-520", "Lobby pendants and exit signs", 40),
        ),
        invoices=(
            DemoInvoice(
                "LUM-8806",
                Decimal("2260.00"),
                InvoiceStatus.APPROVED_AS_NOTED,
                ErpStatus.REJECTED,
                "Only 40 of 48 fixtures were received. Bill the rest after delivery.",
            ),
        ),
        ssov_status="",
    ),
    DemoContract(
        "SC-2026-010",
        RIVERSIDE,
        lines=(("07-500", "Membrane roofing", 80), ("07-620", "Flashing", 20)),
        title="Roofing",
        vendor="Summit Roofing Inc",
        total=Decimal("58900.00"),
        is_private=True,
        ssov_status="Under Review",
    ),
    DemoContract(
        "SC-2026-011",
        HARBOR,
        lines=(("32-120", "Asphalt paving", 70), ("32-170", "Striping and signs", 30)),
        invoices=(
            DemoInvoice("GP-201", Decimal("8400.00"), InvoiceStatus.APPROVED, ErpStatus.NOT_SENT),
        ),
        title="Paving and striping",
        vendor="Granite Paving Co",
        total=Decimal("37400.00"),
        allow_payments=False,
    ),
)
OTHER_CONTRACT = DemoContract(
    "SC-0001",
    "W-100",
    lines=(("31-200", "Excavation", 100),),
    title="Earthwork",
    vendor="Prairie Earthworks LLC",
    total=Decimal("125000.00"),
)
OTHER_PROJECT = DemoProject("W-100", "Westwind Depot", "9 Rail Street, Omaha, NE")

#: billing periods: every month from the first to the last, which is open
FIRST_MONTH, LAST_MONTH = dt.date(2026, 6, 1), dt.date(2026, 11, 1)
