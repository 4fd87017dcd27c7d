"""Sessions, rights, pages that move under the reader, and the ways in which Acumatica says no."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from erp_integrations.providers.acumatica.provider import AcumaticaProvider
from erp_integrations.providers.acumatica.questions import any_of
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    RateLimited,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.oauth import GrantLost
from tests.erp_integrations.providers.acumatica_books import AcumaticaBooks, connect, pages
from tests.erp_integrations.providers.contract_suite import read
from tests.fakes.acumatica import CLIENT_ID, FakeAcumatica, connection
from tests.fakes.http_server import Reply


@pytest.fixture
def erp() -> Iterator[AcumaticaBooks]:
    fake = FakeAcumatica()
    with fake.running():
        yield AcumaticaBooks(fake)


@pytest.fixture
def acumatica(erp: AcumaticaBooks) -> FakeAcumatica:
    return erp.fake


# --------------------------------------------------------------------- settings
def test_it_says_build_tenant_and_endpoint(acumatica: FakeAcumatica) -> None:
    assert connect(acumatica).check() == (
        "Acumatica 24.215.0011 · tenant Northstar · endpoint Default 24.200.001"
    )


def test_an_instance_without_the_endpoint_is_named(acumatica: FakeAcumatica) -> None:
    acumatica.endpoints = [("Default", "22.200.001"), ("eCommerce", "22.200.001")]
    with pytest.raises(ConfigurationError, match=r"no endpoint Default/24.200.001.*22.200.001"):
        connect(acumatica).check()


@pytest.mark.parametrize("client_id", ["", "our-app", "our-app@"])
def test_a_client_id_without_its_tenant_is_refused(
    acumatica: FakeAcumatica, client_id: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"Client ID|names no tenant"):
        connect(acumatica, settings={"client_id": client_id})


def test_the_instance_is_its_own_authorization_server() -> None:
    made = AcumaticaProvider.authorization(
        {"url": "https://erp.example.com/Main/", "client_id": CLIENT_ID}
    )
    assert made.authorize_url == "https://erp.example.com/Main/identity/connect/authorize"
    assert made.token_url == "https://erp.example.com/Main/identity/connect/token"
    assert made.scopes == ("api", "offline_access")


def test_before_anybody_connected_it_says_what_to_do(acumatica: FakeAcumatica) -> None:
    with pytest.raises(GrantLost, match="Connect"):
        connect(acumatica, tokens=None).check()


def test_a_stand_in_is_asked_at_its_own_address_only(acumatica: FakeAcumatica) -> None:
    settings, _ = connection(acumatica)
    made = AcumaticaProvider.authorization(settings)
    assert {urlsplit(each).netloc for each in (made.token_url, made.authorize_url)} == {
        urlsplit(acumatica.url).netloc
    }


# --------------------------------------------------------------------- sessions
def test_closing_signs_out_and_frees_the_session(acumatica: FakeAcumatica) -> None:
    provider = connect(acumatica)
    list(provider.vendors())
    assert acumatica.sessions == {"ours"}
    provider.close()
    assert acumatica.sessions == set()


def test_who_asked_nothing_does_not_sign_out(acumatica: FakeAcumatica) -> None:
    connect(acumatica).close()
    assert acumatica.requests == []


def test_a_sign_out_that_fails_troubles_nobody(acumatica: FakeAcumatica) -> None:
    provider = connect(acumatica)
    list(provider.vendors())
    acumatica.faults.append(Reply(500, b""))
    provider.close()


def test_without_a_free_session_it_tries_again_later(acumatica: FakeAcumatica) -> None:
    acumatica.sessions |= {"payroll", "shop"}
    with pytest.raises(RateLimited, match="sessions"):
        pages(acumatica)


# ----------------------------------------------------------------------- rights
@pytest.mark.parametrize("entity", ["Check", "Bill", "Vendor"])
def test_a_missing_right_shows_when_it_is_connected(acumatica: FakeAcumatica, entity: str) -> None:
    acumatica.withheld = {entity}
    with pytest.raises(AuthenticationError, match=f"insufficient rights.*{entity}"):
        connect(acumatica).check()


def test_a_user_without_branches_makes_no_payment_vanish(erp: AcumaticaBooks) -> None:
    erp.pay((erp.bill("10"), "10"))
    (payment,) = read(pages(erp.fake))
    erp.fake.is_blind = True
    with pytest.raises(ConfigurationError, match="branches"):
        erp.provider().payment(payment.remote_id)
    with pytest.raises(ConfigurationError, match="branches"):
        pages(erp.fake)


def test_a_server_error_in_acumaticas_words_is_tried_again(acumatica: FakeAcumatica) -> None:
    said = b'{"message": "An error has occurred.", "exceptionMessage": "Deadlock"}'
    acumatica.faults.append(Reply(500, said))
    with pytest.raises(TransientError):
        pages(acumatica)


def test_a_feature_that_was_never_set_up_is_not_tried_again(acumatica: FakeAcumatica) -> None:
    said = (
        b'{"exceptionMessage": "The required configuration data is not entered on the Accounts '
        b'Payable Preferences form.", "exceptionType": "PX.Data.PXSetupNotEnteredException"}'
    )
    acumatica.faults.append(Reply(500, said))
    with pytest.raises(ConfigurationError, match="Accounts Payable Preferences"):
        pages(acumatica)


# -------------------------------------------------- details that are in no list
def test_a_build_that_lists_no_details_is_asked_one_by_one(erp: AcumaticaBooks) -> None:
    bill = erp.bill("100")
    checks = [erp.pay((bill, "10")), erp.pay((bill, "20"))]
    erp.void(checks[1])
    listed = read(pages(erp.fake))
    on_bill = list(connect(erp.fake).payments_on([bill.remote_id]))
    erp.fake.lists_details = False
    assert read(pages(erp.fake)) == listed
    assert read(list(connect(erp.fake).payments_on([bill.remote_id]))) == read(on_bill)
    (asked,) = connect(erp.fake).bills([bill.remote_id])
    assert asked.paid == 10


def test_what_is_deleted_between_list_and_record_is_left_out(erp: AcumaticaBooks) -> None:
    bill = erp.bill("100")
    kept, gone = erp.pay((bill, "10")), erp.draft(bill, "20")
    erp.fake.lists_details = False
    number = f"{erp.checks[gone].number:06d}"
    answer = erp.fake.answer

    def deleting(request: Any) -> Reply:
        if request.path.endswith(f"/Check/Payment/{number}"):
            erp.delete(gone)
        return answer(request)

    erp.fake.answer = deleting
    assert [each.check_number for each in read(pages(erp.fake))] == [kept]


# ------------------------------------------------------------- pages that move
def read_while(erp: AcumaticaBooks, act: Any, *, after: int) -> list[str]:
    found: list[str] = []
    for number, page in enumerate(erp.provider(page_size=2).pages(None), start=1):
        found += [each.check_number for each in read([page])]
        if number == after:
            act()
    return found


@pytest.mark.parametrize("deleted", [0, 1, 2])
def test_a_draft_that_is_deleted_meanwhile_hides_no_other_payment(
    erp: AcumaticaBooks, deleted: int
) -> None:
    bill = erp.bill("100")
    checks = [erp.draft(bill, "10") for _ in range(8)]
    found = read_while(erp, lambda: erp.delete(checks[deleted]), after=2)
    assert sorted(found) == checks


def test_when_the_record_that_was_reached_is_deleted_it_begins_again(erp: AcumaticaBooks) -> None:
    bill = erp.bill("100")
    checks = [erp.draft(bill, "10") for _ in range(8)]
    found = read_while(erp, lambda: erp.delete(checks[3]), after=2)
    assert set(found) == set(checks)


def test_a_server_that_ignores_where_to_begin_is_not_read_for_ever(erp: AcumaticaBooks) -> None:
    bill = erp.bill("100")
    for _ in range(8):
        erp.pay((bill, "10"))
    answer = erp.fake.answer
    erp.fake.answer = lambda request: answer(
        type(request)(
            request.path,
            {name: value for name, value in request.query.items() if name != "$skip"},
            request.headers,
        )
    )
    with pytest.raises(ProtocolError, match="same page"):
        pages(erp.fake, page_size=2)


def test_a_run_that_was_broken_off_is_finished_and_then_brought_up_to_date(
    erp: AcumaticaBooks,
) -> None:
    bill = erp.bill("100")
    checks = [erp.pay((bill, "10")) for _ in range(4)]
    erp.ledger.pass_time(60)
    first = next(iter(erp.provider(page_size=2).pages(None)))
    erp.void(checks[0])
    found = read(pages(erp.fake, first.cursor, page_size=2, overlap_seconds=0))
    assert [each.check_number for each in found] == [*checks[2:], checks[0]]


# ----------------------------------------------------------------- cursor and calls
def test_the_cursor_is_the_clock_of_the_erp_when_it_began(erp: AcumaticaBooks) -> None:
    erp.pay((erp.bill("10"), "10"))
    (page,) = pages(erp.fake)
    assert AcumaticaProvider.read_until(page.cursor) == erp.now()


def test_a_long_pause_is_not_read_again(erp: AcumaticaBooks) -> None:
    erp.pay((erp.bill("10"), "10"))
    erp.ledger.pass_time(3600)
    cursor = pages(erp.fake)[-1].cursor
    erp.ledger.pass_time(3600)
    assert read(pages(erp.fake, cursor)) == []


def test_a_run_that_is_over_asks_nothing_when_it_is_resumed(erp: AcumaticaBooks) -> None:
    cursor = pages(erp.fake)[-1].cursor
    erp.fake.requests.clear()
    (page,) = pages(erp.fake, cursor, resume=True)
    assert (page.cursor, erp.fake.requests) == (cursor, [])


def test_a_place_that_cannot_be_read_is_said_so(erp: AcumaticaBooks) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        pages(erp.fake, {"since": "yesterday"})


def test_two_hundred_changes_are_five_questions_and_one_for_names(erp: AcumaticaBooks) -> None:
    bill = erp.bill("900")
    cursor = {"since": erp.now().isoformat(), "is_done": True}
    for _ in range(200):
        erp.pay((bill, "1"))
    provider = erp.provider(overlap_seconds=0)
    assert len(read(list(provider.pages(cursor)))) == 200
    assert provider.calls == 200 // 50 + 1 + 1


def test_addresses_stay_short_enough_for_iis(erp: AcumaticaBooks) -> None:
    bills = [erp.bill("10").remote_id for _ in range(120)]
    provider = erp.provider()
    assert len(list(provider.bills(bills))) == 120
    assert provider.calls == 3
    long = ["V'" * 14 + str(number) for number in range(50)]
    clauses = list(any_of("VendorID", long, 50))
    assert len(clauses) > 1 and sum(each.count(" eq ") for each in clauses) == 50


def test_the_stand_in_refuses_what_acumatica_does_not_have(acumatica: FakeAcumatica) -> None:
    client = connect(acumatica)._client
    for where in ("History/AmountPaid gt 1m", "contains(Vendor,'A')", "Nothing eq 1", "Type eq"):
        with pytest.raises(TransientError):
            client.entities("Check", where=where)
    with pytest.raises(ProtocolError):
        client._get("Check", [("$orderby", "Type")])


def test_a_deleted_draft_is_gone(erp: AcumaticaBooks) -> None:
    check = erp.draft(erp.bill("10"), "10")
    (payment,) = read(pages(erp.fake))
    erp.delete(check)
    with pytest.raises(RecordNotFound):
        erp.provider().payment(payment.remote_id)


def test_it_lists_and_searches_vendors(erp: AcumaticaBooks) -> None:
    for number in range(60):
        erp.ledger.vendor(f"V-{number:03d}", f"Vendor {number} O'Hara")
    assert len(list(erp.provider().vendors())) == 61
    assert [each.code for each in erp.provider().vendors("o'hara 59")] == ["V-059"]


def test_moments_are_asked_for_in_utc(erp: AcumaticaBooks) -> None:
    since = erp.now().astimezone(dt.timezone(dt.timedelta(hours=-5)))
    pages(erp.fake, {"since": since.isoformat()}, overlap_seconds=0)
    asked = next(each for each in erp.fake.requests if each.path.endswith("/Check"))
    assert asked.query["$filter"] == [
        "LastModifiedDateTime ge datetimeoffset'2026-11-22T08:00:00.000+00:00'"
    ]
