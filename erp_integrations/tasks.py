"""Tasks are doorbells: they take ids, call one service, and are a few lines long."""

from celery import shared_task
from django.core.cache import cache

from erp_integrations import engine, retention, runs, waiting
from erp_integrations.directory import refreshing
from erp_integrations.exporting import engine as export_engine
from erp_integrations.exporting import jobs as export_jobs
from erp_integrations.file_drop import arrivals
from erp_integrations.file_drop import services as dropped_files
from erp_integrations.notices import digest, outbox, payments
from erp_integrations.notifications import asking
from erp_integrations.previews import keeping
from erp_integrations.push import services as pushing
from erp_integrations.reconciliation import nightly


@shared_task
def run_sync(run_id: int) -> None:
    engine.work_on(run_id)


@shared_task
def start_due_syncs() -> None:
    runs.start_due()


@shared_task
def recover_stopped_runs() -> None:
    # beat rings this one most often, so it is also the sign of life that /readyz looks for
    cache.set("beat_heartbeat", True, timeout=60)
    runs.recover_stopped()
    export_jobs.recover_stopped()


@shared_task
def export_invoice(export_id: int) -> None:
    export_engine.work_on(export_id)


@shared_task
def project_waiting_payments(company_id: int | None = None) -> None:
    waiting.project_waiting(company_id=company_id)


@shared_task
def start_due_comparisons() -> None:
    nightly.start_due()


@shared_task
def refresh_directory(refresh_id: int) -> None:
    refreshing.work_on(refresh_id)


@shared_task
def look_after_directories() -> None:
    refreshing.look_after()


@shared_task
def send_emails() -> None:
    outbox.send_due()


@shared_task
def tell_of_payments() -> None:
    payments.tell_due()


@shared_task
def write_summaries() -> None:
    digest.write_due()


@shared_task
def forget_raw_payloads() -> None:
    retention.forget_raw_payloads()


@shared_task
def start_notified_syncs() -> None:
    asking.start_waiting()


@shared_task
def forget_old_previews_and_notifications() -> None:
    keeping.purge_old()
    asking.forget_old()
    pushing.forget_old_calls()


@shared_task
def read_dropped_file(file_id: int) -> None:
    dropped_files.read(file_id)


@shared_task
def look_for_files() -> None:
    dropped_files.look_after()
    for connection_id in arrivals.watching():
        look_for_files_of.delay(connection_id)


@shared_task
def look_for_files_of(connection_id: int, again: bool = False) -> None:
    arrivals.look(connection_id, again=again)
