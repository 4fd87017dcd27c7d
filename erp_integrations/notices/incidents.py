"""Times of trouble with a connection, told once when they begin and once when they end.

Credentials or settings that the ERP refuses are an incident at once: nothing
happens any more until somebody acts. Anything else may pass by itself, and
becomes one when it has failed so often that the circuit rests.
"""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from erp_integrations.models import ErpConnection, Incident, IncidentKind, NoticeKind, SyncRun
from erp_integrations.notices import links
from erp_integrations.notices.outbox import write_email
from erp_integrations.notices.preferences import those_who_want
from projects.access import Tool
from projects.holders import administrators_of
from projects.time_zones import in_words

SUBJECTS = {
    IncidentKind.SYNC_FAILED: "{company}: syncs with {erp} fail",
    IncidentKind.SIGN_IN: "{company}: the connection to {erp} needs you",
}
RECOVERED = "{company}: {erp} works again"


@transaction.atomic
def take_note(run: SyncRun) -> None:
    """What the end of this run means for the connection's incidents."""
    connection = ErpConnection.objects.select_related("company").get(pk=run.connection_id)
    if run.is_good:
        for incident in _close_all(connection):
            _tell(connection, incident, "recovered", RECOVERED)
        return
    kind = _kind_of_trouble(connection)
    new = _open_or_extend(connection, kind, run.error_message) if kind else None
    if new and kind:
        _tell(connection, new, kind.value, SUBJECTS[kind])


def _kind_of_trouble(connection: ErpConnection) -> IncidentKind | None:
    if connection.stopped_at:
        return IncidentKind.SIGN_IN
    resting_until = connection.circuit_open_until
    if resting_until and resting_until > timezone.now():
        return IncidentKind.SYNC_FAILED
    return None


def _open_or_extend(connection: ErpConnection, kind: IncidentKind, error: str) -> Incident | None:
    """The incident if it is new; one that is open already grows in silence."""
    open_one = Incident.objects.open().filter(connection=connection, kind=kind)
    if open_one.update(failures=F("failures") + 1, last_error=error):
        return None
    incident, is_new = Incident.objects.get_or_create(
        connection=connection,
        kind=kind,
        closed_at=None,
        defaults={
            "company": connection.company,
            "opened_at": timezone.now(),
            "failures": max(connection.consecutive_failures, 1),
            "last_error": error,
        },
    )
    return incident if is_new else None


def _close_all(connection: ErpConnection) -> list[Incident]:
    closed = list(Incident.objects.open().filter(connection=connection).select_for_update())
    Incident.objects.filter(pk__in=[each.pk for each in closed]).update(closed_at=timezone.now())
    return closed


def _tell(connection: ErpConnection, incident: Incident, template: str, subject: str) -> None:
    company, zone = connection.company, connection.company.time_zone
    if not connection.sends_email:
        return
    resting_until = connection.circuit_open_until
    context: dict[str, object] = {
        "erp": connection.name,
        "incident": incident,
        "opened_at": in_words(incident.opened_at, zone),
        "again_at": in_words(resting_until, zone) if resting_until else "",
        "now": in_words(timezone.now(), zone),
        "settings_url": links.page("erp_integrations:company_settings", company.pk),
        "home_url": links.page("erp_integrations:company_home", company.pk),
    }
    people = administrators_of(company, Tool.ERP_INTEGRATIONS)
    for person in those_who_want(people, company, NoticeKind.TROUBLE):
        write_email(
            company=company,
            person=person,
            kind=NoticeKind.TROUBLE,
            subject=subject.format(company=company.name, erp=connection.name),
            template=template,
            context=context,
            dedupe_key=f"incident:{incident.pk}:{template}:{person.pk}",
        )
