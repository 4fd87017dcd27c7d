"""Workers of two tests at once would take each other's messages, and wipe each other's broker."""

from collections.abc import Iterator

import pytest

from tests.live_tryton import alone


@pytest.fixture(autouse=True)
def broker_alone() -> Iterator[None]:
    with alone("broker"):
        yield
