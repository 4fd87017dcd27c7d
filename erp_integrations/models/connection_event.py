"""Who changed what on a connection."""

from typing import Self

from django.conf import settings
from django.db import models

from erp_integrations.models.connection import ErpConnection
from projects.access import Level, Person, Tool
from projects.models import Company


class ConnectionEventQuerySet(models.QuerySet["ConnectionEvent"]):
    def for_user(self, user: Person) -> Self:
        """For administrators of the company's ERP Integrations tool."""
        companies = Company.objects.with_level(user, Tool.ERP_INTEGRATIONS, Level.ADMIN)
        return self.filter(company__in=companies.values("pk"))


class ConnectionEvent(models.Model):
    """One field that was changed, in people's words; never edited, never a secret.

    Without an ``actor`` the program did it. Outlives its connection.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(
        ErpConnection, on_delete=models.SET_NULL, null=True, related_name="events"
    )
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    label = models.CharField("setting", max_length=100)
    old = models.CharField("before", max_length=500, blank=True)
    new = models.CharField("after", max_length=500, blank=True)

    objects = models.Manager.from_queryset(ConnectionEventQuerySet)()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "change of a connection"
        verbose_name_plural = "changes of connections"
        indexes = [models.Index(fields=["company", "-at"], name="connection_event_by_time")]

    def __str__(self) -> str:
        return f"{self.label}: {self.old or '—'} → {self.new or '—'}"
