"""The daily summary for accounting approvers who asked for it (domain sheet §1.7)."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from commitments.erp_states import acceptable_by
from commitments.models import SubcontractorInvoice
from erp_integrations.models import (
    ErpAllocation,
    ErpConnection,
    NoticeClock,
    NoticeKind,
    WaitReason,
)
from erp_integrations.notices import links
from erp_integrations.notices.outbox import write_email
from erp_integrations.notices.preferences import those_who_want
from projects.holders import approvers_of
from projects.models import ErpStatus, User
from projects.money import display_money

SUBJECT = "ERP Integrations Daily Summary: {company}, {day:%m/%d/%Y}"
#: local time; a summary that could not be written by the end of the window is left out
BEGINS, WINDOW = time(7), timedelta(hours=5)
#: invoices that are named; the rest is a number
NAMED = 10


def write_due() -> int:
    """Write the summaries of every company where it is morning and none was written today."""
    connections = ErpConnection.objects.filter(sends_email=True).select_related("company")
    return sum(_write_once(each, day) for each in connections if (day := due_day(each)))


def due_day(connection: ErpConnection) -> date | None:
    """The company's own day whose summary is due now; None outside the window.

    Moments are compared, not clock faces: an hour that clocks skip or repeat
    changes nothing.
    """
    zone, now = ZoneInfo(connection.company.time_zone), timezone.now()
    today = now.astimezone(zone).date()
    begins = datetime.combine(today, BEGINS, zone)
    return today if begins <= now < begins + WINDOW else None


@transaction.atomic
def _write_once(connection: ErpConnection, day: date) -> int:
    """How many were written; whoever comes second the same day writes none."""
    clock, _ = NoticeClock.objects.get_or_create(
        connection=connection, defaults={"company": connection.company}
    )
    earlier = Q(summarized_on=None) | Q(summarized_on__lt=day)
    mine = NoticeClock.objects.filter(earlier, pk=clock.pk)
    if not mine.update(summarized_on=day):
        return 0
    people = those_who_want(approvers_of(connection.company), connection.company, NoticeKind.DIGEST)
    return sum(_write(connection, person, day) for person in people)


def _write(connection: ErpConnection, person: User, day: date) -> int:
    company = connection.company
    news = _news(connection, person)
    if not any(news.values()):
        return 0
    write_email(
        company=company,
        person=person,
        kind=NoticeKind.DIGEST,
        subject=SUBJECT.format(company=company.name, day=day),
        template="digest",
        context={
            **news,
            "erp": connection.name,
            "invoices_url": links.page(
                "erp_integrations:company_subcontractor_invoices", company.pk
            ),
            "home_url": links.page("erp_integrations:company_home", company.pk),
        },
        dedupe_key=f"digest:{connection.pk}:{day}:{person.pk}",
    )
    return 1


def _news(connection: ErpConnection, person: User) -> dict[str, Any]:
    invoices = acceptable_by(person).filter(company=connection.company_id)
    sent, failed = (
        invoices.filter(erp_status=ErpStatus.SENT),
        invoices.filter(erp_status=ErpStatus.FAILED),
    )
    waiting = ErpAllocation.objects.for_user(person).waiting().filter(company=connection.company_id)
    reasons = waiting.order_by().values("reason").annotate(count=Count("pk")).order_by("-count")
    return {
        "sent_count": sent.count(),
        "sent": list(_lines(sent)),
        "failed_count": failed.count(),
        "failed": list(_lines(failed)),
        "waiting": [(row["count"], WaitReason(row["reason"]).label.lower()) for row in reasons],
    }


def _lines(invoices: "QuerySet[SubcontractorInvoice]") -> Iterator[str]:
    named = invoices.select_related("commitment__vendor").order_by("updated_at", "pk")[:NAMED]
    for invoice in named:
        commitment = invoice.commitment
        amount = display_money(invoice.current_payment_due, commitment.currency)
        words = [invoice.invoice_number, commitment.vendor.name, commitment.number, amount]
        if invoice.erp_status == ErpStatus.FAILED and invoice.erp_message:
            words.append(invoice.erp_message)
        yield " · ".join(words)
