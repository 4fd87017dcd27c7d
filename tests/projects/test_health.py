"""What whoever keeps the application running asks it."""

import logging
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from kombu.exceptions import OperationalError as BrokerError

from erp_integrations.tasks import recover_stopped_runs
from procore_sync import health

UP = {"database": "up", "broker": "up", "scheduler": "up"}


@pytest.fixture
def beating() -> Iterator[None]:
    cache.set(health.HEARTBEAT, True)
    yield
    cache.delete(health.HEARTBEAT)


@pytest.fixture
def broker_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.CHECKS, "broker", lambda: True)


def test_the_process_says_it_is_alive_without_asking_anything_else() -> None:
    # No database mark: a query would fail the test.
    answer = Client().get("/livez")

    assert answer.status_code == 200
    assert answer.content == b"ok\n"


@pytest.mark.django_db
@pytest.mark.usefixtures("beating", "broker_up")
def test_everything_up_is_ready() -> None:
    answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "parts": UP}


@pytest.mark.django_db
@pytest.mark.usefixtures("beating", "broker_up")
def test_without_a_database_it_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def cursor() -> None:
        raise OperationalError("connection to 10.1.2.3 as app refused")

    monkeypatch.setattr(connection, "cursor", cursor)
    with caplog.at_level(logging.CRITICAL):
        answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"] == UP | {"database": "down"}
    assert b"10.1.2.3" not in answer.content


@pytest.mark.django_db
@pytest.mark.usefixtures("beating")
def test_without_a_broker_pages_still_work_so_it_is_ready(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def connection_for_write() -> None:
        raise BrokerError("redis://:secret@broker")

    monkeypatch.setattr(health.app, "connection_for_write", connection_for_write)
    with caplog.at_level(logging.CRITICAL):
        answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["parts"] == UP | {"broker": "down"}
    assert b"secret" not in answer.content


@pytest.mark.django_db
@pytest.mark.usefixtures("broker_up")
def test_a_scheduler_that_has_stopped_is_named() -> None:
    cache.delete(health.HEARTBEAT)

    assert Client().get("/readyz").json()["parts"] == UP | {"scheduler": "down"}


@pytest.mark.django_db
@pytest.mark.usefixtures("broker_up")
def test_the_task_that_beat_rings_most_often_is_its_sign_of_life() -> None:
    cache.delete(health.HEARTBEAT)
    recover_stopped_runs()

    assert Client().get("/readyz").json()["parts"] == UP
