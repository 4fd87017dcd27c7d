"""Addresses of the Companies, Jobs and Commitments tabs, below ``erp-integrations/``."""

from erp_integrations.directory import actions, views

#: on the company's pages and on each project's
PAGES = (("commitments/", views.commitments, "commitments"),)
COMPANY_PAGES = (
    ("companies/", views.vendors, "vendors"),
    ("jobs/", views.jobs, "jobs"),
    ("commitments/ready/<int:staged_id>/", actions.commitment_import, "commitment_import"),
    ("directory/<str:kind>/refresh/", actions.refresh, "directory_refresh"),
    ("directory/<str:kind>/progress/", views.progress, "directory_progress"),
    ("directory/<str:kind>/matches/", actions.matches, "directory_matches"),
    ("directory/<str:kind>/import/", actions.import_selected, "directory_import"),
    ("directory/<str:kind>/archive/", actions.archive, "directory_archive"),
    ("directory/<str:kind>/<int:record_id>/", views.record, "directory_record"),
    ("directory/<str:kind>/<int:record_id>/link/", actions.link, "directory_link"),
    ("directory/<str:kind>/<int:record_id>/unlink/", actions.unlink, "directory_unlink"),
)
