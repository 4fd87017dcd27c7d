"""A run as people watch it: the button that starts it, its progress, and how it ended."""

from dataclasses import dataclass
from functools import cached_property

from django.utils import timezone

from erp_integrations import explanations
from erp_integrations.models import RunMode, RunState, SyncRun
from erp_integrations.places import Place
from erp_integrations.preconditions import (
    Obstacle,
    may_sync,
    obstacles_to_run,
    obstacles_to_sync,
    projects_to_sync,
)
from erp_integrations.runs import order_for
from erp_integrations.scopes import Scope, can_be_narrowed, scope_of

#: what a run is read with, so that its scope can be named
WITH_IT = (
    "requested_by",
    "connection",
    "project",
    "commitment__project",
    "invoice__project",
)
SUBJECTS = {
    RunMode.CHANGES: "what changed since the last sync",
    RunMode.SWEEP: "everything",
    RunMode.SCOPED: "payments of an invoice that was deleted",
    RunMode.BACK_FILL: "payments since a day",
    RunMode.NOTIFIED: "what the ERP told of",
    RunMode.RECONCILE: "both books",
}
#: what starts runs that nobody asked for
STARTERS = {"schedule": "the schedule", "notification": "a notification of the ERP"}


@dataclass(frozen=True)
class SyncPanel:
    """The button, or why it is not there; the run under way, or what the last one did."""

    place: Place
    #: the run whose progress was being watched; its result is shown when it is over
    watched: SyncRun | None = None
    #: why what was just asked for did not start
    refusal: str = ""

    @cached_property
    def obstacles(self) -> list[Obstacle]:
        return obstacles_to_sync(self.place.connection, self.place.person, self.place.project)

    @cached_property
    def scopes(self) -> list[tuple[str, str]]:
        """What can be chosen to sync: ``(value, label)``; one choice is none."""
        place, erp = self.place, self.place.connection
        if erp is None or self.obstacles or not can_be_narrowed(erp):
            return []
        if place.project:
            return [("", "All projects"), (str(place.project.pk), "This project only")]
        projects = projects_to_sync(erp, place.person).order_by("number", "name", "pk")
        return [("", "All projects"), *((str(each.pk), str(each)) for each in projects)]

    @cached_property
    def active(self) -> "Progress | None":
        if self.place.connection is None:
            return None
        runs = self.place.connection.runs.select_related(*WITH_IT)
        run = runs.active().first()
        return Progress(self.place, run) if run else None

    @cached_property
    def result(self) -> "Progress | None":
        """How the watched run ended; without one, how the last run did."""
        if self.place.connection is None or self.active:
            return None
        runs = self.place.connection.runs.select_related(*WITH_IT)
        run = self.watched or runs.first()
        return Progress(self.place, run) if run else None


@dataclass(frozen=True)
class Progress:
    """One run, as the person at this place may see it."""

    place: Place
    run: SyncRun

    @property
    def noun(self) -> str:
        """What kind of run it is, in a word."""
        if self.run.is_preview:
            return "Preview"
        return {"back_fill": "Back-fill", "reconcile": "Comparison"}.get(self.run.mode, "Sync")

    @cached_property
    def subject(self) -> str:
        """What it reads; a scope that the person may not see is not named."""
        if self.run.mode == RunMode.BACK_FILL and self.run.since:
            return f"payments since {self.run.since:%m/%d/%Y}"
        scope = scope_of(self.run)
        if scope.right_on is None:
            return SUBJECTS[RunMode(self.run.mode)]
        named = scope.name if self.place.sees(scope.right_on) else "a project you cannot see"
        return f"payments of {named}"

    @property
    def title(self) -> str:
        return f"{self.noun}: {self.subject}"

    @property
    def state_label(self) -> str:
        """Its state, and what the issues are if it succeeded with some."""
        run = self.run
        if run.state != RunState.SUCCEEDED_WITH_ISSUES:
            return str(run.get_state_display())
        if run.problems:
            return "Succeeded with problems"
        if run.waiting:
            return f"Succeeded, {run.waiting:,} wait{'s' if run.waiting == 1 else ''}"
        return "Succeeded, earlier issues are open"

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
            return STARTERS.get(self.run.trigger, "the command line")
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
            return f"{self.noun} finished. {self.summary}"
        return f"{self.noun} {self.run.get_state_display().lower()}. {self.run.error_message}"


@dataclass(frozen=True)
class ScopedPanel:
    """The small button on the page of a commitment or an invoice, and what became of it."""

    place: Place
    scope: Scope
    watched: SyncRun | None = None
    refusal: str = ""
    #: what commitments' pages include
    template = "erp_integrations/_scoped_sync.html"

    @property
    def label(self) -> str:
        return f"Sync this {'invoice' if self.scope.invoice else 'commitment'}"

    @property
    def url(self) -> str:
        if self.scope.commitment:
            return self.place.url("sync_commitment", self.scope.commitment.pk)
        return self.place.url("sync_invoice", self.scope.invoice.pk) if self.scope.invoice else ""

    @cached_property
    def obstacles(self) -> list[Obstacle]:
        erp = self.place.connection
        return obstacles_to_run(erp) if erp else []

    @cached_property
    def active(self) -> Progress | None:
        if self.place.connection is None:
            return None
        run = self.place.connection.runs.select_related(*WITH_IT).active().first()
        return Progress(self.place, run) if run else None

    @cached_property
    def is_ours(self) -> bool:
        """Whether the run under way is one of this scope."""
        erp = self.place.connection
        if self.active is None or erp is None:
            return False
        run = self.active.run
        return run == self.watched or order_for(erp, self.scope, is_preview=run.is_preview).fits(
            run
        )

    @property
    def progress_url(self) -> str:
        """Where to ask for the progress of the run under way."""
        return f"{self.url}?run={self.active.run.pk}" if self.active else self.url

    @cached_property
    def result(self) -> Progress | None:
        if self.watched is None or self.watched.is_active:
            return None
        return Progress(self.place, self.watched)
