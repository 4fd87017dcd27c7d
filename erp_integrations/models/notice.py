"""What people are told by e-mail, and what they want to be told."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from commitments.models import SubcontractorInvoice
from erp_integrations.models.connection import ErpConnection
from projects.models import Company


class NoticeKind(models.TextChoices):
    """What e-mail can be about; people switch each on or off, per company."""

    TROUBLE = "trouble", "Trouble with the ERP connection"
    DIGEST = "digest", "Daily summary"
    REJECTION = "rejection", "Invoices rejected"
    PAYMENT = "payment", "Payments recorded"
    CONTACT = "contact", "Payments recorded where you are an invoice contact"


#: what people get until they say otherwise; the rest they have to ask for
ON_BY_DEFAULT = frozenset({NoticeKind.TROUBLE, NoticeKind.REJECTION})


class EmailPreference(models.Model):
    """Whether one person wants one kind of e-mail of one company, since when."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="email_preferences"
    )
    kind = models.CharField(max_length=10, choices=NoticeKind.choices)
    is_wanted = models.BooleanField("wanted")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["company", "person", "kind"]
        verbose_name = "e-mail preference"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "person", "kind"], name="preference_once_per_person_and_kind"
            )
        ]
        indexes = [
            models.Index(
                fields=["company", "kind"], condition=Q(is_wanted=True), name="preference_wanted"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {'yes' if self.is_wanted else 'no'}"


class IncidentKind(models.TextChoices):
    SYNC_FAILED = "sync_failed", "Syncs fail"
    SIGN_IN = "sign_in", "The connection needs somebody"


class IncidentQuerySet(models.QuerySet["Incident"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)


class Incident(models.Model):
    """A time of trouble with a connection: told once when it opens and once when it is over."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(
        ErpConnection, on_delete=models.CASCADE, related_name="incidents"
    )
    kind = models.CharField(max_length=15, choices=IncidentKind.choices)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    #: failed runs since it opened, the first one included
    failures = models.PositiveIntegerField(default=1)
    last_error = models.CharField(max_length=1000)

    objects = models.Manager.from_queryset(IncidentQuerySet)()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind"],
                condition=Q(closed_at=None),
                name="one_open_incident_per_connection_and_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.last_error}"


class EmailState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Given up"
    DROPPED = "dropped", "Not sent: not theirs any more"


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def due(self) -> Self:
        """Queued and ripe, or taken by a worker that never came back."""
        now = timezone.now()
        return self.filter(
            Q(state=EmailState.QUEUED, not_before__lte=now)
            | Q(state=EmailState.SENDING, claimed_until__lt=now)
        )


class OutgoingEmail(models.Model):
    """One e-mail to one person, written in the transaction of what it tells of.

    ``key`` is what its unsubscribe link carries. ``payments`` and
    ``invoice`` are what it names: whoever may not see one of them any more does
    not get it.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=NoticeKind.choices)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    payments: "models.Field[list[int], list[int]]" = ArrayField(
        models.BigIntegerField(), default=list, blank=True
    )
    invoice = models.ForeignKey(
        SubcontractorInvoice, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    dedupe_key = models.CharField(max_length=200, unique=True)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=EmailState.choices, default=EmailState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    objects = models.Manager.from_queryset(OutgoingEmailQuerySet)()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "e-mail"
        constraints = [
            models.CheckConstraint(
                condition=Q(state=EmailState.SENT, sent_at__isnull=False)
                | ~Q(state=EmailState.SENT) & Q(sent_at=None),
                name="email_is_sent_exactly_when_it_has_a_time",
            )
        ]
        indexes = [
            models.Index(
                F("not_before"),
                condition=Q(state__in=["queued", "sending"]),
                name="email_to_send",
            )
        ]

    def __str__(self) -> str:
        return self.subject


class NoticeClock(models.Model):
    """How far the e-mail about a connection has got."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    connection = models.OneToOneField(
        ErpConnection, on_delete=models.CASCADE, related_name="notice_clock"
    )
    #: the company's own day on which the daily summary was last written
    summarized_on = models.DateField(null=True)
    #: the last ``PaymentEvent`` whose news was told or was found to be none
    last_payment_event = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"Clock of {self.connection_id}"
