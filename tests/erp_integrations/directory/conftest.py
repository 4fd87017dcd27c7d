"""A company with an ERP in memory, and people who may link there."""

from collections.abc import Iterator

import pytest

from commitments.models import Commitment
from erp_integrations.models import ErpConnection
from erp_integrations.providers import registry
from projects.access import Level, Tool
from projects.models import Company, Project, User, Vendor
from projects.services import grant_level, set_accounting_approver
from tests.factories import (
    CommitmentFactory,
    CompanyFactory,
    ErpConnectionFactory,
    ProjectFactory,
    UserFactory,
    VendorFactory,
)
from tests.fakes import books as fake
from tests.fakes.books import Books, BooksProvider


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    monkeypatch.setattr(fake, "BOOKS", Books())
    with registry.registered(BooksProvider):
        yield fake.BOOKS


@pytest.fixture
def company(db: None) -> Company:
    return CompanyFactory(name="Northstar Builders")


@pytest.fixture
def connection(company: Company) -> ErpConnection:
    return ErpConnectionFactory(company=company, provider="books", settings={}, name="Tryton")


@pytest.fixture
def project(company: Company) -> Project:
    return ProjectFactory(company=company, number="2026-014", name="Riverside Tower")


@pytest.fixture
def vendor(company: Company) -> Vendor:
    return VendorFactory(company=company, name="Pine Ridge Masonry, L.L.C.", code="V-PINE")


@pytest.fixture
def commitment(project: Project, vendor: Vendor) -> Commitment:
    return CommitmentFactory(project=project, vendor=vendor, number="SC-2026-040", title="Masonry")


@pytest.fixture
def alice(company: Company) -> User:
    """ERP Integrations: Admin."""
    alice = UserFactory(username="alice", first_name="Alice", last_name="Admin")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=company)
    return alice


@pytest.fixture
def carla(company: Company) -> User:
    """Standard and accounting approver."""
    carla = UserFactory(username="carla", first_name="Carla", last_name="Counts")
    grant_level(user=carla, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=company)
    set_accounting_approver(user=carla, company=company, is_approver=True)
    return carla


@pytest.fixture
def sam(company: Company) -> User:
    """Standard on the whole company: may look."""
    sam = UserFactory(username="sam")
    grant_level(user=sam, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=company)
    return sam


@pytest.fixture
def bob(project: Project) -> User:
    """Standard on one project only."""
    bob = UserFactory(username="bob")
    grant_level(user=bob, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=project)
    return bob
