"""The address of the tool itself."""

from erp_integrations.health import views

PAGES = (("", views.overview, "home"),)
