"""How the program signs in at Sage Intacct: OAuth 2, by a person or by a Web Services user."""

from collections.abc import Mapping

from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS, ConnectionField
from erp_integrations.providers.oauth import Authorization

VENDORS_ADDRESS = "https://api.intacct.com"
API = "/ia/api/v1"
USERNAME = ConnectionField(
    "username",
    "Web Services user",
    "Leave empty if somebody signs in for this connection. A Web Services user needs nobody: "
    "user@company, or user@company|entity.",
    is_required=False,
)


def api_address(settings: Mapping[str, str]) -> str:
    own = VENDORS_OWN_ADDRESS.entered(settings).rstrip("/")
    return f"{own or VENDORS_ADDRESS}{API}"


def authorization(settings: Mapping[str, str]) -> Authorization:
    """Client credentials where a Web Services user is named, else the authorization code.

    Without ``offline_access`` there is no refresh token, and the grant ends after
    twelve hours.
    """
    address, username = api_address(settings), USERNAME.entered(settings)
    return Authorization(
        token_url=f"{address}/oauth2/token",
        authorize_url="" if username else f"{address}/oauth2/authorize",
        scopes=() if username else ("offline_access",),
        uses_pkce=not username,
        client_in_header=False,
        token_extra=(("username", username),) if username else (),
    )
