"""A project, its people and one commitment, for the tests of both rooms."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commitments.models import Commitment
from projects.access import Level, Tool
from projects.models import Project, User
from projects.services import grant_level
from tests.factories import CommitmentFactory, ProjectFactory, UserFactory, VendorFactory


@pytest.fixture
def riverside() -> Project:
    return ProjectFactory(number="2026-014", name="Riverside Tower")


@pytest.fixture
def concrete(riverside: Project) -> Commitment:
    vendor = VendorFactory(company=riverside.company, name="Acme Concrete LLC")
    return CommitmentFactory(
        project=riverside, vendor=vendor, number="SC-0012", title="Structural concrete"
    )


@pytest.fixture
def alice(riverside: Project) -> User:
    """Commitments: Admin."""
    alice = UserFactory(username="alice", first_name="Alice", last_name="Admin")
    grant_level(user=alice, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=riverside)
    return alice


@pytest.fixture
def bob(riverside: Project) -> User:
    """Commitments: Read-Only."""
    bob = UserFactory(username="bob", first_name="Bob", last_name="Reads")
    grant_level(user=bob, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=riverside)
    return bob


@pytest.fixture
def mallory() -> User:
    """Commitments: Admin, in another company."""
    mallory = UserFactory(username="mallory")
    grant_level(user=mallory, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=ProjectFactory().company)
    return mallory


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def at(commitment: Commitment, name: str, *args: int) -> str:
    """The address of a page of the commitment, e.g. ``payments:detail``."""
    return reverse(name, args=[commitment.project_id, commitment.pk, *args])


def text(page: Any) -> str:
    """What stands on the page, with single spaces and plain quotation marks."""
    body = b"".join(page.streaming_content) if page.streaming else page.content
    plain = body.decode().replace("&#x27;", "'").replace("&quot;", '"').replace("&amp;", "&")
    return " ".join(plain.split())
