"""Writes what changed on a connection: a row a field, old and new in words, never a secret."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from erp_integrations.credentials import Credentials
from erp_integrations.models import ConnectionEvent, ErpConnection
from erp_integrations.providers.registry import find_provider
from projects.models import User

#: what people call the fields, here and on the Settings page
LABELS = {
    "name": "Name",
    "provider": "ERP",
    "currency": "Currency",
    "is_active": "Connection",
    "sync_schedule": "Sync Payments for Synced Invoices",
    "export_subcontractor_invoices": "Export Subcontractor Invoices",
    "direct_export": "ERP Direct Exports",
    "override_invoice_number": "Override Subcontractor Invoice Number",
    "sends_email": "E-mail",
    "payment_email_delay_hours": "Wait before “payment recorded” e-mail",
    "raw_retention_days": "Retention of raw payloads",
}
_UNITS = {"payment_email_delay_hours": "hours", "raw_retention_days": "days"}

#: label → words
Words = dict[str, str]


def in_words(connection: ErpConnection) -> Words:
    """Everything that people set on the connection, except its credentials."""
    words = {label: _word(connection, name) for name, label in LABELS.items()}
    return words | _settings_in_words(connection)


def record_changes(connection: ErpConnection, before: Words, by: User | None) -> None:
    """Write a row for each word that differs from ``before``."""
    after = in_words(connection)
    for label in {**before, **after}:
        old, new = before.get(label, ""), after.get(label, "")
        if old != new:
            record(connection, label, old, new, by)


def record_credentials(
    connection: ErpConnection, before: Credentials, after: Credentials, by: User | None
) -> None:
    """Write that credentials were entered or replaced, and which, but not what they are."""
    labels = _labels(connection)
    for name, value in after.items():
        if before.get(name) != value:
            old = "Stored" if before.get(name) else ""
            record(connection, labels.get(name, name), old, "Replaced" if old else "Entered", by)


def record(connection: ErpConnection, label: str, old: str, new: str, by: User | None) -> None:
    ConnectionEvent.objects.create(
        company_id=connection.company_id,
        connection=connection,
        actor=by,
        label=label[:100],
        old=old[:500],
        new=new[:500],
    )


def _word(connection: ErpConnection, name: str) -> str:
    value = getattr(connection, name)
    if isinstance(value, bool):
        return "On" if value else "Off"
    if name == "provider":
        provider = find_provider(connection.provider)
        return provider.label if provider else connection.provider
    if name == "sync_schedule":
        return str(connection.schedule.label)
    return f"{value} {_UNITS[name]}" if name in _UNITS else str(value)


def _settings_in_words(connection: ErpConnection) -> Words:
    labels, stored = _labels(connection), connection.settings
    provider = find_provider(connection.provider)
    # Which company of the ERP is read is written down by its name, where that is known.
    chosen = provider.tenant_setting if provider else ""
    return {
        labels.get(name, name.replace("_", " ").capitalize()): without_sign_in(str(value))
        for name, value in stored.items()
        if name != chosen or name in labels
    }


def _labels(connection: ErpConnection) -> Mapping[str, str]:
    provider = find_provider(connection.provider)
    return {field.name: field.label for field in (provider.fields if provider else ())}


def without_sign_in(value: str) -> str:
    """An address without the name and password that some people type into it."""
    if "://" not in value:
        return value
    parts = urlsplit(value)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
