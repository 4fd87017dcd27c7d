"""A company with two projects, its people, and a connection, for the pages of the tool."""

import pytest

from commitments.models import Commitment
from erp_integrations.models import (
    ErpConnection,
    RunTrigger,
    SyncRun,
)
from erp_integrations.runs import request_run
from projects.access import Level, Tool
from projects.models import Company, Project, User
from projects.services import grant_level, set_accounting_approver
from tests.factories import (
    CommitmentFactory,
    CompanyFactory,
    ErpConnectionFactory,
    ProjectFactory,
    UserFactory,
    VendorFactory,
)


@pytest.fixture
def northstar() -> Company:
    return CompanyFactory(name="Northstar Builders")


@pytest.fixture
def riverside(northstar: Company) -> Project:
    return ProjectFactory(company=northstar, number="2026-001", name="Riverside Tower")


@pytest.fixture
def harbor(northstar: Company) -> Project:
    return ProjectFactory(company=northstar, number="2026-002", name="Harbor Bridge")


@pytest.fixture
def tryton(northstar: Company) -> ErpConnection:
    return ErpConnectionFactory(company=northstar)


@pytest.fixture
def alice(northstar: Company) -> User:
    """ERP Integrations: Admin."""
    alice = UserFactory(username="alice", first_name="Alice", last_name="Admin")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=northstar)
    return alice


@pytest.fixture
def carla(northstar: Company) -> User:
    """Accounting approver."""
    carla = UserFactory(username="carla", first_name="Carla", last_name="Counts")
    set_accounting_approver(user=carla, company=northstar, is_approver=True)
    return carla


@pytest.fixture
def bob(riverside: Project) -> User:
    """ERP Integrations: Standard, on Riverside only."""
    bob = UserFactory(username="bob")
    grant_level(user=bob, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=riverside)
    return bob


@pytest.fixture
def mallory() -> User:
    """Admin of another company."""
    mallory = UserFactory(username="mallory")
    for tool in Tool:
        grant_level(user=mallory, tool=tool, level=Level.ADMIN, on=CompanyFactory())
    return mallory


@pytest.fixture
def concrete(riverside: Project) -> Commitment:
    vendor = VendorFactory(company=riverside.company, name="Acme Concrete")
    return CommitmentFactory(project=riverside, number="SC-0012", vendor=vendor)


@pytest.fixture
def run(tryton: ErpConnection, alice: User) -> SyncRun:
    return request_run(connection=tryton, trigger=RunTrigger.BUTTON, requested_by=alice)
