"""What administrators decide about a connection. What syncing learns is written by the engine."""

import ipaddress
from collections.abc import Mapping, Sequence
from copy import copy
from typing import TypedDict, Unpack
from urllib.parse import urlsplit

from django.conf import settings as deployment
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from erp_integrations.connection_history import (
    in_words,
    record,
    record_changes,
    record_credentials,
)
from erp_integrations.credentials import Credentials, EncryptedCredentials
from erp_integrations.grants.standing import missing_right, signs_in_with
from erp_integrations.grants.tokens import encrypt_anew, forget
from erp_integrations.models import ErpConnection, SyncSchedule
from erp_integrations.opening import open_provider
from erp_integrations.providers.connections import is_public
from erp_integrations.providers.contract import ConnectionField
from erp_integrations.providers.errors import ConfigurationError, ErpError
from erp_integrations.providers.registry import find_provider, provider_class
from erp_integrations.runs import next_sync_after
from projects.models import Company, User
from projects.services import announce_enabled

#: settings that say who asks, not which books are read
SIGN_IN_SETTINGS = frozenset({"user", "username", "login", "email", "client_id"})

OTHER_BOOKS = (
    "Payments were read from {name} already. Another ERP, address or database would be another "
    "set of books, and the payments of both would mix. If the same ERP has moved, let its old "
    "address lead to the new one."
)
HAS_PAYMENTS = (
    "Payments were read through this connection, so it cannot be deleted. Switch it off instead: "
    "nothing is read from the ERP then, and everything that came stays."
)
HAS_ACTIVE_RUN = "A sync is under way. Cancel it or wait for its end, then delete the connection."
NO_SCHEME = "Enter the address with http:// or https:// in front, e.g. https://erp.example.com."
NO_HOST = "The address names no server. Enter one such as https://erp.example.com."
PRIVATE = (
    "This address lies inside a private network. The operator of this server can allow such "
    "addresses with ERP_PRIVATE_ADDRESSES."
)


class Settings(TypedDict, total=False):
    """What ``change_settings`` changes: fields of ``ErpConnection`` by their names."""

    is_active: bool
    sync_schedule: SyncSchedule
    export_subcontractor_invoices: bool
    direct_export: bool
    override_invoice_number: bool
    sends_email: bool
    payment_email_delay_hours: int
    raw_retention_days: int


@transaction.atomic
def connect(
    *,
    company: Company,
    by: User | None,
    provider: str,
    name: str,
    settings: Mapping[str, str],
    credentials: Credentials,
    currency: str = "",
    **chosen: Unpack[Settings],
) -> ErpConnection:
    """Connect a company to its ERP. Nothing is asked of the ERP yet; ``test_connection`` does."""
    check_settings(provider=provider, settings=settings, credentials=credentials)
    connection = ErpConnection(
        company=company,
        provider=provider,
        name=name,
        settings=dict(settings),
        credentials=EncryptedCredentials.of(credentials),
        currency=currency or company.currency,
        **chosen,
    )
    connection.next_sync_at = next_sync_after(timezone.now(), connection)
    connection.full_clean()
    connection.save()
    record(connection, "Connection", "", f"{name} connected", by)
    return give_new_chance(connection=connection)


@transaction.atomic
def change_connection(
    *,
    connection: ErpConnection,
    by: User | None,
    provider: str,
    name: str,
    settings: Mapping[str, str],
    credentials: Credentials,
    currency: str = "",
) -> ErpConnection:
    """Change where and how the ERP is asked; a credential left empty keeps its stored value.

    A changed connection gets a new chance: what stopped it may be mended now.
    """
    connection = _locked(connection)
    merged = check_change(
        connection=connection, provider=provider, settings=settings, credentials=credentials
    )
    if books(provider, settings) != books(connection.provider, connection.settings):
        connection.cursor = None
    words, stored = in_words(connection), _stored_credentials(connection)
    before = (connection.provider, connection.settings, stored)
    connection.provider, connection.name, connection.settings = provider, name, dict(settings)
    connection.credentials = EncryptedCredentials.of(merged)
    connection.currency = currency or connection.currency
    if signs_in_with(*before) != signs_in_with(provider, settings, merged):
        forget(connection)  # a token never goes to another server than the one that gave it
    if (provider, dict(settings), merged) != before:
        _give_new_chance(connection)
    connection.save()
    record_changes(connection, words, by)
    record_credentials(connection, stored, merged, by)
    return connection


def check_change(
    *,
    connection: ErpConnection,
    provider: str,
    settings: Mapping[str, str],
    credentials: Credentials,
) -> Credentials:
    """Raises ``ValidationError`` for a change that cannot be; the credentials as they would be."""
    kept = _stored_credentials(connection) if provider == connection.provider else {}
    merged = {**kept, **{key: value for key, value in credentials.items() if value}}
    check_settings(provider=provider, settings=settings, credentials=merged)
    other_books = books(provider, settings) != books(connection.provider, connection.settings)
    if other_books and connection.payments.exists():
        raise ValidationError(OTHER_BOOKS.format(name=connection.name))
    return merged


