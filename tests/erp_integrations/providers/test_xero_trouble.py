"""Records that cannot be read, the ways in which Xero says no, and its budgets of calls."""

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    RateLimited,
)
from erp_integrations.providers.oauth import NoTokens
from erp_integrations.providers.xero import records
from erp_integrations.providers.xero.budget import PER_DAY, RESERVE, XeroPace
from erp_integrations.providers.xero.provider import XeroProvider
from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.xero_books import XeroBooks, connect, pages, tokens_of
from tests.fakes.authorization import CLIENT, TokensInMemory
from tests.fakes.http_server import Reply
from tests.fakes.xero import FakeXero


@pytest.fixture
def xero() -> Iterator[FakeXero]:
    fake = FakeXero()
    with fake.running():
        yield fake


@pytest.fixture
def erp(xero: FakeXero) -> XeroBooks:
    return XeroBooks(xero)


# ------------------------------------------------------------------ bad records
SPOILT: dict[str, Any] = {
    "Status": "LOST",
    "Date": "2026-13-45",
    "Amount": "ten",
    "Invoice": {"InvoiceID": "without its vendor"},
    "UpdatedDateUTC": "yesterday",
    "PaymentType": 7,
}


@pytest.mark.parametrize("field", SPOILT)
@pytest.mark.parametrize("size", [1, 500])
def test_one_bad_record_does_not_lose_the_others(
    xero: FakeXero, erp: XeroBooks, field: str, size: int
) -> None:
    xero.ledger.ticks = True
    checks = [erp.pay((erp.bill("10"), "10")) for _ in range(3)]
    spoil(xero, 1, field, SPOILT[field])
    found = pages(xero, page_size=size)
    assert [each.check_number for page in found for each in page.payments] == [
        checks[0],
        checks[2],
    ]
    (rejected,) = [each for page in found for each in page.rejected]
    assert rejected.remote_id.startswith("payment-")
    assert "cannot be read" in rejected.reason and len(rejected.raw) > 20


def spoil(fake: FakeXero, place: int, field: str, value: Any) -> None:
    """On the wire only: Xero itself finds and orders the record as before."""
    normal = fake._envelope

    def spoilt(name: str, rows: Any, **more: Any) -> Reply:
        bad = fake.records.payments()[place]["PaymentID"] if name == "Payments" else None
        shown = [row | {field: value} if row.get("PaymentID") == bad else row for row in rows]
        return normal(name, shown, **more)

    fake._envelope = spoilt  # type: ignore[method-assign]


def test_a_bad_advance_does_not_lose_the_others(xero: FakeXero, erp: XeroBooks) -> None:
    good, bad = erp.pay_directly(erp.bill("10"), "10"), erp.pay_directly(erp.bill("20"), "20")
    erp.checks[bad].currency = None  # type: ignore[assignment]
    (page,) = [page for page in pages(xero) if page.payments or page.rejected]
    assert [each.check_number for each in page.payments] == [good]
    assert page.rejected[0].remote_id.startswith("prepayment-")


def test_a_bill_that_cannot_be_read_stops_the_comparison(xero: FakeXero, erp: XeroBooks) -> None:
    erp.bills[erp.bill("10").remote_id].currency = None  # type: ignore[assignment]
    with pytest.raises(ProtocolError, match="bill that cannot be read"):
        list(connect(xero).bills())


def test_a_server_that_ignores_the_order_of_changes_is_not_trusted(
    xero: FakeXero, erp: XeroBooks
) -> None:
    xero.ledger.ticks = True
    for _ in range(3):
        erp.pay((erp.bill("10"), "10"))
    normal = xero._envelope
    xero._envelope = (  # type: ignore[method-assign]
        lambda name, rows, **more: normal(name, rows[::-1], **more)
    )
    with pytest.raises(ProtocolError, match="order of changes"):
        pages(xero)


# ----------------------------------------------------------------- Xero's own noes
@pytest.mark.parametrize(
    "name", ["Payments", "Prepayments", "Overpayments", "Invoices", "Contacts", "Organisation"]
)
def test_a_right_that_was_not_given_is_seen_when_it_is_connected(xero: FakeXero, name: str) -> None:
    xero.withheld = {name}
    with pytest.raises(AuthenticationError, match="every right"):
        connect(xero).check()


