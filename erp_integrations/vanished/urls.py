"""For the company only: whoever unlinks a payment is an approver of the whole company."""

from erp_integrations.vanished import views

COMPANY_PAGES = (("payments/<int:payment_id>/unlink/", views.unlink, "unlink_payment"),)
