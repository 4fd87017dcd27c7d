"""Addresses of the Files tab, below a company's ``erp-integrations/``."""

from erp_integrations.file_drop import views

COMPANY_PAGES = (
    ("files/", views.files, "files"),
    ("files/upload/", views.upload, "file_upload"),
    ("files/look/", views.look, "files_look"),
    ("files/link/", views.link, "files_link"),
    ("files/starting-points/<slug:code>.csv", views.starting_point, "file_starting_point"),
    ("files/<int:file_id>/", views.file, "file"),
    ("files/<int:file_id>/original/", views.original, "file_original"),
    ("files/<int:file_id>/problems.csv", views.problems, "file_problems"),
    ("files/<int:file_id>/discard/", views.discard, "file_discard"),
)
