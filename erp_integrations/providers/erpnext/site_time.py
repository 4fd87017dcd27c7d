"""The clock of an ERPNext site: moments without a zone, in the zone of its System Settings.

When clocks are set back, an hour of such moments happens twice, and a later
change may carry an earlier stamp. ``floor`` gives a place before which no later
change can be stamped, so nothing of the second hour is lost; ``utc`` takes the
latest meaning that is not in the future, so a later reading is never older.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

FORM = "%Y-%m-%d %H:%M:%S.%f"
#: clocks are set back at full quarters of an hour, by three hours at most
STEP, LONGEST_STEP_BACK = timedelta(minutes=15), timedelta(hours=3)
#: two clocks of one server may differ by this much
TOLERANCE = timedelta(minutes=2)


def moment(text: str) -> datetime:
    """Frappe's text → naive. It leaves out microseconds that are all zero."""
    return datetime.fromisoformat(text)


def stamp(text: str) -> str:
    """The text with all six decimals, so that texts sort as the moments do."""
    return moment(text).strftime(FORM)


class SiteTime:
    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def utc(self, text: str, now: datetime) -> datetime:
        """Aware UTC. In an hour that comes twice: the second, once ``now`` has reached it."""
        local = moment(text).replace(tzinfo=self.zone)
        later = local.replace(fold=1).astimezone(UTC)
        earlier = local.replace(fold=0).astimezone(UTC)
        if earlier < later <= now + TOLERANCE:
            return later
        return min(earlier, later)

    def local(self, instant: datetime) -> str:
        return instant.astimezone(self.zone).strftime(FORM)

    def floor(self, instant: datetime) -> str:
        """The earliest stamp that anything can get from this instant on."""
        last = instant + LONGEST_STEP_BACK + STEP
        quarter = instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        stamps = [self.local(instant)]
        while quarter <= last:
            if quarter > instant:
                stamps.append(self.local(quarter))
            quarter += STEP
        return min(stamps)
