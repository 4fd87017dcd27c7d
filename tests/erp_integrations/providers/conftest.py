"""What several tests of providers share. No database: a provider has none."""

from collections.abc import Iterator

import pytest

from tests.fakes.tryton import FakeTryton


@pytest.fixture
def tryton() -> Iterator[FakeTryton]:
    fake = FakeTryton()
    with fake.running():
        yield fake
