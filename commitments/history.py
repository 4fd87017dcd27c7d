"""The change history of a commitment: its own events and those of the rooms to the right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField, F, QuerySet, Value
from django.http import HttpRequest

from commitments import extensions
from commitments.models import Commitment, CommitmentEvent, SubcontractorInvoice
from projects.models import User
from projects.paging import KeysetPage, keyset_page

#: an amount as an import writes it down: with all decimals of its column
STORED_AMOUNT = re.compile(r"-?\d{1,15}\.\d{4}")
#: so much of one record's history stands on its own page
SHOWN = 100
#: who did what neither a person nor an import with a number did
AUTOMATIC, IMPORT = "Automatic", "ERP sync"
#: ``row_id`` is unique in one source only
ORDER = ("-at", "-row_id", "-source")


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
) -> tuple[KeysetPage, list[HistoryRow]]:
    """One page, newest first; merged and cut by the database."""
    sources = [_own(commitment), *(each(commitment) for each in extensions.history_sources())]
    own, *others = _numbered(sources)
    page = keyset_page(request, own, ORDER, also=others, values_of=_place)
    # the number of its source stands behind the columns of a row
    found = [dict(zip(extensions.HISTORY_COLUMNS, each[:-1], strict=True)) for each in page]
    people = User.objects.in_bulk({each["actor_id"] for each in found if each["actor_id"]})
    imports = extensions.import_names(
        {each["import_id"] for each in found if each["import_id"]}, request.user
    )
    return page, [_row(each, people, imports) for each in found]


def _numbered(sources: "list[QuerySet[Any, Any]]") -> "list[QuerySet[Any, Any]]":
    """Rows of two sources may have one time and one id; their number tells them apart."""
    return [rows.annotate(source=Value(number)) for number, rows in enumerate(sources)]


def _place(row: Sequence[Any]) -> Sequence[Any]:
    """What the row has under the names of ``ORDER``."""
    return [row[0], row[1], row[-1]]


def invoice_history(invoice: SubcontractorInvoice) -> list[HistoryRow]:
    """What happened to one invoice, newest first."""
    events = invoice.events.select_related("actor")[:SHOWN]
    return [
        HistoryRow(
            at=event.at,
            subject=event.subject,
            summary=event.summary,
            changes=change_lines(event.changes),
            who=doer(event.actor, None, {})["text"],
        )
        for event in events
    ]


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
