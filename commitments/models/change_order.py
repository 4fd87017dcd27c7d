"""Commitment change orders."""

from django.db import models

from commitments.models.commitment import Commitment
from projects.models import Company, ErpStatus, OriginMixin
from projects.money import MoneyField


class ChangeOrderStatus(models.TextChoices):
    DRAFT = "Draft", "Draft"
    PENDING_IN_REVIEW = "Pending - In Review", "Pending - In Review"
    PENDING_REVISED = "Pending - Revised", "Pending - Revised"
    APPROVED = "Approved", "Approved"
    REJECTED = "Rejected", "Rejected"


class ChangeOrder(OriginMixin):
    """A change of the contract sum; only approved ones count in the revised amount."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    commitment = models.ForeignKey(
        Commitment, on_delete=models.CASCADE, related_name="change_orders"
    )
    number = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    status = models.CharField(
        max_length=30, choices=ChangeOrderStatus.choices, default=ChangeOrderStatus.DRAFT
    )
    amount = MoneyField()
    is_executed = models.BooleanField("executed", default=False)
    erp_status = models.CharField(
        "ERP status", max_length=20, choices=ErpStatus.choices, default=ErpStatus.NOT_SENT
    )
    created_on = models.DateField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["commitment", "number"],
                name="change_order_number_once_per_commitment",
                violation_error_message="The commitment has a change order with this number.",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ChangeOrderStatus.values),
                name="change_order_status_is_one_we_have",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"
