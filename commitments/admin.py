"""Commitments and what is billed on them, in the Django admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from commitments.admin_forms import InvoiceForm
from commitments.invoices import LOCKED, delete_invoice, store
from commitments.models import (
    BillingPeriod,
    ChangeOrder,
    Commitment,
    CommitmentEvent,
    InvoiceAttachment,
    ScheduleOfValuesLine,
    SubcontractorInvoice,
)
from commitments.payments_tab import set_payments_enabled
from projects.access import Tool
from projects.company_scope import CompanyScopedAdmin, CompanyScopedInline, ReadOnlyScope
from projects.money import display_money

OWN = admin.RelatedOnlyFieldListFilter  # other filters would name other companies' rows


class CommitmentsAdmin(CompanyScopedAdmin):
    """Rows of the Commitments tool; their company follows from what they belong to."""

    tool = Tool.COMMITMENTS
    exclude = ["company"]

    def save_formset(self, request: Any, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            row.company_id = form.instance.company_id
            row.save()
        for row in formset.deleted_objects:
            row.delete()
        formset.save_m2m()


class ScheduleInline(CompanyScopedInline):
    model = ScheduleOfValuesLine
    tool = Tool.COMMITMENTS
    fields = (
        "position",
        "cost_code",
        "cost_type",
        "description",
        "quantity",
        "unit",
        "unit_cost",
        "amount",
    )


class ChangeOrderInline(CompanyScopedInline):
    model = ChangeOrder
    tool = Tool.COMMITMENTS
    fields = ("number", "title", "status", "amount", "is_executed", "created_on")
    show_change_link = True


@admin.action(description="Enable Payments Issued")
def enable_payments(page: Any, request: Any, chosen: QuerySet[Commitment]) -> None:
    _switch(request, chosen, is_enabled=True)


@admin.action(description="Disable Payments Issued")
def disable_payments(page: Any, request: Any, chosen: QuerySet[Commitment]) -> None:
    _switch(request, chosen, is_enabled=False)


def _switch(request: Any, chosen: QuerySet[Commitment], *, is_enabled: bool) -> None:
    for commitment in chosen:
        set_payments_enabled(commitment=commitment, is_enabled=is_enabled, by=request.user)
        word = "on" if is_enabled else "off"
        messages.success(request, f"Payments Issued is switched {word} on {commitment.number}.")


@admin.register(Commitment)
class CommitmentAdmin(CommitmentsAdmin):
    list_display = (
        "number",
        "title",
        "kind",
        "project",
        "vendor",
        "status",
        "erp_status",
        "original",
        "allow_payments",
        "is_private",
    )
    list_display_links = ("number", "title")
    list_filter = (
        "kind",
        "status",
        "erp_status",
        "allow_payments",
        "is_private",
        ("company", OWN),
        ("project", OWN),
    )
    list_select_related = ("project", "vendor")
    search_fields = ("number", "title", "vendor__name", "origin_code")
    autocomplete_fields = ("project", "vendor", "viewers", "invoice_contacts")
    date_hierarchy = "contract_date"
    readonly_fields = ("erp_status", "origin_id", "origin_code")
    actions = (enable_payments, disable_payments)
    inlines = (ScheduleInline, ChangeOrderInline)
    fieldsets = (
        (None, {"fields": ("project", "kind", "number", "title", "vendor", "status")}),
        (
            "Terms",
            {
                "fields": (
                    "currency",
                    "contract_date",
                    "retainage_percent",
                    "is_executed",
                    "ssov_status",
                    "description",
                )
            },
        ),
        (
            "Who sees it",
            {"fields": ("is_private", "viewers", "viewers_see_schedule", "invoice_contacts")},
        ),
        ("Advanced settings", {"fields": ("allow_payments",)}),
        ("ERP", {"fields": ("erp_status", "origin_code", "origin_id")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.with_totals()  # type: ignore[attr-defined, no-any-return]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A commitment stays in its project: invoices and payments belong to that project too."""
        return (*self.readonly_fields, "project") if obj else self.readonly_fields

    @admin.display(description="original amount", ordering="original_amount")
    def original(self, commitment: Any) -> str:
        return display_money(commitment.original_amount, commitment.currency)

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        wanted = obj.allow_payments
        if change and "allow_payments" in form.changed_data:
            obj.allow_payments = not wanted  # the service switches it, and tells who waits for it
        super().save_model(request, obj, form, change)
        set_payments_enabled(commitment=obj, is_enabled=wanted, by=request.user)


