"""From a stored connection to a provider that can be asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from erp_integrations.file_drop.source import DroppedStatements
from erp_integrations.grants.standing import asks_a_person
from erp_integrations.grants.tokens import StoredTokens
from erp_integrations.models import ErpConnection
from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.oauth import Tokens
from erp_integrations.providers.registry import provider_class


@contextmanager
def open_provider(connection: ErpConnection) -> Iterator[Provider]:
    """A provider for one run, closed after it.

    Raises ``ConfigurationError`` when the stored settings or credentials cannot be used.
    """
    made = provider_class(connection.provider)
    wanted = made.tenant_setting
    chooses = wanted and asks_a_person(connection.provider, connection.settings)
    if chooses and not connection.settings.get(wanted):
        raise ConfigurationError(NO_TENANT.format(erp=made.label))
    with open_to_choose(connection) as provider:
        yield provider


@contextmanager
def open_to_choose(connection: ErpConnection, tokens: Tokens | None = None) -> Iterator[Provider]:
    """The same before anybody has chosen which of the ERP's companies is read.

    ``tokens``: instead of the stored ones.
    """
    made = provider_class(connection.provider)
    options: dict[str, Any] = {"allow_private_addresses": settings.ERP_PRIVATE_ADDRESSES}
    if made.uses_oauth:
        options["tokens"] = tokens or StoredTokens(connection)
    if made.wants_statements:
        options["statements"] = DroppedStatements(connection)
    provider = made(connection.settings, connection.credentials.reveal(), **options)
    try:
        yield provider
    finally:
        provider.close()


NO_TENANT = (
    "Nobody has chosen yet which company of {erp} is read. An administrator has to press “Choose "
    "company” in the settings of the connection."
)
