"""Books that a person has to sign in to: the books in memory, behind an authorization server."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import urllib3

from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS
from erp_integrations.providers.contract import (
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    Tenant,
)
from erp_integrations.providers.exchanges import RetryPolicy
from erp_integrations.providers.http import HttpClient
from erp_integrations.providers.oauth import (
    CLIENT_ID,
    CLIENT_SECRET,
    Authorization,
    NoTokens,
    Tokens,
)
from tests.fakes.authorization import CLIENT, SECRET, AuthorizationServer
from tests.fakes.books import BooksProvider
from tests.fakes.http_server import HttpServer, Reply, Request


class Vendor(HttpServer):
    """The vendor of the books: its sign-in page, its tokens, and an API that wants one."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.authorization = AuthorizationServer()
        self.companies = {"t1": "Northstar Builders"}
        #: instead of the token endpoint's own answer
        self.instead_of_token: Reply | None = None

    def _answer(self, request: Request) -> Reply:
        match request.path:
            case "/authorize":
                return self.authorization.authorize(request)
            case "/token":
                return self.instead_of_token or self.authorization.token(request)
        if not self.authorization.is_good(request):
            return Reply(401, b"{}")
        return Reply(body=json.dumps(self.companies).encode())

    def agree(self, address: str) -> dict[str, str]:
        """What a person brings back who opens the address and says yes."""
        answer = urllib3.request("GET", address, redirect=False, retries=False)
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    @property
    def asked_for_tokens(self) -> list[Request]:
        return [request for request in self.requests if request.path == "/token"]


def connection(vendor: Vendor) -> tuple[dict[str, str], dict[str, str]]:
    """What an administrator types to connect it."""
    return {"url": vendor.url, "client_id": CLIENT}, {"client_secret": SECRET}


class SignedBooksProvider(BooksProvider):
    """Asks its server once for each page, and takes the page from the books in memory."""

    code: ClassVar[str] = "signed-books"
    label: ClassVar[str] = "Signed Books"
    capabilities: ClassVar[Capabilities] = Capabilities(overlap_seconds=0)
    fields: ClassVar[Sequence[ConnectionField]] = (CLIENT_ID, CLIENT_SECRET, VENDORS_OWN_ADDRESS)
    uses_oauth: ClassVar[bool] = True

    def __init__(
        self,
        settings: Mapping[str, str],
        credentials: Mapping[str, str],
        *,
        allow_private_addresses: bool = False,
        tokens: Tokens | None = None,
    ) -> None:
        super().__init__(settings, credentials)
        self.http = HttpClient(
            settings["url"],
            erp=self.label,
            allow_private=allow_private_addresses,
            tokens=tokens or NoTokens(self.label),
            retries=RetryPolicy(attempts=1),
        )

    def check(self) -> str:
        return f"Signed Books of {', '.join(self.http.get_json('/companies').json().values())}"

    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        for page in super().pages(cursor, resume=resume):
            self.http.get_json("/page")
            yield page

    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        return Authorization(
            token_url=f"{settings['url']}/token",
            authorize_url=f"{settings['url']}/authorize",
            scopes=("books.read",),
            uses_pkce=True,
        )

    @classmethod
    def settings_of_grant(cls, answer: Mapping[str, str]) -> dict[str, str]:
        return {"realm": answer["realmId"]} if "realmId" in answer else {}

    def close(self) -> None:
        self.http.close()


class TenantBooksProvider(SignedBooksProvider):
    """One sign-in opens several companies."""

    code: ClassVar[str] = "tenant-books"
    tenant_setting: ClassVar[str] = "tenant"

    def tenants(self) -> list[Tenant]:
        companies: dict[str, Any] = self.http.get_json("/companies").json()
        return [Tenant(remote_id, name) for remote_id, name in companies.items()]


class UnattendedBooksProvider(SignedBooksProvider):
    """The program signs in by itself."""

    code: ClassVar[str] = "unattended-books"

    @classmethod
    def authorization(cls, settings: Mapping[str, str]) -> Authorization:
        return Authorization(token_url=f"{settings['url']}/token")
