"""A payment issued on a commitment (domain sheet §5)."""

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from commitments.models import Commitment, SubcontractorInvoice
from projects.access import Level, Person
from projects.models import Company, OriginMixin, Project
from projects.money import CurrencyField, MoneyField


class PaymentMethod(models.TextChoices):
    CHECK = "check", "Check"
    CREDIT_CARD = "credit_card", "Credit Card"
    ELECTRONIC = "electronic", "Electronic"


class PaymentStatus(models.TextChoices):
    ISSUED = "issued", "Issued"
    VOIDED = "voided", "Voided"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def for_user(self, user: Person, level: Level = Level.READ_ONLY) -> Self:
        """Payments of commitments that the person may see and whose tab is switched on."""
        commitments = Commitment.objects.for_user(user, level).filter(allow_payments=True)
        return self.filter(commitment__in=commitments)

    def counted(self) -> Self:
        """What totals count: issued, and not confirmed to have vanished from the other system."""
        return self.filter(status=PaymentStatus.ISSUED, vanished_at=None)

    def total_of(self, owner: str) -> Coalesce:
        """Subquery expression: the counted amount per ``commitment`` or ``invoice``."""
        rows = self.counted().filter(**{owner: OuterRef("pk")}).order_by().values(owner)
        total = rows.annotate(total=Sum("amount")).values("total")
        return Coalesce(Subquery(total), Value(Decimal(0)), output_field=MoneyField())


class Payment(OriginMixin):
    """One payment of one invoice.

    With an ``origin_id`` it mirrors a payment of another system and is locked,
    except for its payment number and attachments. ``origin_code`` is the number
    people see there; ``origin_data`` is the other system's key of the whole
    payment, which rows of one check share.
    """

    # Two keys over several columns stand for the four single ones (migration 0002): they also say
    # that the commitment is the project's and the company's, and the invoice the commitment's.
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    commitment = models.ForeignKey(
        Commitment,
        on_delete=models.PROTECT,
        related_name="payments",
        db_constraint=False,
        db_index=False,
    )
    invoice = models.ForeignKey(
        SubcontractorInvoice,
        on_delete=models.PROTECT,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="payments",
    )
    amount = MoneyField()
    currency = CurrencyField()
    method = models.CharField("payment method", max_length=20, choices=PaymentMethod.choices)
    date = models.DateField("date paid")
    payment_number = models.CharField("payment #", max_length=100, blank=True)
    invoice_number = models.CharField("invoice #", max_length=100, blank=True)
    check_number = models.CharField("check #", max_length=100, blank=True)
    notes = models.TextField(blank=True)
    status = models.CharField(
        max_length=10, choices=PaymentStatus.choices, default=PaymentStatus.ISSUED
    )
    voided_on = models.DateField(null=True, blank=True)
    void_reason = models.CharField(max_length=200, blank=True)
    #: when a sweep first missed it in the other system; red from then on
    missing_since = models.DateTimeField(null=True, blank=True, editable=False)
    #: when that was confirmed; out of the totals from then on
    vanished_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = models.Manager.from_queryset(PaymentQuerySet)()

    class Meta:
        ordering = ["-date", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "origin_id"],
                condition=~Q(origin_id=""),
                name="payment_origin_once_per_company",
            ),
            models.CheckConstraint(
                condition=~Q(amount=0),
                name="payment_amount_is_not_zero",
                violation_error_message="Enter an amount other than zero.",
            ),
            models.CheckConstraint(
                condition=Q(status=PaymentStatus.ISSUED, voided_on=None)
                | Q(status=PaymentStatus.VOIDED, voided_on__isnull=False),
                name="payment_is_voided_exactly_when_it_has_a_void_date",
            ),
            models.CheckConstraint(
                condition=Q(method__in=PaymentMethod.values),
                name="payment_method_is_one_we_have",
            ),
            models.CheckConstraint(
                condition=Q(missing_since=None, vanished_at=None) | ~Q(origin_id=""),
                name="only_a_payment_with_an_origin_can_vanish",
            ),
        ]
        indexes = [
            models.Index(
                fields=["commitment"], include=["amount", "status"], name="payment_by_commitment"
            ),
            # the order of all payments, so that a page reads its fifty rows and no others
            models.Index(fields=["company", "-date", "-id"], name="payment_by_company_and_date"),
            models.Index(
                fields=["company", "origin_data"],
                condition=~Q(origin_data=""),
                name="payment_by_origin_data",
            ),
        ]

    def __str__(self) -> str:
        return f"Payment {self.payment_number or self.origin_code or self.pk}"

    @property
    def is_synced(self) -> bool:
        return self.has_origin

    @property
    def is_counted(self) -> bool:
        return self.status == PaymentStatus.ISSUED and self.vanished_at is None
