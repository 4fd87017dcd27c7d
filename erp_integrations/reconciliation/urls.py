"""Pages of the reconciliation, for a company and for each of its projects."""

from erp_integrations.reconciliation import views

PAGES = (
    ("reconciliation/", views.reconciliation, "reconciliation"),
    ("reconciliation/compare/", views.compare, "compare"),
    (
        "reconciliation/progress/<int:run_id>/",
        views.comparison_progress,
        "comparison_progress",
    ),
    ("reconciliation/export.csv", views.export_csv, "reconciliation_csv"),
    ("reconciliation/export.xlsx", views.export_excel, "reconciliation_xlsx"),
)
