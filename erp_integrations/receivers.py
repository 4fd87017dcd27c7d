"""Hears when a reason to wait may be gone, and rings for the projection."""

from typing import Any

from django.dispatch import receiver

from projects.services import something_was_enabled


@receiver(something_was_enabled)
def project_what_waits(*, company_id: int, **_: Any) -> None:
    from erp_integrations.tasks import project_waiting_payments

    project_waiting_payments.delay(company_id)
