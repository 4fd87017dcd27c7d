"""The services that write connections."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from erp_integrations import connections
from erp_integrations.models import ErpConnection, RunTrigger, SyncSchedule
from erp_integrations.runs import request_run
from tests.erp_integrations.rows import erp_payment_of
from tests.factories import CompanyFactory

pytestmark = pytest.mark.django_db

SETTINGS = {"url": "http://127.0.0.1:1", "database": "books"}


@pytest.fixture
def tryton() -> ErpConnection:
    return connections.connect(
        company=CompanyFactory(currency="CAD"),
        by=None,
        provider="tryton",
        name="Tryton",
        settings=SETTINGS,
        credentials={"key": "first"},
    )


def changed(connection: ErpConnection, **values: Any) -> ErpConnection:
    settings = {"settings": SETTINGS, "credentials": {}, "provider": "tryton", "name": "Tryton"}
    return connections.change_connection(connection=connection, by=None, **{**settings, **values})


def test_a_connection_takes_its_companys_currency(tryton: ErpConnection) -> None:
    assert tryton.currency == "CAD"


def test_credentials_are_not_readable_in_the_database(tryton: ErpConnection) -> None:
    assert b"first" not in tryton.credentials.token


def test_an_unknown_erp_is_refused() -> None:
    with pytest.raises(ValidationError, match="There is no provider “sap”"):
        connections.check_settings(provider="sap", settings={}, credentials={})


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        (SyncSchedule.HOURLY, 1),
        (SyncSchedule.EVERY_2_HOURS, 2),
        (SyncSchedule.EVERY_4_HOURS, 4),
        (SyncSchedule.DAILY, 24),
    ],
)
def test_a_schedule_sets_the_next_sync(
    tryton: ErpConnection, schedule: SyncSchedule, hours: int
) -> None:
    connections.change_settings(connection=tryton, by=None, sync_schedule=SyncSchedule.NEVER)
    after = connections.change_settings(connection=tryton, by=None, sync_schedule=schedule)
    assert after.next_sync_at is not None
    ahead = after.next_sync_at - timezone.now()
    assert timedelta(hours=hours * 0.99) < ahead < timedelta(hours=hours * 1.06)


def test_the_same_schedule_does_not_put_the_next_sync_off(tryton: ErpConnection) -> None:
    after = connections.change_settings(
        connection=tryton, by=None, sync_schedule=SyncSchedule.HOURLY
    )
    assert after.next_sync_at == tryton.next_sync_at


def test_never_has_no_next_sync(tryton: ErpConnection) -> None:
    after = connections.change_settings(
        connection=tryton, by=None, sync_schedule=SyncSchedule.NEVER
    )
    assert after.next_sync_at is None


def test_other_books_before_the_first_payment_start_from_the_beginning(
    tryton: ErpConnection,
) -> None:
    ErpConnection.objects.update(cursor={"payments": "2026-07-06"})
    after = changed(tryton, settings={**SETTINGS, "database": "other"})
    assert after.cursor is None and after.settings["database"] == "other"


def test_other_books_after_the_first_payment_are_refused(tryton: ErpConnection) -> None:
    erp_payment_of(tryton)
    with pytest.raises(ValidationError, match="another set of books"):
        changed(tryton, settings={**SETTINGS, "url": "http://127.0.0.1:2"})


def test_a_new_name_changes_nothing_else(tryton: ErpConnection) -> None:
    ErpConnection.objects.update(stopped_at=timezone.now(), cursor={"payments": 1})
    after = changed(tryton, name="Books")
    assert after.name == "Books" and after.stopped_at and after.cursor == {"payments": 1}


def test_switching_on_gives_a_new_chance(tryton: ErpConnection) -> None:
    connections.change_settings(connection=tryton, by=None, is_active=False)
    later = timezone.now() + timedelta(hours=1)
    ErpConnection.objects.update(circuit_open_until=later, consecutive_failures=4)
    after = connections.change_settings(connection=tryton, by=None, is_active=True)
    assert after.circuit_open_until is None and after.consecutive_failures == 0


def test_a_connection_with_a_sync_under_way_is_not_deleted(tryton: ErpConnection) -> None:
    request_run(connection=tryton, trigger=RunTrigger.SCHEDULE)
    with pytest.raises(ValidationError, match="A sync is under way"):
        connections.remove_connection(connection=tryton, by=None)


@override_settings(ERP_PRIVATE_ADDRESSES=False)
@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://10.0.0.8",
        "http://169.254.169.254/latest",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://erp.internal",
        "http://localhost.",
    ],
)
def test_private_addresses_need_the_operators_word(address: str) -> None:
    with pytest.raises(ValidationError, match="inside a private network"):
        connections.check_address(address)


@override_settings(ERP_PRIVATE_ADDRESSES=False)
def test_a_public_address_is_fine() -> None:
    connections.check_address("https://erp.example.com:8443/path")


@pytest.mark.parametrize("address", ["http://[::1", "http://erp:port", "https://"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="names no server"):
        connections.check_address(address)


def test_credentials_move_to_the_newest_key(tryton: ErpConnection, settings: Any) -> None:
    old, new = settings.CREDENTIAL_KEYS[0], Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, old]
    call_command("rotate_credentials")
    settings.CREDENTIAL_KEYS = [new]
    tryton.refresh_from_db()
    assert tryton.credentials.reveal() == {"key": "first"}


def test_credentials_that_no_key_opens_are_named(tryton: ErpConnection, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="Tryton"):
        call_command("rotate_credentials")
