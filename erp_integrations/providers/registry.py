"""Which ERPs there are. A new one is a package with an entry point; no file here changes.

A package outside this project names its class in the entry point group
``procore_sync.providers``; the built-in ones are listed below by address, so
that importing this module imports none of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import ConfigurationError

GROUP = "procore_sync.providers"
BUILT_IN = ("erp_integrations.providers.tryton.provider:TrytonProvider",)

_extra: dict[str, type[Provider]] = {}


def find_provider(code: str) -> type[Provider] | None:
    """The class for a connection's ``provider`` code, or None."""
    return _extra.get(code) or _installed().get(code)


def provider_class(code: str) -> type[Provider]:
    """The class for a connection's code. Raises ``ConfigurationError`` for an unknown one."""
    found = find_provider(code)
    if found is None:
        known = ", ".join(label for _, label in provider_choices())
        raise ConfigurationError(
            f"There is no provider “{code}” in this installation. It can connect to: {known}."
        )
    return found


def provider_choices() -> list[tuple[str, str]]:
    """(code, label) of every ERP, for a form."""
    classes = {**_installed(), **_extra}
    return sorted(((code, each.label) for code, each in classes.items()), key=lambda it: it[1])


@contextmanager
def registered(provider: type[Provider]) -> Iterator[None]:
    """One provider more, for a test or a benchmark."""
    before = dict(_extra)
    _extra[provider.code] = provider
    try:
        yield
    finally:
        _extra.clear()
        _extra.update(before)


@cache
def _installed() -> dict[str, type[Provider]]:
    classes = [_load(address) for address in BUILT_IN]
    classes += [point.load() for point in entry_points(group=GROUP)]
    return {each.code: each for each in classes}


def _load(address: str) -> type[Provider]:
    module, _, name = address.partition(":")
    loaded: type[Provider] = getattr(import_module(module), name)
    return loaded
