"""The schedule of values: what the contract sum is made of."""

from decimal import Decimal

from django.db import models

from commitments.models.commitment import Commitment
from projects.models import Company
from projects.money import MoneyField


class ScheduleOfValuesLine(models.Model):
    """One line; ``amount`` is what counts, quantity × unit cost explains it where given."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    commitment = models.ForeignKey(
        Commitment, on_delete=models.CASCADE, related_name="schedule_of_values"
    )
    position = models.PositiveIntegerField("#")
    cost_code = models.CharField(max_length=50, blank=True)
    cost_type = models.CharField(max_length=50, blank=True)
    description = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    unit = models.CharField("UOM", max_length=20, blank=True)
    unit_cost = MoneyField(null=True, blank=True)
    amount = MoneyField(default=Decimal(0))

    class Meta:
        ordering = ["position"]
        verbose_name = "schedule of values line"
        constraints = [
            models.UniqueConstraint(
                fields=["commitment", "position"],
                name="schedule_position_once_per_commitment",
                violation_error_message="Another line has this number.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.description}"
