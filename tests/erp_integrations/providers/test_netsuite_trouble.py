"""Limits, failures, bad rows, and the ways in which NetSuite says no."""

import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    RateLimited,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.netsuite.provider import NetSuiteProvider
from erp_integrations.providers.oauth import GrantLost, Signer
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.fake_books import LIMITS
from tests.erp_integrations.providers.netsuite_books import NetSuiteBooks, connect, pages
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.authorization import CLIENT
from tests.fakes.http_server import Reply, Request
from tests.fakes.ledger import Ledger, Payment
from tests.fakes.netsuite import AT_ONCE, FakeNetSuite, connection, pem_of, refusal


@pytest.fixture
def netsuite() -> Iterator[FakeNetSuite]:
    fake = FakeNetSuite()
    with fake.running():
        yield fake


class TestTrouble(TroubleContract):
    #: what a page's payments were applied to
    calls_besides_a_page: ClassVar[int] = 1

    @pytest.fixture
    def erp(self, netsuite: FakeNetSuite) -> NetSuiteBooks:
        return NetSuiteBooks(netsuite)


# ---------------------------------------------------------------------- bad rows
SPOILT = {
    "trandate": "2026-13-45",
    "foreigntotal": "NaN",
    "currency": None,
    "modified": "11/22/2026 8:00 am",
}


def three_checks(fake: FakeNetSuite) -> list[Payment]:
    bill = fake.ledger.bill("ACME-1", "100")
    return [fake.ledger.pay(f"CHK-{number}", (bill, "10")) for number in range(3)]


def spoil(fake: FakeNetSuite, change: Callable[[list[dict[str, Any]]], None], marker: str) -> None:
    """Answers whose rows have a column of this name are changed on their way."""
    answered = fake.answer

    def spoilt(request: Request) -> Reply:
        reply = answered(request)
        body = json.loads(reply.body)
        rows = body.get("items", [])
        if rows and marker in rows[0]:
            change(rows)
        return Reply(reply.status, json.dumps(body).encode(), reply.content_type)

    fake.answer = spoilt


@pytest.mark.parametrize("column", SPOILT)
def test_one_bad_payment_does_not_lose_the_others(netsuite: FakeNetSuite, column: str) -> None:
    made = three_checks(netsuite)

    def change(rows: list[dict[str, Any]]) -> None:
        rows[1] |= {column: SPOILT[column]}

    spoil(netsuite, change, marker="trandate")
    found = pages(netsuite)
    checks = {payment.check_number for page in found for payment in page.payments}
    assert checks == {"CHK-0", "CHK-2"}
    (rejected,) = [each for page in found for each in page.rejected]
    assert rejected.remote_id == str(made[1].number)
    assert "cannot be read" in rejected.reason and len(rejected.raw) > 20


def test_a_link_that_cannot_be_read_stops_the_reading(netsuite: FakeNetSuite) -> None:
    three_checks(netsuite)
    spoil(netsuite, lambda rows: rows[0].update(amount="ten"), marker="billtype")
    with pytest.raises(ProtocolError, match="the applications of a payment"):
        pages(netsuite)


def test_a_bill_that_cannot_be_read_stops_the_comparison(netsuite: FakeNetSuite) -> None:
    netsuite.ledger.bill("ACME-1", "10")
    spoil(netsuite, lambda rows: rows[0].update(foreigntotal="ten"), marker="foreigntotal")
    with pytest.raises(ProtocolError, match="bill that cannot be read"):
        list(connect(netsuite).bills())


