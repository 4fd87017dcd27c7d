"""Keeping within what an ERP allows, so that it does not have to refuse."""

import time
from collections import deque
from collections.abc import Callable, Mapping


class Pace:
    """At most so many calls in any minute; longer waits than a retry's are not made here.

    An ERP that tells how much is left of a longer budget has a subclass, which
    reads it in ``heard`` and raises ``RateLimited`` in ``wait``.
    """

    def __init__(
        self,
        calls_per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sent: deque[float] = deque(maxlen=calls_per_minute)
        self._clock, self._sleep = clock, sleep

    def wait(self) -> None:
        """Until one more call is allowed."""
        if len(self._sent) == self._sent.maxlen:
            left = self._sent[0] + 60 - self._clock()
            if left > 0:
                self._sleep(left)
        self._sent.append(self._clock())

    def heard(self, headers: Mapping[str, str]) -> None:
        """What the ERP says about its limits in an answer; names in lower case."""
