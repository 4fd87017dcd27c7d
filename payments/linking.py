"""Hand-entered payments become synced ones, and vanished ones become hand-entered: services.

Linking takes the amount that was counted twice out of the totals, once;
unlinking changes no total: what was gone from the other system stays uncounted.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from payments.actions import payment_takes_over, payment_unlinked
from payments.duplicates import pairs_of
from payments.models import DismissedDuplicate, EventKind, Payment, PaymentStatus
from payments.services import lock_payment, record_event, shown_values
from projects.models import User

NOT_A_PAIR = (
    "These two payments are not the same any more: one of them was changed, linked or deleted "
    "meanwhile. Nothing was changed."
)
NO_REASON = "Say why it is unlinked; the history keeps it."
LONG_REASON = "Use at most 150 characters."
NOT_GONE = "Only a payment that is gone from the ERP can be unlinked. Nothing was changed."
#: what the synced payment says of itself, and the hand-entered one takes over
TAKEN_OVER = (
    *("origin_id", "origin_code", "origin_data", "method", "date", "invoice_number"),
    *("check_number", "status", "voided_on", "void_reason", "missing_since", "vanished_at"),
)


@transaction.atomic
def link_duplicate(*, payment: Payment, twin: Payment, by: User) -> Payment:
    """Make the hand-entered payment the synced one; the row that the sync made goes.

    It keeps its payment number, notes and attachments, and gets the other's
    history and attachments too. Raises ``ValidationError`` when the two are no pair.
    """
    payment, twin = _locked_pair(payment, twin, by)
    before = shown_values(payment)
    twin.events.update(payment=payment)
    twin.attachments.update(payment=payment)
    payment_takes_over.send(sender=Payment, payment=payment, twin=twin)
    values = {name: getattr(twin, name) for name in TAKEN_OVER}
    twin.delete()
    for name, value in values.items():
        setattr(payment, name, value)
    payment.payment_number = payment.payment_number or twin.payment_number
    payment.notes = payment.notes or twin.notes
    payment.save(update_fields=[*TAKEN_OVER, "payment_number", "notes", "updated_at"])
    after = shown_values(payment)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    changes["ERP ID"] = ["", payment.origin_code]
    record_event(payment, EventKind.LINKED, by, changes | _lost(payment, twin))
    return payment


def _lost(payment: Payment, twin: Payment) -> dict[str, list[str]]:
    """What stood on the row that goes and is not what is kept; the history keeps it."""
    pairs = {
        "Payment # of the other row": (twin.payment_number, payment.payment_number),
        "Notes of the other row": (twin.notes, payment.notes),
    }
    return {label: [was, ""] for label, (was, kept) in pairs.items() if was and was != kept}


@transaction.atomic
def dismiss_duplicate(*, payment: Payment, twin: Payment, by: User) -> DismissedDuplicate:
    """Both are real: do not offer this pair again."""
    payment, twin = _locked_pair(payment, twin, by)
    return DismissedDuplicate.objects.create(
        company_id=payment.company_id, payment=payment, twin=twin, dismissed_by=by
    )


@transaction.atomic
def unlink_vanished(*, payment: Payment, reason: str, by: User) -> Payment:
    """Turn a payment that is gone from the other system into a hand-entered, voided one.

    Ask that system first whether it is really gone. It does not count again, can
    be deleted, and if it comes back there it comes as a new payment.
    """
    payment = lock_payment(payment, by)
    reason = check_reason(reason)
    if payment.vanished_at is None:
        raise ValidationError(NOT_GONE)
    before = shown_values(payment), payment.get_status_display(), payment.origin_code
    payment.origin_id = payment.origin_code = payment.origin_data = ""
    payment.missing_since = payment.vanished_at = None
    payment.status = PaymentStatus.VOIDED
    payment.voided_on = payment.voided_on or timezone.localdate()
    payment.void_reason = f"Unlinked from the ERP: {reason}"
    payment.save()
    payment_unlinked.send(sender=Payment, payment=payment)
    changes = {"ERP ID": [before[2], ""], "Reason": ["", reason]}
    if before[1] != payment.get_status_display():
        changes["Status"] = [before[1], payment.get_status_display()]
    record_event(payment, EventKind.UNLINKED, by, changes)
    return payment


def check_reason(reason: str) -> str:
    """The reason as it is kept. Raises ``ValidationError``."""
    reason = reason.strip()
    if not reason:
        raise ValidationError(NO_REASON)
    if len(reason) > 150:
        raise ValidationError(LONG_REASON)
    return reason


def _locked_pair(payment: Payment, twin: Payment, by: User) -> tuple[Payment, Payment]:
    """Both as they are now, held until the end; in one order, so that nobody waits in a ring."""
    found = {}
    for each in sorted((payment, twin), key=lambda row: row.pk):
        found[each.pk] = _held(each, by)
    manual, synced = found[payment.pk], found[twin.pk]
    dismissed = DismissedDuplicate.objects.filter(payment=manual, twin=synced).exists()
    if dismissed or not pairs_of([manual], [synced], set()) or not synced.is_synced:
        raise ValidationError(NOT_A_PAIR)
    return manual, synced


def _held(payment: Payment, by: User) -> Payment:
    try:
        return lock_payment(payment, by)
    except ValidationError:
        if Payment.objects.filter(pk=payment.pk).exists():
            raise
    raise ValidationError(NOT_A_PAIR)  # somebody linked or deleted it while we waited
