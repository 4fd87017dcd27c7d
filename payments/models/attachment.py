"""Files attached to a payment: served as downloads by a view that checks access."""

from typing import Self

from django.conf import settings
from django.db import models

from payments.models.payment import Payment
from projects.access import Level, Person
from projects.models import Company


class PaymentAttachmentQuerySet(models.QuerySet["PaymentAttachment"]):
    def for_user(self, user: Person, level: Level = Level.READ_ONLY) -> Self:
        return self.filter(payment__in=Payment.objects.for_user(user, level))


class PaymentAttachment(models.Model):
    """One file. ``sha256`` is the hex digest of the content."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="attachments")
    file = models.FileField(upload_to="payment-attachments/%Y/%m")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)

    objects = models.Manager.from_queryset(PaymentAttachmentQuerySet)()

    class Meta:
        ordering = ["uploaded_at", "pk"]

    def __str__(self) -> str:
        return self.name
