"""The change history of a commitment: its own events and those of the rooms to the right."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.paginator import Page
from django.db.models import BigIntegerField, F, QuerySet, Value
from django.http import HttpRequest

from commitments import extensions
from commitments.models import Commitment, CommitmentEvent
from commitments.pages import page_of
from projects.models import User

#: an amount as an import writes it down: with all decimals of its column
STORED_AMOUNT = re.compile(r"-?\d{1,15}\.\d{4}")
#: who did what neither a person nor an import with a number did
AUTOMATIC, IMPORT = "Automatic", "ERP sync"


@dataclass(frozen=True)
class HistoryRow:
    at: datetime
    subject: str
    summary: str
    #: label, old, new
    changes: list[tuple[str, str, str]]
    who: str
    #: where it says more about who did it; empty: nowhere, or not for this person
    who_url: str = ""


def history_page(
    request: HttpRequest, commitment: Commitment
) -> "tuple[Page[Any], list[HistoryRow]]":
    """One page, newest first; merged and cut by the database."""
    own = _own(commitment)
    others = [source(commitment) for source in extensions.history_sources()]
    rows = own.union(*others, all=True) if others else own
    page = page_of(request, rows.order_by("-at", "-row_id"))
    found = [dict(zip(extensions.HISTORY_COLUMNS, each, strict=True)) for each in page]
    people = User.objects.in_bulk({each["actor_id"] for each in found if each["actor_id"]})
    imports = extensions.import_names(
        {each["import_id"] for each in found if each["import_id"]}, request.user
    )
    return page, [_row(each, people, imports) for each in found]


def _own(commitment: Commitment) -> "QuerySet[Any, Any]":
    none = Value(None, output_field=BigIntegerField())
    rows = CommitmentEvent.objects.filter(commitment=commitment).order_by()
    return rows.annotate(row_id=F("pk"), import_id=none).values_list(*extensions.HISTORY_COLUMNS)


def _row(
    event: dict[str, Any], people: dict[int, User], imports: dict[int, extensions.StatusLine]
) -> HistoryRow:
    who = doer(people.get(event["actor_id"]), event["import_id"], imports)
    return HistoryRow(
        at=event["at"],
        subject=event["subject"],
        summary=event["summary"],
        changes=change_lines(event["changes"]),
        who=who["text"],
        who_url=who["url"],
    )


def doer(
    person: User | None, import_id: int | None, imports: dict[int, extensions.StatusLine]
) -> extensions.StatusLine:
    """Who did it: a person, an import by its name, or the program by itself."""
    if person is not None:
        return {"text": str(person), "url": ""}
    if import_id is None:
        return {"text": AUTOMATIC, "url": ""}
    return imports.get(import_id, {"text": IMPORT, "url": ""})


def change_lines(changes: dict[str, list[Any]]) -> list[tuple[str, str, str]]:
    """``{label: [old, new]}`` as lines; a dash for what was or is empty."""
    return [(label, _text(old), _text(new)) for label, (old, new) in changes.items()]


def _text(value: Any) -> str:
    if value in (None, ""):
        return "—"
    text = str(value)
    return _amount_text(Decimal(text)) if STORED_AMOUNT.fullmatch(text) else text


def _amount_text(amount: Decimal) -> str:
    """``1,250.00``: without the zeros that only the column has."""
    return f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount.normalize():,f}"
