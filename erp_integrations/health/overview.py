"""What the home of the tool shows, each in one query whatever there is to count."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Sum
from django.utils import timezone

from erp_integrations.filters import VIEWS, counts_of_views
from erp_integrations.health.chart import SHOWN, Chart, seconds_of
from erp_integrations.health.circuit import Circuit, circuit_of
from erp_integrations.models import DirectoryRefresh, ErpConnection, SyncRun, WaitReason
from erp_integrations.models.run import ACTIVE_STATES
from erp_integrations.places import Place
from erp_integrations.providers.contract import Capabilities
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.registry import find_provider
from erp_integrations.reconciliation.results import Results


@dataclass(frozen=True)
class Tally:
    """A number with its name, and where its rows are."""

    label: str
    count: int
    url: str
    oldest: datetime | None = None
    #: False: there are more, but nobody counted on
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{self.count:,}" if self.is_exact else f"{self.count:,}+"


@dataclass(frozen=True)
class Overview:
    """The connection's health as one person may see it from one place."""

    place: Place
    connection: ErpConnection

    @cached_property
    def circuit(self) -> Circuit:
        return circuit_of(self.connection)

    @cached_property
    def chart(self) -> Chart | None:
        """The runs that are over; None before the first."""
        over = self.place.runs.exclude(state__in=ACTIVE_STATES).exclude(is_preview=True)
        finished = list(over.order_by("-created_at", "-pk")[:SHOWN])[::-1]
        return Chart(finished, [self.place.url("run", run.pk) for run in finished])

    # ------------------------------------------------------------------ what waits
    @cached_property
    def waiting(self) -> list[Tally]:
        """Payments that wait, by reason; those that wait longest first."""
        rows = self.place.waiting.order_by().values("reason")
        found = rows.annotate(count=Count("pk"), oldest=Min("waiting_since"))
        return [
            Tally(str(WaitReason(row["reason"]).label), row["count"], self._waiting_url,
                  row["oldest"])
            for row in found.order_by("oldest", "reason")
        ]  # fmt: skip

    @property
    def oldest(self) -> Tally | None:
        return self.waiting[0] if self.waiting else None

    @property
    def _waiting_url(self) -> str:
        """The list of what waits stands on the page of a sync; the last one's is nearest."""
        if self.chart and self.chart.bars:
            return f"{self.chart.bars[-1].url}#waiting-title"
        return ""

    # -------------------------------------------------------------------- invoices
    @cached_property
    def invoices(self) -> list[Tally]:
        counts, url = counts_of_views(self.place.invoices), self.place.url("subcontractor_invoices")
        return [
            Tally(
                label,
                counts[code].number,
                f"{url}?{urlencode({'view': code})}",
                is_exact=counts[code].is_exact,
            )
            for code, label in VIEWS
            if code != "all"
        ]

    @cached_property
    def books(self) -> Results:
        """The newest comparison of both books."""
        return Results(self.place)

    # ----------------------------------------------------------------------- calls
    @cached_property
    def calls(self) -> "Calls":
        now = timezone.now()
        today = datetime.combine(now.astimezone(self._zone).date(), time.min, tzinfo=self._zone)
        mine = SyncRun.objects.filter(connection=self.connection)
        refreshed = DirectoryRefresh.objects.filter(connection=self.connection)
        a_day = sum(
            rows.filter(created_at__gte=today).aggregate(calls=Sum("calls"))["calls"] or 0
            for rows in (mine, refreshed)
        )
        lately = mine.filter(heartbeat_at__gte=now - MINUTE)
        a_minute = sum(_calls_within_a_minute(run) for run in lately)
        return Calls(self.connection.name, self._capabilities, a_day, round(a_minute))

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.place.company.time_zone)

    @property
    def _capabilities(self) -> Capabilities:
        provider = find_provider(self.connection.provider)
        return provider.capabilities if provider else Capabilities()

    # ---------------------------------------------------------------------- cursor
    @property
    def read_until(self) -> datetime | None:
        """Up to when the ERP's changes were read; the last success where the ERP cannot tell."""
        provider, cursor = find_provider(self.connection.provider), self.connection.cursor
        if provider is None or not cursor:
            return None
        try:
            return provider.read_until(cursor) or self.connection.last_success_at
        except ConfigurationError:
            return None


MINUTE = timedelta(minutes=1)


def _calls_within_a_minute(run: SyncRun) -> float:
    """Calls are counted by run, so a long run's are taken as evenly spread."""
    return run.calls * min(1.0, 60 / max(seconds_of(run), 1))


class Calls(NamedTuple):
    """Requests sent to the ERP, against what it allows."""

    erp: str
    allowed: Capabilities
    today: int
    this_minute: int

    @property
    def of_day(self) -> str:
        return self._of(self.allowed.calls_per_day, self.today, "a day")

    @property
    def of_minute(self) -> str:
        return self._of(self.allowed.calls_per_minute, self.this_minute, "a minute")

    def _of(self, limit: int | None, used: int, period: str) -> str:
        if limit is None:
            return f"{self.erp} sets no limit"
        return f"{used / limit:.0%} of the {limit:,} {period} that {self.erp} allows"
