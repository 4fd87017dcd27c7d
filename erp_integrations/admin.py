"""ERP connections, what the ERPs said, and the runs that asked them, in the Django admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from erp_integrations import connections, runs
from erp_integrations.connection_form import PREFIX, form_for
from erp_integrations.explanations import summary
from erp_integrations.grants import admin as grants_admin  # noqa: F401  registers its page
from erp_integrations.models import (
    ConnectionEvent,
    ErpAllocation,
    ErpConnection,
    ErpPayment,
    InboundNotification,
    RunMode,
    RunState,
    RunTrigger,
    SyncIssue,
    SyncRun,
)
from erp_integrations.notices import admin as notices_admin  # noqa: F401  registers its pages
from erp_integrations.preconditions import obstacles_to_run
from erp_integrations.providers.errors import ErpError
from erp_integrations.providers.registry import find_provider, provider_choices
from projects.access import Tool
from projects.company_scope import CompanyScopedAdmin, CompanyScopedInline, ReadOnlyScope
from projects.money import display_money

OWN = admin.RelatedOnlyFieldListFilter  # other filters would name other companies' rows


@admin.action(description="Test the connection")
def test_connections(page: Any, request: HttpRequest, chosen: QuerySet[ErpConnection]) -> None:
    for connection in chosen:
        try:
            answer = connections.test_connection(connection)
        except ErpError as error:
            messages.error(request, f"{connection}: {error}")
        else:
            messages.success(request, f"{connection}: {answer}")


@admin.action(description="Sync payments now")
def sync_now(page: Any, request: HttpRequest, chosen: QuerySet[ErpConnection]) -> None:
    for connection in chosen:
        _start(request, connection, RunMode.CHANGES)


@admin.action(description="Sweep now: look for payments that are gone")
def sweep_now(page: Any, request: HttpRequest, chosen: QuerySet[ErpConnection]) -> None:
    for connection in chosen:
        _start(request, connection, RunMode.SWEEP)


def _start(request: Any, connection: ErpConnection, mode: RunMode) -> None:
    obstacles = obstacles_to_run(connection)
    for obstacle in obstacles:
        messages.error(request, f"{connection}: {obstacle.sentence}")
    if obstacles:
        return
    run = runs.request_run(
        connection=connection, trigger=RunTrigger.BUTTON, requested_by=request.user, mode=mode
    )
    url = reverse("admin:erp_integrations_syncrun_change", args=[run.pk])
    text = "{}: <a href='{}'>sync {}</a> is under way."
    messages.success(request, format_html(text, connection, url, run.pk))


@admin.action(description="Switch on")
def switch_on(page: Any, request: Any, chosen: QuerySet[ErpConnection]) -> None:
    for connection in chosen:
        connections.change_settings(connection=connection, by=request.user, is_active=True)
        messages.success(request, f"{connection} is switched on.")


@admin.action(description="Switch off")
def switch_off(page: Any, request: Any, chosen: QuerySet[ErpConnection]) -> None:
    for connection in chosen:
        connections.change_settings(connection=connection, by=request.user, is_active=False)
        messages.success(request, f"{connection} is switched off. Nothing that came is lost.")


@admin.register(ErpConnection)
class ErpConnectionAdmin(CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = (
        "name",
        "company",
        "erp",
        "state",
        "exports",
        "schedule",
        "last_success_at",
        "next_sync_at",
    )
    list_filter = ("is_active", "export_subcontractor_invoices", "sync_schedule", "provider")
    list_select_related = ("company",)
    search_fields = ("name", "company__name")
    autocomplete_fields = ("company",)
    actions = (test_connections, sync_now, sweep_now, switch_on, switch_off)
    #: the actions that are buttons on a connection's own page too
    buttons = {"test": test_connections, "sync": sync_now, "sweep": sweep_now}
    change_form_template = "admin/erp_integrations/erpconnection/change_form.html"
    readonly_fields = (
        "erp",
        "state",
        "last_success_at",
        "next_sync_at",
        "last_sweep_at",
        "next_sweep_at",
        "consecutive_failures",
    )

    @admin.display(description="ERP", ordering="provider")
    def erp(self, connection: ErpConnection) -> str:
        provider = find_provider(connection.provider)
        return provider.label if provider else f"{connection.provider} (not installed)"

    @admin.display(description="exports", boolean=True, ordering="export_subcontractor_invoices")
    def exports(self, connection: ErpConnection) -> bool:
        return connection.export_subcontractor_invoices

    @admin.display(description="schedule", ordering="sync_schedule")
    def schedule(self, connection: ErpConnection) -> str:
        return str(connection.schedule.label)

    @admin.display(description="state")
    def state(self, connection: ErpConnection) -> str:
        if connection.stopped_at:
            return f"Stopped: {connection.stopped_reason}"
        if not connection.is_active:
            return "Switched off"
        if connection.circuit_open_until:
            return f"Resting after {connection.consecutive_failures} failures"
        return "Connected"

    def provider_for(self, request: HttpRequest, obj: ErpConnection | None) -> str:
        """Chosen in the address; else the stored one; else the first there is."""
        codes = [code for code, _ in provider_choices()]
        if request.GET.get("provider") in codes:
            return str(request.GET["provider"])
        return obj.provider if obj else codes[0]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = form_for(self.provider_for(request, obj))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        code = self.provider_for(request, obj)
        provider = find_provider(code)
        asked = [PREFIX + field.name for field in provider.fields] if provider else []
        title = f"Where {provider.label if provider else code} is, and how to sign in to it"
        sets: list[Any] = [
            (None, {"fields": ("company", "name", "currency", "is_active")}),
            (title, {"fields": asked, "description": _other_erps(code)}),
            ("Payments", {"fields": ("export_subcontractor_invoices", "sync_schedule")}),
            ("Invoices to the ERP", {"fields": ("direct_export", "override_invoice_number")}),
            ("E-mail", {"fields": ("sends_email", "payment_email_delay_hours")}),
            ("Retention", {"fields": ("raw_retention_days",)}),
        ]
        if obj:
            sets.append(("What happened", {"fields": self.readonly_fields}))
        return sets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("company", *self.readonly_fields) if obj else self.readonly_fields

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        obj.pk = form.store(by=request.user).pk

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj and obj.payments.exists())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Runs that never read a payment go with their connection; nothing else may."""
        blocked = [each for each in objs if each.payments.exists()]
        protected = [f"{each}: {connections.HAS_PAYMENTS}" for each in blocked]
        protected += [
            f"{each}: {connections.HAS_ACTIVE_RUN}" for each in objs if each.runs.active().exists()
        ]
        return [str(each) for each in objs], {"ERP connections": len(objs)}, set(), protected

    def delete_model(self, request: Any, obj: Any) -> None:
        connections.remove_connection(connection=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for connection in queryset:
            self.delete_model(request, connection)

    def get_urls(self) -> list[Any]:
        press = self.admin_site.admin_view(self.press)
        name = "erp_integrations_erpconnection_press"
        return [path("<int:connection_id>/press/<slug:button>/", press, name=name)] + (
            super().get_urls()
        )

    def press(self, request: HttpRequest, connection_id: int, button: str) -> HttpResponse:
        """A button of the connection's page: the action of that name, for this one row."""
        chosen = self.get_queryset(request).filter(pk=connection_id)
        action = self.buttons.get(button)
        if request.method != "POST" or action is None or not chosen.exists():
            return HttpResponseNotFound()
        action(self, request, chosen)
        return HttpResponseRedirect(
            reverse("admin:erp_integrations_erpconnection_change", args=[connection_id])
        )


@admin.register(ConnectionEvent)
class ConnectionEventAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = ("at", "company", "connection", "label", "old", "new", "who")
    list_filter = (("company", OWN), "label")
    list_select_related = ("company", "connection__company", "actor")
    search_fields = ("label", "old", "new")
    date_hierarchy = "at"

    @admin.display(description="who", ordering="actor")
    def who(self, event: ConnectionEvent) -> str:
        return str(event.actor or "The program")


def _other_erps(code: str) -> str:
    others = [(each, label) for each, label in provider_choices() if each != code]
    if not others:
        return ""
    links = format_html_join(", ", "<a href='?provider={}'>{}</a>", others)
    return format_html("Connect another ERP instead: {}.", links)


@admin.action(description="Cancel: stop after the page that is being written")
def cancel(page: Any, request: Any, chosen: QuerySet[SyncRun]) -> None:
    for run in chosen:
        if run.is_active:
            runs.cancel_run(run=run, by=request.user)
            messages.success(request, f"Sync {run.pk} is cancelled. What was read stays.")
        else:
            messages.warning(request, f"Sync {run.pk} had come to its end already.")


@admin.action(description="Resume now")
def resume(page: Any, request: HttpRequest, chosen: QuerySet[SyncRun]) -> None:
    abandoned = SyncRun.objects.abandoned()
    for run in chosen:
        waits = run.state in (RunState.QUEUED, RunState.STALE)
        if waits or abandoned.filter(pk=run.pk).exists():
            runs.ring_for(run.pk)
            messages.success(request, f"A worker was called for sync {run.pk}.")
        elif run.is_active:
            messages.warning(request, f"Sync {run.pk} is being worked on.")
        else:
            messages.warning(request, f"Sync {run.pk} is over. Start a new sync instead.")


class IssueInline(ReadOnlyScope, CompanyScopedInline):
    model = SyncIssue
    tool = Tool.ERP_INTEGRATIONS
    fields = ("code", "reason", "message", "remote_id", "resolved_at")
    verbose_name_plural = "issues that this run found"


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = (
        "id",
        "connection",
        "state",
        "result",
        "started_by",
        "created_at",
    )
    list_filter = ("state", "trigger", "mode", ("connection", OWN))
    list_select_related = ("connection__company", "requested_by")
    search_fields = ("connection__name", "company__name", "error_message")
    date_hierarchy = "created_at"
    actions = (cancel, resume)
    inlines = (IssueInline,)

    @admin.display(description="started by", ordering="requested_by")
    def started_by(self, run: SyncRun) -> str:
        return str(run.requested_by or run.get_trigger_display())

    @admin.display(description="result")
    def result(self, run: SyncRun) -> str:
        if run.is_active:
            return f"{run.get_phase_display()} …"
        return summary(run) if run.is_good else run.error_message


@admin.register(SyncIssue)
class SyncIssueAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = (
        "message",
        "code",
        "reason",
        "remote_id",
        "connection",
        "created_at",
        "resolved_at",
    )
    list_filter = (
        "code",
        "reason",
        ("resolved_at", admin.EmptyFieldListFilter),
        ("connection", OWN),
    )
    list_select_related = ("connection__company",)
    search_fields = ("message", "remote_id")
    date_hierarchy = "created_at"


class AllocationInline(ReadOnlyScope, CompanyScopedInline):
    model = ErpAllocation
    tool = Tool.ERP_INTEGRATIONS
    fields = ("bill_number", "bill_id", "amount", "discount", "outcome", "reason", "invoice")


@admin.register(ErpPayment)
class ErpPaymentAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = (
        "number",
        "vendor_name",
        "date",
        "status",
        "method",
        "check_number",
        "amount",
        "connection",
        "missing_since",
        "vanished_at",
    )
    list_filter = (
        "status",
        "method",
        ("missing_since", admin.EmptyFieldListFilter),
        ("vanished_at", admin.EmptyFieldListFilter),
        ("connection", OWN),
    )
    list_select_related = ("connection__company",)
    search_fields = ("number", "remote_id", "check_number", "vendor_name")
    date_hierarchy = "date"
    exclude = ("content_hash",)
    inlines = (AllocationInline,)

    @admin.display(description="total", ordering="total")
    def amount(self, payment: ErpPayment) -> str:
        return display_money(payment.total, payment.currency)


@admin.register(ErpAllocation)
class ErpAllocationAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = (
        "erp_payment",
        "bill_number",
        "money",
        "outcome",
        "reason",
        "waiting_since",
        "invoice",
    )
    list_filter = ("outcome", "reason", ("erp_payment__connection", OWN))
    list_select_related = ("erp_payment", "invoice")
    search_fields = ("bill_number", "bill_id", "erp_payment__number", "erp_payment__vendor_name")

    @admin.display(description="amount", ordering="amount")
    def money(self, allocation: ErpAllocation) -> str:
        return display_money(allocation.amount, allocation.erp_payment.currency)


@admin.register(InboundNotification)
class InboundNotificationAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = ("event_id", "state", "connection", "received_at", "attempts")
    list_filter = ("state", ("connection", OWN))
    list_select_related = ("connection__company",)
    search_fields = ("event_id",)
    date_hierarchy = "received_at"
