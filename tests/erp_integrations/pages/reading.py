"""How the tests of the tool's pages open and read them."""

from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from erp_integrations.models import (
    RunState,
    SyncRun,
)
from projects.models import Company, Project, User

BUTTON = "Sync Payments for Synced Invoices"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(place: Company | Project, name: str = "subcontractor_invoices", *args: int) -> str:
    kind = "company" if isinstance(place, Company) else "project"
    return reverse(f"erp_integrations:{kind}_{name}", args=[place.pk, *args])


def text(page: Any) -> str:
    """What stands on the page, with single spaces and plain apostrophes."""
    plain = page.content.decode().replace("&#x27;", "'").replace("&quot;", '"')
    return " ".join(plain.split())


def finished(run: SyncRun, state: RunState = RunState.SUCCEEDED, **values: Any) -> SyncRun:
    values = {"finished_at": timezone.now(), "phase": "done", **values}
    SyncRun.objects.filter(pk=run.pk).update(state=state, **values)
    run.refresh_from_db()
    return run
