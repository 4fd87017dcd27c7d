"""What stands around the lists: the sync with its button and progress, and the connection."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.urls import reverse
from django.utils import timezone

from erp_integrations import explanations
from erp_integrations.connection_history import without_sign_in
from erp_integrations.models import ErpConnection, SyncRun
from erp_integrations.places import Place
from erp_integrations.preconditions import Obstacle, may_sync, obstacles_to_sync
from erp_integrations.providers.registry import find_provider
from projects.access import ACCOUNTING_APPROVER, Level, Tool
from projects.models import Company, User


@dataclass(frozen=True)
class SyncPanel:
    """The button, or why it is not there; the run under way, or what the last one did."""

    place: Place
    #: the run whose progress was being watched; its result is shown when it is over
    watched: SyncRun | None = None

    @cached_property
    def obstacles(self) -> list[Obstacle]:
        return obstacles_to_sync(self.place.connection, self.place.person, self.place.project)

    @cached_property
    def active(self) -> "Progress | None":
        if self.place.connection is None:
            return None
        runs = self.place.connection.runs.select_related("requested_by", "connection")
        run = runs.active().first()
        return Progress(self.place, run) if run else None

    @cached_property
    def result(self) -> "Progress | None":
        """How the watched run ended; without one, how the last run did."""
        if self.place.connection is None or self.active:
            return None
        runs = self.place.connection.runs.select_related("requested_by", "connection")
        run = self.watched or runs.first()
        return Progress(self.place, run) if run else None


@dataclass(frozen=True)
class Progress:
    """One run, as the person at this place may see it."""

    place: Place
    run: SyncRun

    @property
    def url(self) -> str:
        return self.place.url("run", self.run.pk)

    @property
    def progress_url(self) -> str:
        """Says which phase was announced last, so that each phase is announced once."""
        return f"{self.place.url('run_progress', self.run.pk)}?seen={self.run.phase}"

    @property
    def cancel_url(self) -> str:
        return self.place.url("run_cancel", self.run.pk)

    @cached_property
    def may_cancel(self) -> bool:
        return self.run.is_active and may_sync(
            self.run.connection, self.place.person, self.place.project
        )

    @property
    def summary(self) -> str:
        return explanations.summary(self.run)

    @property
    def tone(self) -> str:
        """Which colour its state has."""
        if self.run.is_active:
            return "active"
        tones = {"succeeded": "good", "succeeded_with_issues": "attention", "failed": "bad"}
        return tones.get(self.run.state, "")

    @property
    def who(self) -> str:
        """Who or what started it."""
        if self.run.requested_by is None:
            return "the schedule" if self.run.trigger == "schedule" else "the command line"
        is_me = self.run.requested_by == self.place.person
        return "you" if is_me else str(self.run.requested_by)

    @property
    def elapsed(self) -> str:
        """From its start to its end or to now: ``1 min 7 s``."""
        start = self.run.started_at or self.run.created_at
        passed = ((self.run.finished_at or timezone.now()) - start).total_seconds()
        minutes, seconds = divmod(max(0, int(passed)), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return f"{hours} h {minutes} min"
        return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

    @property
    def announcement(self) -> str:
        """What a screen reader says when the phase changes."""
        if self.run.is_active:
            return f"{self.run.get_phase_display()}."
        if self.run.is_good:
            return f"Sync finished. {self.summary}"
        return f"Sync {self.run.get_state_display().lower()}. {self.run.error_message}"


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
