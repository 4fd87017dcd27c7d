"""Raw payloads are forgotten when the company's days for them are over."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from erp_integrations import retention
from erp_integrations.models import ErpConnection, InboundNotification, SyncIssue
from tests.factories import ErpConnectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tryton() -> ErpConnection:
    return ErpConnectionFactory(raw_retention_days=30)


def issue_of(connection: ErpConnection, days: int) -> SyncIssue:
    issue = SyncIssue.objects.create(
        company=connection.company, connection=connection, code="unusable_record",
        message="The amount is no number.", remote_id=f"p{days}", raw='{"amount": "x"}',
    )  # fmt: skip
    SyncIssue.objects.update(created_at=timezone.now() - dt.timedelta(days=days))
    return issue


def notification_of(connection: ErpConnection, state: str, days: int) -> InboundNotification:
    made = InboundNotification.objects.create(
        company=connection.company, connection=connection, event_id=state, payload="{}",
        state=state,
    )  # fmt: skip
    old = timezone.now() - dt.timedelta(days=days)
    InboundNotification.objects.filter(pk=made.pk).update(received_at=old)
    return made


def test_an_old_payload_is_emptied_and_its_issue_stays(tryton: ErpConnection) -> None:
    issue = issue_of(tryton, 31)
    assert retention.forget_raw_payloads() == 1
    issue.refresh_from_db()
    assert (issue.raw, issue.message) == ("", "The amount is no number.")


def test_a_younger_one_is_kept(tryton: ErpConnection) -> None:
    issue = issue_of(tryton, 29)
    assert retention.forget_raw_payloads() == 0
    issue.refresh_from_db()
    assert issue.raw


def test_each_company_has_its_own_days(tryton: ErpConnection) -> None:
    longer = ErpConnectionFactory(raw_retention_days=60)
    kept, gone = issue_of(longer, 45), issue_of(tryton, 45)
    retention.forget_raw_payloads()
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert kept.raw and not gone.raw


def test_a_notification_that_waits_keeps_what_it_said(tryton: ErpConnection) -> None:
    done, waits = (notification_of(tryton, state, 31) for state in ("done", "waiting"))
    retention.forget_raw_payloads()
    done.refresh_from_db()
    waits.refresh_from_db()
    assert (done.payload, waits.payload) == ("", "{}")


def test_many_are_emptied_in_batches(tryton: ErpConnection, monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in range(31, 36):
        issue_of(tryton, days)
    assert retention.forget_raw_payloads() == 5
