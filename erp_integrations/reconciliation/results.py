"""What the newest comparison says to one person at one place, and how it was over time."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Abs

from erp_integrations.models import (
    Reconciliation,
    ReconciliationLine,
    ReconciliationTotal,
    RunMode,
    SyncRun,
)
from erp_integrations.places import Place, find_projects
from erp_integrations.preconditions import Obstacle, obstacles_to_sync
from erp_integrations.progress import Progress
from erp_integrations.reconciliation.chart import Chart, Reading
from projects.models import Project

#: comparisons in the chart
LONGEST_CHART = 60
VIEWS = (("differences", "Only differences"), ("unexplained", "Unexplained"), ("all", "All"))
ORDER = ("-size", "-pk")


@dataclass(frozen=True)
class Total:
    """Both books in one currency, over the projects that the person may see."""

    currency: str
    erp_paid: Decimal
    paid_here: Decimal
    unexplained: Decimal
    invoices: int
    differences: int

    @property
    def difference(self) -> Decimal:
        return self.erp_paid - self.paid_here

    @property
    def explained(self) -> Decimal:
        return self.difference - self.unexplained


class LineFilter(django_filters.FilterSet):
    view = django_filters.ChoiceFilter(choices=VIEWS, method="in_view")
    q = django_filters.CharFilter(method="search", label="Search", max_length=100, strip=True)

    class Meta:
        model = ReconciliationLine
        fields: tuple[str, ...] = ()

    def in_view(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Every word has to be found somewhere in the row."""
        for word in value.split():
            rows = rows.filter(
                Q(invoice__invoice_number__icontains=word)
                | Q(invoice__origin_code__icontains=word)
                | Q(invoice__commitment__number__icontains=word)
                | Q(invoice__commitment__vendor__name__icontains=word)
                | Q(invoice__project__number__icontains=word)
                | Q(invoice__project__name__icontains=word)
            )
        return rows

    @property
    def chosen(self) -> tuple[str, str]:
        """The view and the search, as far as they make sense."""
        self.form.is_valid()
        values = self.form.cleaned_data
        return values.get("view") or "differences", values.get("q") or ""

    @property
    def shown(self) -> Any:
        view, _ = self.chosen
        rows: Any = self.qs
        if view == "differences":
            rows = rows.different()
        if view == "unexplained":
            rows = rows.exclude(unexplained=0)
        return rows


@dataclass(frozen=True)
class Results:
    """The comparison that counts at a place."""

    place: Place

    @cached_property
    def newest(self) -> Reconciliation | None:
        """Of the project or the company, whichever is younger; at a company of the company."""
        return self._finished.select_related("run__requested_by").first()

    @property
    def _finished(self) -> QuerySet[Reconciliation]:
        found = Reconciliation.objects.filter(company=self.place.company, finished_at__isnull=False)
        here = Q(project=None)
        if self.place.project:
            here |= Q(project=self.place.project)
        return found.filter(here, connection=self.place.connection).order_by("-finished_at", "-pk")

    @property
    def projects(self) -> Any:
        if self.place.project:
            return Project.objects.filter(pk=self.place.project.pk)
        return find_projects(self.place.person).filter(company=self.place.company)

    @cached_property
    def totals(self) -> list[Total]:
        if self.newest is None:
            return []
        return [
            Total(
                currency=each["currency"],
                erp_paid=each["there"],
                paid_here=each["here"],
                unexplained=each["open"],
                invoices=each["number"],
                differences=each["differing"],
            )
            for each in _sums(self.newest.totals.in_projects(self.projects), "currency")
        ]

    @property
    def lines(self) -> Any:
        """With everything that a row shows; the largest difference first."""
        lines = ReconciliationLine.objects.filter(reconciliation=self.newest)
        rows: Any = lines.for_user(self.place.person).select_related(
            "invoice__project", "invoice__commitment__vendor", "invoice__commitment__project"
        )
        if self.place.project:
            rows = rows.filter(invoice__project=self.place.project)
        return rows.annotate(size=Abs(F("difference"))).order_by(*ORDER)

    @property
    def charts(self) -> list[Chart]:
        """A drawing for each currency, from the last comparisons of this place."""
        ids = list(self._finished.values_list("pk", flat=True)[:LONGEST_CHART])
        totals = ReconciliationTotal.objects.filter(reconciliation__in=ids)
        found = _sums(totals.in_projects(self.projects), "reconciliation__finished_at", "currency")
        readings: dict[str, list[Reading]] = defaultdict(list)
        for each in found:
            at = each["reconciliation__finished_at"]
            readings[each["currency"]].append(Reading(at, each["there"], each["here"]))
        return [Chart(currency, rows) for currency, rows in sorted(readings.items())]


def _sums(totals: Any, *by: str) -> Any:
    sums = {"there": Sum("erp_paid"), "here": Sum("paid_here"), "open": Sum("unexplained")}
    counts = {"number": Sum("invoices"), "differing": Sum("differences")}
    return totals.order_by().values(*by).annotate(**sums, **counts).order_by(*by)


@dataclass(frozen=True)
class ComparePanel:
    """The button, or why it is not there; and the run under way."""

    place: Place
    watched: SyncRun | None = None

    @cached_property
    def obstacles(self) -> list[Obstacle]:
        return obstacles_to_sync(self.place.connection, self.place.person, self.place.project)

    @cached_property
    def active(self) -> Progress | None:
        run = self._runs.active().first() if self.place.connection else None
        return Progress(self.place, run) if run else None

    @cached_property
    def failed(self) -> Progress | None:
        """The last comparison, when it did not come to its end."""
        if self.place.connection is None or self.active:
            return None
        run = self._runs.filter(mode=RunMode.RECONCILE).first()
        return Progress(self.place, run) if run and not run.is_good else None

    @property
    def is_comparing(self) -> bool:
        return bool(self.active and self.active.run.mode == RunMode.RECONCILE)

    @property
    def progress_url(self) -> str:
        if self.active is None:
            return ""
        run = self.active.run
        return f"{self.place.url('comparison_progress', run.pk)}?seen={run.phase}"

    @property
    def _runs(self) -> Any:
        return self.place.runs.select_related("requested_by", "connection")
