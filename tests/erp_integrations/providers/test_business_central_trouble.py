"""The trap of the standard API, what is not installed, links to next pages, and other noes."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from erp_integrations.providers.business_central import auth, provider
from erp_integrations.providers.business_central.client import DETAILS
from erp_integrations.providers.business_central.provider import BusinessCentralProvider
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    TransientError,
)
from tests.erp_integrations.providers.business_central_books import (
    BusinessCentralBooks,
    connect,
    pages,
)
from tests.erp_integrations.providers.contract_suite import read
from tests.fakes.business_central import COMPANY, OTHER_COMPANY, FakeBusinessCentral
from tests.fakes.http_server import HttpServer, Reply, Request


@pytest.fixture
def erp() -> Iterator[BusinessCentralBooks]:
    fake = FakeBusinessCentral()
    with fake.running():
        yield BusinessCentralBooks(fake)


@pytest.fixture
def central(erp: BusinessCentralBooks) -> FakeBusinessCentral:
    return erp.fake


# ------------------------------------------------------ the standard vendorPayments
@pytest.mark.parametrize(
    "settings",
    [
        {"route": "v2.0"},
        {"route": "vendorPayments"},
        {"route": "/v2.0/vendorPayments/"},
        {"url": "https://api.businesscentral.dynamics.com/v2.0/x/Production/api/vendorPayments"},
    ],
)
def test_the_standard_vendor_payments_are_refused_and_it_says_why(
    central: FakeBusinessCentral, settings: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match=r"nobody has posted yet.*file drop"):
        connect(central, settings=settings)


def test_unposted_lines_under_another_route_are_refused_too(central: FakeBusinessCentral) -> None:
    line = {"journalId": "7", "lineNumber": 10000, "amount": 100}
    central.faults.append(Reply(200, json.dumps({"value": [line]}).encode()))
    with pytest.raises(ConfigurationError, match="nobody has posted yet"):
        pages(central)


def test_a_route_that_is_none_is_said_so(central: FakeBusinessCentral) -> None:
    with pytest.raises(ConfigurationError, match="three parts"):
        connect(central, settings={"route": "procoreSync/payments"})


# --------------------------------------------------------------- what is not there
def test_without_the_extension_it_names_what_to_install(central: FakeBusinessCentral) -> None:
    central.is_installed = False
    for act in (lambda: connect(central).check(), lambda: pages(central)):
        with pytest.raises(ConfigurationError, match=r"Posted Vendor Payments.*file drop"):
            act()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"environment": "Sandbox"}, "no environment"),
        ({"directory": "other.example.com"}, "no environment"),
        ({"company": "00000000-0000-0000-0000-000000000000"}, "does not have the company"),
        ({"company": ""}, "no company yet"),
    ],
)
def test_a_wrong_setting_is_named(
    central: FakeBusinessCentral, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        pages(central, settings=settings)


@pytest.mark.parametrize("company", ["", "00000000-0000-0000-0000-000000000000"])
def test_without_a_company_it_names_those_that_the_app_may_open(
    central: FakeBusinessCentral, company: str
) -> None:
    provider = connect(central, settings={"company": company})
    with pytest.raises(ConfigurationError, match=f"Northstar General Contractors: {COMPANY}"):
        provider.check()


def test_it_lists_the_companies_to_choose_from(central: FakeBusinessCentral) -> None:
    found = connect(central, settings={"company": ""}).tenants()
    assert [each.name for each in found] == ["Northstar General Contractors", "NORTHSTAR 2"]
    assert BusinessCentralProvider.tenant_setting == "company"


def test_it_says_which_company_it_reads(central: FakeBusinessCentral) -> None:
    said = connect(central).check()
    assert said == "Business Central · company Northstar General Contractors"


@pytest.mark.parametrize("name", ["directory", "environment"])
def test_a_missing_setting_is_named(central: FakeBusinessCentral, name: str) -> None:
    with pytest.raises(ConfigurationError, match="no “"):
        connect(central, settings={name: " "})


# ----------------------------------------------------------------------- rights
def test_a_missing_permission_set_is_named(central: FakeBusinessCentral) -> None:
    central.is_permitted = False
    with pytest.raises(AuthenticationError, match="PSY READ PAYMENTS"):
        pages(central)


def test_an_app_that_is_not_known_there_is_told_where_to_add_it(
    central: FakeBusinessCentral,
) -> None:
    refused = b'{"error": {"code": "Authentication_InvalidCredentials", "message": "rejected"}}'
    central.answer = lambda request: (
        central.authorization.token(request) if "token" in request.path else Reply(401, refused)
    )
    with pytest.raises(AuthenticationError, match="Microsoft Entra Applications"):
        pages(central)


def test_a_filter_on_what_it_sees_makes_no_payment_vanish(erp: BusinessCentralBooks) -> None:
    erp.pay((erp.bill("10"), "10"))
    (payment,) = read(pages(erp.fake))
    erp.fake.is_filtered = True
    for act in (lambda: connect(erp.fake).payment(payment.remote_id), lambda: pages(erp.fake)):
        with pytest.raises(ConfigurationError, match="security filter"):
            act()


def test_an_environment_that_is_being_updated_is_tried_again(central: FakeBusinessCentral) -> None:
    said = b'{"error": {"code": "Internal_TenantUnavailable", "message": "not accessible"}}'
    central.faults.append(Reply(400, said))
    with pytest.raises(TransientError):
        pages(central)


# --------------------------------------------------------------- links to next pages
def test_an_answer_that_is_cut_is_followed_to_its_end(erp: BusinessCentralBooks) -> None:
    bill = erp.bill("900")
    checks = [erp.pay((bill, "10")) for _ in range(7)]
    whole = read(pages(erp.fake))
    erp.fake.page_size = 2
    assert read(pages(erp.fake)) == whole
    assert {each.check_number for each in whole} == set(checks)
    assert len(list(connect(erp.fake).bills())) == 2


def test_a_link_to_another_server_is_not_followed(erp: BusinessCentralBooks) -> None:
    for _ in range(3):
        erp.pay((erp.bill("10"), "10"))
    erp.fake.page_size = 2
    elsewhere = HttpServer()
    with elsewhere.running():
        erp.fake.links_to = elsewhere.url
        with pytest.raises(ProtocolError, match="another address"):
            pages(erp.fake)
        erp.fake.links_to = f"{erp.fake.url}/somewhere"
        with pytest.raises(ProtocolError, match="another address"):
            pages(erp.fake)
    assert elsewhere.requests == []


def test_a_link_back_to_the_same_page_is_not_followed_for_ever(
    central: FakeBusinessCentral,
) -> None:
    settings = connect(central)
    link = f"{settings._client._base}/api/v2.0/companies?$skiptoken=7"
    listing = json.dumps({"value": [], "@odata.nextLink": link}).encode()
    central.faults.extend([Reply(200, listing)] * 3)
    with pytest.raises(ProtocolError, match="same page"):
        settings.tenants()


# ------------------------------------------------------------------ signing in
def test_it_signs_in_at_entra_for_business_central() -> None:
    made = BusinessCentralProvider.authorization(
        {"directory": "example.onmicrosoft.com", "environment": "Production"}
    )
    assert made.token_url == (
        "https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token"
    )
    assert made.authorize_url == ""
    assert made.scopes == ("https://api.businesscentral.dynamics.com/.default",)


def test_a_stand_in_is_asked_at_its_own_address_only(central: FakeBusinessCentral) -> None:
    settings = {"url": central.url, "directory": "d", "environment": "e"}
    made = BusinessCentralProvider.authorization(settings)
    assert urlsplit(made.token_url).netloc == urlsplit(central.url).netloc
    assert auth.base_of(settings) == f"{central.url}/v2.0/d/e"


# ------------------------------------------------------------------------ the cost
def test_a_run_without_changes_is_one_question(erp: BusinessCentralBooks) -> None:
    erp.pay((erp.bill("10"), "10"))
    erp.ledger.pass_time(3600)
    cursor = pages(erp.fake)[-1].cursor
    erp.ledger.pass_time(3600)
    provider = erp.provider()
    assert read(list(provider.pages(cursor))) == []
    assert provider.calls == 1


def test_two_hundred_changes_are_six_questions(erp: BusinessCentralBooks) -> None:
    bill = erp.bill("900")
    erp.ledger.pass_time(3600)
    cursor = pages(erp.fake)[-1].cursor
    erp.ledger.pass_time(3600)
    for _ in range(200):
        erp.ledger.pass_time(1)
        erp.pay((bill, "1"))
    provider = erp.provider()
    assert len(read(list(provider.pages(cursor)))) == 200
    # 400 details in pages of 150, and the payments of each
    assert provider.calls == 3 + 3


def test_a_payment_whose_details_lie_on_two_pages_is_read_once(erp: BusinessCentralBooks) -> None:
    erp.ledger.pass_time(3600)
    cursor = pages(erp.fake)[-1].cursor
    erp.ledger.pass_time(3600)
    check = erp.pay(*[(erp.bill("10"), "1") for _ in range(8)])
    found = read(pages(erp.fake, cursor, page_size=1))
    assert [each.check_number for each in found] == [check]
    assert len(found[0].allocations) == 8


def test_a_moment_that_fills_a_page_is_read_to_its_end(erp: BusinessCentralBooks) -> None:
    bill = erp.bill("900")
    erp.ledger.pass_time(3600)
    cursor = pages(erp.fake)[-1].cursor
    erp.ledger.pass_time(3600)
    checks = [erp.pay((bill, "10")) for _ in range(9)]
    erp.ledger.pass_time(1)
    checks.append(erp.pay((bill, "10")))
    found = read(pages(erp.fake, cursor, page_size=2))
    assert [each.check_number for each in found] == checks


def test_entries_from_before_version_17_are_read_too(erp: BusinessCentralBooks) -> None:
    bill = erp.bill("900")
    checks = [erp.pay((bill, "10")) for _ in range(5)]
    never = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
    for each in (*erp.ledger.entries.values(), *erp.ledger.details):
        each.modified = never
    found = pages(erp.fake, page_size=2)
    assert [each.check_number for each in read(found)] == checks
    assert {each.modified_at.date() for each in read(found)} == {erp.now().date()}
    erp.ledger.pass_time(3600)
    erp.void(checks[0])
    assert [it.check_number for it in read(pages(erp.fake, found[-1].cursor))] == checks[:1]


def test_a_first_reading_costs_a_question_a_page(erp: BusinessCentralBooks) -> None:
    bill = erp.bill("900")
    for _ in range(120):
        erp.pay((bill, "1"))
    provider = erp.provider()
    assert len(read(list(provider.pages(None)))) == 120
    assert provider.calls == 3


def test_the_stand_in_refuses_what_business_central_does_not_have(
    central: FakeBusinessCentral,
) -> None:
    client = connect(central)._client
    wrong = (
        "entryNumber eq 1 or documentNumber eq 'X'",
        "substringof('X',documentNumber)",
        "nothing eq 1",
        "entryNumber eq 'one'",
    )
    for where in wrong:
        with pytest.raises(ProtocolError):
            client.pages("vendorLedgerEntries", where)


def test_it_finds_no_vendor_of_another_company(central: FakeBusinessCentral) -> None:
    other = connect(central, settings={"company": OTHER_COMPANY})
    assert list(other.vendors()) == []


def test_it_lists_and_searches_vendors(erp: BusinessCentralBooks) -> None:
    erp.ledger.vendor("V-BOLT", "O'Hara Electric")
    assert [each.code for each in erp.provider().vendors()] == ["V-ACME", "V-BOLT"]
    assert [each.code for each in erp.provider().vendors("o'hara elec")] == ["V-BOLT"]
    assert [each.code for each in erp.provider().vendors("bolt")] == ["V-BOLT"]


# -------------------------------------------------------------------- the AL source
AL = Path(provider.__file__).parent / "al"


def test_the_source_of_the_pages_publishes_what_the_provider_reads() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in AL.glob("src/*.Page.al")}
    assert len(sources) == 3
    publisher, group, version = auth.ROUTE.split("/")
    for source in sources.values():
        for line in (
            f"APIPublisher = '{publisher}';",
            f"APIGroup = '{group}';",
            f"APIVersion = '{version}';",
            "Editable = false;",
            "InsertAllowed = false;",
            "ModifyAllowed = false;",
            "DeleteAllowed = false;",
        ):
            assert line in source


def test_the_source_of_the_pages_has_every_field_that_is_read(erp: BusinessCentralBooks) -> None:
    """The stand-in shows what the AL source shows, field by field."""
    erp.pay((erp.bill("10"), "10"))
    shown = {
        "VendorLedgerEntries.Page.al": erp.fake._entries()[0],
        "VendorLedgerDetails.Page.al": erp.fake._details()[0],
        "AppliedVendorEntries.Page.al": erp.fake._applied()[0],
    }
    for name, record in shown.items():
        source = (AL / "src" / name).read_text(encoding="utf-8")
        for field in record:
            part = f"EntitySetName = '{field}';"
            assert f"field({field};" in source or part in source, (name, field)


def test_the_permission_set_lets_only_read() -> None:
    source = (AL / "src" / "ReadPayments.PermissionSet.al").read_text(encoding="utf-8")
    tables = [line for line in source.splitlines() if "tabledata" in line]
    assert tables and all(line.rstrip(",;").endswith("= R") for line in tables)
    assert json.loads((AL / "app.json").read_text(encoding="utf-8"))["target"] == "Cloud"


def test_a_change_that_cannot_be_read_is_a_problem_and_not_a_payment_less(
    erp: BusinessCentralBooks, central: FakeBusinessCentral
) -> None:
    bill = erp.bill("900")
    erp.pay((bill, "10"))
    cursor = pages(central)[-1].cursor
    erp.settle()
    check = erp.pay((bill, "20"))
    normal = central.answer

    def spoiled(request: Request) -> Reply:
        reply = normal(request)
        if not request.path.endswith(f"/{DETAILS}"):
            return reply
        said = json.loads(reply.body)
        said["value"][0]["vendorLedgerEntryNumber"] = "not a number"
        return dataclasses.replace(reply, body=json.dumps(said).encode())

    central.answer = spoiled
    found = pages(central, cursor, overlap_seconds=0)
    assert check in {each.check_number for page in found for each in page.payments}
    (problem,) = [each for page in found for each in page.rejected]
    assert "cannot be read" in problem.reason
    assert "not a number" in problem.raw
