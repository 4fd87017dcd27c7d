"""What several tests of providers share. No database: a provider has none."""

from collections.abc import Iterator

import pytest

from tests.fakes.odoo import FakeOdoo
from tests.fakes.tryton import FakeTryton


@pytest.fixture
def tryton() -> Iterator[FakeTryton]:
    fake = FakeTryton()
    with fake.running():
        yield fake


@pytest.fixture
def odoo() -> Iterator[FakeOdoo]:
    fake = FakeOdoo()
    with fake.running():
        yield fake


@pytest.fixture(autouse=True)
def _only_acts_that_the_erp_has(request: pytest.FixtureRequest) -> None:
    """Skips a test of the contract for an act of which the ERP's ``lacks`` says why not."""
    if marker := request.node.get_closest_marker("needs"):
        lacks = request.getfixturevalue("erp").lacks
        for act in marker.args:
            if act in lacks:
                pytest.skip(f"{act}: {lacks[act]}.")
