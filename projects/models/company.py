"""The tenant, and the companies it pays."""

from typing import Self

from django.db import models
from django.db.models import Q

from projects.access import (
    ACCOUNTING_APPROVER,
    Level,
    Person,
    Tool,
    codenames_from,
    granted_ids,
    level_permissions,
)
from projects.models.origin import OriginMixin
from projects.money import CurrencyField, validate_currency
from projects.time_zones import validate_time_zone


class CompanyQuerySet(models.QuerySet["Company"]):
    def for_user(self, user: Person) -> Self:
        """Companies in which the person has any grant, on the company or one of its projects."""
        from projects.models.project import Project

        if user.is_superuser:
            return self
        projects = Project.objects.for_user(user)
        codes = [code for tool in Tool for code in codenames_from(tool, Level.READ_ONLY)]
        granted = self._granted(user, [*codes, ACCOUNTING_APPROVER])
        return self.filter(granted | Q(pk__in=projects.values("company_id")))

    def with_level(self, user: Person, tool: Tool, level: Level) -> Self:
        """Companies on which the person holds at least this level, granted on the company."""
        if user.is_superuser:
            return self
        return self.filter(self._granted(user, codenames_from(tool, level)))

    def with_approver(self, user: Person) -> Self:
        """Companies for which the person is an accounting approver."""
        if user.is_superuser:
            return self
        return self.filter(self._granted(user, [ACCOUNTING_APPROVER]))

    def with_accounting(self, user: Person) -> Self:
        """Companies whose whole ERP Integrations tool is the person's: Standard, or approver."""
        if user.is_superuser:
            return self
        codes = codenames_from(Tool.ERP_INTEGRATIONS, Level.STANDARD)
        return self.filter(self._granted(user, [*codes, ACCOUNTING_APPROVER]))

    def _granted(self, user: Person, codes: list[str]) -> Q:
        from projects.models.grants import (
            CompanyGroupObjectPermission,
            CompanyUserObjectPermission,
        )

        tables = (CompanyUserObjectPermission, CompanyGroupObjectPermission)
        return granted_ids(user, tables, codes)


class Company(models.Model):
    """A general contractor: the tenant that every other row belongs to."""

    name = models.CharField(max_length=200, unique=True)
    currency = CurrencyField(validators=[validate_currency])
    time_zone = models.CharField(
        max_length=64,
        default="America/New_York",
        validators=[validate_time_zone],
        help_text="Times on pages are shown in this zone, e.g. America/Chicago.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = models.Manager.from_queryset(CompanyQuerySet)()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "companies"
        permissions = [*level_permissions(), (ACCOUNTING_APPROVER, "Accounting approver")]

    def __str__(self) -> str:
        return self.name


class Vendor(OriginMixin):
    """A company that is paid: a subcontractor or a supplier."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="vendors")
    name = models.CharField(max_length=200)
    code = models.CharField(max_length=50, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "name"],
                name="vendor_name_once_per_company",
                violation_error_message="There is a vendor with this name already.",
            ),
            models.UniqueConstraint(
                fields=["company", "origin_id"],
                condition=~Q(origin_id=""),
                name="vendor_origin_once_per_company",
                violation_error_message="Another vendor is linked to this ERP vendor already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
