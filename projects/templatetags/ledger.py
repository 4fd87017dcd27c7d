"""Template tags for money, dates, icons and ERP states. Built in: no ``{% load %}`` needed."""

import datetime as dt
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django import template
from django.template.loader import get_template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.models import ErpStatus
from projects.money import display_money
from projects.time_zones import in_words

register = template.Library()

#: stands where there is nothing to show
NOTHING = "—"


class ErpMark(NamedTuple):
    """A shape with a colour, and what it means in words."""

    shape: str
    words: str


MANUAL, VOIDED, TROUBLE = "manual", "voided", "trouble"
LINKED, UNLINKED, LOST = "linked", "unlinked", "lost"
MARKS: dict[str, ErpMark] = {
    ErpStatus.NOT_SENT: ErpMark("none", "Not sent to the ERP"),
    ErpStatus.SENT: ErpMark("sent", "Sent to the ERP, waiting for an accounting approver"),
    ErpStatus.RETRIEVED: ErpMark("returned", "Retrieved from the ERP by a user"),
    ErpStatus.REJECTED: ErpMark("returned", "Rejected by an accounting approver"),
    ErpStatus.EXPORTING: ErpMark("sent", "Being exported to the ERP"),
    ErpStatus.FAILED: ErpMark("trouble", "Export to the ERP failed"),
    ErpStatus.SYNCED: ErpMark("synced", "Synced with the ERP"),
    MANUAL: ErpMark("none", "Entered by hand, not in the ERP"),
    VOIDED: ErpMark("synced", "Synced with the ERP, voided there too"),
    TROUBLE: ErpMark("trouble", "Not found in the ERP any more"),
    LINKED: ErpMark("synced", "Linked to the ERP"),
    UNLINKED: ErpMark("none", "Not linked to the ERP"),
    LOST: ErpMark("trouble", "Linked, but not found in the ERP any more"),
}

#: the colour of a badge, by the status it names; whatever is not here is plain
TONES = {
    **dict.fromkeys(("Approved", "Approved as Noted", "Complete", "Received", "Paid"), "good"),
    **dict.fromkeys(("Submitted", "Processing", "Under Review", "Out For Bid"), "info"),
    **dict.fromkeys(("Out For Signature", "Partially Received", "Partially Paid"), "info"),
    **dict.fromkeys(("Pending - In Review", "Pending - Revised"), "info"),
    **dict.fromkeys(("Pending Owner Approval", "Revise & Resubmit"), "warn"),
    **dict.fromkeys(("Terminated", "Void", "Rejected"), "bad"),
}


@register.simple_tag
def icon(name: str) -> str:
    """``{% icon "lock" %}``: a drawing that says nothing the text beside it does not say."""
    return get_template(f"icons/{name}.svg").render()


@register.simple_tag
def erp_icon(subject: Any, message: str = "") -> SafeString:
    """``{% erp_icon invoice %}`` or ``{% erp_icon status message %}``: shape, colour and words."""
    if isinstance(subject, str):
        state = subject
    else:
        state, message = erp_state(subject), message or getattr(subject, "erp_message", "")
    mark = MARKS[state]
    words = f"{mark.words}: {message}" if message else mark.words
    drawing = get_template(f"icons/erp/{mark.shape}.svg").render()
    return format_html(
        '<span class="erp-icon {}" role="img" aria-label="{}" title="{}">{}</span>',
        mark.shape,
        words,
        words,
        drawing,
    )


def erp_state(record: Any) -> str:
    """Which of ``MARKS`` a record has: by its ERP status, or a payment's by what became of it."""
    if hasattr(record, "erp_status"):
        return str(record.erp_status)
    if record.missing_since or record.vanished_at:
        return TROUBLE
    if not record.has_origin:
        return MANUAL
    return VOIDED if record.status == "voided" else ErpStatus.SYNCED.value


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """``{{ amount|money:currency }}``: ``$1,100.50``, negative amounts in parentheses."""
    return NOTHING if amount is None else display_money(amount, currency)


@register.filter
def percent(share: Decimal | None) -> str:
    """``{{ percentage|percent }}``: ``41.5%``."""
    return NOTHING if share is None else f"{share:.1f}%"


@register.filter
def tone(status: str) -> str:
    """``<span class="badge {{ status|tone }}">``: its colour; the words say the same."""
    return TONES.get(status, "")


@register.filter
def us_date(date: dt.date | None) -> str:
    """``07/14/2026``"""
    return NOTHING if date is None else f"{date:%m/%d/%Y}"


@register.simple_tag
def moment(when: dt.datetime | None, zone: str) -> str | SafeString:
    """``{% moment run.created_at zone %}``: local time with the zone's abbreviation."""
    if when is None:
        return NOTHING
    local = when.astimezone(ZoneInfo(zone))
    return format_html(
        '<time datetime="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        in_words(when, zone),
    )
