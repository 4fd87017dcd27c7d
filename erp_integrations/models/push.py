"""Calls that sent payments to us, remembered so that a call that is repeated does nothing twice."""

from django.db import models

from erp_integrations.models.connection import ErpConnection
from erp_integrations.models.run import SyncRun
from projects.models import Company


class PushedCall(models.Model):
    """One call with an idempotency key, and what it was answered."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(ErpConnection, on_delete=models.CASCADE, related_name="pushed")
    key = models.CharField(max_length=200)
    #: SHA-256 of the body: the same key with another body is a mistake of the sender
    body_hash = models.CharField(max_length=64)
    answer = models.JSONField()
    run = models.ForeignKey(SyncRun, on_delete=models.SET_NULL, null=True, related_name="+")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "key"], name="pushed_call_once")
        ]
        indexes = [models.Index(fields=["received_at"], name="pushed_call_by_time")]

    def __str__(self) -> str:
        return self.key