def test_a_company_that_was_disconnected_there_is_said_so(xero: FakeXero) -> None:
    xero.tenants.clear()
    with pytest.raises(AuthenticationError, match="company's books"):
        connect(xero).check()


def test_before_anybody_connected_it_the_button_is_named(xero: FakeXero) -> None:
    with pytest.raises(AuthenticationError, match="Connect"):
        connect(xero, tokens=NoTokens("Xero")).check()


def test_without_a_client_id_it_is_not_made(xero: FakeXero) -> None:
    with pytest.raises(ConfigurationError, match="“Client ID”"):
        connect(xero, settings={"client_id": " "})


@pytest.mark.parametrize(
    ("left", "seconds", "words"), [("minute_left", 12, "at a time"), ("day_left", 40_000, "day")]
)
def test_what_is_too_often_waits_as_long_as_xero_says(
    xero: FakeXero, left: str, seconds: int, words: str
) -> None:
    setattr(xero, left, 0)
    with pytest.raises(RateLimited, match=words) as raised:
        pages(xero)
    assert raised.value.retry_after == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize("where", ["PaymentID=", 'PaymentID=="not a guid"', "Nothing==1"])
def test_a_filter_that_xero_cannot_read_is_no_empty_answer(
    xero: FakeXero, erp: XeroBooks, where: str
) -> None:
    erp.pay((erp.bill("10"), "10"))
    with pytest.raises(ProtocolError, match="refused the question"):
        connect(xero)._client.rows("Payments", where=where)


# --------------------------------------------------------------------- the sign-in
def test_xero_itself_is_asked_unless_an_address_is_given() -> None:
    own = XeroProvider.authorization({})
    assert own.token_url == "https://identity.xero.com/connect/token"
    assert own.authorize_url == "https://login.xero.com/identity/connect/authorize"
    there = XeroProvider.authorization({"url": "http://stand-in:1/"})
    assert there.token_url == "http://stand-in:1/connect/token"
    assert own.uses_pkce and "offline_access" in own.scopes


def test_a_person_signs_in_and_chooses_a_company(xero: FakeXero) -> None:
    asked = XeroProvider.authorization({"url": xero.url})
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": "https://ours.example/back",
        "scope": " ".join(asked.scopes),
        "state": "s",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    there = urllib3.request("GET", asked.authorize_url, fields=query, redirect=False)
    (code,) = parse_qs(urlsplit(there.headers["Location"]).query)["code"]
    signer = tokens_of(xero).signer
    token = signer.exchange(code, redirect_uri="https://ours.example/back", verifier=verifier)
    provider = connect(xero, tokens=TokensInMemory(token, signer))
    (company,) = provider.tenants()
    assert company.name in connect(xero, settings={"tenant_id": company.remote_id}).check()


def test_two_workers_renew_a_token_once(xero: FakeXero, erp: XeroBooks) -> None:
    """Xero's refresh tokens are good once: a second use takes the whole grant away."""
    check = erp.pay((erp.bill("10"), "10"))
    tokens = tokens_of(xero)
    xero.authorization.expire()
    workers = [connect(xero, tokens=tokens) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda worker: read(list(worker.pages(None))), workers))
    assert [[each.check_number for each in one] for one in found] == [[check], [check]]
    assert xero.authorization.refreshed == 1


def test_broad_scopes_are_not_given_any_more(xero: FakeXero) -> None:
    asked = XeroProvider.authorization({"url": xero.url})
    query = {"client_id": CLIENT, "scope": "offline_access accounting.transactions"}
    assert urllib3.request("GET", asked.authorize_url, fields=query).status == 400
    assert not {"accounting.transactions", "accounting.reports.read"} & set(asked.scopes)


# ------------------------------------------------------------------ single values
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("/Date(1543449600000+0000)/", dt.datetime(2018, 11, 29, tzinfo=dt.UTC)),
        ("/Date(1541176592690+0000)/", dt.datetime(2018, 11, 2, 16, 36, 32, 690000, dt.UTC)),
        ("/Date(1552431874205)/", dt.datetime(2019, 3, 12, 23, 4, 34, 205000, dt.UTC)),
        ("/Date(-86400000+1300)/", dt.datetime(1969, 12, 31, tzinfo=dt.UTC)),
    ],
)
def test_dates_are_milliseconds_in_utc_whatever_offset_they_show(
    text: str, moment: dt.datetime
) -> None:
    assert records.moment(text) == moment


