"""How a connection signs in to Xero: OAuth 2, with addresses of Xero or of a stand-in.

Apps registered since March 2026 get only the narrow scopes below; those that are
older have had them too since April 2026, besides the broad ones that end in 2027.
"""

from collections.abc import Mapping

from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS
from erp_integrations.providers.oauth import Authorization

API = "https://api.xero.com"
LOGIN = "https://login.xero.com"
IDENTITY = "https://identity.xero.com"
#: bills and credit notes are written, all else is only read
SCOPES = (
    "offline_access",
    "accounting.invoices",
    "accounting.payments.read",
    "accounting.contacts.read",
    "accounting.settings.read",
)


def api_address(settings: Mapping[str, str]) -> str:
    return _own(settings) or API


def authorization(settings: Mapping[str, str]) -> Authorization:
    """With an address of one's own in the settings, everything lies below it."""
    own = _own(settings)
    return Authorization(
        token_url=f"{own or IDENTITY}/connect/token",
        authorize_url=f"{own or LOGIN}/identity/connect/authorize",
        scopes=SCOPES,
        uses_pkce=True,
    )


def _own(settings: Mapping[str, str]) -> str:
    return VENDORS_OWN_ADDRESS.entered(settings).rstrip("/")
