"""A company whose ERP wants a person to sign in, and the person who may do that."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commitments.models import SubcontractorInvoice
from erp_integrations import asking, connections
from erp_integrations.models import ErpConnection
from erp_integrations.providers import registry
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level
from tests.factories import InvoiceFactory, UserFactory
from tests.fakes import signed_books
from tests.fakes.books import Books
from tests.fakes.signed_books import (
    SignedBooksProvider,
    TenantBooksProvider,
    UnattendedBooksProvider,
    Vendor,
)

Connected = Callable[..., ErpConnection]


@pytest.fixture
def vendor(books: Books) -> Iterator[Vendor]:
    """With the three ways in which its books can be connected."""
    made = Vendor()
    with (
        made.running(),
        registry.registered(SignedBooksProvider),
        registry.registered(TenantBooksProvider),
        registry.registered(UnattendedBooksProvider),
    ):
        yield made


@pytest.fixture
def invoice(db: None) -> SubcontractorInvoice:
    return InvoiceFactory(bill="7")


@pytest.fixture
def make(invoice: SubcontractorInvoice, vendor: Vendor) -> Connected:
    """A connection as the form makes it: typed in, nobody signed in."""

    def made(provider: str = "signed-books", **settings: str) -> ErpConnection:
        typed, secrets = signed_books.connection(vendor)
        return connections.connect(
            company=invoice.company,
            by=None,
            provider=provider,
            name="Our books",
            settings=typed | settings,
            credentials=secrets,
            export_subcontractor_invoices=True,
        )

    return made


@pytest.fixture
def connection(make: Connected) -> ErpConnection:
    return make()


@pytest.fixture
def alice(invoice: SubcontractorInvoice) -> User:
    return administrator(invoice.company, "alice")


def administrator(company: Any, name: str) -> User:
    person = UserFactory(username=name, first_name=name.title(), last_name="Admin")
    grant_level(user=person, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=company)
    return person


@pytest.fixture
def asked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages ask the ERP in this thread, which sees what the test has not committed."""
    monkeypatch.setattr(asking, "ThreadPoolExecutor", _Here)


class _Here(Executor):
    def __init__(self, workers: int, thread_name_prefix: str) -> None:
        pass

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class Window:
    """The browser of one person."""

    def __init__(self, person: User, vendor: Vendor) -> None:
        self.client, self.vendor = Client(), vendor
        self.client.force_login(person)

    def page(self, connection: ErpConnection, name: str = "settings") -> str:
        return str(self.client.get(url(connection, name)).content.decode())

    def press(self, connection: ErpConnection, page: str, /, **form: str) -> str:
        answer = self.client.post(url(connection, page), form, follow=True)
        return str(answer.content.decode())

    def start(self, connection: ErpConnection) -> str:
        """Press Connect; the address at the vendor's to which the page leads."""
        answer = self.client.post(url(connection, "oauth_start"))
        return str(answer.context["address"])

    def come_back(self, **said: str) -> str:
        """What the page says to somebody whom the vendor sends back with this."""
        answer = self.client.get(reverse("erp_integrations:oauth_callback"), said, follow=True)
        return " ".join(str(message) for message in answer.context["messages"])

    def connect(self, connection: ErpConnection, **besides: str) -> str:
        """The whole way, for a person who agrees."""
        return self.come_back(**self.vendor.agree(self.start(connection)), **besides)


def url(connection: ErpConnection, name: str) -> str:
    return reverse(f"erp_integrations:company_{name}", args=[connection.company_id])


@pytest.fixture
def window(alice: User, vendor: Vendor) -> Window:
    return Window(alice, vendor)
