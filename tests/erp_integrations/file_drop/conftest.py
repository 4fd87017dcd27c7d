"""A company whose books arrive as files, and what people drop."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from commitments.models import SubcontractorInvoice
from erp_integrations.file_drop import mappings, services, sniffing
from erp_integrations.file_drop.mappings import layout_of_file, sample_of
from erp_integrations.models import DroppedFile, ErpConnection, FileSource
from erp_integrations.providers.file_drop.columns import proposed
from projects.models import Company, User
from projects.services import set_accounting_approver
from tests.factories import (
    CommitmentFactory,
    CompanyFactory,
    ErpConnectionFactory,
    InvoiceFactory,
    ProjectFactory,
    UserFactory,
    VendorFactory,
)

HEADER = "Check No,Check Date,Vendor,Vendor Name,Invoice No,Amount Paid"
Drop = Callable[..., DroppedFile]


@pytest.fixture(autouse=True)
def files_go_to_a_folder_of_the_test(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def northstar(db: None) -> Company:
    return CompanyFactory(name="Northstar Builders")


@pytest.fixture
def connection(northstar: Company) -> ErpConnection:
    return ErpConnectionFactory(
        company=northstar, provider="file_drop", name="Sage 300 CRE", settings={}
    )


@pytest.fixture
def carla(northstar: Company) -> User:
    """Accounting approver."""
    carla = UserFactory(username="carla", first_name="Carla", last_name="Counts")
    set_accounting_approver(user=carla, company=northstar, is_approver=True)
    return carla


@pytest.fixture
def invoice(northstar: Company) -> SubcontractorInvoice:
    """Acme's INV-1 of 5,000, approved and not linked to anything."""
    project = ProjectFactory(company=northstar, name="Riverside Tower")
    acme = VendorFactory(company=northstar, name="Acme Concrete LLC", code="V-ACME")
    commitment = CommitmentFactory(project=project, vendor=acme, number="SC-0012")
    return InvoiceFactory(commitment=commitment, invoice_number="INV-1")


def content_of(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


@pytest.fixture
def drop(connection: ErpConnection, carla: User) -> Drop:
    """Somebody uploads a file, chooses its columns if it asks, and a worker reads it."""

    def drop(content: bytes, *, name: str = "register.csv", **chosen: Any) -> DroppedFile:
        file = services.receive(
            connection=connection,
            content=io.BytesIO(content),
            name=name,
            source=FileSource.UPLOAD,
            by=carla,
        )
        if file.state == "asking":
            choose(file, carla, **chosen)
        services.read(file.pk)
        file.refresh_from_db()
        return file

    return drop


def choose(file: DroppedFile, by: User, **chosen: Any) -> DroppedFile:
    """What the page does: everything that is proposed, and what the test chooses."""
    layout = layout_of_file(file)
    with file.file.open("rb") as content:
        sample = sample_of(content, layout, file.header_line)
    columns = chosen.pop("columns", proposed(sample.header))
    told = mappings.told_by(sample, columns)
    return services.choose_columns(
        file=file,
        layout=layout,
        header_line=file.header_line,
        header=sample.header,
        columns=columns,
        by=by,
        **{
            "date_order": told.date_order or "mdy",
            "decimal_mark": told.decimal_mark or ".",
            "method": "check",
            **chosen,
        },
    )


def first_rows(content: bytes) -> list[tuple[int, list[object]]]:
    file = io.BytesIO(content)
    return sniffing.first_rows(file, sniffing.layout_of(file), 30)