@admin.register(ChangeOrder)
class ChangeOrderAdmin(CommitmentsAdmin):
    list_display = ("number", "title", "commitment", "status", "money", "erp_status")
    list_filter = ("status", "erp_status", ("company", OWN))
    list_select_related = ("commitment",)
    search_fields = ("number", "title", "commitment__number", "commitment__title")
    autocomplete_fields = ("commitment",)
    date_hierarchy = "created_on"
    readonly_fields = ("erp_status", "origin_id", "origin_code")

    @admin.display(description="amount", ordering="amount")
    def money(self, change_order: ChangeOrder) -> str:
        return display_money(change_order.amount, change_order.commitment.currency)

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        obj.company_id = obj.commitment.company_id
        super().save_model(request, obj, form, change)


@admin.register(BillingPeriod)
class BillingPeriodAdmin(CommitmentsAdmin):
    list_display = ("project", "starts_on", "ends_on", "due_on", "status")
    list_display_links = ("starts_on", "ends_on")
    list_filter = ("status", ("project", OWN))
    list_select_related = ("project",)
    search_fields = ("project__number", "project__name")
    autocomplete_fields = ("project",)
    date_hierarchy = "starts_on"

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        obj.company_id = obj.project.company_id
        super().save_model(request, obj, form, change)


G702 = (
    "original_contract_sum",
    "net_change_by_change_orders",
    "contract_sum_to_date",
    "total_completed_and_stored_to_date",
    "total_retainage",
    "total_earned_less_retainage",
    "less_previous_certificates",
    "current_payment_due",
    "balance_to_finish",
)
FACTS = (
    "commitment",
    "position",
    "invoice_number",
    "status",
    "billing_period",
    "billing_date",
    "period_start",
    "period_end",
    "submitted_at",
    "is_final",
    "comments",
)


class AttachmentInline(ReadOnlyScope, CompanyScopedInline):
    model = InvoiceAttachment
    tool = Tool.COMMITMENTS
    fields = ("name", "content_type", "size", "uploaded_by", "uploaded_at")


@admin.register(SubcontractorInvoice)
class SubcontractorInvoiceAdmin(CommitmentsAdmin):
    form = InvoiceForm
    exclude = ["company", "project"]
    list_display = (
        "invoice_number",
        "commitment",
        "project",
        "billing_date",
        "status",
        "due",
        "erp_status",
        "origin_code",
    )
    list_filter = ("status", "erp_status", ("project", OWN))
    list_select_related = ("commitment", "project")
    search_fields = (
        "invoice_number",
        "origin_code",
        "origin_id",
        "commitment__number",
        "commitment__vendor__name",
    )
    autocomplete_fields = ("commitment", "billing_period")
    date_hierarchy = "billing_date"
    readonly_fields = ("erp_status", "erp_message")
    inlines = (AttachmentInline,)
    fieldsets = (
        (None, {"fields": FACTS}),
        ("The lines of the G702", {"fields": G702}),
        (
            "ERP",
            {"fields": ("erp_status", "erp_message", "bill_id", "bill_number", "erp_bill_total")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What was sent to the ERP cannot be edited here; its link to the bill can."""
        if obj and obj.erp_status in LOCKED:
            return (*self.readonly_fields, *FACTS, *G702)
        return (*self.readonly_fields, "commitment") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj and obj.erp_status in LOCKED)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        found, counts, refused, protected = super().get_deleted_objects(objs, request)
        locked = [each for each in objs if each.erp_status in LOCKED]
        protected += [f"{each} is in the ERP. Unlink it first." for each in locked]
        return found, counts, refused, protected

    @admin.display(description="payment due", ordering="current_payment_due")
    def due(self, invoice: SubcontractorInvoice) -> str:
        return display_money(invoice.current_payment_due, invoice.commitment.currency)

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        store(invoice=obj, by=request.user)
        form.store_link(by=request.user)

    def delete_model(self, request: Any, obj: Any) -> None:
        delete_invoice(invoice=obj, by=request.user)

    def delete_queryset(self, request: Any, queryset: QuerySet[Any]) -> None:
        for invoice in queryset.order_by("commitment", "-position"):
            delete_invoice(invoice=invoice, by=request.user)


@admin.register(CommitmentEvent)
class CommitmentEventAdmin(ReadOnlyScope, CommitmentsAdmin):
    exclude = []
    list_display = ("at", "commitment", "subject", "summary", "actor")
    list_select_related = ("commitment", "actor")
    search_fields = ("subject", "summary", "commitment__number")
    date_hierarchy = "at"
