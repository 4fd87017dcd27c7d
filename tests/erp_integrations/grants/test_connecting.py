"""Connect in the browser: to the vendor's page and back, and everything that may come back."""

import datetime as dt
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import override_settings

from commitments.models import SubcontractorInvoice
from erp_integrations import connections
from erp_integrations.models import ConnectionEvent, ErpConnection, OAuthAttempt, OAuthGrant
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level
from tests.erp_integrations.grants.conftest import Connected, Window, administrator, url
from tests.erp_integrations.rows import erp_payment_of
from tests.fakes.signed_books import Vendor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked_here")]


def test_nothing_is_read_before_somebody_signed_in(connection: ErpConnection) -> None:
    assert connection.stopped_at is not None
    assert connection.stopped_reason.startswith("Nobody has connected Signed Books yet.")


def test_the_page_offers_to_connect(window: Window, connection: ErpConnection) -> None:
    page = window.page(connection)
    assert "Nobody has signed in yet" in page
    assert ">Connect</button>" in page
    assert ">Disconnect</button>" not in page


def test_the_way_to_the_vendor_carries_what_rfc_6749_and_7636_ask_for(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    address = window.start(connection)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{vendor.url}/authorize?")
    assert asked.pop("code_challenge_method") == "S256"
    assert len(asked.pop("code_challenge")) == 43
    assert len(asked.pop("state")) >= 43
    assert asked == {
        "response_type": "code",
        "client_id": "our-app",
        "redirect_uri": "http://testserver/erp-oauth/callback/",
        "scope": "books.read",
    }


def test_the_vendor_is_reached_by_a_link_that_the_browsers_rules_allow(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    answer = window.client.post(url(connection, "oauth_start"))
    assert answer.status_code == 200
    assert f'href="{vendor.url}/authorize?' in answer.content.decode()
    assert "form-action 'self'" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_a_person_connects_and_the_connection_is_tried(
    window: Window, connection: ErpConnection, alice: User
) -> None:
    said = window.connect(connection)
    assert said == "Connected. The ERP answered: Signed Books of Northstar Builders"
    connection.refresh_from_db()
    assert (connection.stopped_at, connection.stopped_reason) == (None, "")
    page = window.page(connection)
    assert "Connected by Alice Admin on" in page
    assert ">Reconnect</button>" in page
    event = ConnectionEvent.objects.get(label="Sign-in at the ERP")
    assert (event.actor, event.new) == (alice, "Connected")


def test_tokens_are_nowhere_to_be_read(
    window: Window, connection: ErpConnection, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    window.connect(connection)
    grant = OAuthGrant.objects.get()
    (access,), (refresh,) = vendor.authorization.access, vendor.authorization.refresh
    assert grant.token.reveal() == {"access": access, "refresh": refresh}
    shown = [window.page(connection), window.page(connection, "connection"), caplog.text]
    shown += [repr(grant), repr(list(OAuthGrant.objects.values())), str(vars(grant))]
    shown += map(str, ConnectionEvent.objects.values())
    for secret in (access, refresh):
        assert not any(secret in each for each in shown)
        assert secret.encode() not in grant.token.token


def test_a_state_that_nobody_gave_out_is_refused(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    back = vendor.agree(window.start(connection))
    assert "not started by you" in window.come_back(**back | {"state": "another"})
    assert "not started by you" in window.come_back(code=back["code"])
    assert vendor.asked_for_tokens == []
    assert not OAuthGrant.objects.exists()


def test_a_state_is_good_once(window: Window, connection: ErpConnection, vendor: Vendor) -> None:
    back = vendor.agree(window.start(connection))
    window.come_back(**back)
    assert "used already" in window.come_back(**back)
    assert len(vendor.asked_for_tokens) == 1


def test_a_state_is_good_for_ten_minutes(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11)):
        back = vendor.agree(window.start(connection))
    assert "More than 10 minutes" in window.come_back(**back)
    assert vendor.asked_for_tokens == []


def test_a_state_is_good_for_the_person_who_started(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    back = vendor.agree(window.start(connection))
    other = Window(administrator(connection.company, "bob"), vendor)
    assert "not started by you" in other.come_back(**back)
    assert "Connected." in window.come_back(**back)


def test_a_state_is_good_in_the_browser_in_which_it_was_started(
    window: Window, connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    back = vendor.agree(window.start(connection))
    assert "not started by you" in Window(alice, vendor).come_back(**back)
    assert vendor.asked_for_tokens == []


def test_whoever_is_no_administrator_any_more_connects_nothing(
    window: Window, connection: ErpConnection, vendor: Vendor, alice: User
) -> None:
    back = vendor.agree(window.start(connection))
    company = connection.company
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.STANDARD, on=company)
    assert "you are none any more" in window.come_back(**back)
    assert vendor.asked_for_tokens == []


def test_somebody_who_says_no_is_told_kindly(window: Window, connection: ErpConnection) -> None:
    state = parse_qs(urlsplit(window.start(connection)).query)["state"][0]
    said = window.come_back(error="access_denied", state=state)
    assert said.startswith("You did not allow access to Our books, so nothing was changed.")


def test_a_wrong_verifier_connects_nothing(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    back = vendor.agree(window.start(connection))
    attempt = OAuthAttempt.objects.get()
    assert attempt.proof.reveal()["verifier"] not in str(vars(attempt))
    attempt.proof = type(attempt.proof).of({"verifier": "x" * 64})
    attempt.save()
    assert "was not connected" in window.come_back(**back)
    assert not OAuthGrant.objects.exists()


def test_a_wrong_secret_is_told(window: Window, make: Connected) -> None:
    connection = make(client_id="another-app")
    address = window.start(connection)
    state = parse_qs(urlsplit(address).query)["state"][0]
    said = window.come_back(code="c", state=state)
    assert "does not accept the client ID and secret" in said


def test_a_token_endpoint_that_leads_elsewhere_gets_no_second_request(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    from tests.fakes.http_server import HttpServer, Reply

    back = vendor.agree(window.start(connection))
    elsewhere = HttpServer()
    with elsewhere.running():
        vendor.instead_of_token = Reply(307, headers={"Location": f"{elsewhere.url}/token"})
        said = window.come_back(**back)
    assert "has moved to another address" in said
    assert elsewhere.requests == []


@override_settings(ERP_PRIVATE_ADDRESSES=False)
def test_private_addresses_are_not_signed_in_to(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    page = window.press(connection, "oauth_start")
    assert "without encryption" in page
    assert vendor.requests == []


def test_a_token_is_not_fetched_from_a_private_address(
    window: Window, connection: ErpConnection, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = vendor.agree(window.start(connection))
    ErpConnection.objects.update(settings=connection.settings | {"url": "https://127.0.0.1:1"})
    with override_settings(ERP_PRIVATE_ADDRESSES=False):
        assert "private network" in window.come_back(**back)
    assert vendor.asked_for_tokens == []


def test_what_the_redirect_carried_is_stored(window: Window, connection: ErpConnection) -> None:
    window.connect(connection, realmId="9130")
    connection.refresh_from_db()
    assert connection.settings["realm"] == "9130"


def test_other_books_are_refused_once_payments_were_read(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    window.connect(connection, realmId="9130")
    erp_payment_of(connection)
    before = OAuthGrant.objects.get().token.reveal()
    said = window.connect(connection, realmId="9999")
    assert "the payments of both would mix" in said
    assert OAuthGrant.objects.get().token.reveal() == before
    assert "Connected." in window.connect(connection, realmId="9130")


def test_the_form_keeps_what_the_sign_in_brought(window: Window, connection: ErpConnection) -> None:
    window.connect(connection, realmId="9130")
    connection.refresh_from_db()
    typed = {f"erp_{name}": value for name, value in connection.settings.items()}
    form = {**typed, "name": "Other name", "currency": "USD", "erp_client_secret": ""}
    window.press(connection, "connection", **form)
    connection.refresh_from_db()
    assert (connection.name, connection.settings["realm"]) == ("Other name", "9130")
    assert OAuthGrant.objects.exists()


def test_a_token_never_goes_to_another_address(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    window.connect(connection)
    form = {"name": "Our books", "currency": "USD", "erp_client_secret": ""}
    form |= {"erp_url": "http://127.0.0.1:1", "erp_client_id": "our-app"}
    window.press(connection, "connection", **form)
    assert not OAuthGrant.objects.exists()
    connection.refresh_from_db()
    assert connection.stopped_reason.startswith("Nobody has connected")


def test_disconnecting_forgets_the_tokens(
    window: Window, connection: ErpConnection, alice: User
) -> None:
    window.connect(connection)
    assert "Our books is disconnected" in window.press(connection, "oauth_disconnect")
    assert not OAuthGrant.objects.exists()
    connection.refresh_from_db()
    assert connection.stopped_at is not None
    assert ConnectionEvent.objects.filter(new="Disconnected", actor=alice).exists()


def test_a_test_that_finds_the_grant_gone_stops_the_connection(
    window: Window, connection: ErpConnection, vendor: Vendor
) -> None:
    window.connect(connection)
    vendor.authorization.revoke()
    page = window.press(connection, "test_connection")
    assert "The connection does not work. Signed Books has taken back the right" in page
    connection.refresh_from_db()
    assert "press “Reconnect”" in connection.stopped_reason


def test_old_attempts_are_forgotten(window: Window, connection: ErpConnection) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=2)):
        window.start(connection)
    window.start(connection)
    assert OAuthAttempt.objects.count() == 1


# ------------------------------------------------------------------ several companies
@pytest.fixture
def several(make: Connected, vendor: Vendor) -> ErpConnection:
    vendor.companies = {"t1": "Northstar Builders", "t2": "Northstar Leasing"}
    return make("tenant-books")


def test_the_only_company_is_chosen_by_itself(window: Window, make: Connected) -> None:
    connection = make("tenant-books")
    assert "Connected." in window.connect(connection)
    connection.refresh_from_db()
    assert connection.settings["tenant"] == "t1"
    assert "Northstar Builders" in window.page(connection)


def test_one_of_several_companies_is_chosen(window: Window, several: ErpConnection) -> None:
    assert "choose the one that is read" in window.connect(several)
    page = window.page(several, "erp_company")
    assert re.findall(r'name="company" id="company-\d" value="(\w+)"', page) == ["t1", "t2"]
    page = window.press(several, "erp_company", company="t2")
    assert "Northstar Leasing is read from now on." in page
    several.refresh_from_db()
    assert several.settings["tenant"] == "t2"
    event = ConnectionEvent.objects.get(label="Company in Signed Books")
    assert (event.old, event.new) == ("", "Northstar Leasing")


def test_nothing_is_read_before_a_company_is_chosen(window: Window, several: ErpConnection) -> None:
    window.connect(several)
    page = window.press(several, "test_connection")
    assert "Nobody has chosen yet which company of Signed Books is read." in page


def test_a_company_that_the_sign_in_does_not_open_cannot_be_chosen(
    window: Window, several: ErpConnection
) -> None:
    window.connect(several)
    assert "Choose one of the companies." in window.press(several, "erp_company", company="t3")


def test_reconnecting_keeps_the_company(
    window: Window, several: ErpConnection, vendor: Vendor
) -> None:
    window.connect(several)
    window.press(several, "erp_company", company="t2")
    assert "Connected." in window.connect(several)
    several.refresh_from_db()
    assert several.settings["tenant"] == "t2"


def test_somebody_elses_sign_in_does_not_replace_the_books(
    window: Window, several: ErpConnection, vendor: Vendor
) -> None:
    window.connect(several)
    window.press(several, "erp_company", company="t2")
    erp_payment_of(several)
    vendor.companies = {"t1": "Northstar Builders"}
    assert "the payments of both would mix" in window.connect(several)


def test_whoever_opens_no_company_is_told(
    window: Window, several: ErpConnection, vendor: Vendor
) -> None:
    vendor.companies = {}
    assert "can open no company there" in window.connect(several)


def test_a_connection_with_a_key_has_no_companies_to_choose(
    window: Window, connection: ErpConnection
) -> None:
    assert window.client.get(url(connection, "erp_company")).status_code == 404


def test_what_signs_in_by_itself_offers_its_companies_without_connect(
    window: Window, invoice: SubcontractorInvoice
) -> None:
    settings = {"directory": "example.onmicrosoft.com", "environment": "Production"}
    connection = connections.connect(
        company=invoice.company,
        by=None,
        provider="business_central",
        name="Business Central",
        settings=settings | {"client_id": "app"},
        credentials={"client_secret": "secret"},
    )
    assert connection.stopped_at is None
    page = window.page(connection)
    assert "Choose company" in page
    assert ">Connect</button>" not in page
