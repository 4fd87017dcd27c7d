"""When a day begins, for ERPs whose books are kept in a zone that they do not tell."""

from datetime import UTC, date, datetime, time, timedelta

#: how long a day has begun somewhere on Earth before it begins in Greenwich
FIRST_ZONE = timedelta(hours=14)


def first_moment_of(day: date) -> datetime:
    """When the day begins first, anywhere; reading from then on misses nothing of it."""
    return datetime.combine(day, time.min, UTC) - FIRST_ZONE