@transaction.atomic
def change_settings(
    *, connection: ErpConnection, by: User | None, **changes: Unpack[Settings]
) -> ErpConnection:
    """Switch features on or off, set the schedule, e-mail and retention; the rest stays.

    Off loses nothing: reading goes on where it was. *Never* leaves the button.
    """
    connection = _locked(connection)
    before, was = in_words(connection), copy(connection)
    for name, value in changes.items():
        setattr(connection, name, value)
    others = {field.name for field in ErpConnection._meta.fields} - set(changes)
    connection.clean_fields(exclude=others)
    if connection.is_active and not was.is_active:
        _give_new_chance(connection)
    if connection.schedule != was.schedule:
        connection.next_sync_at = next_sync_after(timezone.now(), connection)
    connection.save()
    record_changes(connection, before, by)
    if connection.export_subcontractor_invoices and not was.export_subcontractor_invoices:
        announce_enabled(connection.company_id)
    return connection


@transaction.atomic
def give_new_chance(*, connection: ErpConnection) -> ErpConnection:
    """Forget what stopped the connection; it stays stopped where somebody has to sign in first."""
    connection = _locked(connection)
    _give_new_chance(connection)
    connection.save()
    return connection


@transaction.atomic
def remove_connection(*, connection: ErpConnection, by: User | None) -> ErpConnection:
    """Delete a connection that never read a payment, with the runs that tried."""
    connection = _locked(connection)
    if connection.payments.exists():
        raise ValidationError(HAS_PAYMENTS)
    if connection.runs.active().exists():
        raise ValidationError(HAS_ACTIVE_RUN)
    record(connection, "Connection", connection.name, "Removed", by)
    connection.issues.all().delete()
    connection.runs.all().delete()
    connection.delete()
    return connection


@transaction.atomic
def rotate_credentials(*, connection: ErpConnection, by: User | None) -> ErpConnection:
    """Encrypt the stored credentials and tokens anew with the newest key."""
    connection = _locked(connection)
    encrypt_anew(connection)
    connection.credentials = connection.credentials.rotated()
    connection.save(update_fields=["credentials", "updated_at"])
    record(connection, "Encryption of the credentials", "", "With the newest key", by)
    return connection


def test_connection(connection: ErpConnection) -> str:
    """Ask the ERP who it is: a sentence. Raises ``ErpError``. Call it outside a transaction."""
    with open_provider(connection) as provider:
        return provider.check()


test_connection.__test__ = False  # type: ignore[attr-defined]  # pytest: this is no test


def check_settings(
    *, provider: str, settings: Mapping[str, str], credentials: Mapping[str, str]
) -> None:
    """Raises ``ValidationError`` when the provider could not be made from these values."""
    try:
        made = provider_class(provider)
    except ConfigurationError as error:
        raise ValidationError({"provider": str(error)}) from error
    _check_addresses(made.fields, settings)
    try:
        made(
            settings, credentials, allow_private_addresses=deployment.ERP_PRIVATE_ADDRESSES
        ).close()
    except ErpError as error:
        raise ValidationError(str(error)) from error


def check_address(url: str) -> None:
    """Raises ``ValidationError`` when the URL cannot be an ERP that we may ask.

    Names are looked up, and their addresses vetted, when the connection is made.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError as error:
        raise ValidationError(NO_HOST) from error
    if parts.scheme not in ("http", "https"):
        raise ValidationError(NO_SCHEME)
    if not host:
        raise ValidationError(NO_HOST)
    if not deployment.ERP_PRIVATE_ADDRESSES and _is_private(host):
        raise ValidationError(PRIVATE)


def books(provider: str, settings: Mapping[str, str]) -> dict[str, str]:
    """What identifies a set of books: the ERP, its address, its database."""
    made = find_provider(provider)
    others = SIGN_IN_SETTINGS | (made.ways if made else frozenset())
    identity = {key: value for key, value in settings.items() if value and key not in others}
    besides = made.books_besides(settings) if made else {}
    return {**identity, **besides, "provider": provider}


def _check_addresses(fields: Sequence[ConnectionField], settings: Mapping[str, str]) -> None:
    problems: dict[str, ValidationError] = {}
    for field in fields:
        if field.name.endswith("url") and settings.get(field.name):
            try:
                check_address(settings[field.name])
            except ValidationError as error:
                problems[field.name] = error
    if problems:
        raise ValidationError(problems)


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return not is_public(host)


def _stored_credentials(connection: ErpConnection) -> Credentials:
    """The stored ones, or none where no key opens them: then all have to be typed again."""
    try:
        stored: Credentials = connection.credentials.reveal()
        return stored
    except ConfigurationError:
        return {}


def _give_new_chance(connection: ErpConnection) -> None:
    missing = missing_right(connection)
    connection.stopped_at = timezone.now() if missing else None
    connection.stopped_reason = missing[:500]
    connection.circuit_open_until, connection.consecutive_failures = None, 0


def _locked(connection: ErpConnection) -> ErpConnection:
    return ErpConnection.objects.select_for_update().get(pk=connection.pk)
