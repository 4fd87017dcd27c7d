"""What the Settings tab says about the right to read the ERP's books."""

from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest
from django.urls import reverse

from erp_integrations.grants.standing import asks_a_person, grant_of
from erp_integrations.models import OAuthGrant
from erp_integrations.places import Place
from erp_integrations.providers.registry import find_provider


def callback_address(request: HttpRequest) -> str:
    """Where vendors send people back: the one address that is registered with all of them."""
    return request.build_absolute_uri(reverse("erp_integrations:oauth_callback"))


@dataclass(frozen=True)
class GrantPanel:
    """Shown where a person has to sign in at the vendor's; never holds a token."""

    place: Place
    grant: OAuthGrant | None
    tenant_setting: str
    asks_a_person: bool

    @property
    def is_given(self) -> bool:
        return self.grant is not None and self.grant.lost_at is None

    @property
    def word(self) -> str:
        """On the button."""
        return "Reconnect" if self.grant else "Connect"

    @cached_property
    def needs_company(self) -> bool:
        """Somebody signed in, and nobody has chosen which company is read."""
        connection = self.place.connection
        settings = connection.settings if connection else {}
        return self.is_given and bool(self.tenant_setting) and not settings.get(self.tenant_setting)

    @property
    def start_url(self) -> str:
        return self.place.url("oauth_start")

    @property
    def disconnect_url(self) -> str:
        return self.place.url("oauth_disconnect")

    @property
    def company_url(self) -> str:
        """Where one of several companies is chosen; empty where there is only one."""
        return self.place.url("erp_company") if self.tenant_setting and self._may_ask else ""

    @property
    def _may_ask(self) -> bool:
        return self.is_given or not self.asks_a_person


def grant_panel(place: Place) -> GrantPanel | None:
    """None where there is nothing to say: no connection, or one with a key of its own."""
    connection = place.connection
    provider = find_provider(connection.provider) if connection else None
    if connection is None or provider is None:
        return None
    asks = asks_a_person(connection.provider, connection.settings)
    if not asks and not provider.tenant_setting:
        return None
    return GrantPanel(place, grant_of(connection) if asks else None, provider.tenant_setting, asks)
