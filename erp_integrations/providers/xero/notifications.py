"""What Xero's webhooks say: which bills changed, and so whose payments to look at."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from erp_integrations.providers.contract import Notice
from erp_integrations.providers.errors import AuthenticationError, RecordError

SIGNATURE = "x-xero-signature"


class _Event(
    msgspec.Struct,
    rename={
        "category": "eventCategory",
        "kind": "eventType",
        "record": "resourceId",
        "moment": "eventDateUtc",
        "tenant": "tenantId",
    },
):
    category: str
    record: str
    kind: str = ""
    moment: str = ""
    tenant: str = ""


class _Payload(msgspec.Struct):
    events: list[_Event]


def notices(headers: Mapping[str, str], body: bytes, secret: str) -> list[Notice]:
    """See ``Provider.read_notification``.

    Payments have no events of their own: each one changes its bill. Xero tries
    an address out with payloads without events, some of them signed wrongly.
    """
    made = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    if not hmac.compare_digest(made, _given(headers.get(SIGNATURE, ""))):
        raise AuthenticationError("The notification is not signed with the key of Xero's webhook.")
    try:
        events = msgspec.json.decode(body, type=_Payload).events
    except (ValueError, RecursionError) as error:
        raise RecordError("Xero sent a notification that cannot be read.") from error
    return [
        Notice(
            event_id=f"{each.tenant}/{each.record}/{each.moment}/{each.kind}",
            bill_ids=(each.record,),
        )
        for each in events
        if each.category == "INVOICE"
    ]


def _given(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""
