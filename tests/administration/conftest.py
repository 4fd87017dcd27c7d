"""A company, its administrators, and one of another company, for the Django admin."""

import pytest

from commitments.models import Commitment
from projects.access import Level, Tool
from projects.models import Company, User
from projects.services import grant_level
from tests.factories import CommitmentFactory, CompanyFactory, ProjectFactory, UserFactory


@pytest.fixture
def northstar() -> Company:
    return CompanyFactory(name="Northstar Builders")


@pytest.fixture
def concrete(northstar: Company) -> Commitment:
    return CommitmentFactory(project=ProjectFactory(company=northstar), number="SC-0012")


@pytest.fixture
def root() -> User:
    return UserFactory(username="root", is_staff=True, is_superuser=True)


@pytest.fixture
def alice(northstar: Company) -> User:
    """Staff, and Admin of both tools of Northstar."""
    return _admin("alice", northstar, *Tool)


@pytest.fixture
def dora(northstar: Company) -> User:
    """Staff, and Admin of Commitments only."""
    return _admin("dora", northstar, Tool.COMMITMENTS)


@pytest.fixture
def mallory() -> User:
    """Staff, and Admin of both tools of another company."""
    return _admin("mallory", CompanyFactory(name="Mallory and Sons"), *Tool)


def _admin(name: str, company: Company, *tools: Tool) -> User:
    person: User = UserFactory(username=name, is_staff=True)
    for tool in tools:
        grant_level(user=person, tool=tool, level=Level.ADMIN, on=company)
    return person
