"""Limits, failures, bad records, and the ways in which Sage Intacct says no."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    RateLimited,
    RecordError,
    RecordNotFound,
)
from erp_integrations.providers.oauth import GrantLost
from erp_integrations.providers.sage_intacct.provider import SageIntacctProvider
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.sage_intacct_books import SageIntacctBooks, connect, pages
from tests.erp_integrations.providers.trouble_contract import TroubleContract
from tests.fakes.http_server import Reply, Request
from tests.fakes.ledger import Ledger, Payment
from tests.fakes.sage_intacct import ENTITY, FakeSageIntacct, connection
from tests.fakes.sage_intacct_writes import refusal


@pytest.fixture
def intacct() -> Iterator[FakeSageIntacct]:
    fake = FakeSageIntacct()
    with fake.running():
        yield fake


class TestTrouble(TroubleContract):
    #: the details of a page's payments
    calls_besides_a_page: ClassVar[int] = 1

    @pytest.fixture
    def erp(self, intacct: FakeSageIntacct) -> SageIntacctBooks:
        return SageIntacctBooks(intacct)


# ------------------------------------------------------------------ bad records
PAYMENT, DETAIL = "accounts-payable/payment", "accounts-payable/payment-detail"
SPOILT: dict[str, Any] = {
    "state": None,
    "txnDate": "2026-13-45",
    "txnCurrency.totalAmount": "NaN",
    "txnCurrency.currency": 7,
    "audit.modifiedDateTime": "yesterday",
}


def three_checks(fake: FakeSageIntacct) -> list[Payment]:
    bill = fake.ledger.bill("ACME-1", "100")
    return [fake.ledger.pay(f"CHK-{number}", (bill, "10")) for number in range(3)]


def spoil(fake: FakeSageIntacct, kind: str, place: int, field: str, value: Any) -> None:
    """One field of one record is something else from here on."""
    rows = fake.rows

    def spoilt(asked: str, entity: str = "") -> Any:
        found = list(rows(asked, entity))
        if asked == kind:
            found[place] = {**found[place], field: value}
        return found

    fake.rows = spoilt  # type: ignore[method-assign]


@pytest.mark.parametrize("field", SPOILT)
def test_one_bad_payment_does_not_lose_the_others(intacct: FakeSageIntacct, field: str) -> None:
    made = three_checks(intacct)
    spoil(intacct, PAYMENT, 1, field, SPOILT[field])
    found = pages(intacct)
    checks = {payment.check_number for page in found for payment in page.payments}
    assert checks == {"CHK-0", "CHK-2"}
    (rejected,) = [each for page in found for each in page.rejected]
    assert rejected.remote_id == str(made[1].number)
    assert "cannot be read" in rejected.reason and len(rejected.raw) > 20


def test_a_bad_detail_rejects_the_payment_that_it_belongs_to(intacct: FakeSageIntacct) -> None:
    made = three_checks(intacct)
    spoil(intacct, DETAIL, 1, "txnCurrency.paymentAmount", "ten")
    (page,) = pages(intacct)
    assert [payment.check_number for payment in page.payments] == ["CHK-0", "CHK-2"]
    assert [each.remote_id for each in page.rejected] == [str(made[1].number)]
    with pytest.raises(RecordError, match="one of its details"):
        connect(intacct).payment(str(made[1].number))


def test_a_detail_of_no_payment_stops_the_reading(intacct: FakeSageIntacct) -> None:
    three_checks(intacct)
    answered = intacct.answer

    def without_payments(request: Request) -> Reply:
        reply = answered(request)
        return Reply(reply.status, reply.body.replace(b'"apPayment.key"', b'"apPayment"'))

    intacct.answer = without_payments
    with pytest.raises(ProtocolError, match="a detail of a payment"):
        pages(intacct)


def test_a_bill_that_cannot_be_read_stops_the_comparison(intacct: FakeSageIntacct) -> None:
    intacct.ledger.bill("ACME-1", "10")
    spoil(intacct, "accounts-payable/bill", 0, "totalTxnAmount", "ten")
    with pytest.raises(ProtocolError, match="bill that cannot be read"):
        list(connect(intacct).bills())


# -------------------------------------------------------------- Intacct's own noes
def test_it_waits_as_long_as_intacct_asks_in_its_own_header(intacct: FakeSageIntacct) -> None:
    three_checks(intacct)
    busy = refusal(429, "tooManyRequests", "Too many requests.")
    waits = {"X-IA-Minute-Rate-Limit-Retry-After": "20", "X-IA-Hour-Rate-Limit-Retry-After": "900"}
    intacct.faults.append(Reply(429, busy.body, busy.content_type, waits))
    with pytest.raises(RateLimited) as raised:
        pages(intacct)
    assert raised.value.retry_after == pytest.approx(900)


@pytest.mark.parametrize("kind", [PAYMENT, DETAIL, "accounts-payable/bill"])
def test_a_missing_permission_stops_the_connection(intacct: FakeSageIntacct, kind: str) -> None:
    intacct.withheld = {kind}
    with pytest.raises(AuthenticationError, match="no permission to list it"):
        connect(intacct).check()


def test_an_entity_that_does_not_exist_is_a_setting_to_mend(intacct: FakeSageIntacct) -> None:
    with pytest.raises(ConfigurationError, match="Entity East-1 does not exist"):
        connect(intacct, settings={"entity": "East-1"}).check()


def test_a_field_of_another_version_is_named_and_not_retried(intacct: FakeSageIntacct) -> None:
    three_checks(intacct)
    rows = intacct.rows
    intacct.rows = lambda kind, entity="": [  # type: ignore[method-assign]
        {name: value for name, value in row.items() if name != "documentNumber"}
        for row in rows(kind, entity)
    ]
    with pytest.raises(ProtocolError, match="documentNumber does not exist"):
        pages(intacct)


def test_the_three_forms_of_an_error_are_read(intacct: FakeSageIntacct) -> None:
    told = {"code": "x", "message": "The month is closed"}
    for body in ({"ia::error": told}, {"ia::result": {"ia::error": told}}, {"error": told}):
        intacct.faults.append(Reply(400, json.dumps(body).encode()))
        with pytest.raises(ProtocolError, match=r"The month is closed\."):
            pages(intacct)


def test_a_user_who_sees_no_books_does_not_make_payments_vanish(intacct: FakeSageIntacct) -> None:
    (made, *_) = three_checks(intacct)
    intacct.ledger = Ledger(now=intacct.ledger.now)
    intacct.ledger.vendors.clear()
    with pytest.raises(ConfigurationError, match="sees no payments"):
        connect(intacct).payment(str(made.number))
    with pytest.raises(ConfigurationError, match="sees no payments"):
        pages(intacct)


def test_books_without_a_payment_yet_are_read_as_such(intacct: FakeSageIntacct) -> None:
    assert read(pages(intacct)) == []
    with pytest.raises(RecordNotFound):
        connect(intacct).payment("3")


def test_a_server_that_ignores_the_order_of_changes_is_not_trusted(
    intacct: FakeSageIntacct,
) -> None:
    three_checks(intacct)
    answered = intacct.answer

    def always_the_first(request: Request) -> Reply:
        question = json.loads(request.body)
        if question["object"] == PAYMENT:
            question |= {"filters": [], "filterExpression": "and"}
        body = json.dumps(question).encode()
        return answered(Request(request.path, {}, request.headers, "POST", body))

    intacct.answer = always_the_first
    with pytest.raises(ProtocolError, match="order of changes"):
        pages(intacct, page_size=1)


# ------------------------------------------------------------------ the sign-in
def test_nobody_has_connected_it_yet(intacct: FakeSageIntacct) -> None:
    settings, credentials = connection(intacct)
    provider = SageIntacctProvider(settings, credentials, allow_private_addresses=True)
    with pytest.raises(GrantLost, match="press “Connect”"):
        provider.check()
    assert provider.calls == 0


def test_it_needs_the_client_of_a_registered_app(intacct: FakeSageIntacct) -> None:
    with pytest.raises(ConfigurationError, match="no “Client ID” yet"):
        connect(intacct, settings={"client_id": " "}, tokens=None)


def test_a_web_services_user_needs_nobody_who_signs_in() -> None:
    by_person = SageIntacctProvider.authorization({})
    assert by_person.authorize_url == "https://api.intacct.com/ia/api/v1/oauth2/authorize"
    assert (by_person.scopes, by_person.uses_pkce) == (("offline_access",), True)
    by_itself = SageIntacctProvider.authorization({"username": "sync@northstar|West-12"})
    assert by_itself.authorize_url == ""
    assert by_itself.token_extra == (("username", "sync@northstar|West-12"),)


def test_the_address_of_a_proxy_holds_for_the_sign_in_too() -> None:
    found = SageIntacctProvider.authorization({"url": "https://proxy.example.com/"})
    assert found.token_url == "https://proxy.example.com/ia/api/v1/oauth2/token"


def test_the_entity_goes_along_with_every_question(intacct: FakeSageIntacct) -> None:
    (made, *_) = three_checks(intacct)
    intacct.entities[made.number] = "West-12"
    pages(intacct, settings={"entity": "West-12"})
    assert {request.headers.get(ENTITY) for request in intacct.requests} == {"West-12"}
