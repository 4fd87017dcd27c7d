"""Payments in the Django admin. What is synced is locked here as everywhere."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from payments import services
from payments.models import Payment, PaymentAttachment, PaymentEvent
from payments.rows import LOCKED
from projects.access import Tool
from projects.company_scope import (
    CompanyScopedAdmin,
    CompanyScopedInline,
    ReadOnlyScope,
    WholeRowForm,
)
from projects.money import display_money

OWN = admin.RelatedOnlyFieldListFilter  # other filters would name other companies' rows

ENTERED = (
    "commitment",
    "invoice",
    "method",
    "date",
    "payment_number",
    "invoice_number",
    "check_number",
    "notes",
    "amount",
)
FOLLOWS_ERP = ("status", "voided_on", "void_reason", "missing_since", "vanished_at")
ORIGIN = ("origin_code", "origin_id")


class PaymentForm(WholeRowForm):
    """Of a synced payment only the payment number is in it."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        commitment = data.get("commitment") or (self.instance.pk and self.instance.commitment)
        if commitment and "amount" in self.fields and not self.errors:
            services.check_entry(commitment, self.entry)
        return data

    @property
    def entry(self) -> services.Entry:
        values = {name: self.cleaned_data[name] for name in ENTERED if name != "commitment"}
        return services.Entry(**values)


class AttachmentInline(ReadOnlyScope, CompanyScopedInline):
    model = PaymentAttachment
    tool = Tool.COMMITMENTS
    fields = ("name", "content_type", "size", "uploaded_by", "uploaded_at")


class EventInline(ReadOnlyScope, CompanyScopedInline):
    model = PaymentEvent
    tool = Tool.COMMITMENTS
    fields = ("at", "kind", "actor", "changes")


@admin.register(Payment)
class PaymentAdmin(CompanyScopedAdmin):
    tool = Tool.COMMITMENTS
    form = PaymentForm
    list_display = (
        "__str__",
        "commitment",
        "invoice",
        "money",
        "method",
        "date",
        "check_number",
        "status",
        "synced",
    )
    list_filter = (
        "status",
        "method",
        ("origin_id", admin.EmptyFieldListFilter),
        ("missing_since", admin.EmptyFieldListFilter),
        ("vanished_at", admin.EmptyFieldListFilter),
        ("project", OWN),
    )
    list_select_related = ("commitment", "invoice")
    search_fields = (
        "payment_number",
        "origin_code",
        "check_number",
        "invoice_number",
        "commitment__number",
        "commitment__vendor__name",
    )
    autocomplete_fields = ("commitment", "invoice")
    date_hierarchy = "date"
    inlines = (AttachmentInline, EventInline)

    @admin.display(description="amount", ordering="amount")
    def money(self, payment: Payment) -> str:
        return display_money(payment.amount, payment.currency)

    @admin.display(description="synced", boolean=True, ordering="origin_id")
    def synced(self, payment: Payment) -> bool:
        return payment.is_synced

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ENTERED})]
        notice = LOCKED if obj.is_synced else ""
        return [
            (None, {"fields": ENTERED, "description": notice}),
            ("ERP", {"fields": (*ORIGIN, *FOLLOWS_ERP)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        locked = [name for name in ENTERED if name != "payment_number"]
        own = locked if obj.is_synced else ["commitment"]
        return (*own, *ORIGIN, *FOLLOWS_ERP)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_synced)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Attachments go with their payment and its history stays; synced payments are locked."""
        locked = [f"{each}: {LOCKED}" for each in objs if each.is_synced]
        return [str(each) for each in objs], {"payments": len(objs)}, set(), locked

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        if not change:
            entered = services.record_payment(
                commitment=obj.commitment, entry=form.entry, by=request.user
            )
            obj.pk = entered.pk
        elif obj.is_synced:
            number = form.cleaned_data["payment_number"]
            services.set_payment_number(payment=obj, payment_number=number, by=request.user)
        else:
            services.edit_payment(payment=obj, entry=form.entry, by=request.user)

    def delete_model(self, request: Any, obj: Any) -> None:
        services.delete_payment(payment=obj, by=request.user)

    def delete_queryset(self, request: Any, queryset: QuerySet[Any]) -> None:
        for payment in queryset:
            services.delete_payment(payment=payment, by=request.user)


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.COMMITMENTS
    list_display = ("at", "label", "kind", "commitment", "actor")
    list_filter = ("kind",)
    list_select_related = ("commitment", "actor")
    search_fields = ("label", "commitment__number")
    date_hierarchy = "at"
