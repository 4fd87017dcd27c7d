"""What stands around the lists: the sync with its button and progress, and the connection."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils import timezone

from erp_integrations.connection_history import without_sign_in
from erp_integrations.models import ErpConnection, SyncRun
from erp_integrations.places import Place
from erp_integrations.progress import SyncPanel
from erp_integrations.providers.registry import find_provider
from projects.access import ACCOUNTING_APPROVER, Level, Tool
from projects.models import Company, User


@dataclass(frozen=True)
class ConnectionPanel:
    """The connection as everybody may see it: no secret, no sign-in name in an address."""

    place: Place
    connection: ErpConnection

    @property
    def erp(self) -> str:
        provider = find_provider(self.connection.provider)
        return provider.label if provider else self.connection.provider

    @property
    def state(self) -> str:
        if self.connection.stopped_at:
            return "Stopped"
        if not self.connection.is_active:
            return "Switched off"
        if self._is_resting:
            return "Resting after failures"
        return "Connected"

    @property
    def is_well(self) -> bool:
        return self.state == "Connected"

    @property
    def _is_resting(self) -> bool:
        until = self.connection.circuit_open_until
        return until is not None and until > timezone.now()

    @property
    def details(self) -> list[tuple[str, str]]:
        """The provider's own settings that are no secrets, by their labels."""
        provider = find_provider(self.connection.provider)
        stored = self.connection.settings
        return [
            (field.label, without_sign_in(str(stored[field.name])))
            for field in (provider.fields if provider else ())
            if not field.secret and stored.get(field.name)
        ]

    @property
    def next_sync_at(self) -> datetime | None:
        """When the next automatic sync comes; None when none does."""
        connection = self.connection
        if connection.next_sync_at is None or self.why_no_next_sync:
            return None
        resting_until = connection.circuit_open_until or connection.next_sync_at
        return max(connection.next_sync_at, resting_until)

    @property
    def why_no_next_sync(self) -> str:
        if self.connection.schedule.interval is None:
            return "Never: automatic sync is off"
        if self.connection.stopped_at or not self.connection.is_active:
            return f"None while the connection is {self.state.lower()}"
        if not self.connection.export_subcontractor_invoices:
            return "None while Export Subcontractor Invoices is off"
        return ""

    @cached_property
    def approvers(self) -> list[User]:
        people = User.objects.filter(
            companyuserobjectpermission__content_object=self.place.company,
            companyuserobjectpermission__permission__codename=ACCOUNTING_APPROVER,
        )
        return list(people.order_by("last_name", "first_name", "pk"))

    @cached_property
    def settings_url(self) -> str:
        """Where those who may change the connection do so."""
        mine = Company.objects.filter(pk=self.place.company.pk)
        if mine.with_level(self.place.person, Tool.ERP_INTEGRATIONS, Level.ADMIN).exists():
            return reverse("erp_integrations:company_settings", args=[self.place.company.pk])
        return ""


def sync_context(
    place: Place, watched: SyncRun | None = None, *, refusal: str = ""
) -> dict[str, Any]:
    """What ``_sync.html`` needs, on whichever page it stands."""
    return {
        "panel": SyncPanel(place, watched, refusal),
        "connection_panel": ConnectionPanel(place, place.connection) if place.connection else None,
        "sync_url": place.url("sync"),
        "zone": place.time_zone,
    }
