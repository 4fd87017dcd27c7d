"""Where QuickBooks Online is, and how a person lets this program into one company's books.

Intuit's authorization server is one for everybody; the API has a host for real
companies and one for developers' test companies. Which company was chosen at
the sign-in comes back with the redirect, as ``realmId``.
"""

from collections.abc import Mapping

from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.oauth import Authorization

PRODUCTION = "https://quickbooks.api.intuit.com"
SANDBOX = "https://sandbox-quickbooks.api.intuit.com"
AUTHORIZE = "https://appcenter.intuit.com/connect/oauth2"
TOKEN = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105  an address
SCOPE = "com.intuit.quickbooks.accounting"
#: the setting that holds the company
REALM = "realm_id"


def authorization(settings: Mapping[str, str]) -> Authorization:
    """Intuit's own server; beside the API where the settings name another address."""
    url = own_address(settings)
    return Authorization(
        token_url=f"{url}/oauth2/v1/tokens/bearer" if url else TOKEN,
        authorize_url=f"{url}/connect/oauth2" if url else AUTHORIZE,
        scopes=(SCOPE,),
    )


def api_address(settings: Mapping[str, str]) -> str:
    """Raises ``ConfigurationError`` for an environment that there is not."""
    environment = (settings.get("environment") or "").strip().lower()
    if environment not in {"", "production", "sandbox"}:
        raise ConfigurationError(
            "QuickBooks Online has no such environment. Leave it empty for a company's real "
            "books, or enter “sandbox” for a developer's test company."
        )
    vendors = SANDBOX if environment == "sandbox" else PRODUCTION
    return own_address(settings) or vendors


def own_address(settings: Mapping[str, str]) -> str:
    return VENDORS_OWN_ADDRESS.entered(settings).rstrip("/")


def realm_of(answer: Mapping[str, str]) -> dict[str, str]:
    """The company that the person chose, as a setting."""
    realm = answer.get("realmId", "").strip()
    if not realm.isdecimal():
        raise ConfigurationError(
            "Intuit sent nobody's company back from the sign-in. Press “Connect” again and choose "
            "a company there."
        )
    return {REALM: realm}
