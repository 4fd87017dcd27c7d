"""Files attached to a payment: served as downloads by a view that checks access."""

from typing import Self

from django.db import models

from payments.models.payment import Payment
from projects.access import Level, Person
from projects.models import AttachedFile


class PaymentAttachmentQuerySet(models.QuerySet["PaymentAttachment"]):
    def for_user(self, user: Person, level: Level = Level.READ_ONLY) -> Self:
        return self.filter(payment__in=Payment.objects.for_user(user, level))


class PaymentAttachment(AttachedFile):
    """One file of a payment."""

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="attachments")
    file = models.FileField(upload_to="payment-attachments/%Y/%m")

    objects = models.Manager.from_queryset(PaymentAttachmentQuerySet)()
