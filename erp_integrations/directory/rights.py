"""Who may link records to the ERP, and why the ERP cannot be asked now."""

from erp_integrations.models import DirectoryKind, ErpConnection
from erp_integrations.preconditions import INACTIVE, NO_CONNECTION, STOPPED, Obstacle
from erp_integrations.providers.contract import Capabilities
from erp_integrations.providers.registry import find_provider
from projects.access import Level, Person, Tool
from projects.models import Company

NOT_ALLOWED = (
    "Linking and importing need Admin on the company's ERP Integrations tool, or Standard there "
    "and the accounting approver's right. Ask one of those people."
)
NOT_LISTED = "{name} does not list its {kind} for other programs, so they cannot be linked here."


def may_link(company: Company, person: Person) -> bool:
    """Admin on the company's tool, or Standard there and accounting approver."""
    mine = Company.objects.filter(pk=company.pk)
    if mine.with_level(person, Tool.ERP_INTEGRATIONS, Level.ADMIN).exists():
        return True
    standard = mine.with_level(person, Tool.ERP_INTEGRATIONS, Level.STANDARD)
    return standard.with_approver(person).exists()


def listed_kinds(connection: ErpConnection) -> list[DirectoryKind]:
    """What the connection's ERP can list."""
    provider = find_provider(connection.provider)
    offered = provider.capabilities if provider else Capabilities()
    return [kind for kind in DirectoryKind if getattr(offered, kind.value)]


def obstacles_to_asking(connection: ErpConnection | None) -> list[Obstacle]:
    """What keeps the ERP from being asked at all, whoever asks."""
    if connection is None:
        return [Obstacle("no_connection", NO_CONNECTION)]
    obstacles = []
    if not listed_kinds(connection):
        kinds = "vendors, jobs or commitments"
        obstacles.append(Obstacle("erp", NOT_LISTED.format(name=connection.name, kind=kinds)))
    if not connection.is_active:
        obstacles.append(Obstacle("inactive", INACTIVE.format(name=connection.name)))
    if connection.stopped_at:
        obstacles.append(Obstacle("stopped", STOPPED.format(reason=connection.stopped_reason)))
    return obstacles
