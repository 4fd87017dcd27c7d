"""QuickBooks' faults in all their spellings, its sign-in, and records that cannot be read."""

import json
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    ProtocolError,
    RateLimited,
    RecordError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.oauth import GrantLost
from erp_integrations.providers.quickbooks_online.provider import QuickBooksOnlineProvider
from tests.erp_integrations.providers.quickbooks_online_books import (
    connect,
    pages,
    quickbooks,
)
from tests.fakes.authorization import CLIENT, TokensInMemory, signer_of
from tests.fakes.http_server import Reply
from tests.fakes.quickbooks_online import REALM, THROTTLED, FakeQuickBooksOnline, connection

__all__ = ["quickbooks"]
XML = "application/xml;charset=utf-8"


def fault(status: int, code: str, text: str = "Something is wrong") -> Reply:
    body = {"Fault": {"Error": [{"Message": "m", "Detail": text, "code": code}], "type": "x"}}
    return Reply(status, json.dumps(body).encode())


FAULTS: dict[str, tuple[Reply, type[ErpError], str]] = {
    "throttled, as xml": (THROTTLED, RateLimited, "slow down"),
    "throttled, as 403": (Reply(403, THROTTLED.body, XML), RateLimited, "slow down"),
    "another environment": (fault(403, "3100"), AuthenticationError, "sandbox or production"),
    "no administrator": (fault(400, "120"), AuthenticationError, "Reconnect"),
    "subscription ended": (fault(400, "6190", "Trial ended"), ConfigurationError, "Trial ended"),
    "not understood": (fault(400, "4000"), ProtocolError, "does not understand"),
    "not queryable": (fault(400, "4001"), ProtocolError, "does not understand"),
    "anything else": (fault(400, "2030", "Invalid ID"), ProtocolError, "Invalid ID"),
    "an error of its own": (fault(500, "10000"), TransientError, "problem of its own"),
    "no such company": (Reply(404, b"", "text/html"), ConfigurationError, "company ID"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_becomes_the_error_that_decides_rightly(
    quickbooks: FakeQuickBooksOnline, name: str
) -> None:
    reply, expected, words = FAULTS[name]
    provider = connect(quickbooks)
    quickbooks.faults.append(reply)
    with pytest.raises(expected, match=words) as raised:
        list(provider.pages(None))
    assert not isinstance(raised.value, RecordNotFound)


def test_only_quickbooks_own_word_makes_a_payment_not_found(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    with pytest.raises(RecordNotFound):
        connect(quickbooks).payment("999")
    with pytest.raises(AuthenticationError):
        connect(quickbooks, settings={"realm_id": "1234"}).payment("999")
    with pytest.raises(RecordError):
        connect(quickbooks).payment("../company")


def test_a_token_that_stays_refused_asks_for_a_new_sign_in(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    provider = connect(quickbooks)
    refused = Reply(401, b'{"fault":{"error":[{"code":"3200"}],"type":"AUTHENTICATION"}}')
    quickbooks.answer = lambda request: (
        quickbooks.oauth.token(request) if "token" in request.path else refused
    )
    with pytest.raises(AuthenticationError, match="Reconnect"):
        list(provider.pages(None))
    assert provider.calls == 2


# ----------------------------------------------------------------------- sign-in
def test_a_person_signs_in_and_the_company_comes_back(quickbooks: FakeQuickBooksOnline) -> None:
    settings, _ = connection(quickbooks)
    asked = QuickBooksOnlineProvider.authorization(settings)
    redirect = f"{quickbooks.url}/nowhere"
    query = {
        "client_id": CLIENT,
        "response_type": "code",
        "scope": " ".join(asked.scopes),
        "redirect_uri": redirect,
        "state": "s",
    }
    back = _redirect(f"{asked.authorize_url}?{urlencode(query)}")
    granted = QuickBooksOnlineProvider.settings_of_grant(back)
    assert granted == {"realm_id": REALM}
    signer = signer_of(QuickBooksOnlineProvider, settings)
    token = signer.exchange(back["code"], redirect_uri=redirect)
    tokens = TokensInMemory(token, signer)
    assert "Northstar" in connect(quickbooks, settings=granted, tokens=tokens).check()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _redirect(url: str) -> dict[str, str]:
    try:
        urllib.request.build_opener(_Stay).open(url)
    except urllib.request.HTTPError as answer:
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        return {name: values[0] for name, values in query.items()}
    raise AssertionError("nobody was sent back")


def test_intuits_own_addresses_are_used_unless_another_is_set() -> None:
    own = QuickBooksOnlineProvider.authorization({})
    assert own.authorize_url == "https://appcenter.intuit.com/connect/oauth2"
    assert own.token_url == "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
    assert own.scopes == ("com.intuit.quickbooks.accounting",)
    other = QuickBooksOnlineProvider.authorization({"url": "http://127.0.0.1:9/"})
    assert other.token_url == "http://127.0.0.1:9/oauth2/v1/tokens/bearer"
    assert other.authorize_url == "http://127.0.0.1:9/connect/oauth2"


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ("", "quickbooks.api.intuit.com"),
        ("Production", "quickbooks.api.intuit.com"),
        ("sandbox", "sandbox-quickbooks.api.intuit.com"),
    ],
)
def test_each_environment_has_its_host(environment: str, host: str) -> None:
    provider = QuickBooksOnlineProvider({"environment": environment}, {})
    assert provider._client.name == f"QuickBooks Online at {host}"


@pytest.mark.parametrize("settings", [{"environment": "test"}, {"realm_id": "46 20"}])
def test_a_setting_that_cannot_be_right_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        QuickBooksOnlineProvider(settings, {})


def test_a_sign_in_without_a_company_is_not_taken() -> None:
    with pytest.raises(ConfigurationError, match="choose a company"):
        QuickBooksOnlineProvider.settings_of_grant({"code": "1"})


def test_before_anybody_connected_it_says_what_to_press(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    with pytest.raises(ConfigurationError, match="press “Connect”"):
        connect(quickbooks, settings={"realm_id": ""}).check()
    settings, credentials = connection(quickbooks)
    provider = QuickBooksOnlineProvider(
        settings | {"realm_id": REALM}, credentials, allow_private_addresses=True
    )
    with pytest.raises(GrantLost, match="press “Connect”"):
        provider.check()


# ------------------------------------------------------------------- bad records
SPOILT: dict[str, Any] = {
    "PayType": "Cash",
    "TxnDate": "2026-13-45",
    "TotalAmt": "NaN",
    "VendorRef": None,
    "MetaData": {"LastUpdatedTime": "2026-11-22T08:00:00"},
    "Line": [{"Amount": -1, "LinkedTxn": [{"TxnId": "1", "TxnType": "Bill"}]}],
}


@pytest.mark.parametrize("field", SPOILT)
def test_one_bad_record_does_not_lose_the_others(
    quickbooks: FakeQuickBooksOnline, field: str
) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "100")
    made = [quickbooks.ledger.pay(str(count), (bill, "10")) for count in range(3)]
    whole = quickbooks.payment
    quickbooks.payment = lambda payment: (  # type: ignore[method-assign]
        whole(payment) | ({field: SPOILT[field]} if payment is made[1] else {})
    )
    (page,) = pages(quickbooks)
    assert [payment.check_number for payment in page.payments] == ["0", "2"]
    (rejected,) = page.rejected
    assert rejected.remote_id == str(made[1].number)
    assert "cannot be read" in rejected.reason and len(rejected.raw) > 20


def test_a_line_over_several_documents_is_not_guessed_at(
    quickbooks: FakeQuickBooksOnline,
) -> None:
    bill = quickbooks.ledger.bill("ACME-1", "100")
    quickbooks.ledger.pay("5001", (bill, "10"))
    whole = quickbooks.payment
    links = [{"TxnId": "1", "TxnType": "Bill"}, {"TxnId": "2", "TxnType": "Bill"}]
    quickbooks.payment = lambda payment: (  # type: ignore[method-assign]
        whole(payment) | {"Line": [{"Amount": 10, "LinkedTxn": links}]}
    )
    (page,) = pages(quickbooks)
    assert "several documents" in page.rejected[0].reason
