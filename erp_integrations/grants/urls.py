"""Addresses of the sign-in at a vendor's, and the one to which vendors send people back."""

from django.urls import path

from erp_integrations.grants import views

COMPANY_PAGES = (
    ("settings/sign-in/", views.start, "oauth_start"),
    ("settings/sign-out/", views.disconnect, "oauth_disconnect"),
    ("settings/erp-company/", views.choose_company, "erp_company"),
)
urlpatterns = [path("erp-oauth/callback/", views.callback, name="oauth_callback")]