def test_more_links_than_fit_into_one_answer_are_all_read(
    netsuite: FakeNetSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("erp_integrations.providers.netsuite.client.MOST_ROWS", 3)
    bills = [netsuite.ledger.bill(f"ACME-{count}", "10") for count in range(7)]
    netsuite.ledger.pay("CHK-1", *((bill, "10") for bill in bills))
    (payment,) = read(pages(netsuite))
    assert [each.bill_id for each in payment.allocations] == [str(bill.number) for bill in bills]


# -------------------------------------------------------------- NetSuite's own noes
def test_too_many_programs_at_once_are_waited_for(netsuite: FakeNetSuite) -> None:
    three_checks(netsuite)
    netsuite.others_at_once = AT_ONCE
    with pytest.raises(RateLimited, match="as many requests at once"):
        pages(netsuite)
    netsuite.others_at_once = AT_ONCE - 1
    assert len(read(pages(netsuite))) == 3


def test_the_limit_is_recognised_by_its_code_where_its_status_is_400(
    netsuite: FakeNetSuite,
) -> None:
    netsuite.faults.append(refusal(400, "CONCURRENCY_LIMIT_EXCEEDED", "Request blocked."))
    with pytest.raises(RateLimited):
        pages(netsuite)


@pytest.mark.parametrize("table", ["transaction", "vendor", "previoustransactionlinelink"])
def test_a_table_that_the_role_may_not_see_is_named(netsuite: FakeNetSuite, table: str) -> None:
    netsuite.withheld = {table}
    with pytest.raises(ConfigurationError, match=f"Record '{table}' was not found"):
        connect(netsuite).check()


def test_a_missing_permission_stops_the_connection(netsuite: FakeNetSuite) -> None:
    reply = refusal(403, "INSUFFICIENT_PERMISSION", "You need the 'Bills' permission.")
    netsuite.faults.append(reply)
    with pytest.raises(AuthenticationError, match="the 'Bills' permission"):
        connect(netsuite).check()


def test_a_query_that_is_refused_is_not_sent_again(netsuite: FakeNetSuite) -> None:
    netsuite.faults.append(refusal(400, "INVALID_PARAMETER", "Invalid search query"))
    with pytest.raises(ProtocolError, match=r"Invalid search query\."):
        pages(netsuite)


def test_only_the_record_itself_says_that_it_does_not_exist(netsuite: FakeNetSuite) -> None:
    """A role that lost its permissions gets empty answers to SuiteQL."""
    (made, *_) = three_checks(netsuite)
    whole, netsuite.ledger = netsuite.ledger, Ledger(now=netsuite.ledger.now)
    with pytest.raises(RecordNotFound):
        connect(netsuite).payment(str(made.number))
    netsuite.ledger = whole
    netsuite.subsidiaries[made.number] = 9
    with pytest.raises(RecordError):
        connect(netsuite, settings={"subsidiaries": "1"}).payment(str(made.number))
    no_right = refusal(403, "INSUFFICIENT_PERMISSION", "You may not view it.")
    answered = netsuite.answer
    netsuite.answer = lambda request: no_right if "/record/" in request.path else answered(request)
    with pytest.raises(AuthenticationError):
        connect(netsuite, settings={"subsidiaries": "1"}).payment(str(made.number))


def test_a_role_that_sees_nothing_is_not_taken_for_empty_books(netsuite: FakeNetSuite) -> None:
    assert read(pages(netsuite)) == []
    netsuite.ledger.vendors.clear()
    with pytest.raises(ConfigurationError, match="sees no payments, bills or vendors"):
        pages(netsuite)


def test_every_question_says_that_it_is_transient_and_asks_for_no_offset(
    netsuite: FakeNetSuite,
) -> None:
    three_checks(netsuite)
    pages(netsuite, page_size=1)
    assert {request.headers.get("Prefer") for request in netsuite.requests} == {"transient"}
    assert {request.query["offset"][0] for request in netsuite.requests} == {"0"}


# ------------------------------------------------------------------ the settings
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"client_id": " "}, "no “Client ID” yet"),
        ({"url": "", "account": ""}, "no account ID yet"),
        ({"url": "", "account": "1.example.com/"}, "other characters"),
        ({"subsidiaries": "3, West"}, "“West” is not the internal ID"),
        ({"currency": "US'"}, "not the code of a currency"),
    ],
)
def test_what_cannot_be_right_is_said_at_once(
    netsuite: FakeNetSuite, settings: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        connect(netsuite, settings=settings, tokens=None)


def test_a_sandbox_has_a_host_of_its_own() -> None:
    found = NetSuiteProvider.authorization({"account": "1234567_SB1"})
    host = "https://1234567-sb1.{}.netsuite.com"
    assert found.token_url.startswith(host.format("suitetalk.api"))
    assert found.authorize_url.startswith(host.format("app"))
    assert (found.scopes, found.uses_pkce) == (("rest_webservices",), True)


def test_nobody_has_connected_it_yet(netsuite: FakeNetSuite) -> None:
    settings, credentials = connection(netsuite)
    provider = NetSuiteProvider(settings, credentials, allow_private_addresses=True)
    with pytest.raises(GrantLost, match="press “Connect”"):
        provider.check()


# --------------------------------------------------- signing in with a certificate
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signer_of(settings: dict[str, str]) -> Signer:
    """Without a secret: the signature is the proof."""
    return Signer(
        NetSuiteProvider.authorization(settings),
        erp="NetSuite",
        client_id=CLIENT,
        allow_private=True,
        limits=LIMITS,
    )


@pytest.mark.parametrize("key", [EC_KEY, RSA_KEY], ids=["ES256", "PS256"])
def test_a_program_signs_in_by_itself_with_its_certificate(
    netsuite: FakeNetSuite, key: Any
) -> None:
    netsuite.certificates["cert-1"] = key.public_key()
    settings = connection(netsuite)[0] | {"certificate_id": "cert-1"}
    assert NetSuiteProvider.authorization(settings).authorize_url == ""
    proof = NetSuiteProvider.sign_in_proof(settings, {"private_key": pem_of(key)})
    token = signer_of(settings).sign_in(**proof)
    assert token.access in netsuite.tokens.access
    assert token.refresh == ""


def test_a_key_whose_line_breaks_a_form_took_away_is_read(netsuite: FakeNetSuite) -> None:
    netsuite.certificates["cert-1"] = RSA_KEY.public_key()
    settings = connection(netsuite)[0] | {"certificate_id": "cert-1"}
    for pem in (pem_of(RSA_KEY).replace("\n", ""), pem_of(RSA_KEY).replace("\n", " ")):
        proof = NetSuiteProvider.sign_in_proof(settings, {"private_key": pem})
        assert signer_of(settings).sign_in(**proof).access


def test_a_certificate_that_is_not_mapped_is_refused(netsuite: FakeNetSuite) -> None:
    settings = connection(netsuite)[0] | {"certificate_id": "cert-2"}
    proof = NetSuiteProvider.sign_in_proof(settings, {"private_key": pem_of(EC_KEY)})
    with pytest.raises(AuthenticationError):
        signer_of(settings).sign_in(**proof)


def test_somebody_who_signs_in_needs_no_proof() -> None:
    assert NetSuiteProvider.sign_in_proof({"account": "1234567"}, {}) == {}


OTHER_CURVE = pem_of(ec.generate_private_key(ec.SECP256K1()))
OTHER_KIND = ed25519.Ed25519PrivateKey.generate().private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)


@pytest.mark.parametrize(
    ("pem", "sentence"),
    [
        ("", "cannot be read"),
        ("-----BEGIN PRIVATE KEY-----", "cannot be read"),
        (OTHER_CURVE, "secp256k1"),
        (OTHER_KIND.decode(), "neither"),
    ],
    ids=["none", "half", "curve", "kind"],
)
def test_a_key_that_netsuite_does_not_take_is_a_setting_to_mend(pem: str, sentence: str) -> None:
    settings = {"account": "1234567", "client_id": CLIENT, "certificate_id": "cert-1"}
    with pytest.raises(ConfigurationError, match=sentence):
        NetSuiteProvider.sign_in_proof(settings, {"private_key": pem})
