"""What every page of the ERP Integrations tool has around it: where it is, and the tabs."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.urls import reverse

from erp_integrations.places import Place


class Tab(NamedTuple):
    """One tab: the name of its page (see ``Place.url``) and what it is called."""

    code: str
    label: str
    #: not on the pages of a single project
    is_company_only: bool = False
    #: for administrators of the company's tool
    is_for_admins: bool = False
    #: for whoever may drop files, where the books arrive as files
    is_for_files: bool = False


#: in the order in which they stand; each page adds its own
TABS = (
    Tab("home", "Overview"),
    Tab("subcontractor_invoices", "Subcontractor Invoices"),
    Tab("files", "Files", is_company_only=True, is_for_files=True),
    Tab("payments", "Payments"),
    Tab("reconciliation", "Reconciliation"),
    Tab("find_payment", "Find a Payment"),
    Tab("vendors", "Companies", is_company_only=True),
    Tab("jobs", "Jobs", is_company_only=True),
    Tab("commitments", "Commitments"),
    Tab("runs", "Sync history"),
    Tab("settings", "Settings", is_company_only=True, is_for_admins=True),
)


@dataclass(frozen=True)
class TabLink:
    label: str
    url: str
    is_current: bool


def frame(place: Place, tab: str) -> dict[str, Any]:
    """The context that ``erp_integrations/_frame.html`` needs."""
    return {
        "place": place,
        "company": place.company,
        "project": place.project,
        "zone": place.time_zone,
        "tab": tab,
        "tabs": tabs(place, tab),
        "invoices_url": place.url("subcontractor_invoices"),
        "runs_url": place.url("runs"),
    }


def tabs(place: Place, current: str) -> list[TabLink]:
    return [
        TabLink(each.label, _url(place, each.code), each.code == current)
        for each in TABS
        if not (each.is_company_only and place.project)
        and (place.is_admin or not each.is_for_admins)
        and (place.drops_files or not each.is_for_files)
    ]


def _url(place: Place, code: str) -> str:
    if code != "payments":
        return place.url(code)
    # The payments have a page of their own, for everybody who may see commitments.
    url = reverse("payments:company", args=[place.company.pk])
    return f"{url}?project={place.project.pk}" if place.project else url
