"""Whether a connection has the right it needs, and with whom it signs in."""

from collections.abc import Mapping

from django.conf import settings as deployment

from erp_integrations.models import ErpConnection, OAuthGrant
from erp_integrations.providers.addresses import address_of
from erp_integrations.providers.errors import ConfigurationError, ErpError
from erp_integrations.providers.exchanges import Limits
from erp_integrations.providers.oauth import Authorization, Signer, not_connected
from erp_integrations.providers.registry import find_provider, provider_class

#: somebody waits for every token: a worker with the row locked, or a person in front of a page
LIMITS = Limits(connect_seconds=4.0, read_seconds=8.0, total_seconds=10.0, max_bytes=200_000)


def asks_a_person(provider: str, settings: Mapping[str, str]) -> bool:
    """Whether somebody has to sign in at the vendor's before anything can be read."""
    made = find_provider(provider)
    if made is None or not made.uses_oauth:
        return False
    try:
        return bool(made.authorization(settings).authorize_url)
    except ErpError:
        return False


def signs_in_with(
    provider: str, settings: Mapping[str, str], credentials: Mapping[str, str]
) -> tuple[object, ...]:
    """What a token is good for: with another one of these it would go to somebody else."""
    made = find_provider(provider)
    if made is None or not made.uses_oauth:
        return ()
    if not asks_a_person(provider, settings):
        return provider, dict(settings), dict(credentials)
    app = settings.get("client_id", ""), settings.get("url", "")
    return provider, made.authorization(settings), *app


def grant_of(connection: ErpConnection) -> OAuthGrant | None:
    return OAuthGrant.objects.filter(connection=connection).select_related("granted_by").first()


def missing_right(connection: ErpConnection) -> str:
    """Why nothing can be read before somebody signs in, as a sentence; empty: no such reason."""
    if not asks_a_person(connection.provider, connection.settings):
        return ""
    grant = grant_of(connection)
    if grant is None:
        return str(not_connected(provider_class(connection.provider).label))
    return grant.lost_reason if grant.lost_at else ""


def authorization_of(provider: str, settings: Mapping[str, str]) -> Authorization:
    """The vendor's authorization server, its addresses checked. Raises ``ConfigurationError``."""
    made = provider_class(provider)
    authorization = made.authorization(settings)
    for url in filter(None, (authorization.authorize_url, authorization.token_url)):
        scheme = address_of(url, made.label).scheme
        if scheme != "https" and not deployment.ERP_PRIVATE_ADDRESSES:
            raise ConfigurationError(IN_CLEAR.format(erp=made.label))
    return authorization


def signer_of(connection: ErpConnection) -> Signer:
    """Who asks for tokens; close it after use. Raises ``ConfigurationError``."""
    return Signer(
        authorization_of(connection.provider, connection.settings),
        erp=provider_class(connection.provider).label,
        client_id=connection.settings.get("client_id", ""),
        client_secret=connection.credentials.reveal().get("client_secret", ""),
        allow_private=deployment.ERP_PRIVATE_ADDRESSES,
        limits=LIMITS,
    )


IN_CLEAR = (
    "The sign-in at {erp} would send its secrets without encryption. Enter an address that begins "
    "with https://."
)
