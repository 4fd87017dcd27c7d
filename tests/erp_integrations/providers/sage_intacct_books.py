"""An accountant in the stand-in for Sage Intacct, and providers that read it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from erp_integrations.providers.contract import Page
from erp_integrations.providers.sage_intacct.provider import SageIntacctProvider
from tests.erp_integrations.providers.fake_books import LIMITS, ONCE
from tests.erp_integrations.providers.ledger_books import LedgerBooks
from tests.fakes.authorization import signed_in
from tests.fakes.sage_intacct import FakeSageIntacct, connection


def connect(fake: FakeSageIntacct, **options: Any) -> SageIntacctProvider:
    settings, credentials = connection(fake)
    settings |= options.pop("settings", {})
    given: dict[str, Any] = {"limits": LIMITS, "retries": ONCE} | options
    given.setdefault("tokens", signed_in(SageIntacctProvider, settings, fake.tokens.first()))
    return SageIntacctProvider(settings, credentials, allow_private_addresses=True, **given)


def pages(fake: FakeSageIntacct, cursor: Any = None, **options: Any) -> list[Page]:
    resume = options.pop("resume", False)
    return list(connect(fake, **options).pages(cursor, resume=resume))


class SageIntacctBooks(LedgerBooks[FakeSageIntacct]):
    lacks: ClassVar[Mapping[str, str]] = {
        "unapply": "a confirmed payment is reversed as a whole, it never leaves a bill alone"
    }

    def provider(self, **options: Any) -> SageIntacctProvider:
        return connect(self.server, **options)
