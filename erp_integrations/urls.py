"""Every page exists twice: for a company, and for a project where the tool is active."""

from collections.abc import Callable
from typing import TypeAlias

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from erp_integrations import sync_views, views
from erp_integrations.directory import urls as directory
from erp_integrations.exporting.urls import PAGES as EXPORT_PAGES
from erp_integrations.file_drop.urls import COMPANY_PAGES as FILE_PAGES
from erp_integrations.grants.urls import COMPANY_PAGES as GRANT_PAGES
from erp_integrations.grants.urls import urlpatterns as GRANT_URLS
from erp_integrations.health.urls import PAGES as HOME_PAGES
from erp_integrations.inquiry.urls import PAGES as INQUIRY_PAGES
from erp_integrations.notices.urls import urlpatterns as NOTICE_URLS
from erp_integrations.notifications.views import notification
from erp_integrations.previews.views import preview_csv
from erp_integrations.push.urls import URLS as PUSH_URLS
from erp_integrations.reconciliation.urls import PAGES as RECONCILIATION_PAGES
from erp_integrations.settings_pages.urls import COMPANY_PAGES as SETTINGS_PAGES
from erp_integrations.vanished.urls import COMPANY_PAGES as VANISHED_PAGES

app_name = "erp_integrations"

#: route, view, name
PageRoute: TypeAlias = tuple[str, Callable[..., HttpResponseBase], str]

PAGES: tuple[PageRoute, ...] = (
    *HOME_PAGES,
    *EXPORT_PAGES,
    ("sync/", sync_views.sync, "sync"),
    ("back-fill/", sync_views.back_fill, "back_fill"),
    ("invoices/<int:invoice_id>/sync/", sync_views.sync_invoice, "sync_invoice"),
    ("commitments/<int:commitment_id>/sync/", sync_views.sync_commitment, "sync_commitment"),
    ("runs/", views.sync_history, "runs"),
    ("runs/<int:run_id>/", views.run_detail, "run"),
    ("runs/<int:run_id>/progress/", views.run_progress, "run_progress"),
    ("runs/<int:run_id>/cancel/", views.run_cancel, "run_cancel"),
    ("previews/<int:preview_id>/apply/", sync_views.apply_preview, "preview_apply"),
    ("previews/<int:preview_id>/rows.csv", preview_csv, "preview_csv"),
    ("runs/<int:run_id>/issues.csv", views.run_issues_csv, "run_issues_csv"),
    *directory.PAGES,
    *RECONCILIATION_PAGES,
    *INQUIRY_PAGES,
)
#: pages that are there for the company only
COMPANY_PAGES: tuple[PageRoute, ...] = (
    *directory.COMPANY_PAGES,
    *SETTINGS_PAGES,
    *FILE_PAGES,
    *GRANT_PAGES,
    *VANISHED_PAGES,
)
PLACES = (
    ("company", "companies/<int:company_id>/erp-integrations/"),
    ("project", "projects/<int:project_id>/erp-integrations/"),
)


def _pages(kind: str, prefix: str) -> list[URLPattern]:
    mine = [*PAGES, *COMPANY_PAGES] if kind == "company" else PAGES
    return [path(prefix + route, view, name=f"{kind}_{name}") for route, view, name in mine]


NOTIFICATION = path("erp-notifications/<uuid:public_id>/", notification, name="notification")

urlpatterns = [
    NOTIFICATION,
    *NOTICE_URLS,
    *PUSH_URLS,
    *GRANT_URLS,
    *(pattern for place in PLACES for pattern in _pages(*place)),
]
