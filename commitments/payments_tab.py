"""The switch of a commitment's Payments Issued tab."""

from django.db import transaction

from commitments.models import Commitment, CommitmentEvent
from projects.models import User
from projects.services import announce_enabled


@transaction.atomic
def set_payments_enabled(*, commitment: Commitment, is_enabled: bool, by: User) -> Commitment:
    """Show the tab and let synced payments arrive on it, or not. What arrived stays stored."""
    commitment = Commitment.objects.select_for_update().get(pk=commitment.pk)
    if commitment.allow_payments == is_enabled:
        return commitment
    commitment.allow_payments = is_enabled
    commitment.save(update_fields=["allow_payments", "updated_at"])
    CommitmentEvent.objects.create(
        company_id=commitment.company_id,
        commitment=commitment,
        actor=by,
        subject=str(commitment),
        summary=f"Payments Issued switched {'on' if is_enabled else 'off'}",
        changes={"Enable Payments": [_word(not is_enabled), _word(is_enabled)]},
    )
    if is_enabled:
        announce_enabled(commitment.company_id)
    return commitment


def _word(is_enabled: bool) -> str:
    return "Yes" if is_enabled else "No"
