from django.urls import path

from payments import company_views, duplicate_views, payment_views, views

app_name = "payments"

LIST = "projects/<int:project_id>/commitments/<int:commitment_id>/payments/"
ONE = f"{LIST}<int:payment_id>/"
FILE = f"{ONE}attachments/<int:attachment_id>/"

COMPANY = "companies/<int:company_id>/payments/"

urlpatterns = [
    path(COMPANY, company_views.company_payments, name="company"),
    path(f"{COMPANY}export.csv", company_views.company_csv, name="company_csv"),
    path(f"{COMPANY}export.xlsx", company_views.company_xlsx, name="company_xlsx"),
    path(LIST, views.payments_issued, name="payments_issued"),
    path(f"{LIST}export.csv", views.export, name="export"),
    path(f"{LIST}new/", payment_views.new, name="new"),
    path(ONE, payment_views.detail, name="detail"),
    path(f"{ONE}edit/", payment_views.edit, name="edit"),
    path(f"{ONE}delete/", payment_views.delete, name="delete"),
    path(f"{ONE}link/", duplicate_views.link, name="link"),
    path(f"{ONE}not-the-same/", duplicate_views.dismiss, name="dismiss"),
    path(f"{ONE}attachments/", payment_views.attach, name="attach"),
    path(FILE, payment_views.download, name="attachment"),
    path(f"{FILE}delete/", payment_views.detach, name="detach"),
]