@pytest.mark.parametrize(
    "text", ["", "2026-11-22T00:00:00", "/Date()/", "/Date(999999999999999)/", "/Date(1e9)/"]
)
def test_what_is_no_date_of_xero_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="no date of Xero"):
        records.moment(text)


def test_an_allocation_that_was_taken_off_pays_nothing(xero: FakeXero, erp: XeroBooks) -> None:
    erp.pay_directly(erp.bill("10"), "10")
    (row,) = xero.records.prepayments()
    (allocation,) = row["Allocations"]
    xero.records.prepayments = lambda: [  # type: ignore[method-assign]
        {**row, "Allocations": [{**allocation, "IsDeleted": True}]}
    ]
    (payment,) = read(pages(xero))
    assert (payment.total, payment.allocations) == (Decimal("10"), ())


# --------------------------------------------------------------------- its budgets
class Clock:
    def __init__(self) -> None:
        self.now, self.slept = 1_000.0, 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> XeroPace:
    return XeroPace(clock=lambda: clock.now, sleep=clock.sleep)


def test_the_sixty_first_call_waits_for_the_next_minute(pace: XeroPace, clock: Clock) -> None:
    for _ in range(60):
        pace.wait()
    assert clock.slept == 0
    pace.wait()
    assert clock.slept == 60


@pytest.mark.parametrize("said", [{"x-minlimit-remaining": "0"}, {"x-appminlimit-remaining": "9"}])
def test_calls_of_others_count_too(pace: XeroPace, clock: Clock, said: dict[str, str]) -> None:
    pace.heard(said)
    pace.wait()
    pace.wait()
    assert clock.slept == 60


def test_nobody_in_front_of_a_page_waits_for_a_minute(pace: XeroPace, clock: Clock) -> None:
    pace.hurry()
    pace.heard({"x-minlimit-remaining": "0"})
    with pytest.raises(RateLimited) as raised:
        pace.wait()
    assert (raised.value.retry_after, clock.slept) == (60, 0)


def test_the_last_calls_of_a_day_are_kept_for_the_button(pace: XeroPace) -> None:
    pace.heard({"x-daylimit-remaining": str(RESERVE)})
    with pytest.raises(RateLimited, match="24 hours"):
        pace.wait()
    pace.hurry()
    pace.wait()
    pace.heard({"x-daylimit-remaining": "0"})
    with pytest.raises(RateLimited):
        pace.wait()


def test_what_does_not_fit_into_the_rest_of_the_day_is_not_begun(pace: XeroPace) -> None:
    pace.heard({"x-daylimit-remaining": str(RESERVE + 100)})
    pace.plan(100)
    with pytest.raises(RateLimited) as raised:
        pace.plan(101)
    assert raised.value.retry_after


def test_what_does_not_fit_into_any_day_is_begun(pace: XeroPace) -> None:
    pace.heard({"x-daylimit-remaining": str(RESERVE + 100)})
    pace.plan(PER_DAY)


def test_a_run_stops_after_its_first_call_when_the_day_is_too_short(
    xero: FakeXero, erp: XeroBooks
) -> None:
    xero.ledger.ticks = True
    checks = [erp.pay((erp.bill("10"), "10")) for _ in range(20)]
    xero.day_left = RESERVE + 10
    provider = connect(xero, page_size=1)
    reading = provider.pages(None)
    first = next(reading)
    with pytest.raises(RateLimited):
        next(reading)
    assert provider.calls == 1
    xero.day_left = RESERVE + 100
    rest = pages(xero, first.cursor, page_size=1, resume=True)
    assert [each.check_number for each in read([first, *rest])] == checks


def test_the_button_works_on_a_day_whose_rest_is_kept_for_it(
    xero: FakeXero, erp: XeroBooks
) -> None:
    check = erp.pay((erp.bill("10"), "10"))
    xero.day_left = 100
    provider = connect(xero)
    provider.hurry()
    assert [each.check_number for each in read(list(provider.pages(None)))] == [check]
