"""Somebody's word that two payments that look alike are not the same."""

from django.conf import settings
from django.db import models

from payments.models.payment import Payment
from projects.models import Company


class DismissedDuplicate(models.Model):
    """A hand-entered payment and a synced one, both real: the pair is not offered again."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="+")
    twin = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="+")
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    dismissed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "twin"], name="duplicate_dismissed_once_per_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.payment} is not {self.twin}"
