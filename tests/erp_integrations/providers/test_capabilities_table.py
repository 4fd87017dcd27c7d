"""The table in the docs is what the providers declare."""

from typing import ClassVar

import pytest
from django.core.management import CommandError, call_command

from erp_integrations.providers import registry
from erp_integrations.providers.capabilities import Capabilities
from erp_integrations.providers.capabilities_table import tables
from erp_integrations.providers.tryton.provider import TrytonProvider


class Abacus(TrytonProvider):
    code: ClassVar[str] = "abacus"
    label: ClassVar[str] = "Abacus"
    capabilities: ClassVar[Capabilities] = Capabilities(
        voids=False, calls_per_minute=60, calls_per_day=5000, time_resolution_seconds=1
    )


def test_the_committed_table_is_up_to_date() -> None:
    call_command("capabilities_table", "--check")


def test_every_provider_has_a_row_in_every_table() -> None:
    text = tables(registry.built_in())
    for provider in registry.built_in():
        assert text.count(f"| {provider.label} |") == 3


def test_what_a_provider_declares_is_what_the_table_says() -> None:
    rows = [line for line in tables([Abacus]).splitlines() if line.startswith("| Abacus")]
    assert rows[0].startswith("| Abacus | read | check, card, electronic | — | ✓")
    assert "60 a minute, 5,000 a day" in rows[2]
    assert "| 1 s |" in rows[2]


def test_a_table_that_is_behind_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    target = "erp_integrations.management.commands.capabilities_table.built_in"
    monkeypatch.setattr(target, lambda: [Abacus])
    with pytest.raises(CommandError, match="not up to date"):
        call_command("capabilities_table", "--check")
