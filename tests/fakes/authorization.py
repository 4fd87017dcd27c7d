"""An authorization server for stand-ins (RFC 6749, 7636), and somebody who keeps its tokens."""

import base64
import datetime as dt
import hashlib
import json
import secrets
import threading
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode

from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import AuthenticationError
from erp_integrations.providers.oauth import Signer, Token
from tests.fakes.http_server import Reply, Request

CLIENT, SECRET = "our-app", "s" * 40


class AuthorizationServer:
    """Codes and tokens of one vendor; a stand-in gives its requests to ``authorize`` and ``token``.

    A refresh token works once (``rotates``), and using it twice takes the grant
    away, as it does with several vendors. ``expire()`` lets all access tokens run out.
    """

    def __init__(self, *, lifetime: int = 1800, rotates: bool = True) -> None:
        self.lifetime, self.rotates = lifetime, rotates
        self.answer_to_redirect: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.access: set[str] = set()
        self.refresh: set[str] = set()
        self.spent: set[str] = set()
        self.refreshed = 0
        self._lock = threading.Lock()

    # ------------------------------------------------------------ what people do
    def authorize(self, request: Request) -> Reply:
        """The vendor's page; whoever opens it has said yes, and is sent back with a code."""
        asked = {name: values[0] for name, values in request.query.items()}
        if asked.get("client_id") != CLIENT or asked.get("response_type") != "code":
            return Reply(400, b"<h1>unknown app</h1>", "text/html")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = {"code": code, "state": asked.get("state", ""), **self.answer_to_redirect}
        return Reply(
            302, b"", "text/html", {"Location": f"{asked['redirect_uri']}?{urlencode(back)}"}
        )

    def expire(self) -> None:
        self.access.clear()

    def revoke(self) -> None:
        """The person takes the right back."""
        self.access.clear()
        self.refresh.clear()

    # ---------------------------------------------------------------- the tokens
    def token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if not self._knows(request.headers, form):
            return _refused(401, "invalid_client")
        with self._lock:
            match form.get("grant_type"):
                case "authorization_code":
                    return self._for_code(form)
                case "refresh_token":
                    return self._for_refresh(form.get("refresh_token", ""))
                case "client_credentials":
                    return self._given(with_refresh=False)
        return _refused(400, "unsupported_grant_type")

    def is_good(self, request: Request) -> bool:
        """Whether a request of the API carries a token that is valid now."""
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self.access

    def first(self) -> Token:
        """A token as if somebody had connected already."""
        given = json.loads(self._given(with_refresh=True).body)
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.lifetime)
        return Token(given["access_token"], ends, given["refresh_token"])

    def _knows(self, headers: Mapping[str, str], form: Mapping[str, str]) -> bool:
        given = (form.get("client_id"), form.get("client_secret"))
        named = {name.lower(): value for name, value in headers.items()}
        if (basic := named.get("authorization", "")).lower().startswith("basic "):
            given = tuple(base64.b64decode(basic[6:]).decode().split(":", 1))  # type: ignore[assignment]
        return given == (CLIENT, SECRET) or "client_assertion" in form

    def _for_code(self, form: Mapping[str, str]) -> Reply:
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or asked.get("redirect_uri") != form.get("redirect_uri"):
            return _refused(400, "invalid_grant")
        if challenge := asked.get("code_challenge"):
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
                return _refused(400, "invalid_grant")
        return self._given(with_refresh=True)

    def _for_refresh(self, given: str) -> Reply:
        if given in self.spent:
            self.revoke()
        if given not in self.refresh:
            return _refused(400, "invalid_grant")
        self.refreshed += 1
        if self.rotates:
            self.refresh.discard(given)
            self.spent.add(given)
        return self._given(with_refresh=self.rotates)

    def _given(self, *, with_refresh: bool) -> Reply:
        made = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer"}
        self.access.add(made["access_token"])
        if with_refresh:
            made["refresh_token"] = secrets.token_urlsafe(24)
            self.refresh.add(made["refresh_token"])
        return Reply(200, json.dumps({**made, "expires_in": self.lifetime}).encode())


def _refused(status: int, code: str) -> Reply:
    return Reply(status, json.dumps({"error": code}).encode())


class TokensInMemory:
    """``oauth.Tokens`` for tests of providers; the application keeps them in the database."""

    def __init__(self, token: Token | None, signer: Signer) -> None:
        self.token, self.signer, self._lock = token, signer, threading.Lock()

    def current(self) -> str:
        with self._lock:
            if self.token is None:
                self.token = self.signer.sign_in()
            elif not self.token.is_good():
                self._renew()
            return self.token.access

    def renewed(self, refused: str) -> str:
        with self._lock:
            if self.token is None:
                raise AuthenticationError("Nobody has connected it yet.")
            if self.token.access == refused:
                self._renew()
            return self.token.access

    def _renew(self) -> None:
        assert self.token is not None
        refresh = self.token.refresh
        self.token = self.signer.refresh(self.token) if refresh else self.signer.sign_in()


def signer_of(provider: type[Provider], settings: Mapping[str, str]) -> Signer:
    """Our app, as the stand-ins know it."""
    return Signer(
        provider.authorization(settings),
        erp=provider.label,
        client_id=settings.get("client_id", CLIENT),
        client_secret=SECRET,
        allow_private=True,
    )


def signed_in(
    provider: type[Provider], settings: Mapping[str, str], token: Token
) -> TokensInMemory:
    """As if somebody had pressed “Connect” a while ago, and had been given this token."""
    return TokensInMemory(token, signer_of(provider, settings))
