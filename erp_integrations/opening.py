"""From a stored connection to a provider that can be asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from erp_integrations.models import ErpConnection
from erp_integrations.providers.contract import Provider
from erp_integrations.providers.registry import provider_class


@contextmanager
def open_provider(connection: ErpConnection) -> Iterator[Provider]:
    """A provider for one run, closed after it.

    Raises ``ConfigurationError`` when the stored settings or credentials cannot be used.
    """
    provider = provider_class(connection.provider)(
        connection.settings,
        connection.credentials.reveal(),
        allow_private_addresses=settings.ERP_PRIVATE_ADDRESSES,
    )
    try:
        yield provider
    finally:
        provider.close()
