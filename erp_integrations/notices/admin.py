"""E-mail, incidents and preferences in the Django admin: to look at."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from erp_integrations.models import EmailPreference, Incident, OutgoingEmail
from erp_integrations.notices import outbox
from projects.access import Tool
from projects.company_scope import CompanyScopedAdmin, ReadOnlyScope

OWN = admin.RelatedOnlyFieldListFilter


@admin.action(description="Send again what was given up")
def send_again(page: Any, request: HttpRequest, chosen: QuerySet[OutgoingEmail]) -> None:
    again = sum(outbox.queue_again(email) for email in chosen)
    outbox.ring()
    messages.success(request, f"{again} of {len(chosen)} e-mails will be tried again.")


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = ("subject", "person", "kind", "state", "attempts", "created_at", "sent_at")
    list_filter = ("state", "kind", ("company", OWN))
    list_select_related = ("person",)
    search_fields = ("subject", "person__username", "person__email")
    date_hierarchy = "created_at"
    #: the body has a link with which its reader unsubscribes
    exclude = ("body", "key", "dedupe_key", "payments")
    actions = (send_again,)


@admin.register(Incident)
class IncidentAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = ("connection", "kind", "opened_at", "closed_at", "failures", "last_error")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter), ("connection", OWN))
    list_select_related = ("connection__company",)
    date_hierarchy = "opened_at"


@admin.register(EmailPreference)
class EmailPreferenceAdmin(ReadOnlyScope, CompanyScopedAdmin):
    tool = Tool.ERP_INTEGRATIONS
    list_display = ("person", "company", "kind", "is_wanted", "changed_at")
    list_filter = ("kind", "is_wanted", ("company", OWN))
    list_select_related = ("person", "company")
    search_fields = ("person__username", "person__email")
