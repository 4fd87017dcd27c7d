"""An invoice that was sent, an ERP that takes it, and an accountant who may export it."""

from collections.abc import Iterator
from typing import Any

import pytest

from commitments.models import SubcontractorInvoice
from erp_integrations.exporting import engine, services
from erp_integrations.models import ErpConnection, InvoiceExport
from erp_integrations.providers import registry
from projects.access import Level, Tool
from projects.models import Company, ErpStatus, User
from projects.services import grant_level, set_accounting_approver
from tests.factories import (
    CommitmentFactory,
    ErpConnectionFactory,
    InvoiceFactory,
    ProjectFactory,
    UserFactory,
    VendorFactory,
)
from tests.fakes import bill_books as fake
from tests.fakes.bill_books import BillBooks, BillBooksProvider


@pytest.fixture
def erp(monkeypatch: pytest.MonkeyPatch) -> Iterator[BillBooks]:
    monkeypatch.setattr(fake, "BOOKS", BillBooks())
    with registry.registered(BillBooksProvider):
        yield fake.BOOKS


def sent_invoice(commitment: Any = None, **fields: Any) -> SubcontractorInvoice:
    """On a commitment that is linked to the ERP with everything it needs."""
    invoice: SubcontractorInvoice = InvoiceFactory(
        commitment=commitment or linked_commitment(), **{"erp_status": ErpStatus.SENT, **fields}
    )
    return invoice


def linked_commitment(project: Any = None, **fields: Any) -> Any:
    project = project or ProjectFactory(origin_id="11")
    vendor = VendorFactory(company=project.company, origin_id=f"v{project.pk}")
    given = {"project": project, "vendor": vendor, "origin_id": f"po{vendor.pk}"}
    return CommitmentFactory(**(given | fields))


def approver_of(company: Company, name: str = "accountant") -> User:
    person: User = UserFactory(username=name)
    grant_level(user=person, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=company)
    set_accounting_approver(user=person, company=company, is_approver=True)
    return person


@pytest.fixture
def invoice(db: None) -> SubcontractorInvoice:
    return sent_invoice()


@pytest.fixture
def connection(erp: BillBooks, invoice: SubcontractorInvoice) -> ErpConnection:
    made: ErpConnection = ErpConnectionFactory(
        company=invoice.company, provider="bill-books", settings={}
    )
    return made


@pytest.fixture
def accountant(connection: ErpConnection) -> User:
    return approver_of(connection.company)


def accept(invoice: SubcontractorInvoice, by: User, **fields: Any) -> InvoiceExport:
    fields.setdefault("erp_number", invoice.invoice_number)
    fields.setdefault("accounting_date", invoice.billing_date)
    return services.accept(invoice=invoice, by=by, **fields)


def export(invoice: SubcontractorInvoice, by: User, **fields: Any) -> InvoiceExport:
    """Accepted, and worked on here and now."""
    made = accept(invoice, by, **fields)
    return work_on(made)


def work_on(export: InvoiceExport) -> InvoiceExport:
    engine.work_on(export.pk)
    export.refresh_from_db()
    export.invoice.refresh_from_db()
    return export
