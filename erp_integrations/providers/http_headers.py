"""Times in the headers of an answer."""

import email.utils
from datetime import UTC, datetime


def http_date(text: str | None) -> datetime | None:
    try:
        parsed = email.utils.parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def seconds_to_wait(text: str | None) -> float | None:
    """Seconds, from either form that the header may have."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    until = http_date(text)
    if until is None:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
