"""Billing periods and subcontractor invoices (domain sheet §3)."""

from decimal import Decimal
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from commitments.models.commitment import Commitment
from projects.access import Level, Person, Tool
from projects.models import Company, ErpStatus, OriginMixin, Project
from projects.money import MoneyField


class PeriodStatus(models.TextChoices):
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class BillingPeriod(models.Model):
    """A span of time that is billed together; one per project is open."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="billing_periods")
    starts_on = models.DateField()
    ends_on = models.DateField()
    due_on = models.DateField()
    status = models.CharField(
        max_length=10, choices=PeriodStatus.choices, default=PeriodStatus.OPEN
    )

    class Meta:
        ordering = ["project", "-starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "starts_on", "ends_on"],
                name="billing_period_once_per_project",
                violation_error_message="The project has this billing period already.",
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(status=PeriodStatus.OPEN),
                name="one_open_billing_period_per_project",
                violation_error_message="The project has an open billing period. Close it first.",
            ),
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="billing_period_ends_after_its_start",
                violation_error_message="The period ends before it starts.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=PeriodStatus.values),
                name="billing_period_status_is_one_we_have",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on:%m/%d/%Y} – {self.ends_on:%m/%d/%Y}"


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    UNDER_REVIEW = "under_review", "Under Review"
    REVISE_AND_RESUBMIT = "revise_and_resubmit", "Revise & Resubmit"
    APPROVED = "approved", "Approved"
    APPROVED_AS_NOTED = "approved_as_noted", "Approved as Noted"
    PENDING_OWNER_APPROVAL = "pending_owner_approval", "Pending Owner Approval"


#: domain sheet §1.4: other statuses cannot be sent to the ERP
SENDABLE_STATUSES = (
    InvoiceStatus.APPROVED,
    InvoiceStatus.APPROVED_AS_NOTED,
    InvoiceStatus.PENDING_OWNER_APPROVAL,
)


class SubcontractorInvoiceQuerySet(models.QuerySet["SubcontractorInvoice"]):
    def for_user(self, user: Person, level: Level = Level.READ_ONLY) -> Self:
        """Invoices of commitments the person may see at this level in Commitments."""
        return self.filter(commitment__in=Commitment.objects.for_user(user, level))

    def for_accounting(self, user: Person) -> Self:
        """Invoices in the ERP Integrations tool: Standard there, or accounting approver.

        The tool is the accountants': it shows private commitments' invoices too.
        """
        projects = Project.objects.for_user(user, Tool.ERP_INTEGRATIONS, Level.STANDARD)
        approved = Company.objects.with_approver(user)
        with_tool = Project.objects.with_tool(Tool.ERP_INTEGRATIONS)
        return self.filter(Q(project__in=projects) | Q(company__in=approved, project__in=with_tool))

    def billed(self) -> Self:
        """Invoices that count in *Invoiced*: drafts do not."""
        return self.exclude(status=InvoiceStatus.DRAFT)

    def ready_to_export(self) -> Self:
        return self.filter(erp_status__in=[ErpStatus.SENT, ErpStatus.EXPORTING])

    def failed_to_export(self) -> Self:
        return self.filter(erp_status=ErpStatus.FAILED)

    def synced(self) -> Self:
        return self.filter(erp_status=ErpStatus.SYNCED)


class SubcontractorInvoice(OriginMixin):
    """A bill of a subcontractor, in the nine lines of a G702.

    ``origin_id`` is the ERP's bill; having one and being *synced* are the same
    thing. One bill in the ERP is one invoice here.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    commitment = models.ForeignKey(Commitment, on_delete=models.PROTECT, related_name="invoices")
    billing_period = models.ForeignKey(
        BillingPeriod, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    position = models.PositiveIntegerField("invoice position")
    invoice_number = models.CharField("invoice #", max_length=50)
    status = models.CharField(
        max_length=30, choices=InvoiceStatus.choices, default=InvoiceStatus.DRAFT
    )
    billing_date = models.DateField()
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    is_final = models.BooleanField("final", default=False)
    comments = models.TextField("overall comments", blank=True)

    # The lines of the G702, in its order.
    original_contract_sum = MoneyField(default=Decimal(0))
    net_change_by_change_orders = MoneyField(default=Decimal(0))
    contract_sum_to_date = MoneyField(default=Decimal(0))
    total_completed_and_stored_to_date = MoneyField(default=Decimal(0))
    total_retainage = MoneyField(default=Decimal(0))
    total_earned_less_retainage = MoneyField(default=Decimal(0))
    less_previous_certificates = MoneyField(default=Decimal(0))
    current_payment_due = MoneyField(default=Decimal(0))
    balance_to_finish = MoneyField("balance to finish, including retainage", default=Decimal(0))

    erp_status = models.CharField(
        "ERP status", max_length=20, choices=ErpStatus.choices, default=ErpStatus.NOT_SENT
    )
    #: total of the bill in the ERP where it differs from the payment due (retainage, tax)
    erp_bill_total = MoneyField("total of the ERP's bill", null=True, blank=True)
    erp_message = models.CharField(
        "ERP error or reason", max_length=500, blank=True, help_text="Why it failed or came back."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = models.Manager.from_queryset(SubcontractorInvoiceQuerySet)()

    class Meta:
        ordering = ["commitment", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["commitment", "position"], name="invoice_position_once_per_commitment"
            ),
            models.UniqueConstraint(
                fields=["company", "origin_id"],
                condition=~Q(origin_id=""),
                name="invoice_origin_once_per_company",
                violation_error_message="Another invoice is linked to this ERP bill already.",
            ),
            models.CheckConstraint(
                condition=Q(erp_status=ErpStatus.SYNCED) & ~Q(origin_id="")
                | ~Q(erp_status=ErpStatus.SYNCED) & Q(origin_id=""),
                name="invoice_is_synced_exactly_when_it_has_an_origin",
                violation_error_message="An invoice is synced when, and only when, it is linked "
                "to a bill in the ERP.",
            ),
            # what payments point at, so that an invoice of another commitment cannot be paid
            models.UniqueConstraint(
                fields=["id", "commitment"], name="invoice_with_its_commitment"
            ),
            models.CheckConstraint(
                condition=Q(status__in=InvoiceStatus.values), name="invoice_status_is_one_we_have"
            ),
            models.CheckConstraint(
                condition=Q(
                    contract_sum_to_date=F("original_contract_sum")
                    + F("net_change_by_change_orders"),
                    total_earned_less_retainage=F("total_completed_and_stored_to_date")
                    - F("total_retainage"),
                    current_payment_due=F("total_earned_less_retainage")
                    - F("less_previous_certificates"),
                    balance_to_finish=F("contract_sum_to_date") - F("total_earned_less_retainage"),
                ),
                name="invoice_lines_of_the_g702_add_up",
                violation_error_message="The lines of the G702 do not add up.",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "erp_status"], name="invoice_by_erp_status"),
            models.Index(fields=["project", "-billing_date"], name="invoice_by_billing_date"),
            # the order of the company's list, so that a page reads its fifty rows and no others
            models.Index(
                fields=["company", "-billing_date", "-id"], name="invoice_by_company_and_date"
            ),
            models.Index(
                fields=["company", "invoice_number"],
                condition=Q(origin_id=""),
                name="invoice_unsynced_by_number",
            ),
        ]

    def __str__(self) -> str:
        return f"Invoice {self.invoice_number}"

    def clean(self) -> None:
        if self.commitment_id:
            self.company_id = self.commitment.company_id
            self.project_id = self.commitment.project_id
        if self.billing_period and self.billing_period.project_id != self.project_id:
            raise ValidationError({"billing_period": "Choose a billing period of the project."})

    @property
    def is_synced(self) -> bool:
        return self.erp_status == ErpStatus.SYNCED

    @property
    def is_sendable(self) -> bool:
        return self.status in SENDABLE_STATUSES
