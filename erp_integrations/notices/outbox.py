"""The outbox: a row is written in the transaction of its cause, and sent outside of any.

queued → being sent → sent | given up | dropped. A worker claims rows before it
talks to the mail server, so two never send the same one; a row whose worker died
is taken up again after ``CLAIM``. It keeps its Message-ID, so that what did get
out before the death is recognized as the same e-mail.
"""

import logging
import smtplib
import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone
from kombu.exceptions import KombuError, OperationalError

from commitments.models import SubcontractorInvoice
from erp_integrations.models import EmailState, NoticeKind, OutgoingEmail
from erp_integrations.notices import links
from erp_integrations.notices.rights import may_still_get
from projects.models import Company, User

log = logging.getLogger(__name__)

BATCH = 20
#: longer than a batch can take: every e-mail of it may run into ``EMAIL_TIMEOUT``
CLAIM = timedelta(minutes=20)
#: the pauses grow from a minute to four hours, so this is more than two days
MAX_ATTEMPTS, LONGEST_PAUSE = 20, timedelta(hours=4)


def write_email(
    *,
    company: Company,
    person: User,
    kind: NoticeKind,
    subject: str,
    template: str,
    context: dict[str, object],
    dedupe_key: str,
    payments: Sequence[int] = (),
    invoice: SubcontractorInvoice | None = None,
) -> None:
    """Put an e-mail into the outbox, once per ``dedupe_key``; sent after the commit."""
    key = uuid.uuid4()
    everywhere = {
        "person": person,
        "company": company,
        "about": kind.label,
        "unsubscribe_url": links.unsubscribe_url(key),
        "preferences_url": links.page("erp_integrations:email_preferences"),
    }
    email = OutgoingEmail(
        company=company,
        person=person,
        kind=kind,
        subject=" ".join(subject.split())[:200],
        body=render_to_string(f"erp_integrations/email/{template}.txt", {**everywhere, **context}),
        payments=list(payments),
        invoice=invoice,
        dedupe_key=dedupe_key[:200],
        key=key,
        not_before=timezone.now(),
    )
    OutgoingEmail.objects.bulk_create([email], ignore_conflicts=True)
    transaction.on_commit(ring)


def ring() -> None:
    """Tell a worker. A broker that is away is no loss: what is due is looked for every minute."""
    from erp_integrations.tasks import send_emails

    try:
        send_emails.delay()
    except (OperationalError, KombuError, OSError) as error:
        log.warning("e-mail waits in the outbox, the broker does not answer: %s", error)


def send_due() -> int:
    """Send what is due, batch by batch, until nothing is or the mail server is away."""
    sent = 0
    while batch := claim():
        done = _send_batch(batch)
        sent += done
        if done < len(batch):
            break
    return sent


@transaction.atomic
def claim() -> list[OutgoingEmail]:
    """Take some due e-mails for this worker; nobody else gets them meanwhile."""
    due = OutgoingEmail.objects.due().select_for_update(skip_locked=True)
    ids = [email.pk for email in due.order_by("not_before", "pk")[:BATCH]]
    mine = OutgoingEmail.objects.filter(pk__in=ids)
    mine.update(
        state=EmailState.SENDING,
        claimed_until=timezone.now() + CLAIM,
        attempts=F("attempts") + 1,
    )
    return list(mine.select_related("person", "company", "invoice").order_by("pk"))


def queue_again(email: OutgoingEmail) -> bool:
    """Give an e-mail that was given up another chance."""
    given_up = OutgoingEmail.objects.filter(pk=email.pk, state=EmailState.FAILED)
    changed = given_up.update(
        state=EmailState.QUEUED, attempts=0, not_before=timezone.now(), claimed_until=None
    )
    return bool(changed)


def _send_batch(batch: list[OutgoingEmail]) -> int:
    """How many were settled, sent or not. When the server is away the rest is put off too."""
    with closing(mail.get_connection()) as server:
        for number, email in enumerate(batch):
            try:
                _settle(email, server)
            except OSError as error:  # no connection, no sign-in, a sender it does not know
                for each in batch[number:]:
                    _put_off(each, error)
                return number
    return len(batch)


def _settle(email: OutgoingEmail, server: BaseEmailBackend) -> None:
    """Send one, or write why not. Raises ``OSError`` when it is not about this one."""
    try:
        _send(email, server)
    except smtplib.SMTPDataError as error:
        _refused(email, error.smtp_code, error)
    except smtplib.SMTPRecipientsRefused as error:
        _refused(email, min(code for code, _ in error.recipients.values()), error)
    except ValueError as error:  # an address that cannot be one
        _end(email, EmailState.FAILED, last_error=str(error)[:500])


def _send(email: OutgoingEmail, server: BaseEmailBackend) -> None:
    if not may_still_get(email):
        _end(email, EmailState.DROPPED)
        return
    url = links.unsubscribe_url(email.key)
    mail.EmailMessage(
        subject=email.subject,
        body=email.body,
        to=[email.person.email],
        connection=server,
        headers={
            "Message-ID": f"<{email.key}@{links.site_name()}>",
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        },
    ).send()
    _end(email, EmailState.SENT, sent_at=timezone.now(), last_error="")


def _refused(email: OutgoingEmail, code: int, error: Exception) -> None:
    """5xx is the server's last word on this e-mail; 4xx asks to come back later."""
    if code >= 500:
        log.warning("e-mail %s was refused: %s", email.pk, code)
        _end(email, EmailState.FAILED, last_error=str(error)[:500])
    else:
        _put_off(email, error)


def _put_off(email: OutgoingEmail, error: Exception) -> None:
    log.warning("e-mail %s is put off: %s", email.pk, type(error).__name__)
    if email.attempts >= MAX_ATTEMPTS:
        _end(email, EmailState.FAILED, last_error=str(error)[:500])
        return
    pause = min(timedelta(minutes=2 ** min(email.attempts - 1, 10)), LONGEST_PAUSE)
    again = timezone.now() + pause
    _end(email, EmailState.QUEUED, not_before=again, last_error=str(error)[:500])


def _end(email: OutgoingEmail, state: EmailState, **fields: object) -> None:
    """Write what became of it, unless another worker has taken it over meanwhile."""
    held = OutgoingEmail.objects.filter(
        pk=email.pk, state=EmailState.SENDING, claimed_until=email.claimed_until
    )
    held.update(state=state, claimed_until=None, **fields)
