"""Tasks: they take ids, call a service, and are a few lines long."""

from celery import shared_task


@shared_task
def run_sync(run_id: int) -> None:
    from erp_integrations import engine

    engine.work_on(run_id)


@shared_task
def project_waiting_payments(company_id: int | None = None) -> None:
    from erp_integrations import waiting

    waiting.project_waiting(company_id=company_id)
