"""OAuth 2 as providers see it: where tokens come from, and somebody who keeps them.

A provider has no database. What it is given is ``Tokens``: an access token that
is good now, and a new one when the ERP refuses it. Whoever keeps them renews
under a lock, so that two workers do not use one refresh token twice (RFC 6749
§6; several vendors take the whole grant away when that happens).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from erp_integrations.providers.capabilities import ConnectionField
from erp_integrations.providers.errors import AuthenticationError, ErpError, ProtocolError

CLIENT_ID = ConnectionField(
    "client_id",
    "Client ID",
    "Of the app that you registered with the vendor for this installation.",
)
CLIENT_SECRET = ConnectionField(
    "client_secret",
    "Client secret",
    "Of the same app. A few vendors give none; leave it empty then.",
    secret=True,
    is_required=False,
)
#: a token that has less than this left is renewed before it is used
SPARE = timedelta(seconds=60)


class Authorization(msgspec.Struct, frozen=True):
    """One vendor's authorization server.

    ``authorize_url`` empty: the program signs in by itself (*client credentials*),
    and no person is asked. ``extra`` goes along to the authorize address,
    ``token_extra`` along with every request for a token.
    """

    token_url: str
    authorize_url: str = ""
    scopes: tuple[str, ...] = ()
    uses_pkce: bool = False
    #: how the program proves itself: in the header (RFC 6749 §2.3.1), or else in the form
    client_in_header: bool = True
    extra: tuple[tuple[str, str], ...] = ()
    token_extra: tuple[tuple[str, str], ...] = ()


class Token(msgspec.Struct, frozen=True):
    """What an authorization server gave. ``refresh`` is empty where nothing is renewed."""

    access: str
    expires_at: datetime
    refresh: str = ""
    scope: str = ""

    def is_good(self) -> bool:
        return self.expires_at - SPARE > datetime.now(UTC)


class GrantLost(AuthenticationError):
    """The right that a person gave is gone; only *Reconnect* brings it back."""


def not_connected(erp: str) -> GrantLost:
    """What is raised as long as nobody has given the right."""
    return GrantLost(
        f"Nobody has connected {erp} yet. An administrator has to press “Connect” in the "
        f"settings of the connection and sign in there."
    )


class Tokens(Protocol):
    """Who keeps the tokens of one connection."""

    def current(self) -> str:
        """An access token that is good for a while. Raises ``GrantLost`` or what HTTP raises."""

    def renewed(self, refused: str) -> str:
        """Another one, because the ERP refused this one. Somebody else may have renewed it."""


class NoTokens:
    """For a provider that is only made to look at its settings, or before anybody connected it."""

    def __init__(self, erp: str) -> None:
        self._erp = erp

    def current(self) -> str:
        raise not_connected(self._erp)

    def renewed(self, refused: str) -> str:
        return self.current()


class Signer:
    """Asks one authorization server for tokens.

    ``allow_private`` as in ``HttpClient``. ``erp`` is what people call the system.
    """

    def __init__(
        self,
        authorization: Authorization,
        *,
        erp: str,
        client_id: str,
        client_secret: str = "",
        allow_private: bool = False,
        **options: Any,
    ) -> None:
        from erp_integrations.providers.http import HttpClient

        self._authorization, self._erp = authorization, erp
        self._client_id, self._client_secret = client_id, client_secret
        self._http = HttpClient(
            authorization.token_url, erp=erp, allow_private=allow_private, **options
        )

    def exchange(self, code: str, *, redirect_uri: str, verifier: str = "") -> Token:
        """A token for the code that the redirect brought (RFC 6749 §4.1.3, RFC 7636)."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._token(form | ({"code_verifier": verifier} if verifier else {}))

    def refresh(self, token: Token) -> Token:
        """A new token; where the vendor keeps the refresh token, so does the answer."""
        form = {"grant_type": "refresh_token", "refresh_token": token.refresh}
        made = self._token(form)
        return made if made.refresh else msgspec.structs.replace(made, refresh=token.refresh)

    def sign_in(self, **proof: str) -> Token:
        """A token without a person; ``proof``: what the vendor wants besides (a signed JWT …)."""
        scopes = (
            {"scope": " ".join(self._authorization.scopes)} if self._authorization.scopes else {}
        )
        return self._token({"grant_type": "client_credentials", **scopes, **proof})

    def close(self) -> None:
        self._http.close()

    def _token(self, form: dict[str, str]) -> Token:
        form |= dict(self._authorization.token_extra)
        headers: dict[str, str] = {}
        if self._authorization.client_in_header and self._client_secret:
            from urllib3.util import make_headers

            proof = make_headers(basic_auth=f"{self._client_id}:{self._client_secret}")
            headers = {"Authorization": proof["authorization"]}
        else:
            form["client_id"] = self._client_id
            if self._client_secret:
                form["client_secret"] = self._client_secret
        answer = self._http.send_form(form, headers=headers, classify=self._refusal)
        try:
            given: Mapping[str, Any] = answer.json()
            lifetime = timedelta(seconds=int(given.get("expires_in", 3600)))
            return Token(
                access=str(given["access_token"]),
                expires_at=datetime.now(UTC) + lifetime,
                refresh=str(given.get("refresh_token") or ""),
                scope=str(given.get("scope") or ""),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProtocolError(
                f"{self._http.name} answered the sign-in with something that is no token."
            ) from error

    def _refusal(self, answer: Any) -> ErpError | None:
        """RFC 6749 §5.2. The answer may hold the request's secrets, so none of it is kept."""
        if answer.status not in {400, 401, 403}:
            return None
        try:
            code = str(answer.json().get("error", ""))
        except (ValueError, AttributeError):
            code = ""
        if code == "invalid_grant":
            return GrantLost(
                f"{self._erp} has taken back the right to read its books, or it ran out. An "
                f"administrator has to press “Reconnect” in the settings of the connection.",
                detail=code,
            )
        return AuthenticationError(
            f"{self._erp} does not accept the client ID and secret of the connection.",
            detail=f"status {answer.status}: {code}",
        )
