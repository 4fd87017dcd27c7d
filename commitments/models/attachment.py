"""Files attached to an invoice: the one part of it that stays open after it was sent."""

from typing import Self

from django.db import models

from commitments.models.invoice import SubcontractorInvoice
from projects.access import Level, Person
from projects.models import AttachedFile


class InvoiceAttachmentQuerySet(models.QuerySet["InvoiceAttachment"]):
    def for_user(self, user: Person, level: Level = Level.READ_ONLY) -> Self:
        return self.filter(invoice__in=SubcontractorInvoice.objects.for_user(user, level))


class InvoiceAttachment(AttachedFile):
    """One file of an invoice."""

    invoice = models.ForeignKey(
        SubcontractorInvoice, on_delete=models.CASCADE, related_name="attachments"
    )
    file = models.FileField(upload_to="invoice-attachments/%Y/%m")

    objects = models.Manager.from_queryset(InvoiceAttachmentQuerySet)()
