"""An ERP, or a program beside it, that sends its payments to us; nothing is ever asked of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from erp_integrations.providers.contract import (
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    Provider,
    RemoteBill,
    RemotePayment,
)
from erp_integrations.providers.errors import ConfigurationError, NotOffered

KEY = "push_key"
SHORTEST_KEY = 24


class PushProvider(Provider):
    """Holds the key with which the sender signs in. See ``erp_integrations.push``."""

    code: ClassVar[str] = "push"
    label: ClassVar[str] = "Push API"
    needs: ClassVar[str] = "Needs: a program that sends them, with a key that you choose."
    capabilities: ClassVar[Capabilities] = Capabilities(
        payment_sync=False, is_pushed=True, several_bills=False, sweep=False, page_size=1000
    )
    fields: ClassVar[Sequence[ConnectionField]] = (
        ConnectionField(
            KEY,
            "Key of the sender",
            "What the sending program shows with every call: at least 24 characters that nobody "
            "can guess, for example the output of “openssl rand -hex 24”.",
            secret=True,
        ),
    )

    def __init__(
        self,
        settings: Mapping[str, str],
        credentials: Mapping[str, str],
        *,
        allow_private_addresses: bool = False,
        **options: Any,
    ) -> None:
        if len(credentials.get(KEY, "").strip()) < SHORTEST_KEY:
            raise ConfigurationError(
                f"The key of the sender is too short. Choose one of at least {SHORTEST_KEY} "
                f"characters that nobody can guess."
            )

    def check(self) -> str:
        return (
            "Push API: waiting for the sender. Nothing was asked, because this connection is only "
            "ever told; the guide names the address that the sender calls."
        )

    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        self._nothing_to_ask()

    def payment(self, remote_id: str) -> RemotePayment:
        self._nothing_to_ask()

    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        self._nothing_to_ask()

    def close(self) -> None:
        """There is nothing to give back."""

    def _nothing_to_ask(self) -> NoReturn:
        raise NotOffered(self.label, "its books: they are sent to us")
