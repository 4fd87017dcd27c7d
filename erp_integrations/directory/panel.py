"""What stands around the three lists: the reading of the ERP, its button and how it went."""

from dataclasses import dataclass
from functools import cached_property

from erp_integrations.directory.rights import may_link, obstacles_to_asking
from erp_integrations.models import DirectoryKind, DirectoryRefresh
from erp_integrations.models.directory import RefreshState
from erp_integrations.places import Place
from erp_integrations.preconditions import Obstacle

#: domain sheet §1.2
BUTTONS = {
    DirectoryKind.VENDORS: "Refresh Companies List",
    DirectoryKind.JOBS: "Refresh Job List",
    DirectoryKind.COMMITMENTS: "Refresh Commitments",
}
GOOD = (RefreshState.SUCCEEDED, RefreshState.INCOMPLETE)


@dataclass(frozen=True)
class RefreshPanel:
    place: Place
    kind: DirectoryKind

    @property
    def button(self) -> str:
        return BUTTONS[self.kind]

    @cached_property
    def may_link(self) -> bool:
        return may_link(self.place.company, self.place.person)

    @cached_property
    def obstacles(self) -> list[Obstacle]:
        return obstacles_to_asking(self.place.connection)

    @cached_property
    def _recent(self) -> list[DirectoryRefresh]:
        """The newest readings, enough of them to find a good one in ordinary days."""
        if self.place.connection is None:
            return []
        rows = DirectoryRefresh.objects.filter(connection=self.place.connection)
        return list(rows.select_related("requested_by")[:30])

    @property
    def last(self) -> DirectoryRefresh | None:
        return self._recent[0] if self._recent else None

    @property
    def active(self) -> DirectoryRefresh | None:
        return self.last if self.last and self.last.is_active else None

    @property
    def last_good(self) -> DirectoryRefresh | None:
        return next((each for each in self._recent if each.state in GOOD), None)

    @property
    def trouble(self) -> DirectoryRefresh | None:
        """The last reading, when it has something to say and is over."""
        return self.last if self.last and not self.active and self.last.message else None

    @property
    def who(self) -> str:
        """Who or what asked for the last reading."""
        asked = self.last.requested_by if self.last else None
        if asked is None:
            return "the schedule"
        return "you" if asked == self.place.person else str(asked)

    @property
    def refresh_url(self) -> str:
        return self._company.url("directory_refresh", self.kind.value)

    @property
    def progress_url(self) -> str:
        return self._company.url("directory_progress", self.kind.value)

    @property
    def _company(self) -> Place:
        """Reading the ERP is the company's business, wherever the button stands."""
        return Place(self.place.person, self.place.company)

    @property
    def announcement(self) -> str:
        """What a screen reader says when the reading is over."""
        if self.active or self.last is None:
            return ""
        if self.last.state == RefreshState.FAILED:
            return f"Reading the ERP failed. {self.last.message}"
        return f"The ERP was read. {self.last.message or self.summary}"

    @property
    def summary(self) -> str:
        """What the last good reading found."""
        good = self.last_good
        if good is None:
            return ""
        counts = ((good.vendors, "vendor"), (good.jobs, "job"), (good.commitments, "commitment"))
        return ", ".join(f"{n:,} {noun}{'' if n == 1 else 's'}" for n, noun in counts)
