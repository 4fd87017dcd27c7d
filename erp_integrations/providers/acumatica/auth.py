"""How somebody signs in to Acumatica: OAuth 2 at the instance itself, for one of its tenants.

The tenant is a part of the client ID (``…@Tenant``), so an app of one tenant
never sees another one's books.
"""

from collections.abc import Mapping

from erp_integrations.providers.contract import ConnectionField
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.oauth import CLIENT_SECRET, Authorization

URL = ConnectionField(
    "url",
    "Address",
    "Where you open Acumatica, e.g. https://example.acumatica.com; with the name of the instance "
    "behind it if there is one.",
)
CLIENT_ID = ConnectionField(
    "client_id",
    "Client ID",
    "As Connected Applications (SM303010) shows it, with the tenant behind the @.",
)
FIELDS = (URL, CLIENT_ID, CLIENT_SECRET)
#: offline_access: a refresh token, and one session that all access tokens share
SCOPES = ("api", "offline_access")


ERP = "Acumatica"


def tenant_of(settings: Mapping[str, str]) -> str:
    """Raises ``ConfigurationError`` for a client ID that does not say it."""
    _, _, tenant = CLIENT_ID.required(settings, ERP).rpartition("@")
    if "@" not in settings[CLIENT_ID.name] or not tenant:
        raise ConfigurationError(
            "The client ID names no tenant. Copy it from Connected Applications (SM303010) with "
            "everything behind the @."
        )
    return tenant


def authorization(settings: Mapping[str, str]) -> Authorization:
    """The instance is its own authorization server."""
    connect = f"{URL.required(settings, ERP).rstrip('/')}/identity/connect"
    return Authorization(
        token_url=f"{connect}/token",
        authorize_url=f"{connect}/authorize",
        scopes=SCOPES,
        client_in_header=False,
    )
