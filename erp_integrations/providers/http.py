"""The one HTTP client of all providers: one connection per run, every wait bounded.

What goes wrong is raised as one of ``errors``; its text is a sentence for an
accountant, its ``detail`` is for the log. Headers are never part of either.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
import stamina
import urllib3
from urllib3 import exceptions as wire

from erp_integrations.providers.addresses import address_of
from erp_integrations.providers.connections import (
    PrivateAddressError,
    UnknownHostError,
    Watch,
    make_pool,
)
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    ProtocolError,
    RateLimited,
    TransientError,
)
from erp_integrations.providers.exchanges import DETAIL, HURRIED
from erp_integrations.providers.exchanges import Answer as Answer
from erp_integrations.providers.exchanges import Limits as Limits
from erp_integrations.providers.exchanges import RetryPolicy as RetryPolicy
from erp_integrations.providers.http_headers import http_date, seconds_to_wait
from erp_integrations.providers.oauth import Tokens
from erp_integrations.providers.pace import Pace
from erp_integrations.providers.tls import tls_reason

logger = logging.getLogger(__name__)

Query = Sequence[tuple[str, str]]
CHUNK = 65536
AGAIN = "It will be tried again by itself."


#: Looks at an answer that is not a success first; None leaves it to the client.
Classifier = Callable[[Answer], ErpError | None]


def _unclassified(answer: Answer) -> ErpError | None:
    return None


class HttpClient:
    """Requests to one server: questions, which may be asked twice, and writes, which may not.

    ``base_url`` is what an administrator typed; a wrong one is a
    ``ConfigurationError``. ``erp`` is what people call the system, for messages.
    """

    def __init__(
        self,
        base_url: str,
        *,
        erp: str,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
        limits: Limits | None = None,
        retries: RetryPolicy | None = None,
        tokens: Tokens | None = None,
        pace: Pace | None = None,
    ) -> None:
        """``tokens``: every request carries one, and a refused one is renewed once."""
        self._tokens, self._pace = tokens, pace
        self._limits = limits or Limits()
        self._retries = retries or RetryPolicy()
        self._watch = Watch()
        parts = address_of(base_url, erp)
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})}
        self.name = f"{erp} at {parts.hostname}"
        #: requests sent so far, the repeated ones included
        self.calls = 0
        self._pool = make_pool(
            (parts.scheme, parts.hostname, parts.port),
            timeout=urllib3.Timeout(
                connect=self._limits.connect_seconds, read=self._limits.read_seconds
            ),
            allow_private=allow_private,
            watch=self._watch,
        )

    def get(
        self,
        path: str,
        query: Query = (),
        *,
        classify: Classifier = _unclassified,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One answer with a 2xx or 4xx status that no error class stands for.

        ``classify`` may know better what an answer that is no success means.
        Transient failures are retried within the policy, then raised. Raises
        ``TransientError``, ``RateLimited``, ``AuthenticationError``,
        ``ConfigurationError`` or ``ProtocolError``.
        """
        return self._until_answered("GET", self._target(path, query), None, headers, classify)

    def ask(
        self,
        path: str,
        body: Any,
        query: Query = (),
        *,
        classify: Classifier = _unclassified,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A question that is sent as POST, with ``body`` as JSON (bytes: as they are).

        It changes nothing, so it is retried, and means and raises what ``get`` does.
        """
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        target = self._target(path, query)
        return self._until_answered("POST", target, content, headers, classify)

    def _target(self, path: str, query: Query = ()) -> str:
        return f"{self._prefix}{path}" + (f"?{urlencode(query)}" if query else "")

    def _until_answered(
        self,
        method: str,
        target: str,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        classify: Classifier,
    ) -> Answer:
        policy = self._retries
        started = time.monotonic()

        def worth_retrying(error: Exception) -> bool | float:
            if not isinstance(error, TransientError):
                return False
            wait = error.retry_after or 0.0
            left = policy.budget_seconds - (time.monotonic() - started)
            if wait > min(policy.longest_retry_after, left):
                return False
            return wait or True

        for attempt in stamina.retry_context(
            on=worth_retrying,
            attempts=policy.attempts,
            timeout=policy.budget_seconds,
            wait_initial=policy.wait_initial,
            wait_max=policy.wait_max,
            wait_jitter=policy.wait_jitter,
        ):
            with attempt:
                answer = self._authorized(method, target, content, headers)
                return self._checked(answer, classify)
        raise AssertionError("stamina either returns or raises")

    def send(
        self,
        method: Literal["POST", "PUT", "PATCH", "DELETE"],
        path: str,
        body: Any = None,
        *,
        classify: Classifier = _unclassified,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A write, sent once, with ``body`` as JSON (None: without one).

        It is never repeated here. After a ``TransientError`` the server may
        have done it or not, and only the caller knows how to look. Answers and
        raises what ``get`` does.
        """
        content = None if body is None else msgspec.json.encode(body)
        kind = {"Content-Type": "application/json"} if content else {}
        target, headers = f"{self._prefix}{path}", {**kind, **(headers or {})}
        answer = self._authorized(method, target, content, headers)
        return self._checked(answer, classify)

    def send_form(
        self,
        form: Mapping[str, str],
        *,
        headers: Mapping[str, str],
        classify: Classifier = _unclassified,
    ) -> Answer:
        """A form to the address itself, once: how authorization servers are asked."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        content = urlencode(form).encode()
        return self._checked(self._exchange("POST", self._prefix, content, headers), classify)

    def get_json(
        self,
        path: str,
        query: Query = (),
        *,
        classify: Classifier = _unclassified,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The same, for an answer that must be JSON and a success.

        Raises ``ProtocolError`` for anything else.
        """
        answer = self.get(path, query, classify=classify, headers=headers)
        return require_json(answer, self.name)

    def hurry(self) -> None:
        """Short waits from here on, and nothing is tried again."""
        given = self._limits
        self._limits = Limits(
            connect_seconds=min(HURRIED.connect_seconds, given.connect_seconds),
            read_seconds=min(HURRIED.read_seconds, given.read_seconds),
            total_seconds=min(HURRIED.total_seconds, given.total_seconds),
            max_bytes=given.max_bytes,
        )
        self._retries = RetryPolicy(attempts=1)
        self._pool.timeout = urllib3.Timeout(
            connect=self._limits.connect_seconds, read=self._limits.read_seconds
        )

    def close(self) -> None:
        self._pool.close()

    # ------------------------------------------------------------ one exchange
    def _authorized(
        self,
        method: str,
        target: str,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        """One exchange; with a new token once more if the ERP refused the one it was sent with.

        A refused token means that nothing was done, so this is right for writes too.
        """
        if self._tokens is None:
            return self._exchange(method, target, content, headers)
        token = self._tokens.current()
        answer = self._exchange(method, target, content, {**(headers or {}), **_bearer(token)})
        if answer.status != 401:
            return answer
        token = self._tokens.renewed(token)
        return self._exchange(method, target, content, {**(headers or {}), **_bearer(token)})

    def _exchange(
        self,
        method: str,
        target: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        if self._pace:
            self._pace.wait()
        self.calls += 1
        with self._named_errors(), self._watch.limit(self._limits.total_seconds):
            response = self._pool.request(
                method,
                target,
                body=content,
                headers={**self._headers, **(headers or {})},
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                body = self._read(response)
            except BaseException:
                response.close()
                raise
            response.release_conn()
        answer = Answer(
            status=response.status,
            content_type=response.headers.get("Content-Type", "").lower(),
            body=body,
            server_time=http_date(response.headers.get("Date")) or datetime.now(UTC),
            retry_after=seconds_to_wait(response.headers.get("Retry-After")),
            headers={name.lower(): value for name, value in response.headers.items()},
        )
        if self._pace:
            self._pace.heard(answer.headers)
        return answer

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        body = bytearray()
        while chunk := response.read(CHUNK):
            body += chunk
            if len(body) > self._limits.max_bytes:
                raise ProtocolError(
                    f"{self.name} sent more than {self._limits.max_bytes // 1_000_000} MB in one "
                    f"answer. That is not what was asked for, so nothing of it was used."
                )
        if self._watch.expired:
            # The cut looks like the end of an answer that does not say its length.
            raise wire.ReadTimeoutError(self._pool, "", "too slow")
        return bytes(body)

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except ErpError:
            raise
        except (wire.HTTPError, OSError, UnknownHostError, PrivateAddressError) as error:
            raise self._named(error) from error

    def _named(self, error: Exception) -> ErpError:
        """The error that people and the retry rule understand; closed by default."""
        detail = f"{type(error).__name__}: {error}"[:DETAIL]
        if self._watch.expired or isinstance(error, wire.ReadTimeoutError):
            limits = self._limits
            seconds = limits.total_seconds if self._watch.expired else limits.read_seconds
            return TransientError(
                f"{self.name} did not answer within {seconds:g} seconds. {AGAIN}", detail=detail
            )
        if isinstance(error, PrivateAddressError):
            return ConfigurationError(
                f"{self.name} has an address inside a private network, and this server is not "
                f"allowed to connect there. Whoever runs it can allow it.",
                detail=detail,
            )
        if isinstance(error, UnknownHostError):
            return ConfigurationError(
                f"There is no host of that name: {self.name}. Check the address.", detail=detail
            )
        if isinstance(error, wire.SSLError) and (reason := tls_reason(error)):
            return ConfigurationError(f"{self.name} {reason}", detail=detail)
        return TransientError(
            f"{self.name} could not be reached, or the connection broke. {AGAIN}", detail=detail
        )

    # ------------------------------------------------------------- the statuses
    def _checked(self, answer: Answer, classify: Classifier) -> Answer:
        logger.debug("%s answered %s, %s bytes", self.name, answer.status, len(answer.body))
        if answer.status < 300:
            return answer
        error = classify(answer) or self._error_for(answer)
        if error is not None:
            raise error
        return answer

    def _error_for(self, answer: Answer) -> ErpError | None:
        status, detail = answer.status, f"status {answer.status}: {answer.text}"
        if status < 400:
            return ConfigurationError(
                f"{self.name} says that it has moved to another address. "
                f"Enter the new address in the connection's settings.",
                detail=detail,
            )
        if status in {401, 403}:
            return AuthenticationError(
                f"{self.name} does not accept the key of the connection. Enter a valid one.",
                detail=detail,
            )
        if status == 429:
            return RateLimited(
                f"{self.name} asks us to slow down. {AGAIN}",
                detail=detail,
                retry_after=answer.retry_after,
            )
        if status >= 500 or status == 408:
            return TransientError(
                f"{self.name} has a problem of its own (status {status}). {AGAIN}",
                detail=detail,
                retry_after=answer.retry_after,
            )
        return None


def require_json(answer: Answer, name: str) -> Answer:
    """The answer, if it is JSON and a success. Raises ``ProtocolError``."""
    if answer.status >= 300:
        raise ProtocolError(
            f"{name} refused the question of the sync (status {answer.status}).",
            detail=answer.text,
        )
    if not answer.is_json:
        raise ProtocolError(
            f"{name} answered with a page for people instead of data. "
            f"Is the address of the connection right?",
            detail=answer.text,
        )
    return answer


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
