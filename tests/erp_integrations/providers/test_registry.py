"""Which ERPs there are, and that one more needs no change here."""

from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from erp_integrations.providers import registry
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.tryton.provider import TrytonProvider


class Abacus(TrytonProvider):
    code: ClassVar[str] = "abacus"
    label: ClassVar[str] = "Abacus"


def test_it_knows_the_built_in_providers() -> None:
    assert registry.provider_class("tryton") is TrytonProvider
    assert ("tryton", "Tryton") in registry.provider_choices()


def test_every_folder_with_a_provider_is_one() -> None:
    for module in registry.FOLDER.glob("*/provider.py"):
        found = registry._class_in(module)
        assert registry.provider_class(found.code) is found
        assert (module.parent / "README.md").is_file()


def test_it_says_what_there_is_instead_of_an_unknown_one() -> None:
    assert registry.find_provider("nope") is None
    with pytest.raises(ConfigurationError, match="It can connect to: .*Tryton"):
        registry.provider_class("nope")


def test_a_provider_can_be_lent_for_a_while() -> None:
    with registry.registered(Abacus):
        assert registry.find_provider("abacus") is Abacus
        assert ("abacus", "Abacus") in registry.provider_choices()
    assert registry.find_provider("abacus") is None


def test_another_package_can_bring_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("abacus", f"{__name__}:Abacus", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    registry._installed.cache_clear()
    try:
        assert registry.find_provider("abacus") is not None
    finally:
        registry._installed.cache_clear()
