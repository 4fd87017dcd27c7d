"""Addresses of the Settings tab, below a company's ``erp-integrations/``."""

from erp_integrations.settings_pages import views

COMPANY_PAGES = (
    ("settings/", views.settings, "settings"),
    ("settings/test/", views.test_connection, "test_connection"),
    ("settings/connection/", views.connection, "connection"),
)
