"""The line above Payments Issued that says how fresh they are."""

import datetime as dt

import pytest

from commitments.models import Commitment
from erp_integrations import freshness
from erp_integrations.models import (
    ErpConnection,
)
from projects.access import Level, Tool
from projects.models import Project, User
from projects.services import grant_level
from tests.erp_integrations.pages.reading import url
from tests.factories import (
    UserFactory,
)

pytestmark = pytest.mark.django_db


def test_payments_issued_says_how_fresh_it_is(
    tryton: ErpConnection, concrete: Commitment, riverside: Project
) -> None:
    ErpConnection.objects.update(last_success_at=dt.datetime(2026, 7, 6, 15, tzinfo=dt.UTC))
    reader = UserFactory()
    grant_level(user=reader, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=riverside)
    line = freshness.last_synced(concrete, reader)
    assert line is not None
    assert line["text"] == "Last synced with Tryton: 07/06/2026 11:00 AM EDT."
    assert line["url"] == ""


def test_the_history_is_linked_for_those_who_may_open_it(
    bob: User, tryton: ErpConnection, concrete: Commitment, riverside: Project
) -> None:
    line = freshness.last_synced(concrete, bob)
    assert line is not None
    assert line["url"] == url(riverside, "runs")
    assert line["text"] == "Payments were not synced with Tryton yet."


def test_without_an_erp_there_is_no_such_line(bob: User, concrete: Commitment) -> None:
    assert freshness.last_synced(concrete, bob) is None
