"""One question to the ERP while a person waits for the page: answered soon, or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import AbstractContextManager
from typing import TypeVar

from erp_integrations.models import ErpConnection
from erp_integrations.opening import open_provider, open_to_choose
from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import TransientError

#: nobody looks at an empty page for longer
PATIENCE_SECONDS = 20

Answer = TypeVar("Answer")


def ask(connection: ErpConnection, question: Callable[[Provider], Answer]) -> Answer:
    """What the ERP says. Raises ``ErpError``; call it outside a transaction.

    A provider tries again for minutes when the ERP is away, which is right for
    a run and not for a page: it goes on in its thread, and nobody listens.
    """

    return _asked_in_a_thread(open_provider, connection, question)


def ask_to_choose(connection: ErpConnection, question: Callable[[Provider], Answer]) -> Answer:
    """The same where nobody has chosen yet which of the ERP's companies is read."""
    return _asked_in_a_thread(open_to_choose, connection, question)


def _asked_in_a_thread(
    opened: Callable[[ErpConnection], AbstractContextManager[Provider]],
    connection: ErpConnection,
    question: Callable[[Provider], Answer],
) -> Answer:
    def asked() -> Answer:
        with opened(connection) as provider:
            return question(provider)

    thread = ThreadPoolExecutor(1, thread_name_prefix="erp-question")
    try:
        return thread.submit(asked).result(timeout=PATIENCE_SECONDS)
    except NotYet:
        raise TransientError(
            f"{connection.name} did not answer within {PATIENCE_SECONDS} seconds."
        ) from None
    finally:
        thread.shutdown(wait=False)
