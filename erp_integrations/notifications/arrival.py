"""An ERP's notification arrives: its signature is checked, it is stored, a sync is asked for."""

from collections.abc import Mapping
from hashlib import sha256

from django.core.cache import cache
from django.db import transaction

from erp_integrations.acceptance import storable
from erp_integrations.models import ErpConnection, InboundNotification, NotificationState
from erp_integrations.notifications import asking
from erp_integrations.providers.contract import NOTIFICATION_SECRET, Notice, Provider
from erp_integrations.providers.errors import AuthenticationError, RecordError
from erp_integrations.providers.registry import find_provider

#: bytes of one notification
LONGEST_BODY = 256 * 1024
#: characters of it that are kept
KEPT_OF_BODY = 20_000
#: of one connection in a minute; an ERP that gets no more in sends it again later
AT_MOST_A_MINUTE = 120


def provider_that_notifies(connection: ErpConnection) -> type[Provider] | None:
    """The provider, if its ERP sends notifications at all."""
    provider = find_provider(connection.provider)
    return provider if provider and provider.capabilities.notifications else None


def is_too_often(connection: ErpConnection) -> bool:
    """Whether so many came in this minute that the ERP has to slow down."""
    key = f"notifications-{connection.pk}"
    if cache.add(key, 1, timeout=60):
        return False
    try:
        return int(cache.incr(key)) > AT_MOST_A_MINUTE
    except ValueError:  # the minute ended between the two
        return False


def receive(
    *, connection: ErpConnection, provider: type[Provider], headers: Mapping[str, str], body: bytes
) -> int:
    """Store what a notification says; how much of it is new.

    One that cannot be read is stored too, for somebody to look at. Raises
    ``AuthenticationError`` for a wrong signature, and where no key is set.
    """
    secret = connection.credentials.reveal().get(NOTIFICATION_SECRET.name, "")
    if not secret:
        raise AuthenticationError("The connection has no key yet to check notifications with.")
    state = NotificationState.WAITING
    try:
        notices = provider.read_notification(headers, body, secret)
    except RecordError:
        notices = [Notice(event_id=sha256(body).hexdigest())]
        state = NotificationState.UNREADABLE
    return _store(connection, notices, body, state)


@transaction.atomic
def _store(
    connection: ErpConnection, notices: list[Notice], body: bytes, state: NotificationState
) -> int:
    before = InboundNotification.objects.filter(connection=connection)
    known = set(
        before.filter(event_id__in=[_event_id(each) for each in notices]).values_list(
            "event_id", flat=True
        )
    )
    rows = [
        InboundNotification(
            company_id=connection.company_id,
            connection=connection,
            event_id=_event_id(each),
            payment_ids=list(each.payment_ids),
            bill_ids=list(each.bill_ids),
            payload=storable(body[:KEPT_OF_BODY].decode("utf-8", "replace")),
            state=state,
        )
        for each in notices
        if _event_id(each) not in known
    ]
    # Two that arrive at once may both think that they are the first.
    InboundNotification.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(lambda: asking.ask_for_sync(connection.pk))
    return len(rows)


def _event_id(notice: Notice) -> str:
    """At most as long as the column; longer ones by what they come down to."""
    text = storable(notice.event_id)
    return text if len(text) <= 200 else sha256(text.encode()).hexdigest()
