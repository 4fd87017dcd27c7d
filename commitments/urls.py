from django.urls import path

from commitments import tab_views, views

app_name = "commitments"

LIST = "projects/<int:project_id>/commitments/"
ONE = f"{LIST}<int:commitment_id>/"

urlpatterns = [
    path(LIST, views.commitment_list, name="list"),
    path(f"{LIST}export.csv", views.export, name="export"),
    path(ONE, tab_views.general, name="general"),
    path(f"{ONE}schedule-of-values/", tab_views.schedule_of_values, name="schedule_of_values"),
    path(f"{ONE}change-orders/", tab_views.change_orders, name="change_orders"),
    path(f"{ONE}invoices/", tab_views.invoices, name="invoices"),
    path(f"{ONE}invoices/<int:invoice_id>/", tab_views.invoice, name="invoice"),
    path(f"{ONE}history/", tab_views.history, name="history"),
    path(f"{ONE}advanced-settings/", tab_views.advanced_settings, name="advanced_settings"),
]
