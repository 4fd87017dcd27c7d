"""Webhooks of Intuit: which payments and bills they name, once their signature is right.

They come in two forms, signed alike: the older one has all changes of a company
below ``eventNotifications``, the newer one is a list of CloudEvents with an id
each. Intuit sends those of every company that uses the same app to one address;
an id of another company's names nothing here, or something that is read again.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping

import msgspec

from erp_integrations.providers.contract import Notice
from erp_integrations.providers.errors import AuthenticationError, RecordError
from erp_integrations.providers.quickbooks_online.errors import ERP

SIGNATURE = "intuit-signature"
PAYMENT, BILL = "billpayment", "bill"


class _Entity(msgspec.Struct):
    name: str
    id: str
    operation: str = ""
    last_updated: str = msgspec.field(default="", name="lastUpdated")


class _Change(msgspec.Struct):
    entities: list[_Entity] = []


class _CompanyNotification(msgspec.Struct):
    realm: str = msgspec.field(name="realmId")
    change: _Change = msgspec.field(name="dataChangeEvent")


class _Classic(msgspec.Struct):
    notifications: list[_CompanyNotification] = msgspec.field(name="eventNotifications")


class _CloudEvent(msgspec.Struct):
    id: str
    type: str
    entity_id: str = msgspec.field(name="intuitentityid")


def read(headers: Mapping[str, str], body: bytes, secret: str) -> list[Notice]:
    """See ``Provider.read_notification``."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    expected, given = base64.b64encode(digest), headers.get(SIGNATURE, "").encode()
    if not secret or not hmac.compare_digest(expected, given):
        raise AuthenticationError(f"The signature of this notification is not {ERP}'s.")
    try:
        notices = _told(body)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"This notification has none of the forms that {ERP} sends.") from error
    return [each for each in notices if each.payment_ids or each.bill_ids]


def _told(body: bytes) -> list[Notice]:
    if body.lstrip().startswith(b"["):
        return [_event(each) for each in msgspec.json.decode(body, type=list[_CloudEvent])]
    return list(_classic(msgspec.json.decode(body, type=_Classic)))


def _classic(told: _Classic) -> Iterable[Notice]:
    """No ids of their own: the same changes of the same records are the same notification."""
    for each in told.notifications:
        changed = [(it.name.lower(), it.id) for it in each.change.entities]
        content = sorted(
            f"{each.realm}/{it.name}/{it.id}/{it.operation}/{it.last_updated}"
            for it in each.change.entities
        )
        event_id = hashlib.sha256("\n".join(content).encode()).hexdigest()
        yield Notice(event_id, _ids(changed, PAYMENT), _ids(changed, BILL))


def _event(event: _CloudEvent) -> Notice:
    """``type`` is like ``qbo.billpayment.updated.v1``."""
    parts = event.type.lower().replace("_", "").split(".")
    changed = [(parts[1] if len(parts) > 1 else "", event.entity_id)]
    return Notice(event.id, _ids(changed, PAYMENT), _ids(changed, BILL))


def _ids(changed: Iterable[tuple[str, str]], kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for name, each in changed if name == kind and each.isdecimal()))
