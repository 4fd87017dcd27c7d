"""A subcontract or a purchase order (domain sheet §4)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from projects.access import Level, Person, Tool
from projects.models import Company, ErpStatus, OriginMixin, Project, Vendor
from projects.money import CurrencyField, MoneyField, validate_currency


class CommitmentKind(models.TextChoices):
    SUBCONTRACT = "subcontract", "Subcontract"
    PURCHASE_ORDER = "purchase_order", "Purchase Order"


class CommitmentStatus(models.TextChoices):
    """Procore's words for both kinds; ``STATUSES_OF`` says which belong to which."""

    DRAFT = "Draft", "Draft"
    OUT_FOR_BID = "Out For Bid", "Out For Bid"
    OUT_FOR_SIGNATURE = "Out For Signature", "Out For Signature"
    APPROVED = "Approved", "Approved"
    COMPLETE = "Complete", "Complete"
    TERMINATED = "Terminated", "Terminated"
    VOID = "Void", "Void"
    PROCESSING = "Processing", "Processing"
    SUBMITTED = "Submitted", "Submitted"
    PARTIALLY_RECEIVED = "Partially Received", "Partially Received"
    RECEIVED = "Received", "Received"
    CLOSED = "Closed", "Closed"


_S = CommitmentStatus
STATUSES_OF: dict[str, tuple[CommitmentStatus, ...]] = {
    CommitmentKind.SUBCONTRACT: (
        _S.DRAFT,
        _S.OUT_FOR_BID,
        _S.OUT_FOR_SIGNATURE,
        _S.APPROVED,
        _S.COMPLETE,
        _S.TERMINATED,
        _S.VOID,
    ),
    CommitmentKind.PURCHASE_ORDER: (
        _S.DRAFT,
        _S.PROCESSING,
        _S.SUBMITTED,
        _S.PARTIALLY_RECEIVED,
        _S.RECEIVED,
        _S.APPROVED,
        _S.CLOSED,
    ),
}


def _status_belongs_to_kind() -> Q:
    condition = Q()
    for kind, statuses in STATUSES_OF.items():
        condition |= Q(kind=kind, status__in=list(statuses))
    return condition


def _total(rows: "models.QuerySet[models.Model]", amount: str = "amount") -> Coalesce:
    """The sum of ``amount`` over the rows of one commitment, as a subquery."""
    per_commitment = rows.filter(commitment=OuterRef("pk")).order_by().values("commitment")
    total = per_commitment.annotate(total=Sum(amount)).values("total")
    return Coalesce(Subquery(total), Value(Decimal(0)), output_field=MoneyField())


class CommitmentQuerySet(models.QuerySet["Commitment"]):
    def for_user(self, user: Person, level: Level = Level.READ_ONLY) -> Self:
        """Commitments on which the person holds at least ``level``.

        A private commitment is there only for administrators of the tool, for
        people on its list and for its invoice contacts (domain sheet §4.4).
        """
        rows = self.filter(project__in=Project.objects.for_user(user, Tool.COMMITMENTS, level))
        if user.is_superuser or level is Level.ADMIN:
            return rows
        administered = Project.objects.for_user(user, Tool.COMMITMENTS, Level.ADMIN)
        listed = Commitment.viewers.through.objects.filter(user_id=user.pk or 0)
        contacts = Commitment.invoice_contacts.through.objects.filter(user_id=user.pk or 0)
        return rows.filter(
            Q(is_private=False)
            | Q(project__in=administered)
            | Q(pk__in=listed.values("commitment_id"))
            | Q(pk__in=contacts.values("commitment_id"))
        )

    def matching(self, word: str) -> Self:
        """Commitments with the word in their number, title, company or project.

        For searches of their invoices and payments: as a subquery it looks at the
        few commitments once, where a join would look at them again for each row.
        """
        return self.filter(
            Q(number__icontains=word)
            | Q(title__icontains=word)
            | Q(vendor__name__icontains=word)
            | Q(project__number__icontains=word)
            | Q(project__name__icontains=word)
        )

    def with_totals(self) -> Self:
        """Adds the amounts of the contract summary that this app knows (domain sheet §4.2)."""
        from commitments.models.change_order import ChangeOrder, ChangeOrderStatus
        from commitments.models.invoice import SubcontractorInvoice
        from commitments.models.schedule_of_values import ScheduleOfValuesLine

        def changes(*statuses: ChangeOrderStatus) -> Coalesce:
            return _total(ChangeOrder.objects.filter(status__in=statuses))

        pending = (ChangeOrderStatus.PENDING_IN_REVIEW, ChangeOrderStatus.PENDING_REVISED)
        return self.annotate(
            original_amount=_total(ScheduleOfValuesLine.objects.all()),
            approved_changes=changes(ChangeOrderStatus.APPROVED),
            pending_changes=changes(*pending),
            draft_changes=changes(ChangeOrderStatus.DRAFT),
            invoiced=_total(SubcontractorInvoice.objects.billed(), "current_payment_due"),
        ).annotate(
            revised_amount=models.F("original_amount") + models.F("approved_changes"),
            pending_revised_amount=models.F("original_amount")
            + models.F("approved_changes")
            + models.F("pending_changes"),
        )


