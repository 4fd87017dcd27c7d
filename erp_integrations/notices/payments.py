"""“Payment recorded”: told to those who asked for it, some hours after the ERP said so.

Works behind the engine, never in it: the history of payments is read from where
the last look ended, once its news is older than the company's waiting time. What
was voided or vanished meanwhile is not told. Neither are old payments, which a
first sync or a back-fill brings by the thousand, nor what came before the person
asked.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from erp_integrations.models import ErpConnection, NoticeClock, NoticeKind, RunMode, SyncRun
from erp_integrations.notices import links
from erp_integrations.notices.outbox import write_email
from erp_integrations.notices.preferences import subscribed_since
from payments.models import EventKind, Payment, PaymentEvent
from projects.models import Company, User
from projects.money import display_money

#: a payment dated longer ago is no news
NEWS = timedelta(days=14)
#: every transaction that may still write an older event is over by then
SETTLED = timedelta(minutes=10)
#: history that is looked at in one transaction
CHUNK = 5_000
#: checks that get an e-mail each; more of them get one for all
SINGLE_CHECKS = 10
SUBJECT, SUBJECT_OF_MANY = "Payment recorded: {what}", "{number} payments recorded: {company}"


@dataclass(frozen=True)
class Check:
    """The payments that one payment of the ERP became, as far as one person may see them."""

    payments: list[Payment]

    @property
    def first(self) -> Payment:
        return self.payments[0]

    @property
    def total(self) -> str:
        amount = sum((each.amount for each in self.payments), Decimal(0))
        return display_money(amount, self.first.currency)

    @property
    def vendor(self) -> str:
        return self.first.commitment.vendor.name

    @property
    def name(self) -> str:
        number = self.first.check_number or self.first.payment_number or self.first.origin_code
        return f"{self.first.get_method_display()} {number}".strip()

    @property
    def lines(self) -> list[str]:
        return [
            f"{display_money(each.amount, each.currency)} · invoice "
            f"{each.invoice_number or '—'} · {each.commitment.number} · {each.project}"
            for each in self.payments
        ]

    @property
    def url(self) -> str:
        where = (self.first.project_id, self.first.commitment_id, self.first.pk)
        return links.page("payments:detail", *where)


def tell_due() -> int:
    """Look at what is new on every connection; how many e-mails were written."""
    connections = ErpConnection.objects.filter(sends_email=True).select_related("company")
    return sum(_tell_all(each) for each in connections)


def _tell_all(connection: ErpConnection) -> int:
    NoticeClock.objects.get_or_create(
        connection=connection, defaults={"company": connection.company}
    )
    written = 0
    while (step := _tell_some(connection)) is not None:
        written += step
    return written


@transaction.atomic
def _tell_some(connection: ErpConnection) -> int | None:
    """Tell of the next chunk of history; None when there is none, or somebody else does it."""
    clocks = NoticeClock.objects.select_for_update(skip_locked=True, of=["self"])
    clock = clocks.filter(connection=connection).first()
    if clock is None:
        return None
    subscribers = _subscribers(connection.company)
    if clock.last_payment_event is None or not subscribers:
        _move(clock, _newest_event())
        return None
    upto = _last_ripe(connection, clock.last_payment_event)
    if upto <= clock.last_payment_event:
        return None
    came = _came(connection, clock.last_payment_event, upto)
    _move(clock, came[-1].pk if len(came) == CHUNK else upto)
    news = _news(came)
    return sum(_tell(connection, *who, news) for who in subscribers.items())


def _move(clock: NoticeClock, event_id: int) -> None:
    clock.last_payment_event = event_id
    clock.save(update_fields=["last_payment_event"])


def _newest_event() -> int:
    newest = PaymentEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _last_ripe(connection: ErpConnection, after: int) -> int:
    """The last of the history, in the order it was written, before the first that is too young."""
    wait = max(timedelta(hours=connection.payment_email_delay_hours), SETTLED)
    young = PaymentEvent.objects.filter(pk__gt=after, at__gt=timezone.now() - wait)
    first_young = young.order_by("pk").values_list("pk", flat=True).first()
    return first_young - 1 if first_young else _newest_event()


def _came(connection: ErpConnection, after: int, upto: int) -> list[PaymentEvent]:
    """What imports brought to this company."""
    came = PaymentEvent.objects.filter(
        pk__gt=after,
        pk__lte=upto,
        company=connection.company_id,
        kind=EventKind.CREATED,
        actor=None,
        payment__isnull=False,
    )
    return list(came.order_by("pk")[:CHUNK])


def _news(came: Iterable[PaymentEvent]) -> dict[int, datetime]:
    """Payment → when it came, without those that a back-fill brought."""
    back_fills = SyncRun.objects.filter(
        pk__in={event.import_id for event in came if event.import_id}, mode=RunMode.BACK_FILL
    )
    old = set(back_fills.values_list("pk", flat=True))
    return {
        event.payment_id: event.at
        for event in came
        if event.payment_id and event.import_id not in old
    }


def _subscribers(company: Company) -> dict[User, dict[NoticeKind, datetime]]:
    wanted: dict[int, dict[NoticeKind, datetime]] = defaultdict(dict)
    for kind in (NoticeKind.PAYMENT, NoticeKind.CONTACT):
        for person_id, since in subscribed_since(company, kind).items():
            wanted[person_id][kind] = since
    people = User.objects.filter(pk__in=wanted, is_active=True).exclude(email="").order_by("pk")
    return {person: wanted[person.pk] for person in people}


def _tell(
    connection: ErpConnection,
    person: User,
    wanted: dict[NoticeKind, datetime],
    news: dict[int, datetime],
) -> int:
    """Write what this person may know, wants, and has not heard; how many e-mails."""
    checks = _checks(connection, person, wanted, news)
    if len(checks) > SINGLE_CHECKS:
        _write(connection.company, person, wanted, checks, "payments")
        return 1
    for check in checks:
        _write(connection.company, person, wanted, [check], "payment")
    return len(checks)


def _checks(
    connection: ErpConnection,
    person: User,
    wanted: dict[NoticeKind, datetime],
    news: dict[int, datetime],
) -> list[Check]:
    today = timezone.now().astimezone(ZoneInfo(connection.company.time_zone)).date()
    fresh = [pk for pk, came in news.items() if came >= min(wanted.values())]
    visible = (
        Payment.objects.for_user(person)
        .counted()
        .filter(
            _asked_for(person, wanted, news),
            pk__in=fresh,
            missing_since=None,
            date__gte=today - NEWS,
        )
        .exclude(origin_id="")
    )
    rows = visible.select_related("commitment__vendor", "project").order_by("date", "pk")
    checks: dict[str, list[Payment]] = defaultdict(list)
    for payment in rows:
        checks[payment.origin_data or payment.origin_id].append(payment)
    return [Check(payments) for payments in checks.values()]


def _asked_for(person: User, wanted: dict[NoticeKind, datetime], news: dict[int, datetime]) -> Q:
    """Those of any commitment, those where the person is a contact, each since it was asked for."""
    condition = Q(pk__in=[])
    if since := wanted.get(NoticeKind.PAYMENT):
        condition |= Q(pk__in=[pk for pk, came in news.items() if came >= since])
    if since := wanted.get(NoticeKind.CONTACT):
        came = [pk for pk, came in news.items() if came >= since]
        condition |= Q(pk__in=came, commitment__invoice_contacts=person)
    return condition


def _write(
    company: Company,
    person: User,
    wanted: dict[NoticeKind, datetime],
    checks: list[Check],
    template: str,
) -> None:
    first = checks[0]
    single = SUBJECT.format(what=f"{first.vendor}, {first.total}")
    many = SUBJECT_OF_MANY.format(number=len(checks), company=company.name)
    ids = [payment.pk for check in checks for payment in check.payments]
    write_email(
        company=company,
        person=person,
        kind=NoticeKind.PAYMENT if NoticeKind.PAYMENT in wanted else NoticeKind.CONTACT,
        subject=single if template == "payment" else many,
        template=template,
        context={"check": first, "checks": checks},
        dedupe_key=f"payment:{person.pk}:{ids[0]}:{ids[-1]}:{len(ids)}",
        payments=ids,
    )
