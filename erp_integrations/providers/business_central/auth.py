"""How the program signs in to Business Central: by itself, at Microsoft Entra.

No person is asked: an administrator registers the app in Entra and lets it into
the environment (*Microsoft Entra Applications*), with a permission set.
"""

from collections.abc import Mapping
from urllib.parse import quote

from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS
from erp_integrations.providers.contract import ConnectionField
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.oauth import CLIENT_ID, CLIENT_SECRET, Authorization

ERP = "Business Central"
API, LOGIN = "https://api.businesscentral.dynamics.com", "https://login.microsoftonline.com"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
#: publisher, group and version of the pages in the folder ``al``
ROUTE = "procoreSync/payments/v1.0"

DIRECTORY = ConnectionField(
    "directory",
    "Microsoft Entra tenant",
    "The ID or the domain of the directory, e.g. example.onmicrosoft.com.",
)
ENVIRONMENT = ConnectionField(
    "environment", "Environment", "As the admin center names it, e.g. Production."
)
COMPANY = ConnectionField(
    "company",
    "Company ID",
    "Of the company whose books are read. Leave it empty and test the connection: it names them.",
    is_required=False,
)
PAGES = ConnectionField(
    "route",
    "Route of the API pages",
    "Publisher, group and version. Leave empty unless you published the pages under others.",
    is_required=False,
)
FIELDS = (DIRECTORY, ENVIRONMENT, COMPANY, CLIENT_ID, CLIENT_SECRET, PAGES, VENDORS_OWN_ADDRESS)
UNPOSTED = (
    "Business Central's standard “vendorPayments” are lines of a payment journal that nobody has "
    "posted yet; posting deletes them. So they are neither money that left nor a record of it, and "
    "this connection does not read them. Install the extension “Posted Vendor Payments” (folder al "
    "of this provider) and leave the route empty, or use file drop with an export of the vendor "
    "ledger entries."
)


def base_of(settings: Mapping[str, str]) -> str:
    """The environment's address, below which all APIs are.

    Raises ``ConfigurationError`` for one that leads to unposted journal lines.
    """
    own = VENDORS_OWN_ADDRESS.entered(settings)
    if "vendorpayments" in own.lower():
        raise ConfigurationError(UNPOSTED)
    parts = (DIRECTORY.required(settings, ERP), ENVIRONMENT.required(settings, ERP))
    return f"{(own or API).rstrip('/')}/v2.0/{'/'.join(quote(part, safe='') for part in parts)}"


def route_of(settings: Mapping[str, str]) -> str:
    """Raises ``ConfigurationError`` for the route of the standard API."""
    route = PAGES.entered(settings).strip("/") or ROUTE
    parts = route.split("/")
    if "vendorpayments" in route.lower() or route == "v2.0":
        raise ConfigurationError(UNPOSTED)
    if len(parts) != 3:
        raise ConfigurationError(
            f"The route of the API pages has three parts, publisher, group and version, such as "
            f"{ROUTE}."
        )
    return "/".join(quote(part, safe="") for part in parts)


def authorization(settings: Mapping[str, str]) -> Authorization:
    own = VENDORS_OWN_ADDRESS.entered(settings).rstrip("/")
    directory = quote(DIRECTORY.required(settings, ERP), safe="")
    return Authorization(
        token_url=f"{own or LOGIN}/{directory}/oauth2/v2.0/token",
        scopes=(SCOPE,),
        client_in_header=False,
    )
