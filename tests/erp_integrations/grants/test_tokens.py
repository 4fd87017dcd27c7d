"""Tokens that are kept: renewed once whoever asks, lost, brought back, never told."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection as database
from django.test import override_settings
from django.utils import timezone

from erp_integrations.grants import tokens
from erp_integrations.grants.tokens import StoredTokens
from erp_integrations.models import (
    ErpConnection,
    Incident,
    OAuthGrant,
    RunState,
)
from erp_integrations.opening import open_provider
from erp_integrations.providers.errors import AuthenticationError, TransientError
from erp_integrations.providers.oauth import GrantLost
from payments.models import Payment
from tests.erp_integrations.conftest import run_sync
from tests.erp_integrations.grants.conftest import Connected, Window
from tests.fakes.books import Books, payment
from tests.fakes.http_server import Reply, Request
from tests.fakes.signed_books import Vendor

# Several workers are several transactions.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connected(window: Window, connection: ErpConnection) -> ErpConnection:
    assert "Connected." in window.connect(connection)
    connection.refresh_from_db()
    return connection


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act answers; they begin together, in threads of their own."""
    gate = threading.Barrier(len(acts))

    def begin(act: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return act()
        finally:
            database.close()

    with ThreadPoolExecutor(len(acts)) as workers:
        return list(workers.map(begin, acts))


def test_a_good_token_is_used_as_it_is(connected: ErpConnection, vendor: Vendor) -> None:
    assert StoredTokens(connected).current() in vendor.authorization.access
    assert vendor.authorization.refreshed == 0


def test_two_workers_renew_once(connected: ErpConnection, vendor: Vendor) -> None:
    OAuthGrant.objects.update(expires_at=timezone.now())
    first, second = StoredTokens(connected), StoredTokens(connected)
    given = at_once(first.current, second.current)
    assert given[0] == given[1]
    assert given[0] in vendor.authorization.access
    assert vendor.authorization.refreshed == 1


def test_workers_whose_token_was_refused_renew_once(
    connected: ErpConnection, vendor: Vendor
) -> None:
    workers = [StoredTokens(connected) for _ in range(4)]
    refused = [worker.current() for worker in workers][0]
    vendor.authorization.expire()
    given = at_once(*(lambda it=worker: it.renewed(refused) for worker in workers))
    assert len(set(given)) == 1
    assert vendor.authorization.refreshed == 1


def test_a_new_refresh_token_is_stored_before_it_is_used(
    connected: ErpConnection, vendor: Vendor
) -> None:
    OAuthGrant.objects.update(expires_at=timezone.now())
    access = StoredTokens(connected).current()
    stored = OAuthGrant.objects.get().token.reveal()
    assert stored == {"access": access, "refresh": next(iter(vendor.authorization.refresh))}


def test_a_database_that_goes_away_while_the_vendor_answers_loses_no_token(
    connected: ErpConnection, vendor: Vendor
) -> None:
    OAuthGrant.objects.update(expires_at=timezone.now())
    answer = vendor.answer

    def cut_the_database(request: Request) -> Reply:
        reply = answer(request)
        if request.path == "/token":
            others = at_once(_end_whoever_waits_in_a_transaction)
            assert others == [1]
        return reply

    vendor.answer = cut_the_database
    access = StoredTokens(connected).current()
    assert OAuthGrant.objects.get().token.reveal()["access"] == access
    assert vendor.authorization.refreshed == 1


def _end_whoever_waits_in_a_transaction() -> int:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = "
            "'idle in transaction' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def test_a_token_that_came_too_late_does_not_replace_a_newer_one(
    connected: ErpConnection, vendor: Vendor
) -> None:
    grant = OAuthGrant.objects.get()
    newer = grant.token.reveal()
    assert not tokens.store(grant.pk, grant.renewals - 1, vendor.authorization.first())
    assert OAuthGrant.objects.get().token.reveal() == newer


