"""Procore's own paths, so that a connector written for it finds its way."""

from django.urls import path

from erp_integrations.push import views

PREFIX = "rest/v1.0/companies/<int:company_id>/"
URLS = [
    path(f"{PREFIX}invoice_payments/sync", views.invoice_payments, name="push_payments"),
    path(f"{PREFIX}external_data/sync", views.external_data, name="push_links"),
]
