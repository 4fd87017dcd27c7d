"""Pages of *Find a Payment*, for a company and for each of its projects."""

from erp_integrations.inquiry import views

PAGES = (
    ("find-a-payment/", views.find_payment, "find_payment"),
    ("find-a-payment/sync/", views.sync_found, "sync_found"),
)
