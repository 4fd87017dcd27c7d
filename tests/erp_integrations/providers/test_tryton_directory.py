"""What of Tryton can be linked to: vendors, jobs, purchase orders."""

import datetime as dt
from decimal import Decimal

import pytest

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    TransientError,
)
from erp_integrations.providers.http import RetryPolicy
from tests.erp_integrations.providers.fake_books import connect
from tests.fakes.http_server import Reply
from tests.fakes.tryton import START, FakeTryton, number


def test_vendors_are_all_parties_but_the_company_itself(tryton: FakeTryton) -> None:
    party = tryton.vendor("V-ACME", "Acme Concrete LLC")
    (vendor,) = connect(tryton).vendors()
    assert (vendor.remote_id, vendor.code) == (str(party["id"]), "V-ACME")
    assert vendor.name == "Acme Concrete LLC"


def test_jobs_are_the_accounts_below_the_root(tryton: FakeTryton) -> None:
    tryton.job("2026-014", "Riverside Tower")
    assert [(job.code, job.name) for job in connect(tryton).jobs()] == [
        ("2026-014", "Riverside Tower")
    ]


def test_an_order_has_everything_that_an_import_needs(tryton: FakeTryton) -> None:
    party = tryton.vendor("V-ACME", "Acme Concrete LLC")
    tryton.order(party, "SC-2024-001", "84500.00", description="Concrete")
    (order,) = connect(tryton).commitments()
    assert (order.code, order.title) == ("SC-2024-001", "Concrete")
    assert (order.total, order.currency) == (Decimal("84500.00"), "USD")
    assert (order.vendor_ref, order.vendor_name) == (str(party["id"]), "Acme Concrete LLC")
    assert (order.ordered_on, order.is_subcontract, order.project_ref) == (START.date(), None, "")


def test_an_order_without_reference_is_known_by_its_number(tryton: FakeTryton) -> None:
    made = tryton.order(tryton.vendor("V", "Acme"), "", "1", description=None, purchase_date=None)
    (order,) = connect(tryton).commitments()
    assert order.code == made["number"]
    assert order.title == f"Purchase order {made['number']}"
    assert order.ordered_on is None


@pytest.mark.parametrize("state", ["draft", "quotation", "cancelled"])
def test_what_is_not_ordered_is_not_there(tryton: FakeTryton, state: str) -> None:
    tryton.order(tryton.vendor("V", "Acme"), "SC-1", "1", state=state)
    assert list(connect(tryton).commitments()) == []


def test_pages_are_turned_by_id(tryton: FakeTryton) -> None:
    for count in range(5):
        tryton.vendor(f"V-{count}", f"Vendor {count}")
    vendors = list(connect(tryton, page_size=2).vendors())
    assert [vendor.code for vendor in vendors] == [f"V-{count}" for count in range(5)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("acme", ["V-1"]),
        ("concrete LLC", ["V-1"]),
        ("v-2", ["V-2"]),
        ("acme bolt", []),
        ("100%", ["V-2"]),
        ("b_lt", []),
    ],
)
def test_a_search_wants_every_word_and_takes_it_literally(
    tryton: FakeTryton, words: str, found: list[str]
) -> None:
    tryton.vendor("V-1", "Acme Concrete LLC")
    tryton.vendor("V-2", "Bolt Electric 100% Inc")
    assert [vendor.code for vendor in connect(tryton).vendors(words)] == found


def test_orders_are_found_by_their_vendor_too(tryton: FakeTryton) -> None:
    tryton.order(tryton.vendor("V-ACME", "Acme Concrete"), "SC-1", "1")
    tryton.order(tryton.vendor("V-BOLT", "Bolt Electric"), "SC-2", "1")
    assert [order.code for order in connect(tryton).commitments("v-bolt")] == ["SC-2"]


@pytest.mark.parametrize(
    ("model", "method", "label"),
    [
        ("analytic_account.account", "jobs", "jobs"),
        ("purchase.purchase", "commitments", "purchase orders"),
    ],
)
def test_a_missing_right_is_a_sentence_that_names_it(
    tryton: FakeTryton, model: str, method: str, label: str
) -> None:
    tryton.withheld = {model}
    with pytest.raises(ConfigurationError, match=f"read its {label}. Give .* {model}"):
        list(getattr(connect(tryton), method)())


def test_a_wrong_key_is_another_matter(tryton: FakeTryton) -> None:
    with pytest.raises(AuthenticationError):
        list(connect(tryton, key="nope").jobs())


def test_a_record_that_cannot_be_read_is_not_left_out(tryton: FakeTryton) -> None:
    tryton.order(tryton.vendor("V", "Acme"), "SC-1", "1", total_amount=number("NaN"))
    with pytest.raises(ProtocolError, match="one of its purchase orders"):
        list(connect(tryton).commitments())


def test_a_date_is_a_day(tryton: FakeTryton) -> None:
    tryton.order(tryton.vendor("V", "Acme"), "SC-1", "1")
    (order,) = connect(tryton).commitments()
    assert type(order.ordered_on) is dt.date


def test_a_hurried_search_is_not_repeated(tryton: FakeTryton) -> None:
    provider = connect(tryton, retries=RetryPolicy(attempts=4))
    provider.hurry()
    tryton.faults.extend([Reply(503)] * 3)
    with pytest.raises(TransientError):
        list(provider.jobs("summit"))
    assert len(tryton.requests) == 1
