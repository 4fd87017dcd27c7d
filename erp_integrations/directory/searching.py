"""Asks the ERP while somebody waits: with the words they typed, and for seconds only."""

import logging
from itertools import islice

from erp_integrations.directory import staging
from erp_integrations.directory.rights import NOT_LISTED, listed_kinds, obstacles_to_asking
from erp_integrations.models import DirectoryKind, ErpConnection, StagedRecord
from erp_integrations.opening import open_provider
from erp_integrations.providers.errors import ErpError, TransientError

log = logging.getLogger(__name__)

#: more than this nobody reads; another word narrows it
MOST = 20
NOT_NOW = "{name} did not answer within a few seconds. Search again in a moment."


class SearchFailed(Exception):
    """Why the ERP could not be asked, as a sentence."""


def search_erp(
    connection: ErpConnection | None, kind: DirectoryKind, words: str
) -> tuple[list[StagedRecord], bool]:
    """What the ERP has for these words, and whether there is more than that.

    The records are staged, so that the page can name them by our own ids.
    Call outside of a transaction. Raises ``SearchFailed``.
    """
    if obstacles := obstacles_to_asking(connection):
        raise SearchFailed(obstacles[0].sentence)
    assert connection is not None  # noqa: S101  that would have been an obstacle
    if kind not in listed_kinds(connection):
        label = kind.label.lower()
        raise SearchFailed(NOT_LISTED.format(name=connection.name, kind=label))
    try:
        with open_provider(connection) as provider:
            provider.hurry()
            found = list(islice(getattr(provider, kind.value)(words), MOST + 1))
    except TransientError as error:
        log.warning("search in connection %s: %s %s", connection.pk, error, error.detail)
        raise SearchFailed(NOT_NOW.format(name=connection.name)) from error
    except ErpError as error:
        log.warning("search in connection %s: %s %s", connection.pk, error, error.detail)
        raise SearchFailed(str(error)) from error
    staged = staging.stage(connection=connection, kind=kind, records=found[:MOST])
    return staged, len(found) > MOST
