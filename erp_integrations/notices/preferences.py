"""Who wants which e-mail; the only writer of ``EmailPreference``."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from commitments.models import Commitment
from erp_integrations.models import EmailPreference, ErpConnection, NoticeKind
from erp_integrations.models.notice import ON_BY_DEFAULT
from projects.access import Level, Tool
from projects.models import Company, Project, User

HELP = {
    NoticeKind.TROUBLE: "When syncs fail or the ERP refuses the credentials, and when it is over.",
    NoticeKind.DIGEST: "At 7 in the morning: invoices that wait for you, failed exports, what "
    "waits. Nothing when there is nothing.",
    NoticeKind.REJECTION: "When an accounting approver rejects an invoice that you sent.",
    NoticeKind.PAYMENT: "When the ERP paid an invoice on any commitment that you may see.",
    NoticeKind.CONTACT: "The same, only for commitments on which you are an invoice contact.",
}


class Choice(NamedTuple):
    """One switch on the person's page."""

    company: Company
    kind: NoticeKind
    is_wanted: bool

    @property
    def name(self) -> str:
        return f"{self.company.pk}-{self.kind.value}"

    @property
    def label(self) -> str:
        return str(self.kind.label)

    @property
    def help_text(self) -> str:
        return HELP[self.kind]


@transaction.atomic
def set_preference(
    *, person: User, company: Company, kind: NoticeKind, is_wanted: bool
) -> EmailPreference:
    """Switch one kind of e-mail on or off; saying the same again moves nothing."""
    row, is_new = EmailPreference.objects.select_for_update().get_or_create(
        person=person,
        company=company,
        kind=kind,
        defaults={"is_wanted": is_wanted, "changed_at": timezone.now()},
    )
    if not is_new and row.is_wanted != is_wanted:
        row.is_wanted, row.changed_at = is_wanted, timezone.now()
        row.save(update_fields=["is_wanted", "changed_at"])
    return row


def wants(person: User, company_id: int, kind: NoticeKind) -> bool:
    row = EmailPreference.objects.filter(person=person, company=company_id, kind=kind).first()
    return row.is_wanted if row else kind in ON_BY_DEFAULT


def those_who_want(people: Iterable[User], company: Company, kind: NoticeKind) -> list[User]:
    """The people who want this kind and have an address."""
    said = EmailPreference.objects.filter(company=company, kind=kind)
    answers = dict(said.values_list("person_id", "is_wanted"))
    default = kind in ON_BY_DEFAULT
    return [each for each in people if each.email and answers.get(each.pk, default)]


def subscribed_since(company: Company, kind: NoticeKind) -> dict[int, datetime]:
    """Person id → since when, of those who asked for this kind."""
    wanted = EmailPreference.objects.filter(company=company, kind=kind, is_wanted=True)
    return dict(wanted.values_list("person_id", "changed_at"))


def choices_of(person: User) -> list[Choice]:
    """Every switch that means something to the person, company by company."""
    said = EmailPreference.objects.filter(person=person)
    answers = {(each.company_id, each.kind): each.is_wanted for each in said}
    return [
        Choice(company, kind, answers.get((company.pk, kind.value), kind in ON_BY_DEFAULT))
        for company, kind in _offered(person)
    ]


def _offered(person: User) -> list[tuple[Company, NoticeKind]]:
    """What a person without a right could switch on would never come, so it is not offered."""
    companies = Company.objects.filter(pk__in=ErpConnection.objects.values("company_id")).for_user(
        person
    )
    admin = companies.with_level(person, Tool.ERP_INTEGRATIONS, Level.ADMIN)
    readers = Project.objects.for_user(person, Tool.COMMITMENTS)
    senders = Project.objects.for_user(person, Tool.COMMITMENTS, Level.ADMIN)
    contacts = Commitment.objects.for_user(person).filter(invoice_contacts=person)
    holders = {
        NoticeKind.TROUBLE: admin.values_list("pk", flat=True),
        NoticeKind.DIGEST: companies.with_approver(person).values_list("pk", flat=True),
        NoticeKind.REJECTION: senders.values_list("company_id", flat=True),
        NoticeKind.PAYMENT: readers.values_list("company_id", flat=True),
        NoticeKind.CONTACT: contacts.values_list("company_id", flat=True),
    }
    offered = {kind: set(ids) for kind, ids in holders.items()}
    return [
        (company, kind)
        for company in companies.order_by("name")
        for kind in NoticeKind
        if company.pk in offered[kind]
    ]
