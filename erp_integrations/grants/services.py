"""What people do about the right to read an ERP: give it, choose the books, take it back."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from copy import copy
from datetime import timedelta
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from erp_integrations import connections
from erp_integrations.connection_history import record
from erp_integrations.credentials import EncryptedCredentials
from erp_integrations.grants import tokens
from erp_integrations.grants.standing import authorization_of, signer_of
from erp_integrations.models import ErpConnection, OAuthAttempt, OAuthGrant
from erp_integrations.opening import open_to_choose
from erp_integrations.providers.contract import Tenant
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.oauth import GrantLost, Token
from erp_integrations.providers.registry import provider_class
from projects.models import User

#: how long somebody may take at the vendor's page
ATTEMPT_MINUTES = 10
#: how long attempts are kept, so that a late return can be told from a forged one
KEPT = timedelta(days=1)
SIGN_IN = "Sign-in at the ERP"


class Unusable(ValidationError):
    """Why an attempt cannot be ended, for the person who came back."""


# -------------------------------------------------------------- there and back again
def begin(*, connection: ErpConnection, by: User, session_key: str, redirect_uri: str) -> str:
    """The vendor's address to which the person has to go, good once. Raises ``ErpError``."""
    authorization = authorization_of(connection.provider, connection.settings)
    if not authorization.authorize_url:
        raise ConfigurationError(f"{connection.name} signs in by itself.")
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    now = timezone.now()
    OAuthAttempt.objects.filter(expires_at__lt=now - KEPT).delete()
    OAuthAttempt.objects.create(
        company_id=connection.company_id,
        connection=connection,
        person=by,
        state_digest=_digest(state),
        session_digest=_digest(session_key),
        proof=EncryptedCredentials.of({"verifier": verifier} if authorization.uses_pkce else {}),
        redirect_uri=redirect_uri,
        expires_at=now + timedelta(minutes=ATTEMPT_MINUTES),
    )
    asked = {
        "response_type": "code",
        "client_id": connection.settings.get("client_id", ""),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if authorization.scopes:
        asked["scope"] = " ".join(authorization.scopes)
    if authorization.uses_pkce:
        asked |= {"code_challenge": _challenge(verifier), "code_challenge_method": "S256"}
    return f"{authorization.authorize_url}?{urlencode(asked | dict(authorization.extra))}"


def take_up(*, state: str, by: User, session_key: str) -> OAuthAttempt:
    """The attempt that this state belongs to, which is used up by that. Raises ``Unusable``."""
    mine = OAuthAttempt.objects.filter(
        state_digest=_digest(state), person=by, session_digest=_digest(session_key)
    )
    now = timezone.now()
    taken = mine.filter(used_at=None, expires_at__gt=now).update(used_at=now)
    attempt = mine.select_related("connection__company").first()
    if attempt is None:
        raise Unusable(FOREIGN)
    if not taken:
        raise Unusable(USED if attempt.used_at else LATE)
    return attempt


def complete(
    *, attempt: OAuthAttempt, by: User, code: str, answer: Mapping[str, str]
) -> ErpConnection:
    """Store the right that the person gave. Asks the vendor; call it outside a transaction.

    ``answer``: what the vendor's redirect carried besides. Raises ``ErpError``
    or ``ValidationError``; then everything stays as it was.
    """
    connection = copy(attempt.connection)
    made = provider_class(connection.provider)
    connection.settings = connection.settings | made.settings_of_grant(answer)
    _refuse_other_books(connection)
    token = _exchanged(attempt, code)
    tenant = _tenant_for(connection, token)
    if tenant:
        connection.settings = connection.settings | {made.tenant_setting: tenant.remote_id}
        _refuse_other_books(connection)
    return _adopt(connection, token, tenant, by)


def _exchanged(attempt: OAuthAttempt, code: str) -> Token:
    signer = signer_of(attempt.connection)
    verifier = attempt.proof.reveal().get("verifier", "")
    try:
        return signer.exchange(code, redirect_uri=attempt.redirect_uri, verifier=verifier)
    except GrantLost as error:
        raise ConfigurationError(CODE_REFUSED, detail=error.detail) from None
    finally:
        signer.close()


class _OneToken:
    """``oauth.Tokens`` for a moment: what was just given, before it is stored."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def current(self) -> str:
        return self._token.access

    def renewed(self, refused: str) -> str:
        raise ConfigurationError(REFUSED_AT_ONCE)


def _tenant_for(connection: ErpConnection, token: Token) -> Tenant | None:
    """The company whose books are read: the one there is, or the one that was read before.

    None: there is nothing to choose, or somebody has to.
    """
    made = provider_class(connection.provider)
    if not made.tenant_setting:
        return None
    with open_to_choose(connection, _OneToken(token)) as provider:
        provider.hurry()
        offered = provider.tenants()
    if not offered:
        raise ConfigurationError(NO_COMPANIES.format(erp=made.label))
    before = connection.settings.get(made.tenant_setting)
    again = next((each for each in offered if each.remote_id == before), None)
    if before and not again and connection.payments.exists():
        raise ValidationError(connections.OTHER_BOOKS.format(name=connection.name))
    return again or (offered[0] if len(offered) == 1 else None)


def _refuse_other_books(connection: ErpConnection) -> None:
    connections.check_change(
        connection=ErpConnection.objects.get(pk=connection.pk),
        provider=connection.provider,
        settings=connection.settings,
        credentials={},
    )


@transaction.atomic
def _adopt(
    connection: ErpConnection, token: Token, tenant: Tenant | None, by: User
) -> ErpConnection:
    before = OAuthGrant.objects.select_for_update().filter(connection=connection).first()
    grant = before or OAuthGrant(connection=connection, company_id=connection.company_id)
    grant.token = EncryptedCredentials.of({"access": token.access, "refresh": token.refresh})
    grant.expires_at, grant.scope = token.expires_at, token.scope
    was_read, grant.tenant_name = grant.tenant_name, tenant.name[:200] if tenant else ""
    grant.granted_by, grant.granted_at, grant.renewed_at = by, timezone.now(), None
    grant.lost_at, grant.lost_reason = None, ""
    grant.renewals += 1
    grant.save()
    stored = _with_settings(connection, by)
    record(stored, SIGN_IN, *(("Connected", "Reconnected") if before else ("", "Connected")), by)
    if grant.tenant_name:
        _record_company(stored, was_read, grant.tenant_name, by)
    return connections.give_new_chance(connection=stored)


def _with_settings(connection: ErpConnection, by: User) -> ErpConnection:
    return connections.change_connection(
        connection=connection,
        by=by,
        provider=connection.provider,
        name=connection.name,
        settings=connection.settings,
        credentials={},
    )


def _record_company(connection: ErpConnection, old: str, new: str, by: User) -> None:
    if old != new:
        label = provider_class(connection.provider).label
        record(connection, f"Company in {label}", old, new, by)


# --------------------------------------------------------------------- afterwards
@transaction.atomic
def choose_tenant(*, connection: ErpConnection, by: User, tenant: Tenant) -> ErpConnection:
    """Read the books of this one of the ERP's companies. Raises ``ValidationError``."""
    setting = provider_class(connection.provider).tenant_setting
    chosen = copy(connection)
    chosen.settings = connection.settings | {setting: tenant.remote_id}
    was_read = connection.settings.get(setting, "")
    stored = _with_settings(chosen, by)
    if grant := OAuthGrant.objects.filter(connection=stored).first():
        was_read, grant.tenant_name = grant.tenant_name, tenant.name[:200]
        grant.save(update_fields=["tenant_name"])
    _record_company(stored, was_read, tenant.name, by)
    return connections.give_new_chance(connection=stored)


@transaction.atomic
def disconnect(*, connection: ErpConnection, by: User) -> ErpConnection:
    """Forget the tokens. What was read stays; nothing is read until somebody connects again."""
    if tokens.forget(connection):
        record(connection, SIGN_IN, "Connected", "Disconnected", by)
    return connections.give_new_chance(connection=connection)


def _digest(secret: str) -> str:
    return salted_hmac("erp_integrations.grants", secret, algorithm="sha256").hexdigest()


def _challenge(verifier: str) -> str:
    """RFC 7636 §4.2, method S256."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


FOREIGN = (
    "This sign-in was not started by you in this browser, so it was not used. Press “Connect” in "
    "the settings of the connection and sign in again."
)
USED = "This sign-in was used already. If the connection does not work, connect it again."
LATE = (
    f"More than {ATTEMPT_MINUTES} minutes passed since this sign-in was started, so it was not "
    "used. Connect again."
)
CODE_REFUSED = (
    "The ERP did not accept the sign-in that it had sent back itself. Connect again; if that does "
    "not help, check the client ID and the redirect address of the app at the vendor."
)
REFUSED_AT_ONCE = "The ERP refuses the token that it has just given. Connect again later."
NO_COMPANIES = (
    "Whoever signed in at {erp} can open no company there. Sign in as somebody who can see the "
    "supplier payments of the company."
)
