"""What of a site is asked once and kept: its time zone, its companies, its money accounts."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from erp_integrations.providers.contract import Tenant
from erp_integrations.providers.erpnext.client import ErpNextClient
from erp_integrations.providers.erpnext.errors import NotPermitted
from erp_integrations.providers.erpnext.journals import MONEY_ACCOUNTS
from erp_integrations.providers.erpnext.site_time import SiteTime
from erp_integrations.providers.errors import ConfigurationError, ProtocolError

TIME_ZONE = "frappe.client.get_time_zone"
SETTINGS = "System Settings"


class _Zone(msgspec.Struct):
    time_zone: str | None = None


class _Company(msgspec.Struct):
    name: str


class _Account(msgspec.Struct):
    name: str
    account_type: str | None = None


class Site:
    """``company``: the only one that is read; empty: all that the user sees."""

    def __init__(self, client: ErpNextClient, company: str, zone: str) -> None:
        self._client = client
        self.company = company
        self._time: SiteTime | None = SiteTime(_zone(zone)) if zone else None
        self._money: dict[str, bool] = {}

    def time(self, known: ZoneInfo | None = None) -> SiteTime:
        """``known``: from an earlier run, so that it need not be asked again."""
        if self._time is None:
            self._time = SiteTime(known or _zone(self._asked_zone()))
        return self._time

    def _asked_zone(self) -> str:
        """Every user may call the method; old sites without it keep it in the settings."""
        try:
            found = self._client.call(TIME_ZONE, SETTINGS)
        except (NotPermitted, ConfigurationError):
            found = self._from_settings()
        name = self._client.read(found, _Zone).time_zone
        if not name:
            raise ProtocolError(f"{self._client.name} did not say its time zone.")
        return name

    def _from_settings(self) -> msgspec.Raw:
        try:
            return self._client.document(SETTINGS, SETTINGS)
        except NotPermitted as error:
            raise ConfigurationError(
                f"{self._client.name} does not let the user of the key read its time zone. Type "
                f"it in the connection's settings, for example America/Chicago.",
                detail=error.detail,
            ) from error

    def companies(self) -> list[Tenant]:
        return [Tenant(it.name, it.name) for it in self._client.records(_Company, "Company", ())]

    def require_sight(self) -> list[Tenant]:
        """Proof that an empty answer means empty books, not a user who sees none of them.

        User permissions of Frappe hide the records of a company without a word,
        and that company itself with them. Raises ``ConfigurationError``.
        """
        seen = self.companies()
        if not seen:
            raise ConfigurationError(
                f"The user of the key sees no company at all in {self._client.name}, so what it "
                f"sees of the payments says nothing. Look at that user's permissions."
            )
        if self.company and self.company not in {each.name for each in seen}:
            names = ", ".join(each.name for each in seen)
            raise ConfigurationError(
                f"{self._client.name} shows the user of the key no company “{self.company}”. It "
                f"shows: {names}."
            )
        return seen

    def money_accounts(self, names: Iterable[str]) -> set[str]:
        """Those of the accounts that hold money; each is asked for once."""
        wanted = set(names)
        if unknown := sorted(wanted - set(self._money)):
            known = self._client.records(_Account, "Account", [("name", "in", unknown)])
            types = {each.name: each.account_type for each in known}
            self._money |= {name: types.get(name) in MONEY_ACCOUNTS for name in unknown}
        return {name for name in wanted if self._money[name]}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"“{name[:60]}” is not a time zone. Use a name such as America/Chicago."
        ) from error
