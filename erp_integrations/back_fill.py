"""Payments since a day, read beside the normal cursor, which stays where it is."""

import datetime as dt

from django.core.exceptions import ValidationError

from erp_integrations.models import SyncRun
from erp_integrations.providers.contract import Provider
from erp_integrations.reading import read_since

#: nobody's books that are still paid from are older
FIRST_DAY = dt.date(2000, 1, 1)


def read_back(run: SyncRun, provider: Provider) -> None:
    """What a run of mode *back-fill* does; its checkpoint is its own."""
    if run.since is None:
        raise AssertionError("the database does not let a back-fill be without a first day")
    read_since(run, provider, provider.cursor_since(run.since))


def check_first_day(day: dt.date | None, *, today: dt.date) -> dt.date:
    """The day, if a back-fill can start there. Raises ``ValidationError``."""
    if day is None:
        raise ValidationError("Enter the day from which payments are to be read again.")
    if day > today:
        raise ValidationError("This day is still to come. Enter one that has been.")
    if day < FIRST_DAY:
        raise ValidationError("Enter a day after 12/31/1999.")
    return day
