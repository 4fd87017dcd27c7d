"""Why a sync cannot be started, as sentences (domain sheet §0.3, S2 and S5)."""

from typing import NamedTuple

from django.db.models import Q, QuerySet

from erp_integrations.models import ErpConnection
from erp_integrations.providers.registry import find_provider
from projects.access import Level, Person, Tool
from projects.models import Company, Project


class Obstacle(NamedTuple):
    """``code`` for tests and links, ``sentence`` for the person in front of the page."""

    code: str
    sentence: str


def obstacles_to_sync(
    connection: ErpConnection | None, user: Person, project: Project | None = None
) -> list[Obstacle]:
    """Everything that keeps this person from pressing the button; empty: the button is there."""
    if connection is None:
        return [Obstacle("no_connection", NO_CONNECTION)]
    obstacles = obstacles_to_run(connection)
    if not may_sync(connection, user, project):
        obstacles.append(Obstacle("level", LEVEL))
    return obstacles


def obstacles_to_run(connection: ErpConnection) -> list[Obstacle]:
    """What keeps the connection from syncing, whoever asks."""
    obstacles = []
    provider = find_provider(connection.provider)
    if provider and provider.capabilities.is_pushed:
        obstacles.append(Obstacle("pushed", PUSHED.format(name=connection.name)))
    elif provider is None or not provider.capabilities.payment_sync:
        obstacles.append(Obstacle("erp", ERP_WITHOUT_PAYMENTS.format(name=connection.name)))
    if not connection.is_active:
        obstacles.append(Obstacle("inactive", INACTIVE.format(name=connection.name)))
    if connection.stopped_at:
        obstacles.append(Obstacle("stopped", STOPPED.format(reason=connection.stopped_reason)))
    if not connection.export_subcontractor_invoices:
        obstacles.append(Obstacle("feature", FEATURE_OFF))
    return obstacles


def may_sync(connection: ErpConnection, user: Person, project: Project | None = None) -> bool:
    """Admin on the project's or company's ERP Integrations tool, or accounting approver."""
    companies = Company.objects.filter(pk=connection.company_id)
    if companies.with_approver(user).exists():
        return True
    if companies.with_level(user, Tool.ERP_INTEGRATIONS, Level.ADMIN).exists():
        return True
    projects = Project.objects.filter(company_id=connection.company_id)
    if project is not None:
        projects = projects.filter(pk=project.pk)
    return projects.for_user(user, Tool.ERP_INTEGRATIONS, Level.ADMIN).exists()


def projects_to_sync(connection: ErpConnection, user: Person) -> QuerySet[Project]:
    """The projects that this person may sync by themselves."""
    mine = Company.objects.filter(pk=connection.company_id)
    whole = Q(company__in=mine.with_approver(user)) | Q(
        company__in=mine.with_level(user, Tool.ERP_INTEGRATIONS, Level.ADMIN)
    )
    own = Project.objects.for_user(user, Tool.ERP_INTEGRATIONS, Level.ADMIN)
    there = Project.objects.with_tool(Tool.ERP_INTEGRATIONS).filter(company=connection.company_id)
    return there.filter(whole | Q(pk__in=own.values("pk")))


NO_CONNECTION = (
    "No ERP is connected to this company. An administrator of ERP Integrations can connect one "
    "on the company's Settings tab."
)
ERP_WITHOUT_PAYMENTS = (
    "{name} does not offer its payments to other programs, so they cannot be synced. "
    "Payments can be entered by hand on a commitment's Payments Issued tab."
)
PUSHED = (
    "{name} sends its payments here by itself, so there is nothing to fetch. What it sent is "
    "under Sync history."
)
INACTIVE = (
    "The connection to {name} is switched off. An administrator of ERP Integrations can switch "
    "it on; nothing that was paid meanwhile is lost."
)
STOPPED = (
    "Syncing has stopped: {reason} An administrator of ERP Integrations can mend this in the "
    "connection's settings."
)
FEATURE_OFF = (
    "Export Subcontractor Invoices is switched off for this connection. An administrator of ERP "
    "Integrations can switch it on; payments come only for invoices that were exported."
)
LEVEL = (
    "Syncing needs Admin on the ERP Integrations tool, or an accounting approver. Ask one of "
    "them to press the button, or wait for the next scheduled sync."
)
