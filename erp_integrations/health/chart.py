"""The last runs as bars: how long each took, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.utils import timezone

from erp_integrations.models import RunState, SyncRun

SHOWN = 50
#: of the drawing, in its own units
WIDTH, HEIGHT, FOOT = 600, 96, 14
_TONES = {
    RunState.SUCCEEDED: "good",
    RunState.SUCCEEDED_WITH_ISSUES: "attention",
    RunState.FAILED: "bad",
}


@dataclass(frozen=True)
class Bar:
    """One run. ``x`` to ``height`` in units of the drawing; the words say the same."""

    run: SyncRun
    url: str
    tone: str
    x: float
    y: float
    width: float
    height: float

    @property
    def took(self) -> str:
        return duration(seconds_of(self.run))

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def is_bad(self) -> bool:
        return self.tone == "bad"


class Chart:
    """The runs that are over, oldest first; ``url_of`` is the page of a run."""

    width, height, ground = WIDTH, HEIGHT, HEIGHT - FOOT

    def __init__(self, finished: Sequence[SyncRun], urls: Sequence[str]) -> None:
        self._runs = finished
        self.bars = [self._bar(number, run, urls[number]) for number, run in enumerate(finished)]

    def _bar(self, number: int, run: SyncRun, url: str) -> Bar:
        step, longest = WIDTH / SHOWN, max(map(seconds_of, self._runs)) or 1
        height = round(4 + (self.ground - 18) * seconds_of(run) / longest, 1)
        tone = _TONES.get(RunState(run.state), "plain")
        left = WIDTH - (len(self._runs) - number) * step  # the newest stands at the right
        return Bar(run, url, tone, round(left + 1, 1), self.ground - height, step - 2, height)

    @property
    def newest_first(self) -> list[Bar]:
        return self.bars[::-1]

    @property
    def _judged(self) -> list[SyncRun]:
        """Cancelled by a person says nothing about the connection."""
        return [run for run in self._runs if run.state != RunState.CANCELLED]

    @property
    def succeeded(self) -> str:
        """``47 of 50 (94%)``"""
        good, all_of_them = sum(run.is_good for run in self._judged), len(self._judged)
        return f"{good} of {all_of_them} ({good / all_of_them:.0%})" if all_of_them else "—"

    @property
    def typical(self) -> str:
        return duration(median(map(seconds_of, self._runs)))

    @property
    def longest(self) -> str:
        return duration(max(map(seconds_of, self._runs)))

    @property
    def words(self) -> str:
        """What a person who does not see the drawing hears."""
        count = len(self._runs)
        syncs = "The last sync" if count == 1 else f"The last {count} syncs"
        return (
            f"{syncs}: {self.succeeded} succeeded. Typically {self.typical}, at the longest "
            f"{self.longest}."
        )


def seconds_of(run: SyncRun) -> float:
    start: datetime = run.started_at or run.created_at
    return max(0.0, ((run.finished_at or timezone.now()) - start).total_seconds())


def duration(seconds: float) -> str:
    """``850 ms``, ``4.2 s``, ``1 min 7 s``, ``2 h 5 min``"""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
