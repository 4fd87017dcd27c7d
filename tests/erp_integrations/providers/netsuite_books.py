"""An accountant in the stand-in for NetSuite, and providers that read it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from erp_integrations.providers.contract import Page
from erp_integrations.providers.netsuite.provider import NetSuiteProvider
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.erp_integrations.providers.ledger_books import LedgerBooks
from tests.fakes.authorization import signed_in
from tests.fakes.netsuite import FakeNetSuite, connection


def connect(fake: FakeNetSuite, **options: Any) -> NetSuiteProvider:
    settings, credentials = connection(fake)
    settings |= options.pop("settings", {})
    given: dict[str, Any] = {"limits": LIMITS, "retries": ONCE} | options
    given.setdefault("tokens", signed_in(NetSuiteProvider, settings, fake.tokens.first()))
    return NetSuiteProvider(settings, credentials, allow_private_addresses=True, **given)


def pages(fake: FakeNetSuite, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class NetSuiteBooks(LedgerBooks[FakeNetSuite]):
    """NetSuite has every act of the contract."""

    lacks: ClassVar[Mapping[str, str]] = {}

    def provider(self, **options: Any) -> NetSuiteProvider:
        return connect(self.server, **options)
