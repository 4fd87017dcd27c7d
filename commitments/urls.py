from django.urls import path

from commitments import invoice_views, project_invoices, tab_views, views

app_name = "commitments"

LIST = "projects/<int:project_id>/commitments/"
ONE = f"{LIST}<int:commitment_id>/"
INVOICES = f"{ONE}invoices/"
INVOICE = f"{INVOICES}<int:invoice_id>/"
FILE = f"{INVOICE}attachments/<int:attachment_id>/"
PROJECT_INVOICES = "projects/<int:project_id>/invoices/"

urlpatterns = [
    path(LIST, views.commitment_list, name="list"),
    path(f"{LIST}export.csv", views.export, name="export"),
    path(ONE, tab_views.general, name="general"),
    path(f"{ONE}schedule-of-values/", tab_views.schedule_of_values, name="schedule_of_values"),
    path(f"{ONE}change-orders/", tab_views.change_orders, name="change_orders"),
    path(INVOICES, invoice_views.invoice_list, name="invoices"),
    path(f"{INVOICES}act/", invoice_views.act, name="invoices_act"),
    path(f"{INVOICES}new/", invoice_views.new, name="invoice_new"),
    path(INVOICE, invoice_views.detail, name="invoice"),
    path(f"{INVOICE}edit/", invoice_views.edit, name="invoice_edit"),
    path(f"{INVOICE}act/", invoice_views.act_on_one, name="invoice_act"),
    path(f"{INVOICE}attachments/", invoice_views.attach, name="invoice_attach"),
    path(FILE, invoice_views.download, name="invoice_attachment"),
    path(f"{FILE}delete/", invoice_views.detach, name="invoice_detach"),
    path(f"{ONE}history/", tab_views.history, name="history"),
    path(f"{ONE}advanced-settings/", tab_views.advanced_settings, name="advanced_settings"),
    path(PROJECT_INVOICES, project_invoices.invoice_list, name="project_invoices"),
    path(f"{PROJECT_INVOICES}export.csv", project_invoices.export, name="project_invoices_export"),
    path(f"{PROJECT_INVOICES}act/", project_invoices.act, name="project_invoices_act"),
]
