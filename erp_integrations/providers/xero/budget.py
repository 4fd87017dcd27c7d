"""Keeping within Xero's limits: 60 calls a minute and 5,000 a day for each company.

Every answer says how many calls are left. They are shared by all who read one
company with one app, so the count of this process alone would not do.
"""

import time
from collections.abc import Callable, Mapping

from erp_integrations.providers.errors import RateLimited
from erp_integrations.providers.pace import Pace

PER_MINUTE, PER_DAY = 60, 5_000
MINUTE = 60.0
#: calls of a day that only somebody who waits in front of a page may use
RESERVE = 500
#: the day is a window that slides, so after an hour some calls have come back
UNTIL_SOME_ARE_BACK = 3_600.0
#: calls of a minute over all companies that are left to others
APP_RESERVE = 50


class XeroPace(Pace):
    """Waits for the next minute, and stops a run that the rest of the day is too short for."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(PER_MINUTE, clock=clock, sleep=sleep)
        self._is_hurried = False
        self._day: int | None = None
        self._full_again_at = 0.0

    def hurry(self) -> None:
        """Somebody waits: the reserve may be used, and nobody sleeps."""
        self._is_hurried = True

    def plan(self, calls: int) -> None:
        """Raises ``RateLimited`` when the day has no room left for so many calls more.

        What would not fit into a whole day is begun all the same: it goes on
        the next day where it stopped.
        """
        if self._day is None or self._is_hurried or calls > PER_DAY - RESERVE:
            return
        if calls > self._day - RESERVE:
            raise self._day_is_over()

    def wait(self) -> None:
        if self._day is not None and self._day <= (0 if self._is_hurried else RESERVE):
            raise self._day_is_over()
        left = self._full_again_at - self._clock()
        if left > 0:
            self._rest(left)
        if self._is_hurried and len(self._sent) == self._sent.maxlen:
            left = self._sent[0] + MINUTE - self._clock()
            if left > 0:
                self._rest(left)
        super().wait()

    def heard(self, headers: Mapping[str, str]) -> None:
        day = _number(headers, "x-daylimit-remaining")
        if day is not None:
            self._day = day
        minute = _number(headers, "x-minlimit-remaining")
        app = _number(headers, "x-appminlimit-remaining")
        if minute == 0 or (app is not None and app <= APP_RESERVE):
            self._full_again_at = self._clock() + MINUTE

    def _rest(self, seconds: float) -> None:
        if self._is_hurried:
            raise RateLimited(
                "Xero has no calls left for this minute. Try again in a minute.",
                retry_after=seconds,
            )
        self._sleep(seconds)
        self._full_again_at = 0.0

    def _day_is_over(self) -> RateLimited:
        return RateLimited(
            f"Xero allows {PER_DAY:,} calls in 24 hours, and {self._day:,} are left, too few for "
            f"this. It goes on by itself as soon as there are enough; what was read is kept.",
            retry_after=UNTIL_SOME_ARE_BACK,
        )


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isdecimal() else None
