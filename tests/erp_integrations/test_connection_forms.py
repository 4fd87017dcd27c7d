"""The form of a connection, for every ERP there is: what it asks, keeps and never shows."""

import re
from importlib import import_module
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from erp_integrations import connections
from erp_integrations.connections import books
from erp_integrations.models import ErpConnection
from erp_integrations.providers import registry
from projects.access import Level, Tool
from projects.models import Company, User
from projects.services import grant_level
from tests.commitments.fixtures import browser
from tests.erp_integrations.rows import erp_payment_of
from tests.factories import CompanyFactory, UserFactory
from tests.fakes.stand_in import make

pytestmark = pytest.mark.django_db

ALL = [code for code, _ in registry.provider_choices()]
PEM = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----"


@pytest.fixture
def northstar() -> Company:
    return CompanyFactory(name="Northstar Builders")


@pytest.fixture
def alice(northstar: Company) -> User:
    alice = UserFactory(username="alice")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=northstar)
    return alice


def url(company: Company, page: str = "settings") -> str:
    return reverse(f"erp_integrations:company_{page}", args=[company.pk])


def test_every_erp_is_offered_with_what_it_needs(alice: User, northstar: Company) -> None:
    page = browser(alice).get(url(northstar))
    offered = [choice for group in page.context["erps"] for choice in group.choices]
    assert sorted(choice.code for choice in offered) == sorted(ALL)
    assert all(choice.does and choice.needs for choice in offered)


@pytest.mark.parametrize("code", ALL)
def test_the_form_of_every_erp_opens_with_its_name_filled_in(
    alice: User, northstar: Company, code: str
) -> None:
    page = browser(alice).get(f"{url(northstar, 'connection')}?provider={code}")
    provider = registry.provider_class(code)
    shown = page.content.decode()
    assert page.context["form"]["name"].value() == provider.label
    assert all(f'name="erp_{field.name}"' in shown for field in provider.fields)
    assert ("/erp-oauth/callback/" in shown) == provider.uses_oauth


def stand_ins() -> list[str]:
    from devservices.erp import StandIn

    return [name for name in StandIn.names() if name in ALL]


@pytest.mark.parametrize("code", stand_ins())
def test_a_connection_is_saved_again_after_payments_were_read(
    alice: User, northstar: Company, code: str
) -> None:
    """Fields left empty, those that came later, and secrets that are not typed again."""
    fake = make(code)
    with fake.running():
        settings, credentials = import_module(f"tests.fakes.{code}").connection(fake)
    connection = connections.connect(
        company=northstar, by=alice, provider=code, name="Books", currency="USD",
        settings=settings, credentials=credentials,
    )  # fmt: skip
    erp_payment_of(connection)
    form = {f"erp_{name}": value for name, value in settings.items()}
    answer = browser(alice).post(
        url(northstar, "connection"), {**form, "name": "Renamed", "currency": "USD"}
    )
    assert answer.status_code == 302
    connection.refresh_from_db()
    assert connection.name == "Renamed"
    assert connection.credentials.reveal().items() >= credentials.items()


@pytest.mark.parametrize(
    ("code", "settings", "change"),
    [
        ("erpnext", {"url": "https://erp.example.com"}, {"api_key": "new"}),
        ("odoo", {"url": "https://erp.example.com", "database": "d"}, {"version": "19"}),
        ("xero", {"client_id": "c", "tenant_id": "t"}, {"expense_account": "500"}),
        ("acumatica", {"url": "https://a.example.com", "client_id": "A@T"}, {"client_id": "B@T"}),
    ],
)
def test_how_the_books_are_reached_may_change(
    code: str, settings: dict[str, str], change: dict[str, str]
) -> None:
    assert books(code, settings) == books(code, settings | change)


def test_another_tenant_of_acumatica_is_another_set_of_books() -> None:
    address = {"url": "https://a.example.com"}
    first, second = ({**address, "client_id": f"app@{name}"} for name in ("Live", "Test"))
    assert books("acumatica", first) != books("acumatica", second)


def test_a_key_of_several_lines_keeps_them_and_is_not_shown_again(
    alice: User, northstar: Company
) -> None:
    form: dict[str, Any] = {"name": "NetSuite", "currency": "USD", "erp_account": "1234567"}
    form |= {"erp_client_id": "c", "erp_certificate_id": "k", "erp_private_key": PEM}
    address = url(northstar, "connection")
    page = browser(alice).post(f"{address}?provider=netsuite", form | {"name": ""})
    assert "MIGH" not in page.content.decode()
    browser(alice).post(f"{address}?provider=netsuite", form)
    stored = ErpConnection.objects.get().credentials.reveal()
    assert stored["private_key"].splitlines() == PEM.splitlines()
    shown = browser(alice).get(address).content.decode()
    assert re.search(r"<textarea[^>]*name=\"erp_private_key\"[^>]*>\s*</textarea>", shown)
    assert "MIGH" not in shown


def test_other_books_stay_refused(northstar: Company) -> None:
    settings = {"url": "https://erp.example.com", "database": "d"}
    values: dict[str, Any] = {"provider": "odoo", "credentials": {"key": "k"}}
    connection = connections.connect(
        company=northstar, by=None, name="Odoo", settings=settings, **values
    )
    erp_payment_of(connection)
    with pytest.raises(ValidationError, match="the payments of both would mix"):
        connections.check_change(
            connection=connection, settings=settings | {"database": "other"}, **values
        )


def test_what_few_need_stands_apart(alice: User, northstar: Company) -> None:
    page = browser(alice).get(f"{url(northstar, 'connection')}?provider=xero")
    form = page.context["form"]
    assert [field.name for field in form.needed] == [
        "name", "currency", "erp_client_id", "erp_client_secret",
    ]  # fmt: skip
    assert "erp_url" in [field.name for field in form.optional]
    assert "Only where you need it" in page.content.decode()
