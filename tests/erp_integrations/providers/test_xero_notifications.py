"""Webhooks of Xero, signed as Xero signs them."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from erp_integrations.providers.contract import Notice
from erp_integrations.providers.errors import AuthenticationError, RecordError
from erp_integrations.providers.xero.provider import XeroProvider

KEY = "wB4XkNg0QpmSKV5Qm0YtzA=="
BILL = "717f2bfc-c6d4-41fd-b238-3f2f0c0cf777"


def event(**fields: str) -> dict[str, str]:
    return {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{BILL}",
        "resourceId": BILL,
        "eventDateUtc": "2026-11-22T01:15:39.902",
        "eventType": "UPDATE",
        "eventCategory": "INVOICE",
        "tenantId": "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f",
        "tenantType": "ORGANISATION",
    } | fields


def body(*events: Any) -> bytes:
    told = {"events": events, "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "S0m3"}
    return json.dumps(told).encode()


def signed(content: bytes, key: str = KEY) -> dict[str, str]:
    made = hmac.new(key.encode(), content, hashlib.sha256).digest()
    return {"x-xero-signature": base64.b64encode(made).decode()}


def read(content: bytes, headers: dict[str, str] | None = None) -> list[Notice]:
    return XeroProvider.read_notification(headers or signed(content), content, KEY)


def test_a_change_of_a_bill_may_be_a_payment_of_it() -> None:
    (notice,) = read(body(event()))
    assert notice.bill_ids == (BILL,)
    assert notice.payment_ids == ()


def test_the_same_event_again_is_the_same() -> None:
    once, again = read(body(event())), read(body(event(), event(eventCategory="CONTACT")))
    assert once == again
    assert read(body(event(eventDateUtc="2026-11-22T01:16:00"))) != once


@pytest.mark.parametrize("category", ["CONTACT", "SUBSCRIPTION", "CREDITNOTE"])
def test_other_changes_are_no_news(category: str) -> None:
    assert read(body(event(eventCategory=category))) == []


def test_the_trial_that_is_signed_rightly_is_taken() -> None:
    assert read(body()) == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-xero-signature": "%%%"}, signed(body()), signed(body(event()), "another key")],
)
def test_what_is_signed_wrongly_is_refused(headers: dict[str, str]) -> None:
    content = body(event())
    with pytest.raises(AuthenticationError):
        XeroProvider.read_notification(headers, content, KEY)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"events": [7]}', b"[" * 100_000])
def test_what_cannot_be_read_is_said_so(content: bytes) -> None:
    with pytest.raises(RecordError):
        read(content)
