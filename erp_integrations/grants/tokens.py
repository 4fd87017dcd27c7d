"""The tokens of a connection as its provider gets them: from the database, renewed there.

Where a refresh token works once, two workers that use it at the same time lose
the whole grant at several vendors (RFC 9700 §4.14.2). So it is renewed under the
lock of the grant's row: whoever waited finds the new token, and uses that.

*The one network call inside a transaction of this program.* A lease (claim, ask,
write) would need an answer for the worker that dies or pauses in the middle of
it: whoever takes the lease over then sends the same refresh token a second time
while the first request may still be on its way. A row lock ends exactly when
its holder's connection does, so there is no second request while the first one
can still be answered. The price is bounded: one row of one connection that
nobody else writes, at most ten seconds (``standing.LIMITS``; nothing is tried
again), and whoever waits gives up after ``PATIENCE``. ``durable`` makes sure
that no transaction around it can undo the renewal.

*A crash between the vendor's answer and the commit* would lose the new refresh
token. The two are as close together as they can be: nothing happens between
them, and the token is not used before it is stored. A broken database connection
is survived: the token is written over a new one, unless somebody else renewed
meanwhile. If the process itself dies there, the old token is tried the next
time. Vendors that let it live a while longer (Xero: 30 minutes; QuickBooks:
a day) answer that; with the others the grant is lost, and a person reconnects.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

import stamina
from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as database
from django.db.models import F
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from erp_integrations.credentials import EncryptedCredentials
from erp_integrations.grants.standing import asks_a_person, signer_of
from erp_integrations.models import ErpConnection, OAuthAttempt, OAuthGrant
from erp_integrations.providers.errors import AuthenticationError, TransientError
from erp_integrations.providers.oauth import GrantLost, Signer, Token, not_connected
from erp_integrations.providers.registry import provider_class

log = logging.getLogger(__name__)

#: how long a worker waits for another that renews
PATIENCE = "20s"
#: seconds for which a token is used before the database is asked for it again
REMEMBERED = 15.0
#: how often a new token is written before it is given up, after the database went away
WRITES = 4


class StoredTokens:
    """``oauth.Tokens`` of one stored connection; may be used from any thread, by one at a time."""

    def __init__(self, connection: ErpConnection) -> None:
        self._connection = connection
        self._erp = provider_class(connection.provider).label
        self._asks_a_person = asks_a_person(connection.provider, connection.settings)
        self._known: Token | None = None
        self._known_until = 0.0

    def current(self) -> str:
        known = self._known
        if known is not None and known.is_good() and time.monotonic() < self._known_until:
            return known.access
        with _own_database():
            stored = token_of(self._grant())
            if stored is None or not stored.is_good():
                stored = self._replaced(lambda token: token.is_good())
        return self._remembered(stored)

    def renewed(self, refused: str) -> str:
        with _own_database():
            return self._remembered(self._replaced(lambda token: token.access != refused))

    def _remembered(self, token: Token) -> str:
        self._known, self._known_until = token, time.monotonic() + REMEMBERED
        return token.access

    def _grant(self) -> OAuthGrant:
        """The row. Raises ``GrantLost`` where there is none, or none that opens anything."""
        mine = OAuthGrant.objects.filter(connection=self._connection.pk)
        grant = mine.first()
        if grant is None and not self._asks_a_person:
            own = {"company_id": self._connection.company_id}
            grant, _ = OAuthGrant.objects.get_or_create(
                connection_id=self._connection.pk, defaults=own
            )
        if grant is None:
            raise not_connected(self._erp)
        if grant.lost_at:
            raise GrantLost(grant.lost_reason)
        return grant

    # ------------------------------------------------------- under the row's lock
    def _replaced(self, suits: Callable[[Token], bool]) -> Token:
        """The stored token if it suits by now, else a new one, stored before it is returned."""
        row, before = self._grant().pk, 0
        given: Token | None = None
        try:
            with transaction.atomic(durable=True):
                grant = self._locked(row)
                before, stored = grant.renewals, token_of(grant)
                if stored and suits(stored):
                    return stored
                try:
                    given = self._asked_for(stored)
                    store(row, before, given)
                except GrantLost as error:
                    lost = error
                    mark_lost(grant, str(error))
        except (OperationalError, InterfaceError) as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise TransientError(BUSY.format(erp=self._erp)) from error
            if given is None:
                raise
            return self._stored_after_all(row, before, given)
        if given is None:
            raise lost
        return given

    def _locked(self, row: int) -> OAuthGrant:
        with database.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        locked = OAuthGrant.objects.select_for_update().filter(pk=row).first()
        if locked is None:  # somebody disconnected it while we waited
            raise not_connected(self._erp)
        if locked.lost_at:
            raise GrantLost(locked.lost_reason)
        return locked

    def _asked_for(self, stored: Token | None) -> Token:
        signer = signer_of(self._connection)
        try:
            if stored and stored.refresh:
                return signer.refresh(stored)
            if self._asks_a_person:
                raise GrantLost(RAN_OUT.format(erp=self._erp))
            return self._signed_in(signer)
        finally:
            signer.close()

    def _signed_in(self, signer: Signer) -> Token:
        """Without a person: nobody can *reconnect*, so a refusal is about the key."""
        connection = self._connection
        proof = provider_class(connection.provider).sign_in_proof(
            connection.settings, connection.credentials.reveal()
        )
        try:
            return signer.sign_in(**proof)
        except GrantLost as error:
            raise AuthenticationError(
                WRONG_KEY.format(erp=self._erp), detail=error.detail
            ) from None

    def _stored_after_all(self, row: int, before: int, given: Token) -> Token:
        """The database went away while the vendor answered: over new connections, a few times."""
        log.warning("the database went away while %s gave a new token; once more", self._erp)
        for attempt in stamina.retry_context(
            on=(OperationalError, InterfaceError), attempts=WRITES, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                database.close()
                is_newest = store(row, before, given)
        # Else the commit had arrived after all, or somebody has connected anew meanwhile.
        return given if is_newest else token_of(self._grant()) or given


def token_of(grant: OAuthGrant) -> Token | None:
    """What is stored, in clear. Raises ``ConfigurationError`` when no key opens it."""
    stored = grant.token.reveal()
    if not stored or grant.expires_at is None:
        return None
    return Token(stored["access"], grant.expires_at, stored.get("refresh", ""), grant.scope)


def store(row: int, before: int, token: Token) -> bool:
    """Write a token over the one that was number ``before``; False if there is a newer one."""
    values = {"access": token.access, "refresh": token.refresh}
    stored = OAuthGrant.objects.filter(pk=row, renewals=before).update(
        token=EncryptedCredentials.of(values),
        expires_at=token.expires_at,
        scope=token.scope or F("scope"),
        renewed_at=timezone.now(),
        renewals=before + 1,
    )
    return bool(stored)


def mark_lost(grant: OAuthGrant, reason: str) -> None:
    """The right is gone: nothing is left to be used, and the page offers *Reconnect*."""
    grant.token, grant.expires_at = EncryptedCredentials(), None
    grant.lost_at, grant.lost_reason = timezone.now(), reason[:500]
    grant.renewals += 1
    grant.save(update_fields=["token", "expires_at", "lost_at", "lost_reason", "renewals"])


def forget(connection: ErpConnection) -> bool:
    """Delete the tokens and what is on its way to some; False where there were none."""
    OAuthAttempt.objects.filter(connection=connection).delete()
    deleted, _ = OAuthGrant.objects.filter(connection=connection).delete()
    return bool(deleted)


def encrypt_anew(connection: ErpConnection) -> None:
    """Under the newest key; call it in a transaction. Raises ``ConfigurationError``."""
    for grant in OAuthGrant.objects.select_for_update().filter(connection=connection):
        grant.token = grant.token.rotated()
        grant.save(update_fields=["token"])


@contextlib.contextmanager
def _own_database() -> Iterator[None]:
    """Close the database connection after it, if this thread had none before.

    Providers are used in threads that are there for one reading or one question;
    a connection that such a thread opened would stay open as long as the thread.
    """
    had_one = database.connection is not None
    try:
        yield
    finally:
        if not had_one:
            database.close()


WRONG_KEY = "{erp} does not accept the key of the connection. Enter a valid one."
RAN_OUT = (
    "The right to read the books of {erp} ran out, and {erp} gave none that lasts. An "
    "administrator has to press “Reconnect” in the settings of the connection."
)
BUSY = (
    "The sign-in at {erp} is being renewed and takes longer than usual. It will be tried again by "
    "itself."
)
