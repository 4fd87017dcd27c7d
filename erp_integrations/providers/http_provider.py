"""What all providers of ERPs that are asked over HTTP have in common.

A provider's client is an ``ErpClient`` with that ERP's questions; the provider
is an ``HttpProvider`` that says how the client is made from what was entered.
"""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

import msgspec

from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import ProtocolError
from erp_integrations.providers.exchanges import DETAIL, Answer
from erp_integrations.providers.http import HttpClient, Limits, RetryPolicy
from erp_integrations.providers.oauth import NoTokens, Tokens
from erp_integrations.providers.pace import Pace

Form = TypeVar("Form")


class Transport(msgspec.Struct, frozen=True):
    """How an ERP is reached: with whose tokens, how patiently, and whether it may be next door."""

    allow_private: bool = False
    #: None: the ERP takes no tokens, but a key that its client sends
    tokens: Tokens | None = None
    limits: Limits | None = None
    retries: RetryPolicy | None = None


class ErpClient:
    """One ERP's API over one connection; subclasses add what it can be asked."""

    #: what people call the system, for messages
    erp: ClassVar[str]

    def __init__(
        self,
        transport: Transport,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Raises ``ConfigurationError`` for an address that cannot be one."""
        self._http = HttpClient(
            url,
            erp=self.erp,
            headers=headers,
            allow_private=transport.allow_private,
            limits=transport.limits,
            retries=transport.retries,
            tokens=transport.tokens,
            pace=pace,
        )
        #: the system and its host, for messages
        self.name = self._http.name

    @property
    def calls(self) -> int:
        return self._http.calls

    def hurry(self) -> None:
        self._http.hurry()

    def close(self) -> None:
        self._http.close()

    def _decoded(self, content: bytes | msgspec.Raw, form: type[Form]) -> Form:
        """JSON of this form. Raises ``ProtocolError`` for anything else."""
        try:
            return msgspec.json.decode(content, type=form)
        except (ValueError, RecursionError) as error:
            raise self._unusable(content, str(error)) from error

    def _require_done(self, answer: Answer) -> None:
        """For a write whose answer nothing else is read of. Raises ``ProtocolError``."""
        if answer.status >= 300:
            raise ProtocolError(
                f"{self.name} did not do what it was asked (status {answer.status}).",
                detail=answer.text,
            )

    def _unusable(self, content: bytes | msgspec.Raw, why: str) -> ProtocolError:
        return ProtocolError(
            f"{self.name} sent an answer that is cut off or not what was asked for, so nothing of "
            f"it was used.",
            detail=f"{why}: {bytes(content)[:DETAIL].decode(errors='replace')}",
        )


ClientT = TypeVar("ClientT", bound=ErpClient)


class HttpProvider(Provider, Generic[ClientT]):
    """A provider with a client, a size of pages and an overlap."""

    _client: ClientT

    def __init__(
        self,
        settings: Mapping[str, str],
        credentials: Mapping[str, str],
        *,
        allow_private_addresses: bool = False,
        tokens: Tokens | None = None,
        page_size: int | None = None,
        overlap_seconds: int | None = None,
        limits: Limits | None = None,
        retries: RetryPolicy | None = None,
    ) -> None:
        """See the contract. Tests and the benchmark give what comes after ``tokens``."""
        if self.uses_oauth and tokens is None:
            tokens = NoTokens(self.label)
        self._page_size = page_size or self.capabilities.page_size
        overlap = self.capabilities.overlap_seconds if overlap_seconds is None else overlap_seconds
        self._overlap = timedelta(seconds=overlap)
        transport = Transport(allow_private_addresses, tokens, limits, retries)
        self._client = self._connect(settings, credentials, transport)

    @abstractmethod
    def _connect(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], transport: Transport
    ) -> ClientT:
        """The client, and whatever else the provider keeps of the settings.

        No request is sent. Raises ``ConfigurationError`` as ``__init__`` does.
        """

    @classmethod
    def _required(cls, values: Mapping[str, str], name: str) -> str:
        """What was entered for one of ``fields``. Raises ``ConfigurationError``."""
        field = next(each for each in cls.fields if each.name == name)
        return field.required(values, cls.label)

    @staticmethod
    def _entered(values: Mapping[str, str], name: str) -> str:
        """What was entered for one of ``fields``; empty where nothing was."""
        return (values.get(name) or "").strip()

    @property
    def calls(self) -> int:
        return self._client.calls

    def hurry(self) -> None:
        self._client.hurry()

    def close(self) -> None:
        self._client.close()
