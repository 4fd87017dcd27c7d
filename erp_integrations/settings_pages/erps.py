"""The ERPs to choose from, grouped by how they are connected, each with what it needs."""

from typing import NamedTuple

from erp_integrations.providers.contract import Provider
from erp_integrations.providers.registry import find_provider, provider_choices


class Choice(NamedTuple):
    code: str
    label: str
    does: str
    needs: str


class Group(NamedTuple):
    title: str
    sentence: str
    choices: list[Choice]


def groups() -> list[Group]:
    """Every ERP that is installed; groups without one are left out."""
    found: dict[str, list[Choice]] = {title: [] for title, _ in GROUPS}
    for code, label in provider_choices():
        provider = find_provider(code)
        if provider is not None:
            choice = Choice(code, label, _does(provider), _needs(provider))
            found[_group_of(provider)].append(choice)
    return [Group(title, text, found[title]) for title, text in GROUPS if found[title]]


def _group_of(provider: type[Provider]) -> str:
    if provider.uses_oauth:
        return APP
    is_asked = any(field.is_required for field in provider.fields)
    return KEY if is_asked and not provider.capabilities.is_pushed else SENT


def _does(provider: type[Provider]) -> str:
    can = provider.capabilities
    words = ["Takes payments that are sent"] if can.is_pushed else ["Reads payments"]
    words += ["exports invoices"] if can.export_bills else []
    where = f" ({can.region})" if can.region else ""
    return f"{' and '.join(words)}{where}."


def _needs(provider: type[Provider]) -> str:
    if provider.needs:
        return provider.needs
    # The secret of an app is optional only because some vendors give none.
    asked = [
        field.label
        for field in provider.fields
        if field.is_required or (provider.uses_oauth and field.name == "client_secret")
    ]
    return f"Needs: {', '.join(asked)}." if asked else "Needs nothing to begin with."


APP, KEY, SENT = (
    "Through an app at the vendor",
    "With an address and a key",
    "Without access to the ERP",
)
GROUPS = (
    (
        APP,
        "Register an app for this installation with the vendor; its client ID goes into the next "
        "page, which also shows the redirect address to register. Nobody's password is needed: "
        "where a person has to agree, they sign in at the vendor's own page.",
    ),
    (
        KEY,
        "For ERPs with an address of your own. You need a user there that may read supplier "
        "payments, and a key or password of that user.",
    ),
    (
        SENT,
        "For every other system: it sends its payments, or somebody drops them here as files.",
    ),
)
