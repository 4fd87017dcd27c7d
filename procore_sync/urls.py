"""Every URL. A new one needs a row in ``tests/test_access.py``."""

from functools import partial

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import Http404
from django.urls import include, path
from django.views.defaults import page_not_found

from procore_sync import health

# The administration signs people in like everything else: rate limits and second factors included.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# Administrators keep the address of an account: passwords are reset through it.
not_offered = partial(page_not_found, exception=Http404())

urlpatterns = [
    path("", include("projects.urls")),
    path("", include("commitments.urls")),
    path("", include("payments.urls")),
    path("", include("erp_integrations.urls")),
    path("accounts/email/", not_offered),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("livez", health.livez),
    path("readyz", health.readyz),
]
