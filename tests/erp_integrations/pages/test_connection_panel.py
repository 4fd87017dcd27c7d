"""What the page says about the schedule and the connection."""

import pytest

from erp_integrations.models import (
    ErpConnection,
    SyncSchedule,
)
from projects.models import Company, User
from tests.erp_integrations.pages.reading import BUTTON, browser, text, url

pytestmark = pytest.mark.django_db


def test_never_says_that_automatic_sync_is_off(
    alice: User, tryton: ErpConnection, northstar: Company
) -> None:
    ErpConnection.objects.update(sync_schedule=SyncSchedule.NEVER, next_sync_at=None)
    page = text(browser(alice).get(url(northstar)))
    assert "Never: automatic sync is off" in page and BUTTON in page


def test_the_connection_is_shown_without_its_secrets(
    alice: User, carla: User, tryton: ErpConnection, northstar: Company
) -> None:
    ErpConnection.objects.update(settings={"url": "https://me:pass@erp.example.com/?k=1"})
    page = text(browser(alice).get(url(northstar)))
    assert "https://erp.example.com/" in page and "Carla Counts" in page
    assert "me:pass" not in page and "k=1" not in page


def test_only_those_who_may_change_it_are_led_to_the_settings(
    alice: User, carla: User, tryton: ErpConnection, northstar: Company
) -> None:
    assert "Settings of the connection" in text(browser(alice).get(url(northstar)))
    assert "Settings of the connection" not in text(browser(carla).get(url(northstar)))
