"""Time zones that people may choose, and times as people read them."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Try one such as America/Chicago.")


def in_words(when: datetime, zone: str) -> str:
    """``07/06/2026 11:00 AM EDT``"""
    local = when.astimezone(ZoneInfo(zone))
    return f"{local:%m/%d/%Y %I:%M %p} {local.tzname()}"
