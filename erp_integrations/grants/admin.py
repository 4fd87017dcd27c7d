"""Grants in the administration: to look at, without their tokens."""

from django.contrib import admin

from erp_integrations.models import OAuthGrant
from projects.access import Tool
from projects.company_scope import CompanyScopedAdmin, ReadOnlyScope


@admin.register(OAuthGrant)
class OAuthGrantAdmin(ReadOnlyScope, CompanyScopedAdmin):
    """Who gave which right and when; tokens are in no field of it."""

    tool = Tool.ERP_INTEGRATIONS
    list_display = ("connection", "company", "granted_by", "granted_at", "renewed_at", "lost_at")
    list_filter = (
        ("lost_at", admin.EmptyFieldListFilter),
        ("connection", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("connection__company", "company", "granted_by")
    search_fields = ("connection__name", "company__name")
    exclude = ("token",)