class Commitment(OriginMixin):
    """What the company owes a vendor for a part of a project."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="commitments")
    kind = models.CharField("type", max_length=20, choices=CommitmentKind.choices)
    number = models.CharField(max_length=50)
    title = models.CharField(max_length=200)
    vendor = models.ForeignKey(
        Vendor, on_delete=models.PROTECT, verbose_name="contract company", related_name="+"
    )
    status = models.CharField(
        max_length=30, choices=CommitmentStatus.choices, default=CommitmentStatus.DRAFT
    )
    erp_status = models.CharField(
        "ERP status", max_length=20, choices=ErpStatus.choices, default=ErpStatus.NOT_SENT
    )
    is_executed = models.BooleanField("executed", default=False)
    ssov_status = models.CharField("SSOV status", max_length=30, blank=True)
    description = models.TextField(blank=True)
    currency = CurrencyField(validators=[validate_currency])
    contract_date = models.DateField(null=True, blank=True)
    retainage_percent = models.DecimalField(
        "default retainage %", max_digits=5, decimal_places=2, default=Decimal(0)
    )
    is_private = models.BooleanField(
        "private",
        default=True,
        help_text="Only administrators of the Commitments tool and the people listed see it.",
    )
    viewers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        verbose_name="access for non-admin users",
    )
    invoice_contacts = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        help_text="People of the subcontractor. They see the commitment, private or not, where "
        "they have Read-Only on Commitments, and hear of payments if they want to.",
    )
    viewers_see_schedule = models.BooleanField(
        "allow these non-admin users to view the SOV items", default=True
    )
    allow_payments = models.BooleanField(
        "enable payments",
        default=True,
        help_text="Shows the Payments Issued tab and lets synced payments arrive on it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = models.Manager.from_queryset(CommitmentQuerySet)()

    class Meta:
        ordering = ["project", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "number"],
                name="commitment_number_once_per_project",
                violation_error_message="The project has a commitment with this number already.",
            ),
            models.UniqueConstraint(
                fields=["company", "origin_id"],
                condition=~Q(origin_id=""),
                name="commitment_origin_once_per_company",
            ),
            # what payments point at, so that their tenant cannot differ
            models.UniqueConstraint(
                fields=["id", "project", "company"], name="commitment_with_its_tenant"
            ),
            models.CheckConstraint(
                condition=_status_belongs_to_kind(),
                name="commitment_status_belongs_to_kind",
                violation_error_message="This status does not exist for this type of commitment.",
            ),
            models.CheckConstraint(
                condition=Q(retainage_percent__gte=0, retainage_percent__lte=100),
                name="commitment_retainage_percent_is_a_percentage",
                violation_error_message="Retainage is a percentage between 0 and 100.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def clean(self) -> None:
        """Things that a check of one row cannot say: all parts belong to one company."""
        if self.project_id and self.vendor_id and self.vendor.company_id != self.project.company_id:
            raise ValidationError({"vendor": "Choose a vendor of the project's own company."})
        if self.project_id:
            self.company_id = self.project.company_id

    @property
    def statuses(self) -> Sequence[CommitmentStatus]:
        return STATUSES_OF[self.kind]
