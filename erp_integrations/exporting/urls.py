"""Addresses of Subcontractor Invoices, on the company's pages and on each project's."""

from erp_integrations.exporting import views

PAGES = (
    ("subcontractor-invoices/", views.subcontractor_invoices, "subcontractor_invoices"),
    ("subcontractor-invoices/act/", views.invoices_act, "invoices_act"),
    ("subcontractor-invoices/progress/", views.export_progress, "export_progress"),
    ("subcontractor-invoices/<int:invoice_id>/unlink/", views.invoice_unlink, "invoice_unlink"),
    ("subcontractor-invoices/exports/", views.exports, "exports"),
)
