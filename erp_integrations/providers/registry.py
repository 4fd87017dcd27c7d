"""Which ERPs there are. A new one is a package with an entry point; no file here changes.

A folder beside this file with a ``provider.py`` in it is one: its class is the
``Provider`` with a ``code`` that this module defines. A package outside this
project names its class in the entry point group ``procore_sync.providers``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from erp_integrations.providers.contract import Provider
from erp_integrations.providers.errors import ConfigurationError

GROUP = "procore_sync.providers"
FOLDER = Path(__file__).parent

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


def codes_of_files() -> list[str]:
    """Providers whose books arrive as files that people drop."""
    classes = {**_installed(), **_extra}
    return [code for code, each in classes.items() if each.wants_statements]


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


def built_in() -> list[type[Provider]]:
    """The providers of this project, by what people call their ERPs."""
    found = [_class_in(module) for module in FOLDER.glob("*/provider.py")]
    return sorted(found, key=lambda each: each.label.lower())


@cache
def _installed() -> dict[str, type[Provider]]:
    classes = built_in()
    classes += [point.load() for point in entry_points(group=GROUP)]
    return {each.code: each for each in classes}


def _class_in(module_file: Path) -> type[Provider]:
    """The provider that a folder is for: the class with a ``code``, defined right there."""
    name = f"{__package__}.{module_file.parent.name}.provider"
    (found,) = [
        each
        for each in vars(import_module(name)).values()
        if isinstance(each, type)
        and issubclass(each, Provider)
        and each.__module__ == name
        and "code" in vars(each)
    ]
    return found
