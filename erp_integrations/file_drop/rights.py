"""Who may drop files: they hold payments of all projects, so it takes a right on the company."""

from django.core.exceptions import ValidationError

from erp_integrations.models import ErpConnection
from projects.access import Level, Person, Tool
from projects.models import Company, User

NOT_ALLOWED = (
    "Dropping files needs Admin on the company's ERP Integrations tool, or an accounting approver."
)


def may_drop(company: Company, person: Person) -> bool:
    """Admin on the company's tool, or accounting approver."""
    mine = Company.objects.filter(pk=company.pk)
    return (
        mine.with_approver(person).exists()
        or mine.with_level(person, Tool.ERP_INTEGRATIONS, Level.ADMIN).exists()
    )


def require_right(connection: ErpConnection, by: User) -> None:
    """Raises ``ValidationError`` for whoever may not (any more)."""
    if not by.is_active or not may_drop(connection.company, by):
        raise ValidationError(NOT_ALLOWED)
