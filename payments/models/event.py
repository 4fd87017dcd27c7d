"""The history of payments, appended to and never edited."""

from django.conf import settings
from django.db import models

from commitments.models import Commitment
from payments.models.payment import Payment
from projects.models import Company


class EventKind(models.TextChoices):
    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    VOIDED = "voided", "Voided"
    RESTORED = "restored", "Restored"
    MISSING = "missing", "Missing in the ERP"
    VANISHED = "vanished", "Gone from the ERP"
    LINKED = "linked", "Linked to its payment in the ERP"
    UNLINKED = "unlinked", "Unlinked from the ERP"
    DELETED = "deleted", "Deleted"
    ATTACHED = "attached", "Attachment added"
    DETACHED = "detached", "Attachment removed"


class PaymentEvent(models.Model):
    """One change: ``changes`` is ``{field: [old, new]}``, amounts as strings.

    Written by a person (``actor``) or by an import (``import_id``, opaque here:
    the room that imports knows what it numbers). Outlives its payment.
    """

    #: the commitment's own, copied by whoever writes the event
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    commitment = models.ForeignKey(
        Commitment, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.SET_NULL, null=True, related_name="events", db_index=False
    )
    label = models.CharField(max_length=250)
    kind = models.CharField(max_length=10, choices=EventKind.choices)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    import_id = models.BigIntegerField(null=True)
    changes = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["payment", "-at"], name="payment_event_by_payment"),
            models.Index(fields=["commitment", "-at"], name="payment_event_by_commitment"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=EventKind.values),
                name="payment_event_kind_is_one_we_have",
            )
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.get_kind_display()}"
