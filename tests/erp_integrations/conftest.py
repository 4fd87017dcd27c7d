"""A company with books: an invoice of 5,000 for bill 7, on a commitment with everything on."""

from collections.abc import Iterator

import pytest

from commitments.models import SubcontractorInvoice
from erp_integrations import engine, runs
from erp_integrations.models import ErpConnection, RunMode, RunTrigger, SyncRun
from erp_integrations.providers import registry
from tests.factories import ErpConnectionFactory, InvoiceFactory
from tests.fakes import books as fake
from tests.fakes.books import Books, BooksProvider


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    monkeypatch.setattr(fake, "BOOKS", Books())
    with registry.registered(BooksProvider):
        yield fake.BOOKS


@pytest.fixture
def invoice(db: None) -> SubcontractorInvoice:
    return InvoiceFactory(bill="7")


@pytest.fixture
def connection(invoice: SubcontractorInvoice) -> ErpConnection:
    return ErpConnectionFactory(company=invoice.company, provider="books", settings={})


def run_sync(connection: ErpConnection, mode: RunMode = RunMode.CHANGES) -> SyncRun:
    """One whole run, worked on here and now."""
    run = runs.request_run(connection=connection, trigger=RunTrigger.COMMAND, mode=mode)
    engine.work_on(run.pk)
    connection.refresh_from_db()
    run.refresh_from_db()
    return run
