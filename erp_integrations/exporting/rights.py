"""Who may do what with invoices on their way out (domain sheet §1.4, §1.5, §6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from commitments.erp_states import acceptable_by
from commitments.models import SubcontractorInvoice
from erp_integrations.models import ErpConnection
from erp_integrations.places import Place
from projects.access import ACCOUNTING_APPROVER, Level, Person, Tool
from projects.models import Company, Project, User
from projects.models.grants import CompanyUserObjectPermission

#: named on the page, so that people know whom to ask
NAMED = 3
WHO = "Only accounting approvers with Standard on ERP Integrations can export or reject invoices"
NOBODY = f"{WHO}, and this company has none yet. An administrator can name them."


@dataclass(frozen=True)
class Exporter:
    """What one person may do with the invoices of a place."""

    place: Place

    @property
    def person(self) -> Person:
        return self.place.person

    @property
    def connection(self) -> ErpConnection | None:
        return self.place.connection

    @cached_property
    def may_accept(self) -> bool:
        """Accept and reject: accounting approver, and Standard on the tool of some project here."""
        companies = Company.objects.with_approver(self.person)
        if not companies.filter(pk=self.place.company.pk).exists():
            return False
        projects = Project.objects.for_user(self.person, Tool.ERP_INTEGRATIONS, Level.STANDARD)
        here = projects.filter(company=self.place.company)
        project = self.place.project
        return (here.filter(pk=project.pk) if project else here).exists()

    @cached_property
    def sees_company(self) -> bool:
        """Whether the company's own pages, where records are linked, are this person's too."""
        companies = Company.objects.with_accounting(self.person)
        return companies.filter(pk=self.place.company.pk).exists()

    def acceptable(self, invoices: Iterable[SubcontractorInvoice]) -> set[int]:
        """Those of these that the person may accept, whatever their state."""
        if not self.may_accept:
            return set()
        ids = [invoice.pk for invoice in invoices]
        return set(acceptable_by(self.person).filter(pk__in=ids).values_list("pk", flat=True))

    def unlinkable(self, invoices: Iterable[SubcontractorInvoice]) -> set[int]:
        """The synced ones of these that the person may unlink."""
        ids = [invoice.pk for invoice in invoices if invoice.is_synced]
        return unlinkable_by(self.person, ids) if self.may_accept else set()

    @cached_property
    def who_may(self) -> str:
        """For everybody else: who can do it."""
        grants = CompanyUserObjectPermission.objects.filter(
            permission__codename=ACCOUNTING_APPROVER, content_object=self.place.company
        )
        people = User.objects.filter(pk__in=grants.values("user_id"), is_active=True)
        names = [str(person) for person in people.order_by("pk")[:NAMED]]
        return f"{WHO}. Ask {_listed(names)}." if names else NOBODY


def unlinkable_by(person: Person, ids: Iterable[int]) -> set[int]:
    """Admin on Commitments, Standard on ERP Integrations and accounting approver, all three."""
    administered = SubcontractorInvoice.objects.for_user(person, Level.ADMIN)
    both = acceptable_by(person).filter(pk__in=administered.filter(pk__in=list(ids)).values("pk"))
    return set(both.values_list("pk", flat=True))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
