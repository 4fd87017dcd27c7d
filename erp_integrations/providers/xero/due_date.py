"""When a bill is due by the payment terms that Xero keeps for a vendor. Pure."""

import calendar
from datetime import date, timedelta

import msgspec


class Terms(msgspec.Struct, rename={"day": "Day", "type": "Type"}):
    """``day`` counts days, or is a day of a month, as ``type`` says."""

    day: int = 0
    type: str = ""


def due_date(billed: date, terms: Terms | None) -> date:
    """Terms that are not there, or not known here, make a bill due at once."""
    if terms is None:
        return billed
    match terms.type:
        case "DAYSAFTERBILLDATE":
            return billed + timedelta(days=terms.day)
        case "DAYSAFTERBILLMONTH":
            return _day_of(billed, 31) + timedelta(days=terms.day)
        case "OFCURRENTMONTH":
            return max(billed, _day_of(billed, terms.day))
        case "OFFOLLOWINGMONTH":
            return _day_of(_day_of(billed, 31) + timedelta(days=1), terms.day)
        case _:
            return billed


def _day_of(month: date, day: int) -> date:
    """That day of the month, or its last one where it is too short."""
    last = calendar.monthrange(month.year, month.month)[1]
    return month.replace(day=min(max(day, 1), last))
