"""Who changed what on a commitment, its change orders and its invoices."""

from django.conf import settings
from django.db import models

from commitments.models.commitment import Commitment
from commitments.models.invoice import SubcontractorInvoice
from projects.models import Company


class CommitmentEvent(models.Model):
    """One change, never edited: ``changes`` is ``{field label: [old, new]}``.

    Without an ``actor`` the program did it; ``summary`` says on what occasion.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, related_name="events")
    #: the invoice it is about, where it is about one
    invoice = models.ForeignKey(
        SubcontractorInvoice,
        on_delete=models.SET_NULL,
        null=True,
        related_name="events",
    )
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    subject = models.CharField(max_length=200)
    summary = models.CharField(max_length=300)
    changes = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["commitment", "-at"], name="commitment_event_by_time")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.summary}"
