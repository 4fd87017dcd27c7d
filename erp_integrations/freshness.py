"""What syncs say on a commitment's pages: how fresh its payments are, and which run did what."""

from collections.abc import Collection

from django.urls import reverse

from commitments.extensions import (
    StatusLine,
    register_import_names,
    register_payments_action,
    register_payments_status,
)
from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.models import ErpConnection, SyncRun
from erp_integrations.places import Place, find_projects
from erp_integrations.preconditions import may_sync
from erp_integrations.progress import ScopedPanel
from erp_integrations.scopes import Scope
from projects.access import Person
from projects.time_zones import in_words


def register() -> None:
    register_payments_status(last_synced)
    register_payments_status(missing_payment)
    register_import_names(names_of_runs)
    register_payments_action(sync_button)


def last_synced(commitment: Commitment, person: Person) -> StatusLine | None:
    """When payments were last synced; the history is linked for those who may open the tool."""
    connection = ErpConnection.objects.filter(company_id=commitment.company_id).first()
    if connection is None:
        return None
    return {"text": _text(connection, commitment), "url": _history_url(commitment, person)}


def missing_payment(commitment: Commitment, person: Person) -> StatusLine | None:
    """The way to *Find a Payment*, for those who may open the tool."""
    if not find_projects(person).filter(pk=commitment.project_id).exists():
        return None
    url = reverse("erp_integrations:project_find_payment", args=[commitment.project_id])
    return {"text": "A payment is missing?", "url": url}


def sync_button(
    commitment: Commitment, invoice: SubcontractorInvoice | None, person: Person
) -> ScopedPanel | None:
    """The sync of this commitment or synced invoice, for those who may start it."""
    if invoice is not None and not invoice.has_origin:
        return None
    project = commitment.project
    place = Place(person, project.company, project)
    if not place.sees(project) or place.connection is None:
        return None
    if not may_sync(place.connection, person, project):
        return None
    scope = Scope(invoice=invoice) if invoice else Scope(commitment=commitment)
    panel = ScopedPanel(place, scope)
    return None if panel.obstacles else panel


def names_of_runs(ids: Collection[int], person: Person) -> dict[int, StatusLine]:
    """``ERP sync 12`` for a history, with a link for those who may open the tool."""
    visible = SyncRun.objects.for_user(person).filter(pk__in=ids)
    companies = dict(visible.values_list("pk", "company_id"))
    return {pk: {"text": f"ERP sync {pk}", "url": _run_url(companies.get(pk), pk)} for pk in ids}


def _run_url(company_id: int | None, run_id: int) -> str:
    if company_id is None:
        return ""
    return reverse("erp_integrations:company_run", args=[company_id, run_id])


def _text(connection: ErpConnection, commitment: Commitment) -> str:
    if connection.last_success_at is None:
        return f"Payments were not synced with {connection.name} yet."
    project = commitment.project
    zone = project.time_zone or project.company.time_zone
    when = in_words(connection.last_success_at, zone)
    return f"Last synced with {connection.name}: {when}."


def _history_url(commitment: Commitment, person: Person) -> str:
    place = find_projects(person).filter(pk=commitment.project_id)
    if not place.exists():
        return ""
    return reverse("erp_integrations:project_runs", args=[commitment.project_id])