def test_whoever_waits_too_long_for_another_worker_gives_up(
    connected: ErpConnection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE", "50ms")
    OAuthGrant.objects.update(expires_at=timezone.now())
    slow = StoredTokens(connected)
    answer, too_long = vendor.answer, []

    def meanwhile(request: Request) -> Reply:
        too_long.append(at_once(lambda: _error_of(StoredTokens(connected).current))[0])
        return answer(request)

    vendor.answer = meanwhile
    assert slow.current() in vendor.authorization.access
    (error,) = too_long
    assert isinstance(error, TransientError)


def _error_of(act: Callable[[], Any]) -> Exception | None:
    try:
        act()
    except Exception as error:
        return error
    return None


def test_a_thread_leaves_no_database_connection_behind(connected: ErpConnection) -> None:
    with ThreadPoolExecutor(1) as reader:
        reader.submit(StoredTokens(connected).current).result()
        assert reader.submit(lambda: database.connection).result() is None


# ----------------------------------------------------------------------- in a sync
def test_a_token_that_runs_out_between_pages_is_renewed_once(
    connected: ErpConnection, vendor: Vendor, books: Books
) -> None:
    books.page_size = 1
    books.put(*(payment(f"p{n}", ("7", "100.00")) for n in range(4)))
    books.before_page = lambda number: vendor.authorization.expire() if number == 3 else None
    run = run_sync(connected)
    assert run.state == RunState.SUCCEEDED
    assert Payment.objects.count() == 4
    assert vendor.authorization.refreshed == 1
    # four pages and the one that was refused
    assert [request.path for request in vendor.requests].count("/page") == 5


def test_a_grant_that_is_gone_stops_the_connection_until_somebody_reconnects(
    connected: ErpConnection, vendor: Vendor, books: Books, window: Window
) -> None:
    books.put(payment("p1", ("7", "100.00")))
    run_sync(connected)
    vendor.authorization.revoke()
    books.put(payment("p2", ("7", "200.00")))
    run = run_sync(connected)
    assert (run.state, run.error_code) == (RunState.FAILED, "GrantLost")
    assert "press “Reconnect”" in connected.stopped_reason
    assert Incident.objects.filter(connection=connected).exists()
    page = window.page(connected)
    assert "Lost on" in page
    assert ">Reconnect</button>" in page

    cursor = connected.cursor
    assert "Connected." in window.connect(connected)
    connected.refresh_from_db()
    assert (connected.stopped_at, connected.cursor) == (None, cursor)
    books.calls.clear()
    assert run_sync(connected).state == RunState.SUCCEEDED
    assert books.calls[0] == f"pages after {cursor}"
    assert Payment.objects.count() == 2


def test_a_grant_that_is_gone_is_not_asked_for_again(
    connected: ErpConnection, vendor: Vendor
) -> None:
    OAuthGrant.objects.update(expires_at=timezone.now())
    vendor.authorization.revoke()
    for _ in range(2):
        with pytest.raises(GrantLost, match="press “Reconnect”"):
            StoredTokens(connected).current()
    assert len(vendor.asked_for_tokens) == 2  # the code, and the one refusal
    assert OAuthGrant.objects.get().token.reveal() == {}


def test_other_credentials_do_not_start_a_connection_whose_grant_is_gone(
    connected: ErpConnection, vendor: Vendor, window: Window
) -> None:
    vendor.authorization.revoke()
    run_sync(connected)
    form = {"name": "Our books", "currency": "USD", "erp_client_secret": "another"}
    form |= {"erp_url": vendor.url, "erp_client_id": "our-app"}
    window.press(connected, "connection", **form)
    connected.refresh_from_db()
    assert "press “Reconnect”" in connected.stopped_reason


def test_a_right_without_a_refresh_token_ends(connected: ErpConnection, vendor: Vendor) -> None:
    grant = OAuthGrant.objects.get()
    grant.token = type(grant.token).of({"access": "a", "refresh": ""})
    grant.expires_at = timezone.now()
    grant.save()
    with pytest.raises(GrantLost, match="gave none that lasts"):
        StoredTokens(connected).current()


def test_a_vendor_that_is_away_takes_nothing_away(connected: ErpConnection, vendor: Vendor) -> None:
    OAuthGrant.objects.update(expires_at=timezone.now())
    vendor.instead_of_token = Reply(503, b"")
    with pytest.raises(TransientError):
        StoredTokens(connected).current()
    vendor.instead_of_token = None
    assert StoredTokens(connected).current() in vendor.authorization.access


def test_disconnecting_ends_what_is_under_way(
    connected: ErpConnection, vendor: Vendor, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED", 0)
    with open_provider(connected) as provider:
        provider.check()
        window.press(connected, "oauth_disconnect")
        with pytest.raises(GrantLost, match="Nobody has connected"):
            provider.check()


# -------------------------------------------------------------- without a person
def test_a_program_that_signs_in_by_itself_keeps_its_token(make: Connected, vendor: Vendor) -> None:
    connection = make("unattended-books")
    assert connection.stopped_at is None
    for _ in range(2):
        with open_provider(connection) as provider:
            provider.check()
    assert len(vendor.asked_for_tokens) == 1
    vendor.authorization.expire()
    with open_provider(connection) as provider:
        provider.check()
    assert len(vendor.asked_for_tokens) == 2


def test_two_workers_sign_in_once(make: Connected, vendor: Vendor) -> None:
    connection = make("unattended-books")
    given = at_once(StoredTokens(connection).current, StoredTokens(connection).current)
    assert given[0] == given[1]
    assert len(vendor.asked_for_tokens) == 1


def test_nobody_is_asked_to_reconnect_what_signs_in_by_itself(
    make: Connected, vendor: Vendor, window: Window
) -> None:
    connection = make("unattended-books")
    vendor.instead_of_token = Reply(400, b'{"error": "invalid_grant"}')
    with pytest.raises(AuthenticationError, match="Enter a valid one") as refused:
        StoredTokens(connection).current()
    assert not isinstance(refused.value, GrantLost)
    assert "Reconnect" not in window.page(connection)


# ------------------------------------------------------------------- the encryption
def test_tokens_are_encrypted_anew_with_the_newest_key(connected: ErpConnection) -> None:
    old = OAuthGrant.objects.get().token
    from django.conf import settings

    newest = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    with override_settings(CREDENTIAL_KEYS=newest):
        call_command("rotate_credentials")
    with override_settings(CREDENTIAL_KEYS=newest[:1]):
        assert OAuthGrant.objects.get().token.reveal()
        assert old.token != OAuthGrant.objects.get().token.token
