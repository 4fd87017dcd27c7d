"""Whether the connection works, in words: closed, resting, stopped, switched off."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from erp_integrations.models import ErpConnection


@dataclass(frozen=True)
class Circuit:
    """``since`` or ``until`` is shown beside the headline; ``advice`` says what to do."""

    code: str
    tone: str
    headline: str
    sentence: str
    advice: str = ""
    since: datetime | None = None
    until: datetime | None = None


def circuit_of(connection: ErpConnection) -> Circuit:
    if not connection.is_active:
        return Circuit("off", "attention", "Switched off", OFF, SWITCH_ON)
    if connection.stopped_at:
        reason = connection.stopped_reason
        return Circuit("stopped", "bad", "Stopped", reason, MEND, since=connection.stopped_at)
    if not connection.export_subcontractor_invoices:
        return Circuit("feature", "attention", "Not syncing payments", FEATURE_OFF, SWITCH_ON)
    failures = connection.consecutive_failures
    resting_until = connection.circuit_open_until
    if resting_until and resting_until > timezone.now():
        sentence = RESTING.format(failures=failures)
        return Circuit("resting", "bad", "Resting", sentence, TRY, until=resting_until)
    if failures:
        return Circuit("failing", "attention", "In trouble", _failing(failures), TRY)
    if connection.last_success_at is None:
        return Circuit("new", "", "Not tried yet", NEVER_TRIED)
    return Circuit("closed", "good", "Working", WORKING)


def _failing(failures: int) -> str:
    return FAILED_ONCE if failures == 1 else FAILED_OFTEN.format(failures=failures)


WORKING = "The ERP answers, and syncs run when they are due."
NEVER_TRIED = "No sync has run yet. Press the button, or wait for the first scheduled sync."
OFF = "Nothing is read from the ERP. Everything that came stays."
FEATURE_OFF = "Export Subcontractor Invoices is off, and payment sync is part of it."
SWITCH_ON = "An administrator of ERP Integrations can switch it on in Settings."
MEND = (
    "No sync runs until somebody acts: an administrator of ERP Integrations enters new "
    "credentials, corrects the address or signs in at the vendor again, in Settings. That starts "
    "the connection again."
)
RESTING = "{failures} syncs failed in a row, so automatic syncs rest for a while. Nothing is lost."
FAILED_ONCE = "The last sync failed. It is tried again by itself. Nothing is lost."
FAILED_OFTEN = "The last {failures} syncs failed. They are tried again by themselves."
TRY = "The button tries at once. If it fails again, test the connection in Settings."
